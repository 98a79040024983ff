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
use users_runtime::{BoxFuture, Config, Entry, Error, Expected, Password, SecretKey, Store, Throttle};
use users_tests::{App, Client, Kind, Options, PASSWORD, apps::UserRegistration};

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
        Kind::Session | Kind::SessionCookie => &[Carrier::Cookie],
        Kind::Jwt | Kind::OAuth2Password => &[Carrier::Header],
        Kind::JwtCookie => &[Carrier::Header, Carrier::Cookie],
    }
}

/// The session's identifier, sealed cookie or access token that a client was given.
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
    routes(auth, current_user(delete), docs)
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
        .with_throttle(Throttle::off())
        .with_max_connections(4)
}

/// A store of an application's own, which tests age and break.
#[derive(Clone, Default)]
pub struct Shelf(Arc<ShelfState>);

#[derive(Default)]
struct ShelfState {
    entries: Mutex<HashMap<String, Entry>>,
    broken: AtomicBool,
    keeps: AtomicBool,
}

impl Shelf {
    /// Fails every call from now on, or none.
    pub fn break_down(&self, broken: bool) {
        self.0.broken.store(broken, Ordering::SeqCst);
    }

    /// Fails to say which sessions a user has from now on, or no more, and nothing else.
    pub fn keep_sessions(&self, keeps: bool) {
        self.0.keeps.store(keeps, Ordering::SeqCst);
    }

    /// Every entry and its key.
    pub fn entries(&self) -> HashMap<String, Entry> {
        self.0.entries.lock().expect("not poisoned").clone()
    }

    /// What every entry says.
    pub fn records(&self) -> Vec<Value> {
        self.entries().values().map(|entry| serde_json::from_slice(&entry.value).expect("JSON")).collect()
    }

    /// Sets a time in what every entry says, and leaves the end of the entry itself alone.
    pub fn set(&self, name: &str, time: i64) {
        for entry in self.0.entries.lock().expect("not poisoned").values_mut() {
            let mut record: Value = serde_json::from_slice(&entry.value).expect("JSON");
            assert!(record[name].is_number(), "{record}");
            record[name] = time.into();
            entry.value = record.to_string().into_bytes();
        }
    }

    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashMap<String, Entry>) -> T,
    ) -> BoxFuture<'_, Result<T, Error>> {
        let answer = if self.0.broken.load(Ordering::SeqCst) {
            Err(Error::unavailable("connection to redis://:hunter2@10.0.0.7 refused"))
        } else {
            let mut entries = self.0.entries.lock().expect("not poisoned");
            entries.retain(|_, entry| users_tests::now() < entry.expires_at);
            Ok(work(&mut entries))
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Store for Shelf {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        self.with(|entries| entries.get(key).cloned())
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.with(|entries| {
            let fits = match (entries.get(key), expected) {
                (None, Expected::Absent) => true,
                (Some(there), Expected::Revision(revision)) => there.revision == revision,
                _ => false,
            };
            if fits {
                entries.insert(key.to_owned(), entry);
            }
            fits
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        self.with(|entries| entries.remove(key).is_some())
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        if self.0.keeps.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(Error::unavailable("no answer from 10.0.0.7"))));
        }
        let is_theirs = move |entry: &Entry| entry.owner.as_deref() == Some(owner);
        let keys = |entries: &mut HashMap<String, Entry>| {
            entries.iter().filter(|(_, entry)| is_theirs(entry)).map(|(key, _)| key.clone()).collect()
        };
        self.with(keys)
    }
}

/// An application whose sessions are on this shelf.
pub async fn with_shelf(kind: Kind, shelf: &Shelf) -> App {
    let shelf = shelf.clone();
    let config = |config: Config| config.with_store(shelf);
    App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await
}
