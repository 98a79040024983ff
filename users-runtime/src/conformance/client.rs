//! A client with cookies and a bearer token, as a browser and a script would have.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderName, HeaderValue, Method, header};
use serde_json::Value;

use super::{Stop, answer::Answer};

/// A client of an application. It keeps whatever credential it is given.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    credential: Arc<Mutex<Credential>>,
}

/// What shows who a client is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) bearer: Option<String>,
}

impl Credential {
    /// Every secret in it.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.cookies.values().chain(&self.bearer).cloned().collect()
    }
}

impl Client {
    pub(super) fn new(http: reqwest::Client, base: String, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { http, base, headers, credential: Arc::default() }
    }

    /// A client without a credential.
    pub(super) fn fresh(&self) -> Self {
        Self::new(self.http.clone(), self.base.clone(), self.headers.clone())
    }

    /// A client with a copy of the credential, which later changes of this one leave alone.
    pub(super) fn snapshot(&self) -> Self {
        self.with(self.credential())
    }

    /// A client with this credential.
    pub(super) fn with(&self, credential: Credential) -> Self {
        Self { credential: Arc::new(Mutex::new(credential)), ..self.fresh() }
    }

    /// A client with a bearer token alone.
    pub(super) fn with_bearer(&self, token: impl Into<String>) -> Self {
        self.with(Credential { bearer: Some(token.into()), ..Credential::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Credential> {
        self.credential.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn credential(&self) -> Credential {
        self.kept().clone()
    }

    /// A request with the credential.
    pub(super) fn call(&self, method: &str, path: &str) -> Call<'_> {
        let asked = format!("{method} {path}");
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        let Credential { cookies, bearer } = self.credential();
        if !cookies.is_empty() {
            let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        if let Some(token) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Call { client: self, request, asked }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Stop> {
        self.call("GET", path).send().await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Stop> {
        self.call("POST", path).json(body).send().await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Answer, Stop> {
        self.call("PATCH", path).json(body).send().await
    }

    /// A request without a body.
    pub(super) async fn bare(&self, method: &str, path: &str) -> Result<Answer, Stop> {
        self.call(method, path).send().await
    }

    /// Keeps the credential in a response.
    fn keep(&self, answer: &Answer) {
        let mut kept = self.kept();
        for cookie in answer.set_cookies() {
            let Some((name, rest)) = cookie.split_once('=') else { continue };
            let value = rest.split(';').next().unwrap_or_default();
            if rest.contains("Max-Age=0") || value.is_empty() {
                kept.cookies.remove(name);
            } else {
                kept.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        // A browser has the cookie and never the header.
        if kept.cookies.is_empty()
            && let Some(token) = answer.header("authorization").strip_prefix("Bearer ")
        {
            kept.bearer = Some(token.to_owned());
        }
    }
}

/// A request that is being put together.
pub(super) struct Call<'c> {
    client: &'c Client,
    request: reqwest::RequestBuilder,
    asked: String,
}

impl Call<'_> {
    pub(super) fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        // What is no header value is a defect of the test, which the request's error tells.
        Self { request: self.request.header(name, value.as_ref()), ..self }
    }

    pub(super) fn headers(self, headers: &[(&str, &str)]) -> Self {
        headers.iter().fold(self, |call, (name, value)| call.header(name, value))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(super) fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub(super) fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let request = self.request.header(header::CONTENT_TYPE, content_type).body(body.into());
        Self { request, ..self }
    }

    pub(super) async fn send(self) -> Result<Answer, Stop> {
        let failed = |error: reqwest::Error| Stop::failed(format!("{} has no answer: {error:?}", self.asked));
        let response = self.request.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.map_err(failed)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer { asked: self.asked, status, headers, text };
        self.client.keep(&answer);
        Ok(answer)
    }
}
