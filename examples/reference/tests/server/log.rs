//! What the server logs, at its most talkative, of the whole life of a user: no secret that was used in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use reqwest::{Client, Method, Url, header};
use serde_json::{Value, json};
use sqlx::SqlitePool;

use super::{
    Folder, SECRET_KEY,
    clients::{ADMIN, EMAIL, token},
    start_writing,
};

/// Not the one of the examples, which the server prints.
const PASSWORD: &str = "a sentence that nobody else has";
/// What was `SECRET_KEY` before.
const OLD_KEY: &str = "another-key-of-the-tests-of-old:9876543210";
/// The secret of the application at the provider `fake`.
const CLIENT_SECRET: &str = "reference-secret";
/// The fields that hold a secret, in whichever body.
const SECRET_FIELDS: [&str; 5] = ["password", "current_password", "token", "access_token", "refresh_token"];

type Seen = Arc<Mutex<BTreeSet<String>>>;

/// A client that remembers every secret that it sent and was given.
struct Witness {
    http: Client,
    origin: String,
    seen: Seen,
    cookies: BTreeMap<String, String>,
    bearer: Option<String>,
}

impl Witness {
    fn new(http: &Client, origin: &str, seen: &Seen) -> Self {
        let (http, seen) = (http.clone(), Arc::clone(seen));
        Self { http, origin: origin.to_owned(), seen, cookies: BTreeMap::new(), bearer: None }
    }

    /// The same without a credential.
    fn fresh(&self) -> Self {
        Self::new(&self.http, &self.origin, &self.seen)
    }

    fn note(&self, secret: &str) {
        self.seen.lock().expect("not poisoned").insert(secret.to_owned());
    }

    fn note_fields(&self, body: &Value) {
        match body {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(secret) if SECRET_FIELDS.contains(&name.as_str()) => self.note(secret),
                        _ => self.note_fields(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.note_fields(item)),
            _ => {}
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.note_fields(&body);
        let (kind, body) =
            if body.is_null() { ("", String::new()) } else { ("application/json", body.to_string()) };
        self.send_text(method, path, kind, body).await
    }

    async fn send_text(&mut self, method: &str, path: &str, kind: &str, body: String) -> (u16, Value) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.origin)).body(body);
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("a cookie of text");
            let (name, rest) = text.split_once('=').expect("name and value");
            let value = rest.split(';').next().unwrap_or_default();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.note(value);
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = answer.headers().get(header::AUTHORIZATION) {
            let token = token.to_str().expect("a token of text").trim_start_matches("Bearer ").to_owned();
            self.note(&token);
            self.bearer = Some(token).filter(|_| self.cookies.is_empty());
        }
        let status = answer.status().as_u16();
        let body = serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or(Value::Null);
        self.note_fields(&body);
        (status, body)
    }

    async fn expect(&mut self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let (answered, body) = self.send(method, path, body).await;
        assert_eq!(answered, status, "{method} {path}: {body}");
        body
    }

    async fn log_in(&mut self, email: &str, password: &str, status: u16) -> Value {
        self.expect("POST", "/login?response=token", json!({"email": email, "password": password}), status)
            .await
    }
}

/// A provider that gives everybody these tokens, and notes what it is sent.
async fn provider(seen: &Seen) -> String {
    async fn tokens(State(seen): State<Seen>, form: String) -> Json<Value> {
        let form: Url = format!("http://form/?{form}").parse().expect("a form");
        let mut seen = seen.lock().expect("not poisoned");
        for field in ["code", "code_verifier"] {
            let value = form.query_pairs().find(|(name, _)| name == field).expect("the field").1;
            seen.insert(value.into_owned());
        }
        let tokens = ["the-access-token-of-the-provider", "the-refresh-token-of-the-provider"];
        seen.extend(tokens.map(str::to_owned));
        Json(
            json!({"access_token": tokens[0], "refresh_token": tokens[1], "token_type": "Bearer", "expires_in": 600}),
        )
    }
    let person = json!({"id": 7, "sub": "7", "email": "oscar@example.com", "email_verified": true});
    let routes = Router::new()
        .route("/token", post(tokens))
        .route("/userinfo", get(move || async move { Json(person) }))
        .with_state(Arc::clone(seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
    url
}

/// Registration, verification, logins that succeed and fail, changes, reset and logout.
async fn life(witness: &mut Witness, folder: &Folder) {
    let (mails, mut used) = (folder.mail(), BTreeSet::new());
    let account = json!({"email": EMAIL, "password": PASSWORD});
    witness.expect("POST", "/register", account.clone(), 201).await;
    witness.expect("POST", "/register", account, 409).await;
    let first = token(&mails, EMAIL, &mut used).await;
    witness.log_in(EMAIL, PASSWORD, 403).await;
    witness.expect("POST", "/verify/resend", json!({"email": EMAIL}), 202).await;
    let second = token(&mails, EMAIL, &mut used).await;
    witness.expect("POST", "/verify", json!({"token": first}), 400).await;
    witness.expect("POST", "/verify", json!({"token": second}), 201).await;
    witness.expect("POST", &format!("/verify?token={second}"), Value::Null, 400).await;

    witness.log_in(EMAIL, "a sentence that is wrong", 401).await;
    witness.log_in("nobody@example.com", "a sentence of nobody's", 401).await;
    let answer = witness.log_in(EMAIL, PASSWORD, 201).await;
    for path in ["/users/me", "/users/me/sessions", "/private", "/feed"] {
        witness.expect("GET", path, Value::Null, 200).await;
    }
    let refresh = answer["refresh_token"].as_str().or(witness.cookies.get("refresh").map(String::as_str));
    if let Some(refresh) = refresh.map(str::to_owned) {
        let body = json!({"refresh_token": refresh});
        let mut elsewhere = witness.fresh();
        elsewhere.expect("POST", "/token/refresh", body.clone(), 200).await;
        elsewhere.send("POST", "/token/refresh", body).await;
        let form = format!("grant_type=password&username={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
        elsewhere.send_text("POST", "/token", "application/x-www-form-urlencoded", form).await;
        *witness = witness.fresh();
        witness.log_in(EMAIL, PASSWORD, 201).await;
    }

    let wrong = json!({"password": "what it was to become", "current_password": "not the current one"});
    witness.expect("PATCH", "/users/me", wrong, 403).await;
    let change = json!({"password": "an entirely different sentence", "current_password": PASSWORD});
    witness.expect("PATCH", "/users/me", change, 200).await;
    let moved = "countess@example.com";
    let change = json!({"email": moved, "current_password": "an entirely different sentence"});
    witness.expect("PATCH", "/users/me", change, 200).await;
    let confirm = token(&mails, moved, &mut used).await;
    witness.fresh().expect("POST", "/verify", json!({"token": confirm}), 201).await;

    witness.fresh().expect("POST", "/forgot-password", json!({"email": moved}), 201).await;
    let reset = token(&mails, moved, &mut used).await;
    for status in [201, 400] {
        let body = json!({"token": reset, "password": "a third sentence of hers"});
        witness.fresh().expect("POST", "/reset-password", body, status).await;
    }
    *witness = witness.fresh();
    witness.log_in(moved, "a third sentence of hers", 201).await;
    witness.expect("POST", "/logout", Value::Null, 201).await;
}

/// What is malformed, too long or forged.
async fn mistakes(witness: &Witness) {
    let secret = "a secret in a body that is cut o";
    witness.note(secret);
    let cut = format!("{{\"email\": \"{EMAIL}\", \"password\": \"{secret}");
    for path in ["/login", "/register", "/reset-password"] {
        let (status, _) = witness.fresh().send_text("POST", path, "application/json", cut.clone()).await;
        assert!(matches!(status, 400 | 422), "{path}: {status}");
    }
    let long = json!({"email": EMAIL, "password": "a password without an end ".repeat(20)});
    witness.fresh().expect("POST", "/register", long, 422).await;
    let unknown = json!({"email": EMAIL, "password": PASSWORD, "is_admin": "a field that is none"});
    witness.fresh().expect("POST", "/login", unknown, 422).await;
    for forged in ["a-forged-credential-of-nobody", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.Zm9yZ2Vk"] {
        witness.note(forged);
        let mut forger = witness.fresh();
        forger.bearer = Some(forged.to_owned());
        for name in ["session", "token", "refresh"] {
            forger.cookies.insert(name.to_owned(), forged.to_owned());
        }
        forger.expect("GET", "/users/me", Value::Null, 401).await;
    }
}

/// A sign-in through the provider.
async fn sign_in(witness: &Witness) {
    let mut browser = witness.fresh();
    let begun = browser.expect("GET", "/oauth2/fake/authorize", Value::Null, 200).await;
    let url: Url = begun["authorization_url"].as_str().expect("a URL").parse().expect("a URL");
    let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    witness.note(&state);
    let back = format!("/oauth2/fake/callback?code=the-code-of-this-sign-in&state={state}");
    browser.expect("GET", &back, Value::Null, 201).await;
    browser.expect("GET", "/users/me", Value::Null, 200).await;
    browser.expect("GET", &back, Value::Null, 400).await;
}

/// Management, and a database that fails in the middle of everything, with the error of which the log is full.
async fn administration(witness: &Witness, pool: &SqlitePool) {
    let mut admin = witness.fresh();
    admin.log_in(ADMIN, PASSWORD, 201).await;
    let users = admin.expect("GET", "/users?search=countess", Value::Null, 200).await;
    let id = users["items"][0]["id"].as_str().expect("a key").to_owned();
    admin.expect("PATCH", &format!("/users/{id}"), json!({"is_active": false}), 200).await;
    admin.expect("PATCH", &format!("/users/{id}"), json!({"is_active": true}), 200).await;
    sqlx::query("ALTER TABLE users RENAME TO gone").execute(pool).await.expect("it is renamed");
    admin.expect("GET", "/users/me", Value::Null, 503).await;
    witness.fresh().log_in(ADMIN, PASSWORD, 503).await;
    let account = json!({"email": "tardy@example.com", "password": "a sentence that comes too late"});
    witness.fresh().expect("POST", "/register", account, 503).await;
    sqlx::query("ALTER TABLE gone RENAME TO users").execute(pool).await.expect("it is back");
    admin.expect("GET", "/users/me", Value::Null, 200).await;
}

/// Fails when the log has one of the secrets, as it is or as a URL or a form has it.
fn assert_silent(log: &str, secrets: &BTreeSet<String>) {
    for secret in secrets {
        let escaped: String = Url::parse_with_params("http://x/", [("", secret)])
            .map(|url| url.query().unwrap_or_default().trim_start_matches('=').to_owned())
            .expect("a URL");
        for form in [secret, &escaped, &escaped.replace('+', "%20")] {
            let line = log.lines().find(|line| line.contains(form.as_str()));
            assert!(line.is_none(), "the log has {secret:?}: {}", line.unwrap_or_default());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s59_the_log_of_a_whole_life_holds_no_secret_that_was_used_in_it() {
    for auth in ["session", "session_cookie", "jwt", "jwt_cookie", "oauth2_password"] {
        let folder = Folder::new(&format!("log-{auth}"));
        let [output, log] = ["output", "log"].map(|name| folder.0.join(name));
        let seen = Seen::default();
        let provider = provider(&seen).await;
        let settings = [
            ("AUTH", auth),
            ("ADMIN_EMAIL", ADMIN),
            ("ADMIN_PASSWORD", PASSWORD),
            ("SECRET_KEY_OLD", OLD_KEY),
            ("OAUTH_FAKE_URL", &provider),
            ("THROTTLE", "off"),
            ("RUST_LOG", "trace"),
        ];
        let http = super::client();
        let writing = Stdio::from(File::create(&log).expect("a file"));
        let server = start_writing(&folder, &http, &settings, &output, writing).await;
        let pool = SqlitePool::connect(&folder.database()).await.expect("the database opens");

        let mut witness = Witness::new(&http, &server.origin, &seen);
        life(&mut witness, &folder).await;
        mistakes(&witness).await;
        sign_in(&witness).await;
        administration(&witness, &pool).await;
        let hashes: Vec<Option<String>> =
            sqlx::query_scalar("SELECT password_hash FROM users").fetch_all(&pool).await.expect("hashes");
        drop(server);

        let mut secrets = std::mem::take(&mut *seen.lock().expect("not poisoned"));
        secrets.extend([SECRET_KEY, OLD_KEY, CLIENT_SECRET].map(str::to_owned));
        // The salt and the hash; what is before them is the same for everybody.
        for hash in hashes.iter().flatten().filter(|hash| hash.starts_with('$')) {
            secrets.extend(hash.rsplit('$').take(2).map(str::to_owned));
        }
        assert!(secrets.iter().all(|secret| secret.len() >= 12), "{secrets:?}");
        assert!(secrets.len() > 25, "{auth}: the secrets were not noticed: {secrets:?}");
        let text = fs::read_to_string(&log).expect("the log");
        // The log of every crate is there, down to the statements and the failures.
        for part in ["TRACE", "sqlx::query", "INSERT INTO", "request failed", "no such table"] {
            assert!(text.contains(part), "{auth}: the log lacks {part:?}");
        }
        assert_silent(&text, &secrets);
        assert_silent(&fs::read_to_string(&output).expect("the output"), &secrets);
    }
}
