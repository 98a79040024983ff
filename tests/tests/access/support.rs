//! What several files need: requests byte for byte, credentials by hand, a steerable store.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use users_runtime::{BoxFuture, Config, Error, Password, SecretKey, SessionRecord, SessionStore, TokenHash};
use users_tests::{App, Client, Kind, PASSWORD, apps::UserRegistration};

/// A response to a request that was sent byte for byte.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    /// The body as JSON; `Null` for anything else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends bytes as they are and reads until the server closes the connection.
pub async fn raw(base: &str, request: &[u8]) -> Reply {
    let exchange = async {
        let address = base.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.write_all(request).await.expect("the server reads");
        let mut answer = Vec::new();
        // A server that refuses early may reset the connection behind its answer.
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), exchange).await.expect("an answer in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Reply { status: status.unwrap_or_else(|| panic!("no status in {text:?}")), body: body.to_owned() }
}

/// A request without a body whose target and headers are sent as they are.
pub async fn get_raw(base: &str, method: &str, target: &str, headers: &[(&str, &[u8])]) -> Reply {
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        request.extend_from_slice(name.as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    raw(base, &request).await
}

/// How a secret travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Header,
    Cookie,
}

/// The carriers that a backend reads.
pub fn carriers(kind: Kind) -> &'static [Carrier] {
    match kind {
        Kind::Session | Kind::SessionInMemory => &[Carrier::Cookie],
        Kind::Jwt => &[Carrier::Header],
        Kind::JwtCookie => &[Carrier::Header, Carrier::Cookie],
    }
}

/// The session identifier or access token that a client was given.
pub fn secret(app: &App, client: &Client) -> String {
    let cookie = client.cookies().get(app.kind.cookie()).cloned();
    cookie.or_else(|| client.bearer()).expect("the client is logged in")
}

/// A new client that shows this secret.
pub fn carrying(app: &App, carrier: Carrier, secret: &str) -> Client {
    let client = app.client();
    match carrier {
        Carrier::Header => client.set_bearer(Some(secret)),
        Carrier::Cookie => client.set_cookie(app.kind.cookie(), secret),
    }
    client
}

/// Serves a router on a port of its own for as long as the test runs.
pub async fn serve(router: Router) -> (Client, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("the server runs") });
    (Client::new(base.clone()), base)
}

/// The users of the other applications without their hooks, which want a table of their own.
#[users_runtime::users_app(
    auth = "session",
    user = users_tests::apps::User,
    exclude = ["/public/{*path}", "/open/{id}"],
    routes(auth, current_user(delete))
)]
pub mod plain {}

/// A registration of one of them.
pub fn registration(email: &str) -> UserRegistration {
    UserRegistration {
        email: email.to_owned(),
        password: Password::new(PASSWORD),
        display_name: None,
        age: None,
    }
}

/// Settings for a test's own application.
pub fn config() -> Config {
    Config::new(SecretKey::generate().expect("randomness"))
        .with_app_name("Tests")
        .with_insecure_cookies(true)
        .with_max_connections(4)
}

/// A session store of an application's own, which tests age and break.
#[derive(Clone, Default)]
pub struct Shelf(Arc<ShelfState>);

#[derive(Default)]
struct ShelfState {
    sessions: Mutex<HashMap<TokenHash, SessionRecord>>,
    broken: AtomicBool,
    keeps: AtomicBool,
}

impl Shelf {
    /// Fails every call from now on, or none.
    pub fn break_down(&self, broken: bool) {
        self.0.broken.store(broken, Ordering::SeqCst);
    }

    /// Fails to end the sessions of a user from now on, and nothing else.
    pub fn keep_sessions(&self) {
        self.0.keeps.store(true, Ordering::SeqCst);
    }

    /// Every record.
    pub fn records(&self) -> Vec<SessionRecord> {
        self.0.sessions.lock().expect("not poisoned").values().cloned().collect()
    }

    /// Changes every record.
    pub fn change(&self, change: impl Fn(&mut SessionRecord)) {
        self.0.sessions.lock().expect("not poisoned").values_mut().for_each(change);
    }

    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashMap<TokenHash, SessionRecord>) -> T,
    ) -> BoxFuture<'_, Result<T, Error>> {
        let answer = if self.0.broken.load(Ordering::SeqCst) {
            Err(Error::unavailable("connection to redis://:hunter2@10.0.0.7 refused"))
        } else {
            Ok(work(&mut self.0.sessions.lock().expect("not poisoned")))
        };
        Box::pin(std::future::ready(answer))
    }
}

impl SessionStore for Shelf {
    fn insert(&self, id: TokenHash, record: SessionRecord) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| {
            sessions.insert(id, record);
        })
    }

    fn get(&self, id: TokenHash) -> BoxFuture<'_, Result<Option<SessionRecord>, Error>> {
        self.with(|sessions| sessions.get(&id).cloned())
    }

    fn touch(&self, id: TokenHash, seen_at: i64) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| {
            if let Some(record) = sessions.get_mut(&id) {
                record.seen_at = seen_at;
            }
        })
    }

    fn remove(&self, id: TokenHash) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| {
            sessions.remove(&id);
        })
    }

    fn remove_all_of<'a>(&'a self, user_id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        if self.0.keeps.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(Error::unavailable("no answer from 10.0.0.7"))));
        }
        self.with(|sessions| sessions.retain(|_, record| record.user_id != user_id))
    }

    fn remove_expired(&self, now: i64, idle: i64) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| sessions.retain(|_, record| record.is_live(now, idle)))
    }
}
