//! What an application sets of a provider; nothing is checked before the start.

use std::{fmt, time::Duration};

use oauth2::AuthType;
use zeroize::Zeroizing;

/// A provider that people sign in through: one of the presets, or any other by [`oidc`](Self::oidc) and
/// [`oauth2`](Self::oauth2). Give it to [`Config::with_oauth_provider`].
///
/// Register the application with the provider and give it, as the redirect URI, the address of the callback:
/// `https://app.example.com/oauth2/{name}/callback`, and for linking
/// `https://app.example.com/oauth2-associate/{name}/callback`.
///
/// Mistakes in it are reported when the application starts. Nothing is asked of the provider before the first sign-in.
///
/// ```
/// # use users_runtime::{Config, Error, OAuthProvider};
/// # fn configured(config: Config) -> Config {
/// config
///     .with_oauth_provider(OAuthProvider::google("client-id", "client-secret"))
///     .with_oauth_provider(
///         OAuthProvider::oidc("work", "https://login.example.com", "client-id", "client-secret")
///             .with_scopes(["openid", "email"]),
///     )
/// # }
/// ```
///
/// [`Config::with_oauth_provider`]: crate::Config::with_oauth_provider
#[derive(Clone)]
#[must_use]
pub struct OAuthProvider {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) client_id: String,
    pub(super) credential: ClientCredential,
    pub(super) scopes: Vec<String>,
    pub(super) allowed_scopes: Vec<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(super) base_url: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) issuer: Option<String>,
    /// How the client proves itself, if not as the preset or the provider says.
    pub(super) auth: Option<AuthType>,
}

/// Which provider it is: where it is found, and how what it says is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Google,
    GitHub,
    GitLab,
    Microsoft,
    Apple,
    Discord,
    Facebook,
    Oidc { issuer: String },
    OAuth2 { authorize_url: String, token_url: String, userinfo_url: String },
}

/// How the application proves to the provider who it is.
#[derive(Clone)]
pub(super) enum ClientCredential {
    Secret(Zeroizing<String>),
    /// Apple takes a JWT in place of a secret, made anew for each request.
    Apple {
        team_id: String,
        key_id: String,
        private_key_pem: Zeroizing<String>,
    },
}

/// How long a provider may take over everything that one request needs of it.
const TIMEOUT: Duration = Duration::from_secs(5);

impl OAuthProvider {
    pub(super) fn new(
        name: impl Into<String>,
        kind: Kind,
        client_id: impl Into<String>,
        credential: ClientCredential,
        scopes: &[&str],
    ) -> Self {
        Self {
            name: name.into(),
            kind,
            client_id: client_id.into(),
            credential,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            allowed_scopes: Vec::new(),
            parameters: Vec::new(),
            timeout: TIMEOUT,
            base_url: None,
            tenant: None,
            issuer: None,
            auth: None,
        }
    }

    /// Another name in the paths of the routes: `a-z`, `0-9`, `_` and `-`, up to 32 characters. Linked accounts
    /// remember the issuer, so a new name loses nobody's.
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// What the application asks the provider for at every sign-in, in place of the preset's scopes. `openid` is added
    /// for providers of OpenID Connect.
    pub fn with_scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), ..self }
    }

    /// What a client may ask for beside that, with `scopes=` at the route that begins a sign-in. By default nothing.
    pub fn with_allowed_scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { allowed_scopes: scopes.into_iter().map(Into::into).collect(), ..self }
    }

    /// A parameter of the provider's own for the page that people are sent to, such as `access_type=offline` for
    /// refresh tokens of Google, or `prompt=select_account`.
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sends client id and secret in the body of requests for tokens (`client_secret_post`), for a provider that takes
    /// them nowhere else and does not say so itself. By default they stand in the `Authorization` header, as RFC 6749
    /// recommends in section 2.3.1.
    pub fn with_client_secret_post(self) -> Self {
        Self { auth: Some(AuthType::RequestBody), ..self }
    }

    /// How long the provider may take over everything that one request needs of it; 5 seconds by default (S48).
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Where the provider is, if not where the preset says: a GitLab or a GitHub Enterprise Server of one's own, another
    /// cloud of Microsoft, a stand-in in tests. It is `https`, or `http` on loopback.
    pub fn with_base_url(self, url: impl Into<String>) -> Self {
        Self { base_url: Some(url.into()), ..self }
    }

    /// Whose accounts of Microsoft may sign in: the directory's identifier or domain, `organizations`, `consumers`, or
    /// `common`, the default, which is everybody.
    pub fn with_tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// The issuer identifier of a provider without OpenID Connect: what its accounts are remembered under (S44), and what
    /// it has to say of itself where it says so (RFC 9207). By default the address of its user information.
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }
}

impl fmt::Debug for OAuthProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the secret nor parameters, which may hold one.
        f.debug_struct("OAuthProvider")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s48_debug_shows_neither_secrets_nor_keys() {
        for provider in [
            OAuthProvider::google("id", "the-secret").with_parameter("hint", "the-secret"),
            OAuthProvider::apple("id", "team", "key", "the-secret"),
        ] {
            let shown = format!("{provider:?}");
            assert!(shown.contains("client_id: \"id\""), "{shown}");
            assert!(!shown.contains("the-secret"), "{shown}");
        }
    }
}
