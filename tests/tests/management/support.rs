//! An office that administrators manage over HTTP, and what its tests do again and again.

use std::ops::Deref;

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use users_runtime::{Application, Config, Password, SecretKey, Throttle, Users, UsersRouter};
use users_tests::{Client, Database, Mailbox, PASSWORD, Store};
use uuid::Uuid;

/// The application: every group, and a model with columns to filter and to sort by.
#[users_runtime::users_app(
    auth = "session",
    routes(
        auth,
        register,
        verify,
        password_reset,
        current_user(delete, export),
        sessions,
        users,
        roles,
        docs
    )
)]
pub mod office {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    /// Somebody who works here.
    #[derive(Clone, Debug, UserModel)]
    #[user(table = "staff")]
    pub struct Worker {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        #[user(validate = length(1, 40), filter)]
        pub team: Option<String>,
        #[user(validate = range(0, 150), default = 30, filter(range), sort)]
        pub age: i64,
        #[user(read_only, default = String::from("m"), sort)]
        pub grade: String,
        #[user(exclude(read, register, update), default = String::from("none"))]
        pub reference: String,
    }
}

/// A running application of the tests of this suite.
pub struct Server<A: Application> {
    pub users: Users<A>,
    pub mailbox: Mailbox,
    pub store: Store,
    pub base: String,
    task: tokio::task::JoinHandle<()>,
    _database: Database,
}

impl<A: Application> Drop for Server<A> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<A: Application> Server<A>
where
    A::Auth: Default,
    A::Hooks: Default,
{
    /// With the library's defaults, but for cookies over plain HTTP.
    pub async fn start() -> Self {
        Self::start_with(|config| config, |router| router).await
    }

    /// The same with other settings and a router with more to it.
    pub async fn start_with(
        settings: impl FnOnce(Config) -> Config,
        routes: impl FnOnce(UsersRouter<A>) -> UsersRouter<A>,
    ) -> Self {
        Self::over(Database::new().await, settings, routes).await
    }

    /// The same over a database that the test has made ready.
    pub async fn over(
        database: Database,
        settings: impl FnOnce(Config) -> Config,
        routes: impl FnOnce(UsersRouter<A>) -> UsersRouter<A>,
    ) -> Self {
        let mailbox = Mailbox::default();
        let config = Config::new(SecretKey::generate().expect("randomness"))
            .with_app_name("Tests")
            .with_insecure_cookies(true)
            .with_throttle(Throttle::off())
            .with_max_connections(4)
            .with_mail_transport(mailbox.clone());
        let users = Users::<A>::connect(database.url(), settings(config)).await.expect("it starts");
        let own = Router::new().route("/private", get(|| async { Json(json!("private")) }));
        let served = routes(UsersRouter::new(users.clone()).protected(own)).into_router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, served).await.expect("it runs") });
        let store = database.store().await;
        Self { users, mailbox, store, base, task, _database: database }
    }

    /// A client without a credential.
    pub fn client(&self) -> Client {
        Client::new(self.base.clone())
    }
}

/// A client that is logged in, and whose account it is.
pub struct Person {
    pub id: Uuid,
    pub client: Client,
}

impl Deref for Person {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Person {
    /// The path of the account in the group `users`.
    pub fn path(&self) -> String {
        format!("/users/{}", self.id)
    }
}

/// A new account.
pub fn registration(email: &str) -> office::WorkerRegistration {
    office::WorkerRegistration {
        email: email.to_owned(),
        password: Password::new(PASSWORD),
        team: None,
        age: None,
    }
}

pub type Office = Server<office::App>;

impl Office {
    /// An account with these roles, and a client that is logged into it.
    pub async fn person(&self, email: &str, roles: &[&str]) -> Person {
        let user = self.users.create_user(registration(email)).await.expect("a new account");
        for role in roles {
            self.users.grant(user.id, role).await.expect("a role");
        }
        let client = self.client();
        client.log_in(email, PASSWORD).await.expect(201, "");
        Person { id: user.id, client }
    }

    pub async fn administrator(&self) -> Person {
        self.person("admin@example.com", &["administrator"]).await
    }
}

/// The key of a thing that was answered.
pub fn id_of(thing: &Value) -> Uuid {
    thing["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no key in {thing}"))
}

/// The names of the roles of a user that was answered, by name.
pub fn roles_of(user: &Value) -> Vec<String> {
    let roles = user["roles"].as_array().unwrap_or_else(|| panic!("no roles in {user}"));
    let mut names: Vec<_> =
        roles.iter().filter_map(|role| role["name"].as_str()).map(str::to_owned).collect();
    names.sort();
    names
}
