//! A test application: a server on a port of its own over a database of its own.

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, routing::get};
use serde_json::json;
use users_runtime::{
    Application, BoxFuture, Config, CurrentUser, Error, OAuthTokens, SecretKey, Throttle, Users, UsersRouter,
    Visitor,
};
use uuid::Uuid;

use crate::{
    Client, Database, Mailbox, PASSWORD, Statement, Store, apps, apps::User, live, sessions::Sessions,
};

/// A backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Session,
    SessionCookie,
    Jwt,
    JwtCookie,
    OAuth2Password,
}

impl Kind {
    /// Every backend.
    pub const ALL: [Self; 5] =
        [Self::Session, Self::SessionCookie, Self::Jwt, Self::JwtCookie, Self::OAuth2Password];

    /// Those whose credential a browser adds by itself.
    pub const COOKIES: [Self; 3] = [Self::Session, Self::SessionCookie, Self::JwtCookie];

    /// Those whose credential is a JWT.
    pub const TOKENS: [Self; 3] = [Self::Jwt, Self::JwtCookie, Self::OAuth2Password];

    /// Whether a browser adds the credential by itself.
    pub fn is_cookie(self) -> bool {
        Self::COOKIES.contains(&self)
    }

    /// The cookie's name over plain HTTP.
    pub fn cookie(self) -> &'static str {
        match self {
            Self::Session | Self::SessionCookie => "session",
            Self::Jwt | Self::JwtCookie | Self::OAuth2Password => "token",
        }
    }
}

/// What a test changes of an application.
pub struct Options {
    pub config: Box<dyn FnOnce(Config) -> Config + Send>,
    pub protected: Router,
    pub public: Router,
    /// Keeps sessions in the database, whatever `TEST_STORE` says: for tests that look into its tables.
    pub in_database: bool,
    /// Names the server's own address as base URL and as a place to end a sign-in at, for tests whose clients follow it.
    pub at_home: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: Box::new(|config| config),
            protected: Router::new(),
            public: Router::new(),
            in_database: false,
            at_home: false,
        }
    }
}

/// What tests do behind the application's back, without knowing its backend.
pub trait Admin: Send + Sync {
    fn set_active(&self, id: Uuid, active: bool) -> BoxFuture<'_, Result<(), Error>>;
    fn set_verified(&self, id: Uuid, verified: bool) -> BoxFuture<'_, Result<(), Error>>;
    fn grant<'a>(&'a self, id: Uuid, role: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    fn withdraw<'a>(&'a self, id: Uuid, role: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<(), Error>>;
    fn forget_cached(&self, id: Uuid) -> BoxFuture<'_, Result<(), Error>>;
    fn password_computations(&self) -> u64;
    /// The tokens of an account that the user has linked.
    fn oauth_tokens(&self, user: Uuid, account: Uuid) -> BoxFuture<'_, Result<Option<OAuthTokens>, Error>>;
}

impl<A: Application<User = User>> Admin for Users<A> {
    fn set_active(&self, id: Uuid, active: bool) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Users::set_active(self, id, active))
    }

    fn set_verified(&self, id: Uuid, verified: bool) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Users::set_verified(self, id, verified))
    }

    fn grant<'a>(&'a self, id: Uuid, role: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(Users::grant(self, id, role))
    }

    fn withdraw<'a>(&'a self, id: Uuid, role: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(Users::withdraw(self, id, role))
    }

    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.delete_user(id).await.map(drop) })
    }

    fn forget_cached(&self, id: Uuid) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Users::forget_cached(self, id))
    }

    fn password_computations(&self) -> u64 {
        Users::password_computations(self)
    }

    fn oauth_tokens(&self, user: Uuid, account: Uuid) -> BoxFuture<'_, Result<Option<OAuthTokens>, Error>> {
        Box::pin(Users::oauth_tokens(self, user, account))
    }
}

/// A running application.
pub struct App {
    pub kind: Kind,
    pub mailbox: Mailbox,
    pub admin: Arc<dyn Admin>,
    /// A pool of the test's own on the application's database.
    pub store: Store,
    pub base: String,
    /// What the server serves, for requests that need no connection.
    pub router: Router,
    client: Client,
    server: tokio::task::JoinHandle<()>,
    sessions: Option<Sessions>,
    database: Database,
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl App {
    /// The application with this backend and the defaults of the library, but for cookies over plain HTTP.
    pub async fn start(kind: Kind) -> Self {
        Self::start_with(kind, Options::default()).await
    }

    /// The same with sessions in the database, whatever `TEST_STORE` says.
    pub async fn in_database(kind: Kind) -> Self {
        Self::start_with(kind, Options { in_database: true, ..Options::default() }).await
    }

    /// The same with changes.
    pub async fn start_with(kind: Kind, options: Options) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let database = Database::new().await;
        let store = database.store().await;
        store.execute(apps::HOOK_NOTES.chosen()).await;
        let mailbox = Mailbox::default();
        let mut config = Config::new(SecretKey::generate().expect("randomness"))
            .with_app_name("Tests")
            .with_insecure_cookies(true)
            // Tests fail a lot, all from one address; those of throttles switch them on.
            .with_throttle(Throttle::off())
            // Tests run side by side, and the server has a hundred connections for all of them.
            .with_max_connections(4)
            .with_mail_transport(mailbox.clone());
        let sessions = if options.in_database { None } else { Sessions::new().await };
        if let Some(sessions) = &sessions {
            config = config.with_store(sessions.store.clone());
        }
        if options.at_home {
            config = config.with_base_url(&base).expect("an origin");
            config = config.with_oauth_redirect(&base).expect("an origin");
        }
        let config = (options.config)(config);
        let url = database.url();
        let (admin, router) = match kind {
            Kind::Session => {
                build::<apps::session::App>(url, config, options.protected, options.public).await
            }
            Kind::SessionCookie => {
                build::<apps::session_cookie::App>(url, config, options.protected, options.public).await
            }
            Kind::OAuth2Password => {
                build::<apps::oauth2_password::App>(url, config, options.protected, options.public).await
            }
            Kind::Jwt => build::<apps::jwt::App>(url, config, options.protected, options.public).await,
            Kind::JwtCookie => {
                build::<apps::jwt_cookie::App>(url, config, options.protected, options.public).await
            }
        };
        // With the addresses that requests come from, as `into_make_service` has it.
        let app = router.clone().into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the server runs");
        });
        let client = Client::new(base.clone());
        Self { kind, mailbox, admin, store, base, router, client, server, sessions, database }
    }

    /// A client without a credential.
    pub fn client(&self) -> Client {
        self.client.fresh()
    }

    /// The part of the database's address that no answer may name.
    pub fn secret_address(&self) -> String {
        self.database.secret()
    }

    /// What the database keeps, in bytes to be searched.
    pub async fn contents(&self) -> Vec<u8> {
        self.database.contents(&self.store).await
    }

    /// Destroys the database below the application.
    pub async fn destroy_database(&self) {
        self.database.destroy(&self.store).await;
    }

    /// Another node over the same database, which begins with deleting what is due, as every node does. It has a key of
    /// its own, so it must send no mail that carries a token.
    pub async fn another_node(&self) -> apps::session::Users {
        let config = Config::new(SecretKey::generate().expect("randomness"))
            .with_max_connections(2)
            .with_mail_transport(self.mailbox.clone());
        apps::session::Users::connect(self.database.url(), config).await.expect("it starts")
    }

    /// Registers and verifies a user, and logs a new client in.
    pub async fn user(&self, email: &str) -> Client {
        let client = self.client();
        self.verified(email).await;
        client.log_in(email, PASSWORD).await.expect(201, "");
        client
    }

    /// Registers and verifies a user; the key.
    pub async fn verified(&self, email: &str) -> Uuid {
        let client = self.client();
        let id = client.register(email, PASSWORD).await.expect(201, "").json()["id"].clone();
        let token = self.mailbox.token(email, 1).await;
        client.verify(&token).await.expect(201, "");
        id.as_str().and_then(|id| id.parse().ok()).expect("a UUID")
    }

    /// The key of a user.
    pub async fn id_of(&self, email: &str) -> Uuid {
        self.store.query("SELECT id FROM users WHERE email = ?").bind(email).value().await
    }

    /// How many sessions there are, wherever they are kept.
    pub async fn sessions(&self) -> i64 {
        match &self.sessions {
            Some(sessions) => sessions.store.count().await,
            None => self.count("SELECT COUNT(*) FROM users_sessions").await,
        }
    }

    /// A statement, whose parameters are each a `?`.
    pub fn query<'a>(&'a self, sql: &'a str) -> Statement<'a> {
        self.store.query(sql)
    }

    /// A number that a statement without parameters answers.
    pub async fn count(&self, sql: &str) -> i64 {
        self.store.count(sql).await
    }

    /// Runs statements without parameters.
    pub async fn execute(&self, sql: &str) {
        self.store.execute(sql).await;
    }
}

async fn build<A>(url: &str, config: Config, protected: Router, public: Router) -> (Arc<dyn Admin>, Router)
where
    A: Application<User = User>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let users = Users::<A>::connect(url, config).await.expect("the application starts");
    let own_protected = Router::new()
        .route("/private", get(private).post(private))
        .route("/administration", get(administration))
        .route("/files/{*path}", get(private))
        .route("/public/ping", get(|| async { "pong" }))
        .route("/public/{a}/{b}", get(|| async { "pong" }))
        .route("/publicity", get(|| async { "closed" }))
        .route("/open/{item}", get(|| async { "open" }))
        .route("/open/{item}/owner", get(|| async { "closed" }));
    let own_public = Router::new()
        .route("/feed", get(feed).post(feed))
        .route("/visitor", get(visitor))
        .route("/demanding", get(private));
    let router = UsersRouter::new(users.clone())
        .protected(own_protected)
        .protected(live::protected())
        .protected(protected)
        .public(own_public)
        .public(live::public())
        .public(public)
        .into_router();
    (Arc::new(users), router)
}

async fn private(user: CurrentUser<User>) -> Json<serde_json::Value> {
    Json(json!({ "email": user.email }))
}

async fn administration(user: CurrentUser<User>) -> Result<&'static str, Error> {
    if user.has_role("administrator") { Ok("welcome") } else { Err(Error::Forbidden) }
}

async fn feed(user: Option<CurrentUser<User>>) -> Json<serde_json::Value> {
    Json(json!({ "anonymous": user.is_none(), "email": user.map(|user| user.email.clone()) }))
}

async fn visitor(visitor: Visitor<User>) -> Json<serde_json::Value> {
    Json(json!({
        "id": visitor.id(),
        "is_active": visitor.is_active(),
        "is_verified": visitor.is_verified(),
        "roles": visitor.roles().iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
    }))
}
