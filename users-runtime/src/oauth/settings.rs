//! What an application set of a provider, checked: nothing in here is wrong in itself.

use std::{sync::Arc, time::Duration};

use oauth2::{AuthType, ClientSecret};
use url::Url;

use super::{
    apple::AppleKey,
    check::{Mistake, http_url, parameters, require, scopes, tenant},
    discovery::{Endpoints, Microsoft, Whose},
    issuer::Issuer,
    provider::{ClientCredential, Kind, OAuthProvider},
};
use crate::error::Error;

/// What an application set of a provider.
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) client_id: String,
    pub(super) credential: Credential,
    pub(super) scopes: Vec<String>,
    pub(super) allowed_scopes: Vec<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) timeout: Duration,
    pub(super) source: Source,
}

/// How the application proves to the provider who it is.
pub(super) enum Credential {
    Secret(ClientSecret),
    Apple(AppleKey),
}

/// Where the provider's addresses are from.
pub(super) enum Source {
    /// From itself, by OpenID Connect Discovery.
    Discovered { document: Url, whose: Whose, auth: Option<AuthType> },
    /// From the settings. Accounts are remembered under `issuer`.
    Fixed { endpoints: Arc<Endpoints>, issuer: String },
}

impl Settings {
    /// # Errors
    /// [`Error::Setting`] with what to write instead.
    pub(super) fn of(provider: OAuthProvider) -> Result<Self, Error> {
        let name = provider.name.clone();
        Self::checked(provider).map_err(|problem| Error::Setting {
            name: "with_oauth_provider",
            problem: format!("`{name}`: {problem}"),
        })
    }

    fn checked(provider: OAuthProvider) -> Result<Self, Mistake> {
        require(
            (1..=32).contains(&provider.name.len())
                && provider.name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')),
            "a name has 1 to 32 of `a-z`, `0-9`, `_` and `-`, because it stands in paths",
        )?;
        require(!provider.client_id.is_empty(), "the client id is empty; the provider shows it")?;
        require(!provider.timeout.is_zero(), "a time-out of zero lets nobody sign in")?;
        let own = matches!(provider.kind, Kind::Oidc { .. } | Kind::OAuth2 { .. });
        require(
            !own || provider.base_url.is_none(),
            "`with_base_url` is for the providers known by name; this one has its addresses already",
        )?;
        require(
            provider.tenant.is_none() || provider.kind == Kind::Microsoft,
            "`with_tenant` is for `OAuthProvider::microsoft` alone",
        )?;
        require(
            provider.issuer.is_none() || matches!(provider.kind, Kind::OAuth2 { .. }),
            "`with_issuer` is for `OAuthProvider::oauth2` alone; of this one the issuer is known",
        )?;
        let source = source(&provider)?;
        let openid = matches!(source, Source::Discovered { .. });
        Ok(Self {
            credential: credential(&provider.credential)?,
            scopes: scopes(&provider.scopes, openid)?,
            allowed_scopes: scopes(&provider.allowed_scopes, false)?,
            parameters: parameters(provider.parameters)?,
            name: provider.name,
            kind: provider.kind,
            client_id: provider.client_id,
            timeout: provider.timeout,
            source,
        })
    }
}

fn credential(credential: &ClientCredential) -> Result<Credential, Mistake> {
    match credential {
        ClientCredential::Secret(secret) => {
            require(!secret.is_empty(), "the client secret is empty; the provider shows it")?;
            Ok(Credential::Secret(ClientSecret::new(secret.to_string())))
        }
        ClientCredential::Apple { team_id, key_id, private_key_pem } => {
            require(!team_id.is_empty(), "the team id is empty; Apple shows it in the membership details")?;
            require(!key_id.is_empty(), "the key id is empty; Apple shows it beside the key")?;
            let key = AppleKey::new(team_id, key_id, private_key_pem);
            key.map(Credential::Apple).ok_or_else(|| {
                "the private key is not one of the curve P-256 in PEM; give the contents of the `.p8` file".into()
            })
        }
    }
}

/// The newest version of the Graph API when this was written; one is good for two years or so, and what is asked of it
/// has not changed for ten.
const FACEBOOK: &str = "v23.0";

fn source(provider: &OAuthProvider) -> Result<Source, Mistake> {
    let base = |default: &str| -> Result<String, Mistake> {
        let text = provider.base_url.as_deref().unwrap_or(default);
        let url = http_url(text)?;
        require(
            url.query().is_none() && url.fragment().is_none(),
            "the address of `with_base_url` has a query or a fragment",
        )?;
        Ok(text.trim_end_matches('/').to_owned())
    };
    match &provider.kind {
        Kind::Google => discovered(provider, &base("https://accounts.google.com")?),
        Kind::GitLab => discovered(provider, &base("https://gitlab.com")?),
        Kind::Apple => discovered(provider, &base("https://appleid.apple.com")?),
        Kind::Oidc { issuer } => discovered(provider, issuer),
        Kind::Microsoft => {
            let base = base("https://login.microsoftonline.com")?;
            let tenant = tenant(provider.tenant.as_deref().unwrap_or("common"))?;
            Ok(Source::Discovered {
                document: document(&format!("{base}/{tenant}/v2.0"))?,
                whose: Whose::Microsoft(Microsoft { base, tenant }),
                auth: provider.auth.clone(),
            })
        }
        // <https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>; the issuer is the one
        // of <https://docs.github.com/apps/github-authentication-discovery-endpoints>, which answers name (RFC 9207). An
        // Enterprise Server has its API below `/api/v3`.
        Kind::GitHub => {
            let own = provider.base_url.is_some();
            let base = base("https://github.com")?;
            let api = if own { format!("{base}/api/v3") } else { "https://api.github.com".to_owned() };
            let issuer = format!("{base}/login/oauth");
            fixed(
                provider,
                [&format!("{issuer}/authorize"), &format!("{issuer}/access_token"), &format!("{api}/user")],
                AuthType::RequestBody,
                (Some(Issuer::Exact(issuer.clone())), issuer.clone()),
            )
        }
        // <https://discord.com/developers/docs/topics/oauth2>
        Kind::Discord => {
            let base = base("https://discord.com")?;
            fixed(
                provider,
                [
                    &format!("{base}/oauth2/authorize"),
                    &format!("{base}/api/oauth2/token"),
                    &format!("{base}/api/users/@me"),
                ],
                AuthType::BasicAuth,
                (None, base),
            )
        }
        // <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>
        Kind::Facebook => {
            let own = provider.base_url.is_some();
            let base = base("https://www.facebook.com")?;
            let api = if own { base.clone() } else { "https://graph.facebook.com".to_owned() };
            fixed(
                provider,
                [
                    &format!("{base}/{FACEBOOK}/dialog/oauth"),
                    &format!("{api}/{FACEBOOK}/oauth/access_token"),
                    &format!("{api}/{FACEBOOK}/me?fields=id,name,email"),
                ],
                AuthType::RequestBody,
                (None, base),
            )
        }
        Kind::OAuth2 { authorize_url, token_url, userinfo_url } => {
            let mut home = http_url(userinfo_url)?;
            home.set_query(None);
            home.set_fragment(None);
            let issuer = provider.issuer.clone();
            require(issuer.as_deref() != Some(""), "the issuer is empty")?;
            let remembered = issuer.clone().unwrap_or_else(|| home.into());
            fixed(
                provider,
                [authorize_url, token_url, userinfo_url],
                AuthType::BasicAuth,
                (issuer.map(Issuer::Exact), remembered),
            )
        }
    }
}

fn discovered(provider: &OAuthProvider, issuer: &str) -> Result<Source, Mistake> {
    Ok(Source::Discovered {
        document: document(issuer)?,
        whose: Whose::Exactly(issuer.to_owned()),
        auth: provider.auth.clone(),
    })
}

/// Where a provider describes itself (OpenID Connect Discovery 1.0, section 4).
fn document(issuer: &str) -> Result<Url, Mistake> {
    let url = http_url(issuer)?;
    require(
        url.query().is_none() && url.fragment().is_none(),
        "an issuer has neither a query nor a fragment (OpenID Connect Discovery 1.0, section 4)",
    )?;
    http_url(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
}

fn fixed(
    provider: &OAuthProvider,
    [authorize, token, userinfo]: [&str; 3],
    auth: AuthType,
    (answers_from, issuer): (Option<Issuer>, String),
) -> Result<Source, Mistake> {
    let endpoints = Endpoints {
        authorize: http_url(authorize)?,
        token: http_url(token)?,
        userinfo: Some(http_url(userinfo)?),
        auth: provider.auth.clone().unwrap_or(auth),
        issuer: answers_from,
        names_issuer: false,
        openid: None,
    };
    Ok(Source::Fixed { endpoints: Arc::new(endpoints), issuer })
}

#[cfg(test)]
mod tests;
