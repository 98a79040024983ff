//! The providers that are known by name.

use zeroize::Zeroizing;

use super::provider::{ClientCredential, Kind, OAuthProvider};

fn secret(secret: impl Into<String>) -> ClientCredential {
    ClientCredential::Secret(Zeroizing::new(secret.into()))
}

impl OAuthProvider {
    /// Google, by OpenID Connect, under the name `google`.
    pub fn google(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new("google", Kind::Google, client_id, secret(client_secret), &["openid", "email", "profile"])
    }

    /// GitHub, under the name `github`; for an Enterprise Server see [`with_base_url`](Self::with_base_url).
    pub fn github(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new("github", Kind::GitHub, client_id, secret(client_secret), &["read:user", "user:email"])
    }

    /// GitLab, by OpenID Connect, under the name `gitlab`; for one's own see [`with_base_url`](Self::with_base_url).
    pub fn gitlab(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new("gitlab", Kind::GitLab, client_id, secret(client_secret), &["openid", "email", "profile"])
    }

    /// Microsoft Entra ID and personal accounts, by OpenID Connect, under the name `microsoft`: everybody's accounts
    /// unless [`with_tenant`](Self::with_tenant) says whose.
    ///
    /// Administrators of a directory write what they like into the addresses of its users, so an address counts as
    /// verified only when the token says so in the optional claim `xms_edov` or `verified_primary_email`.
    pub fn microsoft(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new(
            "microsoft",
            Kind::Microsoft,
            client_id,
            secret(client_secret),
            &["openid", "email", "profile"],
        )
    }

    /// Sign in with Apple, by OpenID Connect, under the name `apple`. The client id is that of the Services ID, the
    /// private key the contents of the `.p8` file; the library makes the client secret of it for each request.
    ///
    /// Apple answers with a `POST` when scopes are asked for, and tells the name at the first sign-in alone, outside of
    /// the ID token, where nobody vouches for it: it is not read.
    pub fn apple(
        client_id: impl Into<String>,
        team_id: impl Into<String>,
        key_id: impl Into<String>,
        private_key_pem: impl Into<String>,
    ) -> Self {
        let credential = ClientCredential::Apple {
            team_id: team_id.into(),
            key_id: key_id.into(),
            private_key_pem: Zeroizing::new(private_key_pem.into()),
        };
        Self::new("apple", Kind::Apple, client_id, credential, &["openid", "email", "name"])
    }

    /// Discord, under the name `discord`.
    pub fn discord(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new("discord", Kind::Discord, client_id, secret(client_secret), &["identify", "email"])
    }

    /// Facebook, under the name `facebook`. Its addresses never count as verified, because it does not say so.
    pub fn facebook(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new("facebook", Kind::Facebook, client_id, secret(client_secret), &["email", "public_profile"])
    }

    /// Any provider of OpenID Connect, which is found by its issuer's address (OpenID Connect Discovery 1.0).
    pub fn oidc(
        name: impl Into<String>,
        issuer_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        let kind = Kind::Oidc { issuer: issuer_url.into() };
        Self::new(name, kind, client_id, secret(client_secret), &["openid", "email", "profile"])
    }

    /// Any provider of OAuth 2.0 that tells in a JSON object who an access token is for: `sub` or else `id`, a text or
    /// an integer, and if it has them `email`, `email_verified` and `name`.
    ///
    /// Its accounts are remembered under the user information's address, unless
    /// [`with_issuer`](Self::with_issuer) names the issuer.
    pub fn oauth2(
        name: impl Into<String>,
        authorize_url: impl Into<String>,
        token_url: impl Into<String>,
        userinfo_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        let kind = Kind::OAuth2 {
            authorize_url: authorize_url.into(),
            token_url: token_url.into(),
            userinfo_url: userinfo_url.into(),
        };
        Self::new(name, kind, client_id, secret(client_secret), &[])
    }
}
