//! A client with a cookie jar and a bearer token, as a browser and a script would have.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use reqwest::{Method, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::documented::Documented;

/// A client of a test application. Clones share the HTTP connections, not the credential.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    credential: Arc<Mutex<Credential>>,
    headers: Vec<(String, String)>,
    /// The document of the application, asked for once.
    documented: Arc<OnceCell<Documented>>,
}

#[derive(Debug, Clone, Default)]
struct Credential {
    cookies: BTreeMap<String, String>,
    bearer: Option<String>,
}

/// A response, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON; `Null` for anything else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The machine code of a problem document.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// `field: code` of each entry of a 422.
    pub fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                format!(
                    "{}: {}",
                    error["field"].as_str().unwrap_or_default(),
                    error["code"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The headers that do not differ from one request to the next by nature.
    pub fn stable_headers(&self) -> BTreeMap<String, String> {
        self.headers
            .iter()
            .filter(|(name, _)| *name != header::DATE)
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect()
    }

    /// Asserts the status and, for an error, the code.
    #[track_caller]
    pub fn expect(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.code(), code, "{}", self.text);
        self
    }
}

impl Client {
    /// A client of the server at this origin.
    #[must_use]
    pub fn new(base: String) -> Self {
        let http = http().redirect(Policy::none()).build().expect("a client");
        let (credential, documented) = (Arc::default(), Arc::default());
        Self { http, base, credential, headers: Vec::new(), documented }
    }

    /// A client without the credential.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            credential: Arc::default(),
            headers: Vec::new(),
            documented: Arc::clone(&self.documented),
        }
    }

    /// A client with a copy of the credential, which later changes of this one leave alone.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let copy = self.credential.lock().expect("not poisoned").clone();
        Self { credential: Arc::new(Mutex::new(copy)), headers: self.headers.clone(), ..self.fresh() }
    }

    /// The same client, which also sends a header.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name.to_owned(), value.to_owned()));
        let documented = Arc::clone(&self.documented);
        Self { credential: Arc::clone(&self.credential), headers, documented, ..self.fresh() }
    }

    /// The same client, for requests whose answers are in no document: those of the application's own routes, and what
    /// browsers are answered who ask for another protocol.
    #[must_use]
    pub fn undocumented(&self) -> Self {
        let documented = Arc::new(OnceCell::new_with(Some(Documented::default())));
        Self {
            credential: Arc::clone(&self.credential),
            headers: self.headers.clone(),
            documented,
            ..self.fresh()
        }
    }

    /// The cookies that the jar holds.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.credential.lock().expect("not poisoned").cookies.clone()
    }

    /// The token of the last `Authorization` header that came.
    pub fn bearer(&self) -> Option<String> {
        self.credential.lock().expect("not poisoned").bearer.clone()
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.credential.lock().expect("not poisoned").cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Sends this token as bearer from now on, or none.
    pub fn set_bearer(&self, token: Option<&str>) {
        self.credential.lock().expect("not poisoned").bearer = token.map(str::to_owned);
    }

    /// A request with the credential, to be changed before it is sent with [`Client::send`].
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        let credential = self.credential.lock().expect("not poisoned");
        if !credential.cookies.is_empty() {
            let cookies: Vec<_> =
                credential.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(token) = &credential.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// Sends a request and keeps the credential that comes back. Fails when the application's document does not know
    /// of such a response.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await.expect("the server answers");
        let status = response.status();
        let headers = response.headers().clone();
        self.keep(&headers);
        let answer = Answer { status, headers, text: response.text().await.expect("a body of text") };
        let documented = self.documented.get_or_init(|| Documented::at(&self.http, &self.base)).await;
        documented.check(&method, &path, &answer);
        answer
    }

    fn keep(&self, headers: &header::HeaderMap) {
        let mut credential = self.credential.lock().expect("not poisoned");
        for value in headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().expect("a cookie of text");
            let (name, rest) = text.split_once('=').expect("name and value");
            let value = rest.split(';').next().unwrap_or_default();
            if text.contains("Max-Age=0") {
                credential.cookies.remove(name);
            } else {
                credential.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        // A browser has the cookie and never the header; a script of the `jwt` backend has the header alone.
        if let Some(value) = headers.get(header::AUTHORIZATION).filter(|_| credential.cookies.is_empty()) {
            let text = value.to_str().expect("a token of text");
            credential.bearer = text.strip_prefix("Bearer ").map(str::to_owned);
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PATCH", path).json(body)).await
    }

    pub async fn delete(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("DELETE", path).json(body)).await
    }

    pub async fn register(&self, email: &str, password: &str) -> Answer {
        self.post("/register", &json!({"email": email, "password": password})).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/login", &json!({"email": email, "password": password})).await
    }

    pub async fn log_out(&self) -> Answer {
        self.send(self.request("POST", "/logout")).await
    }

    pub async fn me(&self) -> Answer {
        self.get("/users/me").await
    }

    pub async fn verify(&self, token: &str) -> Answer {
        self.post("/verify", &json!({ "token": token })).await
    }

    pub async fn forgot(&self, email: &str) -> Answer {
        self.post("/forgot-password", &json!({ "email": email })).await
    }

    pub async fn reset(&self, token: &str, password: &str) -> Answer {
        self.post("/reset-password", &json!({"token": token, "password": password})).await
    }
}

/// A client over plain HTTP, to be changed before it is built. The library switches TLS on without saying whose
/// cryptography it takes, and a client that is built by itself wants to know.
pub fn http() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
