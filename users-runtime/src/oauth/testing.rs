//! What tests of this module share: keys, and a server that answers what it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::BodyExt;
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER as CRYPTO};
use serde_json::{Value, json};

use crate::{
    SecretKey,
    token::{
        TokenKey, TokenSettings,
        jwt::{JwtKeys, test_keys},
    },
};

/// A key that signs ID tokens.
pub(super) struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key as it stands in a set.
    pub(super) jwk: Value,
}

impl Signer {
    fn new(algorithm: Algorithm, key: EncodingKey, public: TokenKey) -> Self {
        let settings = TokenSettings { key: Some(public), ..TokenSettings::default() };
        let keys = JwtKeys::new(&SecretKey::generate().unwrap(), &[], &settings, "").unwrap();
        let set: Value = serde_json::from_str(keys.jwks()).unwrap();
        Self { algorithm, key, jwk: set["keys"][0].clone() }
    }

    pub(super) fn rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(test_keys::RSA.as_bytes()).unwrap();
        Self::new(Algorithm::RS256, key, TokenKey::rs256_pem(test_keys::RSA).unwrap())
    }

    pub(super) fn other_rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(test_keys::RSA_OTHER.as_bytes()).unwrap();
        Self::new(Algorithm::RS256, key, TokenKey::rs256_pem(test_keys::RSA_OTHER).unwrap())
    }

    pub(super) fn pss() -> Self {
        let key = EncodingKey::from_rsa_pem(test_keys::RSA.as_bytes()).unwrap();
        Self::new(Algorithm::PS256, key, TokenKey::ps256_pem(test_keys::RSA).unwrap())
    }

    pub(super) fn p256() -> Self {
        let key = EncodingKey::from_ec_pem(test_keys::P256.as_bytes()).unwrap();
        Self::new(Algorithm::ES256, key, TokenKey::es256_pem(test_keys::P256).unwrap())
    }

    pub(super) fn ed25519() -> Self {
        let key = EncodingKey::from_ed_pem(test_keys::ED25519.as_bytes()).unwrap();
        Self::new(Algorithm::EdDSA, key, TokenKey::ed25519_pem(test_keys::ED25519).unwrap())
    }

    pub(super) fn id(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.jwk["alg"], "kid": self.id(), "typ": "JWT" })
    }

    pub(super) fn set(&self) -> Value {
        json!({ "keys": [self.jwk] })
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_under(&self.header(), claims)
    }

    /// A JWT with this header, whatever it says.
    pub(super) fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signer = (CRYPTO.signer_factory)(&self.algorithm, &self.key).unwrap();
        format!("{message}.{}", BASE64_URL.encode(signer.try_sign(message.as_bytes()).unwrap()))
    }
}

/// A JWT by HS256.
pub(super) fn sign_shared(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let signer = (CRYPTO.signer_factory)(&Algorithm::HS256, &EncodingKey::from_secret(secret)).unwrap();
    format!("{message}.{}", BASE64_URL.encode(signer.try_sign(message.as_bytes()).unwrap()))
}

/// What a signature is over.
pub(super) fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64_URL.encode(header.to_string()), BASE64_URL.encode(claims.to_string()))
}

/// What a server was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Asked {
    /// A field of the form in the body.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let fields = url::form_urlencoded::parse(self.body.as_bytes());
        fields.into_owned().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A server on loopback that answers at each path what it was told to.
pub(super) struct Server {
    pub(super) base: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, (StatusCode, Bytes)>>,
    asked: Mutex<Vec<Asked>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, shared, task }
    }

    pub(super) fn answers(&self, path: &str, body: &Value) {
        self.answers_with(path, 200, body.to_string());
    }

    /// Answers with a body that is not JSON, or with another status. 307 redirects to `/elsewhere`, 0 never answers.
    pub(super) fn answers_with(&self, path: &str, status: u16, body: impl Into<Bytes>) {
        let status = StatusCode::from_u16(if status == 0 { SILENCE } else { status }).unwrap();
        self.shared.answers.lock().unwrap().insert(path.to_owned(), (status, body.into()));
    }

    pub(super) fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.shared.asked.lock().unwrap()
    }

    /// The requests at a path.
    pub(super) fn asked_at(&self, path: &str) -> Vec<Asked> {
        self.asked().iter().filter(|asked| asked.uri.path() == path).cloned().collect()
    }
}

/// A status that stands for no answer.
const SILENCE: u16 = 999;

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = parts.uri.path().to_owned();
    shared.asked.lock().unwrap().push(Asked {
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let answer = shared.answers.lock().unwrap().get(&path).cloned();
    match answer {
        None => StatusCode::NOT_FOUND.into_response(),
        Some((status, _)) if status.as_u16() == SILENCE => std::future::pending().await,
        Some((status, body)) if status.is_redirection() => {
            (status, [("location", "/elsewhere")], body).into_response()
        }
        Some((status, body)) => {
            let kind = if body.starts_with(b"<") { "text/html" } else { "application/json" };
            (status, [("content-type", kind)], body).into_response()
        }
    }
}
