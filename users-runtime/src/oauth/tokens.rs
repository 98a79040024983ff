//! The tokens of a provider: secrets, which leave memory sealed or not at all (S48).

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::Error;

/// What a provider lets the application do in a user's name. It is wiped from memory when dropped and cannot be
/// serialised.
#[derive(Clone)]
pub struct OAuthTokens {
    access_token: Zeroizing<String>,
    refresh_token: Option<Zeroizing<String>>,
    expires_at: Option<i64>,
    scopes: Vec<String>,
}

/// The form that is sealed.
#[derive(Serialize, Deserialize)]
struct Stored<'t> {
    access: std::borrow::Cow<'t, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<std::borrow::Cow<'t, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    scopes: std::borrow::Cow<'t, [String]>,
}

impl OAuthTokens {
    pub(super) fn new(
        access_token: impl Into<String>,
        refresh_token: Option<String>,
        expires_at: Option<i64>,
        scopes: Vec<String>,
    ) -> Self {
        Self {
            access_token: Zeroizing::new(access_token.into()),
            refresh_token: refresh_token.map(Zeroizing::new),
            expires_at,
            scopes,
        }
    }

    /// The token for the provider's API; whoever calls this decides where it goes.
    #[must_use]
    pub fn expose_access_token(&self) -> &str {
        &self.access_token
    }

    /// The token that gets another access token, if the provider gave one.
    #[must_use]
    pub fn expose_refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_ref().map(|token| token.as_str())
    }

    /// When the access token ends, in milliseconds since 1970, if the provider said so.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    /// What the user agreed to.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The same with the refresh token of the tokens before, where there is no newer one.
    #[must_use]
    pub(crate) fn with_refresh_token_of(self, before: &Self) -> Self {
        let refresh_token = self.refresh_token.or_else(|| before.refresh_token.clone());
        Self { refresh_token, ..self }
    }

    /// The plain text for [`Keys::seal`](crate::token::Keys::seal), and for nothing else.
    pub(crate) fn to_sealed_json(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let stored = Stored {
            access: self.access_token.as_str().into(),
            refresh: self.refresh_token.as_ref().map(|token| token.as_str().into()),
            expires_at: self.expires_at,
            scopes: self.scopes.as_slice().into(),
        };
        serde_json::to_vec(&stored).map(Zeroizing::new).map_err(Error::internal)
    }

    /// The tokens in what [`to_sealed_json`](Self::to_sealed_json) made.
    pub(crate) fn from_sealed_json(json: &[u8]) -> Result<Self, Error> {
        // The cause of a failure could quote the text, which is secret.
        let stored: Stored<'_> =
            serde_json::from_slice(json).map_err(|_| Error::internal("sealed tokens that are none"))?;
        Ok(Self::new(
            stored.access,
            stored.refresh.map(Into::into),
            stored.expires_at,
            stored.scopes.into_owned(),
        ))
    }
}

impl fmt::Debug for OAuthTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthTokens")
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> OAuthTokens {
        OAuthTokens::new("an-access", Some("a-refresh".to_owned()), Some(7), vec!["email".to_owned()])
    }

    #[test]
    fn s48_debug_shows_no_token() {
        let shown = format!("{:?}", tokens());
        assert_eq!(shown, "OAuthTokens { expires_at: Some(7), scopes: [\"email\"], .. }");
    }

    #[test]
    fn s48_the_sealed_form_holds_everything_and_its_failure_quotes_nothing() {
        let read = OAuthTokens::from_sealed_json(&tokens().to_sealed_json().unwrap()).unwrap();
        assert_eq!(read.expose_access_token(), "an-access");
        assert_eq!(read.expose_refresh_token(), Some("a-refresh"));
        assert_eq!((read.expires_at(), read.scopes()), (Some(7), &["email".to_owned()][..]));

        let bare = OAuthTokens::new("an-access", None, None, Vec::new());
        let read = OAuthTokens::from_sealed_json(&bare.to_sealed_json().unwrap()).unwrap();
        assert_eq!((read.expose_refresh_token(), read.expires_at()), (None, None));

        let error = OAuthTokens::from_sealed_json(br#"{"access":["an-access"]}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("an-access"), "{error:?}");
    }
}
