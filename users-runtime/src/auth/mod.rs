//! Authentication backends: who a request is from, and what a client is given to say so.

pub(crate) mod cookie;
#[cfg(feature = "jwt")]
mod jwt;
mod list;
mod login;
#[cfg(feature = "jwt")]
mod refresh;
mod security;
#[cfg(feature = "session")]
mod session;
#[cfg(feature = "session-cookie")]
mod session_cookie;

use std::future::{Future, ready};

use http::{HeaderName, HeaderValue, request::Parts};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

#[cfg(feature = "jwt")]
pub use jwt::{Jwt, JwtCookie, NoClaims, OAuth2Password, TokenClaims};
pub use security::SecurityScheme;
#[cfg(feature = "session")]
pub use session::Session;
#[cfg(feature = "session-cookie")]
pub use session_cookie::SessionCookie;

use crate::{
    config::Config,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    model::UserModel,
    principal::Principal,
    session::DataChanges,
};

/// What reads a request before anybody knows who it is from.
#[cfg(all(any(fuzzing, test), feature = "jwt"))]
pub(crate) mod fuzzing {
    pub(crate) use super::{cookie::read as cookie_of, jwt::bearer as bearer_of};

    /// The one text of a refresh token, if this is one.
    pub(crate) fn refresh_token(text: &str) -> Option<zeroize::Zeroizing<String>> {
        super::refresh::RefreshToken::parse(text).map(|token| token.expose())
    }
}

/// An authentication backend. `"session"`, `"session_cookie"`, `"jwt"`, `"jwt_cookie"` and `"oauth2_password"` are
/// implementations; a type of your own is named by its path, as in `#[users_app(auth = my::ApiKeys)]`, and has one method to write.
///
/// Whether the account is active and verified is checked for every backend in one place, after this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authentication backend for `{U}`",
    label = "implement `users_runtime::Backend<{U}>` for it",
    note = "the trait has one required method, `authenticate`"
)]
pub trait Backend<U: Storable>: Send + Sync + 'static {
    /// Finds out who a request is from.
    ///
    /// # Errors
    /// Only when it cannot be found out, such as when a store is gone. A credential that is no good is
    /// [`Recognition::Refused`].
    fn authenticate(
        &self,
        directory: &Directory<U>,
        request: &Parts,
    ) -> impl Future<Output = Result<Recognition<U>, Error>> + Send;

    /// The scheme of the header `WWW-Authenticate` in a 401.
    fn challenge(&self) -> &'static str {
        "Bearer"
    }

    /// The same for each backend of a list.
    fn challenges(&self) -> Vec<&'static str> {
        vec![self.challenge()]
    }

    /// Whether this request's credential is one that a browser adds by itself, so that a page of another origin
    /// could have sent it (S49). The default is the safe answer.
    fn is_ambient(&self, request: &Parts) -> bool {
        let _ = request;
        Self::AMBIENT
    }

    /// Whether [`is_ambient`](Self::is_ambient) is true of any request at all. Where it is, the OpenAPI document says
    /// that requests from pages of another origin are refused.
    const AMBIENT: bool = true;

    /// How clients show who they are, for the OpenAPI document: the alternatives, the first of them the one for most
    /// clients. By default the header `Authorization: Bearer`.
    #[must_use]
    fn security(config: &Config) -> Vec<SecurityScheme> {
        let _ = config;
        vec![SecurityScheme::bearer()]
    }

    /// Gives a client its credential, inside the transaction of the login; `None` for a backend without a login.
    fn log_in(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        login: &Login<'_, U>,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<Option<Credential>, Error>> + Send {
        let _ = (directory, request, login, transaction);
        ready(Ok(None))
    }

    /// Gives a client its next tokens for a refresh token, which is good once (S29); `None` for a backend without
    /// refresh tokens. `token` is what the body says; a browser has it in a cookie.
    fn refresh(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        token: Option<&str>,
    ) -> impl Future<Output = Result<Option<(Principal<U>, Credential)>, Error>> + Send {
        let _ = (directory, request, token);
        ready(Ok(None))
    }

    /// Ends the credential of a request, and says how a client forgets it.
    fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<Credential, Error>> + Send {
        let _ = (directory, request, transaction);
        ready(Ok(Credential::default()))
    }

    /// Whether a login gives tokens in the body when it is asked to, with `?response=token`.
    #[doc(hidden)]
    const GIVES_TOKENS: bool = false;

    /// Whether sessions of this backend carry [`SessionData`](crate::SessionData) of the application's.
    const CARRIES_DATA: bool = false;

    /// What the request's session carries; nothing when there is no session.
    fn read_data(
        &self,
        directory: &Directory<U>,
        request: &Parts,
    ) -> impl Future<Output = Result<Map<String, Value>, Error>> + Send {
        let _ = (directory, request);
        ready(Ok(Map::new()))
    }

    /// Changes what the request's session carries, and begins one that is nobody's when there is none.
    fn write_data(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        changes: &DataChanges,
    ) -> impl Future<Output = Result<Credential, Error>> + Send {
        let _ = (directory, request, changes);
        ready(Err(Error::internal(
            "sessions of this backend carry no data; use `session` or `session_cookie`",
        )))
    }
}

/// A login that is to be given a credential.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login<'a, U> {
    /// Who logs in.
    pub user: &'a U,
    /// Whether the client asked to be remembered; `true` where it is not asked.
    pub remember: bool,
    /// Whether the client wants tokens in the body (RFC 6749, section 4.3) and no cookie.
    pub wants_token: bool,
}

impl<'a, U> Login<'a, U> {
    pub(crate) fn of(user: &'a U) -> Self {
        Self { user, remember: true, wants_token: false }
    }
}

/// What a backend makes of a request.
#[derive(Debug)]
pub enum Recognition<U: UserModel> {
    /// There is no credential of this backend's kind.
    Absent,
    /// There is one, and it is no good.
    Refused,
    /// There is one, and it stands for this user.
    Accepted(Principal<U>),
}

/// What a client is given at login, or told at logout.
#[derive(Debug, Default)]
pub struct Credential {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) token: Option<AccessToken>,
}

impl Credential {
    /// Adds a cookie, or takes one away.
    pub(crate) fn with_cookie(self, value: HeaderValue) -> Self {
        self.with_header(http::header::SET_COOKIE, value)
    }

    /// The cookies alone, for a browser that is sent elsewhere.
    #[cfg(feature = "oauth2")]
    pub(crate) fn without_tokens(mut self) -> Self {
        self.headers.retain(|(name, _)| *name == http::header::SET_COOKIE);
        Self { token: None, ..self }
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.push((name, value));
        self
    }
}

/// Tokens that a client may ask for in the body.
pub(crate) struct AccessToken {
    pub(crate) text: Zeroizing<String>,
    /// In seconds.
    pub(crate) expires_in: u64,
    pub(crate) refresh: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(..)")
    }
}
