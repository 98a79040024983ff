//! Where a provider's endpoints and keys are: from the settings, or from the provider itself (OpenID Connect
//! Discovery 1.0).

use std::{sync::Arc, time::Duration};

use oauth2::AuthType;
use openidconnect::core::CoreJwsSigningAlgorithm;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{
    cached::Cached,
    fault::{Fault, Place},
    http::Http,
    issuer::{Issuer, PERSONAL, TENANT, is_tenant_id},
    keys::KeySet,
    redirect::is_safe_transport,
};

/// How long a provider's description of itself is good for.
const DOCUMENT_MAX_AGE: Duration = Duration::from_hours(24);
/// How long keys are: one that was stolen and taken out of the set is trusted for so much longer.
const KEYS_MAX_AGE: Duration = Duration::from_hours(1);
/// How long after one search for a key that is not in the set the next may be.
const KEYS_PAUSE: Duration = Duration::from_secs(30);

/// Where a provider is, and what it can do.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) authorize: Url,
    pub(super) token: Url,
    pub(super) userinfo: Option<Url>,
    pub(super) auth: AuthType,
    /// Who answers and vouches, where it is known.
    pub(super) issuer: Option<Issuer>,
    /// Whether every answer names the issuer (RFC 9207, section 3).
    pub(super) names_issuer: bool,
    pub(super) openid: Option<OpenId>,
}

/// What only providers of OpenID Connect have.
#[derive(Debug)]
pub(super) struct OpenId {
    pub(super) keys: Url,
    /// The algorithms that the provider signs with and that are allowed here.
    pub(super) algorithms: Vec<CoreJwsSigningAlgorithm>,
}

/// Whose description is expected.
#[derive(Debug, Clone)]
pub(super) enum Whose {
    /// That of this issuer.
    Exactly(String),
    Microsoft(Microsoft),
}

/// A directory of Microsoft, or one of the words that stand for many.
#[derive(Debug, Clone)]
pub(super) struct Microsoft {
    pub(super) base: String,
    pub(super) tenant: String,
}

impl Whose {
    /// Who may vouch, if a document of this issuer is what was asked for.
    fn issuer(&self, issuer: &str) -> Option<Issuer> {
        let own = || Issuer::Exact(issuer.to_owned());
        let Microsoft { base, tenant } = match self {
            // Mix-up: one that says it is another (OpenID Connect Discovery 1.0, section 4.3).
            Self::Exactly(expected) => return (issuer == expected).then(own),
            Self::Microsoft(microsoft) => microsoft,
        };
        let directory = issuer.strip_prefix(&format!("{base}/"))?.strip_suffix("/v2.0")?;
        match tenant.as_str() {
            "common" | "organizations" => (directory == TENANT)
                .then(|| Issuer::EachTenant { template: issuer.to_owned(), personal: tenant == "common" }),
            "consumers" => (directory == PERSONAL).then(own),
            id if is_tenant_id(id) => (directory == id).then(own),
            // The document of a domain names the directory's identifier.
            _domain => is_tenant_id(directory).then(own),
        }
    }
}

/// The members of the document that matter here.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    userinfo_endpoint: Option<Url>,
    jwks_uri: Url,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What a provider says of itself, asked for when it is first needed.
pub(super) struct Discovery {
    document: Url,
    whose: Whose,
    /// How the settings say that the client proves itself.
    auth: Option<AuthType>,
    http: Arc<Http>,
    endpoints: Cached<Endpoints>,
    keys: Cached<KeySet>,
}

impl Discovery {
    pub(super) fn new(document: Url, whose: Whose, auth: Option<AuthType>, http: Arc<Http>) -> Self {
        Self {
            document,
            whose,
            auth,
            http,
            endpoints: Cached::new(Place::Discovery, DOCUMENT_MAX_AGE, Duration::ZERO),
            keys: Cached::new(Place::KeySet, KEYS_MAX_AGE, KEYS_PAUSE),
        }
    }

    pub(super) async fn endpoints(&self) -> Result<Arc<Endpoints>, Fault> {
        self.endpoints.get(self.fetch()).await
    }

    pub(super) async fn keys(&self, url: &Url) -> Result<Arc<KeySet>, Fault> {
        self.keys.get(self.fetch_keys(url)).await
    }

    /// Another set than this one, in which a key is missing, unless it was asked for just now.
    pub(super) async fn newer_keys(&self, url: &Url, than: &Arc<KeySet>) -> Result<Arc<KeySet>, Fault> {
        self.keys.renewed(than, self.fetch_keys(url)).await
    }

    async fn fetch_keys(&self, url: &Url) -> Result<KeySet, Fault> {
        KeySet::of(self.http.json(Place::KeySet, url, None).await?)
    }

    async fn fetch(&self) -> Result<Endpoints, Fault> {
        let value = self.http.json(Place::Discovery, &self.document, None).await?;
        self.read(parsed(value)?)
    }

    fn read(&self, document: Document) -> Result<Endpoints, Fault> {
        let issuer = self.whose.issuer(&document.issuer).ok_or_else(|| {
            let found: String =
                document.issuer.chars().filter(|found| !found.is_control()).take(200).collect();
            Place::Discovery.invalid(format!(
                "is of the issuer `{found}`, which is not the one of the settings; a slash at the end matters"
            ))
        })?;
        let urls = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        for url in urls.into_iter().chain(&document.userinfo_endpoint) {
            // Else a description could send secrets in clear; http is for providers that are on loopback themselves.
            if !is_safe_transport(url) || url.scheme() == "http" && self.document.scheme() != "http" {
                return Err(Place::Discovery.invalid("names an endpoint that is not https"));
            }
        }
        let algorithms = algorithms(document.id_token_signing_alg_values_supported.as_deref());
        if algorithms.is_empty() {
            return Err(Place::Discovery.invalid("names no algorithm of signatures that is allowed"));
        }
        Ok(Endpoints {
            authorize: document.authorization_endpoint,
            token: document.token_endpoint,
            userinfo: document.userinfo_endpoint,
            auth: self
                .auth
                .clone()
                .unwrap_or_else(|| authentication(document.token_endpoint_auth_methods_supported.as_deref())),
            issuer: Some(issuer),
            names_issuer: document.authorization_response_iss_parameter_supported,
            openid: Some(OpenId { keys: document.jwks_uri, algorithms }),
        })
    }
}

fn parsed<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Fault> {
    // Public text: what serde quotes of it is no secret.
    serde_json::from_value(value).map_err(|error| Place::Discovery.invalid(error.to_string()))
}

/// What of the provider's algorithms is allowed: public keys alone. With `none` anybody signs, and with HS256 whoever has
/// the client secret.
fn algorithms(supported: Option<&[String]>) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm as Algorithm;
    let Some(supported) = supported else {
        // Every provider has it (OpenID Connect Core 1.0, section 15.1).
        return vec![Algorithm::RsaSsaPkcs1V15Sha256];
    };
    let allowed = [
        ("RS256", Algorithm::RsaSsaPkcs1V15Sha256),
        ("RS384", Algorithm::RsaSsaPkcs1V15Sha384),
        ("RS512", Algorithm::RsaSsaPkcs1V15Sha512),
        ("PS256", Algorithm::RsaSsaPssSha256),
        ("PS384", Algorithm::RsaSsaPssSha384),
        ("PS512", Algorithm::RsaSsaPssSha512),
        ("ES256", Algorithm::EcdsaP256Sha256),
        ("ES384", Algorithm::EcdsaP384Sha384),
        ("EdDSA", Algorithm::EdDsa),
    ];
    let named = |name: &str| supported.iter().any(|other| other == name);
    allowed.into_iter().filter(|(name, _)| named(name)).map(|(_, algorithm)| algorithm).collect()
}

/// How the client proves itself: in a header unless the provider wants it in the body alone.
fn authentication(supported: Option<&[String]>) -> AuthType {
    let takes = |method: &str| supported.is_some_and(|methods| methods.iter().any(|other| other == method));
    if takes("client_secret_post") && !takes("client_secret_basic") {
        AuthType::RequestBody
    } else {
        // The default of a provider that does not say (OpenID Connect Discovery 1.0, section 3).
        AuthType::BasicAuth
    }
}
