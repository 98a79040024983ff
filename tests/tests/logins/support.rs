//! What several files need: tests for some of the backends, forms, tokens, and nodes that share a database.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::{Value, json};
use users_runtime::{
    Application, BoxFuture, Config, CurrentUser, Entry, Error, Expected, MemoryStore, SecretKey, Store,
    Throttle, Users, UsersRouter,
};
use users_tests::{Admin, Answer, Client, Database, Kind, Mailbox, Options, PASSWORD, apps::User};
use uuid::Uuid;

/// One test for each backend of a group: `all`, `tokens`, `cookies`, or `data` for those whose sessions carry data.
macro_rules! each_kind {
    (all, $($rest:tt)+) => {
        each_kind!(@ [Session session, SessionCookie session_cookie, Jwt jwt, JwtCookie jwt_cookie,
            OAuth2Password oauth2_password], $($rest)+);
    };
    (tokens, $($rest:tt)+) => {
        each_kind!(@ [Jwt jwt, JwtCookie jwt_cookie, OAuth2Password oauth2_password], $($rest)+);
    };
    (cookies, $($rest:tt)+) => {
        each_kind!(@ [Session session, SessionCookie session_cookie, JwtCookie jwt_cookie], $($rest)+);
    };
    (data, $($rest:tt)+) => {
        each_kind!(@ [Session session, SessionCookie session_cookie], $($rest)+);
    };
    (@ [$($kind:ident $test:ident),+], $name:ident, |$each:ident| $body:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "not every test uses every name of its file")]
            use super::*;

            async fn test($each: users_tests::Kind) {
                $body.await;
            }

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    test(users_tests::Kind::$kind).await;
                }
            )+
        }
    };
}
pub(crate) use each_kind;

/// Changed settings.
pub fn with(config: impl FnOnce(Config) -> Config + Send + 'static) -> Options {
    Options { config: Box::new(config), ..Options::default() }
}

/// The same with sessions in the database, where a test can age them.
pub fn in_database(config: impl FnOnce(Config) -> Config + Send + 'static) -> Options {
    Options { in_database: true, ..with(config) }
}

/// Sends fields as a form.
pub async fn form(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let url = Url::parse_with_params("http://form.invalid/", fields).expect("a URL");
    form_text(client, path, url.query().unwrap_or_default()).await
}

/// Sends a text as a form.
pub async fn form_text(client: &Client, path: &str, text: &str) -> Answer {
    let request = client.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
    client.send(request.body(text.to_owned())).await
}

/// What a client that is no browser is given.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    /// In seconds.
    pub expires_in: i64,
}

impl Tokens {
    /// The tokens in the body of an answer.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{name}: {}", answer.text));
        Self {
            access: text("access_token").to_owned(),
            refresh: text("refresh_token").to_owned(),
            expires_in: body["expires_in"].as_i64().expect("a number"),
        }
    }

    /// The tokens for a user's password.
    pub async fn for_password(client: &Client, email: &str) -> Self {
        let fields = [("grant_type", "password"), ("username", email), ("password", PASSWORD)];
        // A login ends the one that the request came with.
        Self::of(&form(&client.fresh(), "/token", &fields).await.expect(200, ""))
    }

    /// The status of a request with the access token.
    pub async fn status(&self, client: &Client) -> u16 {
        bearer(client, &self.access).me().await.status.as_u16()
    }
}

/// A client that shows this token and nothing else.
pub fn bearer(client: &Client, token: &str) -> Client {
    let client = client.fresh();
    client.set_bearer(Some(token));
    client
}

/// Asks for the next tokens, in JSON.
pub async fn refresh(client: &Client, token: &str) -> Answer {
    client.fresh().post("/token/refresh", &json!({ "refresh_token": token })).await
}

/// Asserts an error in the words of RFC 6749.
#[track_caller]
pub fn refused(answer: &Answer, word: &str) {
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text);
    assert_eq!(answer.json()["error"], word, "{}", answer.text);
    assert!(answer.json()["error_description"].is_string(), "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-type").starts_with("application/json"), "{:?}", answer.headers);
    assert!(!answer.text.contains("token\":"), "{}", answer.text);
    assert_eq!(answer.header("authorization"), "");
    assert_eq!(answer.header("set-cookie"), "");
}

/// A segment of a token.
pub fn segment(token: &str, number: usize) -> Value {
    let text = token.split('.').nth(number).expect("a segment");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The claims of a token.
pub fn claims(token: &str) -> Value {
    segment(token, 1)
}

/// The values of the headers that set cookies.
pub fn set_cookies(answer: &Answer) -> Vec<String> {
    let values = answer.headers.get_all("set-cookie").iter();
    values.map(|value| value.to_str().expect("text").to_owned()).collect()
}

/// The address of the Redis of the tests.
pub fn redis() -> String {
    std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

/// Whether Redis answers. Where services are required, it has to.
pub async fn redis_answers() -> bool {
    let url: Url = redis().parse().expect("a URL");
    let address = (url.host_str().expect("a host").to_owned(), url.port().unwrap_or(6379));
    let answers = tokio::net::TcpStream::connect(address).await.is_ok();
    let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(answers || !required, "Redis does not answer; run `scripts/services`");
    answers
}

/// One application for each backend, with every group that can be asked of it.
pub mod full {
    /// `"session"`.
    #[users_runtime::users_app(
        auth = "session",
        user = users_tests::apps::User,
        routes(auth, register, verify, password_reset, current_user, users, sessions, docs)
    )]
    pub mod session {}

    /// `"session_cookie"`.
    #[users_runtime::users_app(
        auth = "session_cookie",
        user = users_tests::apps::User,
        routes(auth, register, verify, password_reset, current_user, users, sessions, docs)
    )]
    pub mod session_cookie {}

    /// `"jwt"`.
    #[users_runtime::users_app(
        auth = "jwt",
        user = users_tests::apps::User,
        routes(auth, register, verify, password_reset, current_user, users, sessions, tokens, docs)
    )]
    pub mod jwt {}

    /// `"jwt_cookie"`.
    #[users_runtime::users_app(
        auth = "jwt_cookie",
        user = users_tests::apps::User,
        routes(auth, register, verify, password_reset, current_user, users, sessions, tokens, docs)
    )]
    pub mod jwt_cookie {}

    /// `"oauth2_password"`.
    #[users_runtime::users_app(
        auth = "oauth2_password",
        user = users_tests::apps::User,
        routes(auth, register, verify, password_reset, current_user, users, sessions, tokens, docs)
    )]
    pub mod oauth2_password {}
}

/// What the nodes of an application share: a database, and a store of sessions where it is another one.
pub struct Place {
    pub database: Database,
    /// A secret key, for nodes that share one.
    pub key: SecretKey,
    /// What any of its nodes sends: whichever is first sends a mail.
    mailbox: Mailbox,
    memory: Option<Memory>,
    setting: String,
    folder: Option<PathBuf>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

impl Place {
    /// An empty database, and the store that `TEST_STORE` names.
    pub async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = std::env::var("TEST_STORE").unwrap_or_else(|_| "database".to_owned());
        let folder = (name == "file").then(|| {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            std::env::temp_dir().join(format!("users-tests-logins-{}-{number}", std::process::id()))
        });
        let setting = match &folder {
            Some(folder) => format!("file:{}", folder.display()),
            None if name == "redis" => redis(),
            None => name.clone(),
        };
        let memory = (name == "memory").then(Memory::default);
        let mailbox = Mailbox::default();
        Self { database: Database::new().await, key: new_key(), mailbox, memory, setting, folder }
    }

    /// Keeps sessions in the database, whatever `TEST_STORE` says.
    pub fn keep_in_database(&mut self) {
        (self.memory, self.setting) = (None, "database".to_owned());
    }

    fn config(&self, key: &SecretKey) -> Config {
        let config = Config::new(key.clone())
            .with_app_name("Tests")
            .with_insecure_cookies(true)
            .with_throttle(Throttle::off())
            .with_max_connections(4);
        match &self.memory {
            Some(memory) => config.with_store(memory.clone()),
            None => config.with_session_store(&self.setting).expect("a store"),
        }
    }
}

/// A store in memory that several nodes of a test share.
#[derive(Clone, Default)]
struct Memory(Arc<MemoryStore>);

impl Store for Memory {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        self.0.get(key)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.0.put(key, entry, expected)
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        self.0.remove(key)
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        self.0.keys_of(owner)
    }
}

/// A new secret key.
pub fn new_key() -> SecretKey {
    SecretKey::generate().expect("randomness")
}

/// A server of an application.
pub struct Node {
    pub kind: Kind,
    pub mailbox: Mailbox,
    pub admin: Arc<dyn Admin>,
    base: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Node {
    /// A server over a place, with this secret key and with changed settings.
    pub async fn start(
        kind: Kind,
        place: &Place,
        key: &SecretKey,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let mailbox = place.mailbox.clone();
        let config = change(place.config(key).with_mail_transport(mailbox.clone()));
        let url = place.database.url();
        let (admin, router) = match kind {
            Kind::Session => build::<full::session::App>(url, config).await,
            Kind::SessionCookie => build::<full::session_cookie::App>(url, config).await,
            Kind::Jwt => build::<full::jwt::App>(url, config).await,
            Kind::JwtCookie => build::<full::jwt_cookie::App>(url, config).await,
            Kind::OAuth2Password => build::<full::oauth2_password::App>(url, config).await,
        };
        let (base, task) = serve(router).await;
        Self { kind, mailbox, admin, base, task }
    }

    /// A client without a credential.
    pub fn client(&self) -> Client {
        Client::new(self.base.clone())
    }

    /// A client of this node with the credential of another one's.
    pub fn take_over(&self, client: &Client) -> Client {
        let own = self.client();
        for (name, value) in client.cookies() {
            own.set_cookie(&name, &value);
        }
        own.set_bearer(client.bearer().as_deref());
        own
    }

    /// Registers and verifies a user; the key.
    pub async fn verified(&self, email: &str) -> Uuid {
        let client = self.client();
        let id = client.register(email, PASSWORD).await.expect(201, "").json()["id"].clone();
        let token = self.mailbox.token(email, 1).await;
        client.verify(&token).await.expect(201, "");
        id.as_str().and_then(|id| id.parse().ok()).expect("a UUID")
    }

    /// A client that has logged in.
    pub async fn logged_in(&self, email: &str) -> Client {
        let client = self.client();
        client.log_in(email, PASSWORD).await.expect(201, "");
        client
    }
}

/// Serves a router on a port of its own.
pub async fn serve(router: Router) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    (base, tokio::spawn(async move { axum::serve(listener, router).await.expect("it runs") }))
}

async fn build<A>(url: &str, config: Config) -> (Arc<dyn Admin>, Router)
where
    A: Application<User = User>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let users = Users::<A>::connect(url, config).await.expect("the application starts");
    let own = Router::new()
        .route("/private", get(|user: CurrentUser<User>| async move { user.email.clone() }))
        .route("/act", post(|user: CurrentUser<User>| async move { user.email.clone() }));
    let router = UsersRouter::new(users.clone()).protected(own).into_router();
    (Arc::new(users), router)
}
