//! How clients show who they are, as the OpenAPI document tells them.

use std::borrow::Cow;

/// How a client shows who it is; an application that takes several has one of these for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityScheme {
    /// A cookie of this name.
    Cookie(Cow<'static, str>),
    /// The header `Authorization: Bearer`, and what it carries, such as `JWT`, if that is anybody's business.
    Bearer(Option<&'static str>),
    /// A key in the header of this name.
    Header(Cow<'static, str>),
    /// The header `Authorization: Bearer` with a token that clients get for a form at the route `POST /token` of the
    /// application (RFC 6749, section 4.3).
    OAuth2Password,
}

impl SecurityScheme {
    /// A cookie of this name.
    pub fn cookie(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Cookie(name.into())
    }

    /// The header `Authorization: Bearer`.
    #[must_use]
    pub const fn bearer() -> Self {
        Self::Bearer(None)
    }

    /// A key in the header of this name.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Header(name.into())
    }
}
