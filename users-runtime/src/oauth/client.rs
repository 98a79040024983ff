//! The protocol with one provider: where people are sent, and who came back.

use std::{borrow::Cow, collections::HashMap, future::Future, sync::Arc};

use oauth2::{
    AuthUrl, Client, ClientId, CsrfToken, EndpointNotSet, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    Scope, StandardRevocableToken,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use serde_json::{Map, Value};
use url::Url;

use super::{
    OAuthIdentity, OAuthProvider, OAuthTokens, OAuthTransaction,
    discovery::{Discovery, Endpoints, OpenId},
    exchange::{Grant, Granted},
    fault::{Fault, Place},
    http::Http,
    id_token::{Expected, Proven, Rejected, verify},
    identity::add_github_addresses,
    provider::Kind,
    settings::{Settings, Source},
};
use crate::{clock, error::Error, validate::Violation};

/// The providers of an application, by name.
pub(crate) struct OAuthClients {
    clients: HashMap<String, OAuthClient>,
}

impl OAuthClients {
    /// The clients of these providers, once they are checked. Nothing is asked of anybody yet.
    ///
    /// # Errors
    /// [`Error::Setting`] with what to write instead.
    pub(crate) fn new(providers: Vec<OAuthProvider>) -> Result<Self, Error> {
        let mut new = Self { clients: HashMap::new() };
        if providers.is_empty() {
            return Ok(new);
        }
        let http = Arc::new(Http::new()?);
        for provider in providers {
            let client = OAuthClient::new(Settings::of(provider)?, &http);
            let name = client.settings.name.clone();
            if new.clients.insert(name.clone(), client).is_some() {
                return Err(Error::Setting {
                    name: "with_oauth_provider",
                    problem: format!("`{name}` is there twice; give one of them another name by `with_name`"),
                });
            }
        }
        Ok(new)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&OAuthClient> {
        self.clients.get(name)
    }
}

/// The client of one provider.
pub(crate) struct OAuthClient {
    settings: Settings,
    http: Arc<Http>,
    found: Found,
}

/// How the provider is found.
enum Found {
    Discovered(Box<Discovery>),
    Fixed { endpoints: Arc<Endpoints>, issuer: String },
}

/// A client of `oauth2` that only makes addresses.
type AddressClient = Client<
    BasicErrorResponse,
    Granted,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
>;

impl OAuthClient {
    fn new(settings: Settings, http: &Arc<Http>) -> Self {
        let found = match &settings.source {
            Source::Discovered { document, whose, auth } => Found::Discovered(Box::new(Discovery::new(
                document.clone(),
                whose.clone(),
                auth.clone(),
                Arc::clone(http),
            ))),
            Source::Fixed { endpoints, issuer } => {
                Found::Fixed { endpoints: Arc::clone(endpoints), issuer: issuer.clone() }
            }
        };
        Self { settings, http: Arc::clone(http), found }
    }

    /// Where to send somebody who wants to sign in, and what to remember until the provider sends them to `callback`.
    /// `scopes` are asked for beside those of the settings.
    ///
    /// # Errors
    /// [`Error::Validation`] for a scope that the settings do not allow, [`Error::Unavailable`] when the provider cannot
    /// be found.
    pub(crate) async fn authorize(
        &self,
        callback: &Url,
        scopes: &[String],
    ) -> Result<(Url, OAuthTransaction), Error> {
        let transaction = OAuthTransaction::random(self.scopes(scopes)?)?;
        let endpoints = self.in_time(self.endpoints()).await.map_err(Fault::into_unavailable)?;
        let client = AddressClient::new(ClientId::new(self.settings.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(endpoints.authorize.clone()));
        let verifier = PkceCodeVerifier::new(transaction.verifier.clone());
        let mut request = client
            .authorize_url(|| CsrfToken::new(transaction.state().to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(callback.clone())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(transaction.scopes.iter().cloned().map(Scope::new));
        if endpoints.openid.is_some() {
            request = request.add_extra_param("nonce", transaction.nonce.as_str());
        }
        // Apple refuses other ways of answering as soon as it is asked for a name or an address.
        if self.settings.kind == Kind::Apple && transaction.scopes.iter().any(|scope| scope != "openid") {
            request = request.add_extra_param("response_mode", "form_post");
        }
        for (name, value) in &self.settings.parameters {
            request = request.add_extra_param(name.as_str(), value.as_str());
        }
        let (url, _) = request.url();
        Ok((url, transaction))
    }

    /// Who came back to `callback` with this code, once the state was found to answer this transaction. `issuer` is the
    /// parameter `iss` of the answer, if it had one (RFC 9207).
    ///
    /// # Errors
    /// [`Error::OAuth`] for whatever the provider does wrong, and when it does not answer.
    pub(crate) async fn exchange(
        &self,
        callback: &Url,
        code: &str,
        issuer: Option<&str>,
        transaction: &OAuthTransaction,
    ) -> Result<(OAuthIdentity, OAuthTokens), Error> {
        let exchanged = self.in_time(self.exchanged(callback, code, issuer, transaction)).await;
        exchanged.map_err(Fault::into_failure)
    }

    /// New tokens for old ones. Where the provider gives no new refresh token, the old one stands in the answer.
    ///
    /// # Errors
    /// [`Error::OAuth`] when the provider refuses: the user has to sign in again. [`Error::Unavailable`] when it does not
    /// answer.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<OAuthTokens, Error> {
        let refreshed = async {
            let endpoints = self.endpoints().await?;
            self.grant(&endpoints).refresh(&self.http, refresh_token).await
        };
        self.in_time(refreshed)
            .await
            .map_err(|fault| if fault.is_passing() { fault.into_unavailable() } else { fault.into_failure() })
    }

    /// What is asked for: what the settings say, and what the client wants beside that if they allow it.
    fn scopes(&self, asked: &[String]) -> Result<Vec<String>, Error> {
        let mut scopes = self.settings.scopes.clone();
        for scope in asked {
            if scopes.contains(scope) {
                continue;
            }
            if !self.settings.allowed_scopes.contains(scope) {
                let violation = Violation::new("not_allowed", "this application does not ask for this scope");
                return Err(Error::field("scopes", violation));
            }
            scopes.push(scope.clone());
        }
        Ok(scopes)
    }

    /// Gives a provider its time for everything that one request needs of it, and no more (S48).
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let limit = self.settings.timeout;
        tokio::time::timeout(limit, work).await.unwrap_or(Err(Fault::TimedOut(limit.as_millis())))
    }

    async fn endpoints(&self) -> Result<Arc<Endpoints>, Fault> {
        match &self.found {
            Found::Discovered(discovery) => discovery.endpoints().await,
            Found::Fixed { endpoints, .. } => Ok(Arc::clone(endpoints)),
        }
    }

    fn grant<'g>(&'g self, endpoints: &'g Endpoints) -> Grant<'g> {
        Grant { settings: &self.settings, endpoints }
    }

    async fn exchanged(
        &self,
        callback: &Url,
        code: &str,
        issuer: Option<&str>,
        transaction: &OAuthTransaction,
    ) -> Result<(OAuthIdentity, OAuthTokens), Fault> {
        let endpoints = self.endpoints().await?;
        check_issuer(&endpoints, issuer)?;
        let (tokens, id_token) =
            self.grant(&endpoints).exchange(&self.http, callback, code, transaction).await?;
        let (issuer, claims) = match (&self.found, &endpoints.openid) {
            (Found::Discovered(discovery), Some(openid)) => {
                let id_token =
                    id_token.ok_or_else(|| Place::Token.invalid("answered without an ID token"))?;
                let proven = self.proven(discovery, &endpoints, openid, &id_token, transaction).await?;
                let claims = self.completed(&endpoints, proven.claims, &tokens, transaction).await?;
                (proven.issuer, claims)
            }
            (Found::Fixed { issuer, .. }, _) => (issuer.clone(), self.described(&endpoints, &tokens).await?),
            (Found::Discovered(_), None) => return Err(Place::Discovery.invalid("has no key set")),
        };
        let identity = OAuthIdentity::of(&self.settings.name, &self.settings.kind, issuer, claims)?;
        Ok((identity, tokens))
    }

    /// What an ID token proves; when its key is not known, with the keys that the provider has now.
    async fn proven(
        &self,
        discovery: &Discovery,
        endpoints: &Endpoints,
        openid: &OpenId,
        id_token: &str,
        transaction: &OAuthTransaction,
    ) -> Result<Proven, Fault> {
        let issuer = endpoints.issuer.as_ref().ok_or_else(|| Place::Discovery.invalid("has no issuer"))?;
        let expected = Expected {
            client_id: &self.settings.client_id,
            issuer,
            algorithms: &openid.algorithms,
            nonce: &transaction.nonce,
            now: clock::now() / 1000,
        };
        let unknown = || Place::IdToken.invalid("is signed by a key that the provider does not have");
        let keys = discovery.keys(&openid.keys).await?;
        match verify(id_token, &expected, &keys) {
            Ok(proven) => Ok(proven),
            Err(Rejected::Fault(fault)) => Err(fault),
            Err(Rejected::UnknownKey) => {
                let newer = discovery.newer_keys(&openid.keys, &keys).await?;
                verify(id_token, &expected, &newer).map_err(|rejected| match rejected {
                    Rejected::UnknownKey => unknown(),
                    Rejected::Fault(fault) => fault,
                })
            }
        }
    }

    /// The claims of an ID token, and of the user information what it lacks of what was asked for.
    async fn completed(
        &self,
        endpoints: &Endpoints,
        mut claims: Map<String, Value>,
        tokens: &OAuthTokens,
        transaction: &OAuthTransaction,
    ) -> Result<Map<String, Value>, Fault> {
        let lacks = |scope: &str, claim: &str| {
            transaction.scopes.iter().any(|asked| asked == scope) && !claims.contains_key(claim)
        };
        let complete = !lacks("email", "email") && !lacks("profile", "name");
        let Some(userinfo) = endpoints.userinfo.as_ref().filter(|_| !complete) else {
            return Ok(claims);
        };
        let more = self.object(userinfo, tokens).await?;
        // Token substitution: the access token may be somebody else's (OpenID Connect Core 1.0, section 5.3.2).
        if more.get("sub").and_then(Value::as_str) != claims.get("sub").and_then(Value::as_str) {
            return Err(Place::UserInfo.invalid("is about somebody else than the ID token"));
        }
        // An address and whether it is verified belong together: neither is taken from the one for the other.
        let has_email = claims.contains_key("email");
        for (name, value) in more {
            if !(has_email && name == "email_verified") {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(claims)
    }

    /// What a provider without ID tokens says of whoever the access token is for.
    async fn described(
        &self,
        endpoints: &Endpoints,
        tokens: &OAuthTokens,
    ) -> Result<Map<String, Value>, Fault> {
        let url = endpoints.userinfo.as_ref().ok_or_else(|| Place::UserInfo.invalid("has no address"))?;
        let mut claims = self.object(url, tokens).await?;
        if self.settings.kind == Kind::GitHub {
            let mut addresses = url.clone();
            addresses.set_path(&format!("{}/emails", url.path()));
            match self.http.json(Place::UserInfo, &addresses, Some(tokens.expose_access_token())).await {
                Ok(list) => add_github_addresses(&mut claims, list),
                // The user or the settings did not agree to `user:email`; the public address proves nothing.
                Err(Fault::Status { status: 403 | 404, .. }) => {
                    claims.remove("email_verified");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(claims)
    }

    async fn object(&self, url: &Url, tokens: &OAuthTokens) -> Result<Map<String, Value>, Fault> {
        match self.http.json(Place::UserInfo, url, Some(tokens.expose_access_token())).await? {
            Value::Object(claims) => Ok(claims),
            _ => Err(Place::UserInfo.invalid("is not an object")),
        }
    }
}

/// Mix-up: an answer that another provider sent here (RFC 9207, section 2.4).
fn check_issuer(endpoints: &Endpoints, issuer: Option<&str>) -> Result<(), Fault> {
    match (issuer, &endpoints.issuer) {
        (Some(issuer), Some(expected)) if !expected.accepts(issuer) => {
            Err(Place::Answer.invalid("is from another issuer"))
        }
        (None, _) if endpoints.names_issuer => Err(Place::Answer.invalid("does not name its issuer")),
        // Of a provider whose issuer nobody told, the callback's own path says which one it is.
        _ => Ok(()),
    }
}

#[cfg(all(test, feature = "jwt"))]
mod tests;
