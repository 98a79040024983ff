//! A table of users, and the server over it.

use tokio::{net::TcpListener, runtime::Runtime};
use users_runtime::{ADMINISTRATOR, BoxFuture, Config, MailError, MailTransport, Password, RenderedMail};
use uuid::Uuid;

use crate::{
    Failure,
    accounts::{PASSWORD, User, UserRegistration, Users, router},
    client::{Client, Request},
    people::{self, People, Random},
    postgres::PostgresPlace,
    sqlite::SqlitePlace,
};

/// How many users are read so that what the last figure read is out of the database's own cache: five times what the
/// default cache of PostgreSQL holds.
const READS_TO_COOL: u64 = 40_000;

/// Where a table is.
#[derive(Debug)]
pub enum Place {
    Postgres(PostgresPlace),
    Sqlite(SqlitePlace),
}

impl Place {
    pub fn people(&self) -> People {
        match self {
            Self::Postgres(place) => place.people,
            Self::Sqlite(place) => place.people,
        }
    }

    pub fn database(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Sqlite(_) => "SQLite",
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Postgres(place) => place.url().into(),
            Self::Sqlite(place) => place.url(),
        }
    }

    /// Makes the table, unless it is there.
    pub async fn fill(&self) -> Result<(), Failure> {
        match self {
            Self::Postgres(place) => place.fill().await,
            Self::Sqlite(place) => place.fill().await,
        }
    }

    pub async fn remove(&self) -> Result<(), Failure> {
        match self {
            Self::Postgres(place) => place.remove().await,
            Self::Sqlite(place) => place.remove(),
        }
    }

    /// Makes the database forget whom the last figure read. SQLite's own cache is too small to remember.
    async fn cool(&self) -> Result<(), Failure> {
        match self {
            Self::Postgres(place) => place.read_anybody(READS_TO_COOL).await,
            Self::Sqlite(_) => Ok(()),
        }
    }
}

/// What the library made in an empty database.
#[derive(Debug)]
pub struct Seeded {
    /// The hash of [`PASSWORD`] at the default cost.
    pub hash: String,
    /// The key of [`people::ROLE`].
    pub role: Uuid,
}

/// Lets the library make its tables, the administrator and the role.
pub async fn seed(url: &str) -> Result<Seeded, Failure> {
    let users = Users::connect(url, config()?).await?;
    let registration = UserRegistration {
        email: people::ADMINISTRATOR.to_owned(),
        password: Password::new(PASSWORD),
        display_name: None,
    };
    let User { id, password_hash, .. } = users.create_user(registration).await?;
    users.set_verified(id, true).await?;
    users.grant(id, ADMINISTRATOR).await?;
    users.grant(id, people::ROLE).await?;
    let roles = users.roles().await?;
    let role = roles.iter().find(|role| role.name == people::ROLE).ok_or("the role was not stored")?;
    Ok(Seeded { hash: password_hash.expose_phc().to_owned(), role: role.id })
}

/// The defaults of the library, over plain HTTP.
fn config() -> Result<Config, Failure> {
    Ok(Config::development()?.with_mail_transport(Nowhere))
}

struct Nowhere;

impl MailTransport for Nowhere {
    fn send<'a>(&'a self, _mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async { Ok(()) })
    }
}

/// A server over a table, and the one client that it has.
pub struct Target {
    pub place: Place,
    pub client: Client,
    /// The credential of who may list users.
    pub administrator: String,
    /// Credentials of random users.
    pub tokens: Vec<String>,
}

impl Target {
    pub fn start(runtime: &Runtime, place: Place) -> Result<Self, Failure> {
        let address = runtime.block_on(async {
            let users = Users::connect(&place.url(), config()?).await?;
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            tokio::spawn(async move { axum::serve(listener, router(users).into_router()).await });
            Ok::<_, Failure>(address)
        })?;
        let mut target = Self {
            place,
            client: Client::connect(address)?,
            administrator: String::new(),
            tokens: Vec::new(),
        };
        target.administrator = target.log_in(people::ADMINISTRATOR)?;
        Ok(target)
    }

    pub fn people(&self) -> People {
        self.place.people()
    }

    fn log_in(&mut self, email: &str) -> Result<String, Failure> {
        self.client.send(&login(email), 201)?.token()
    }

    /// Sees to it that there are credentials of at least so many random users, and that nothing of these is in a cache
    /// for having logged in.
    pub fn collect_tokens(
        &mut self,
        runtime: &Runtime,
        least: usize,
        random: &mut Random,
    ) -> Result<(), Failure> {
        while self.tokens.len() < least {
            let email = self.people().anybody(random).email;
            let token = self.log_in(&email)?;
            self.tokens.push(token);
        }
        random.shuffle(&mut self.tokens);
        runtime.block_on(self.place.cool())
    }
}

pub fn login(email: &str) -> Request {
    Request::post("/login", &serde_json::json!({ "email": email, "password": PASSWORD }))
}
