//! The same routes with axum-login, written as its own examples are: for a comparison of whole programs.

mod postgres {
    type Store = tower_sessions_sqlx_store::PostgresStore;
    type Pool = sqlx::PgPool;
    const UUID: &str = "UUID";

    async fn connect(url: &str) -> Result<Pool, crate::Failure> {
        Ok(Pool::connect(url).await?)
    }

    include!("application.rs");
}

mod sqlite {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

    type Store = tower_sessions_sqlx_store::SqliteStore;
    type Pool = sqlx::SqlitePool;
    const UUID: &str = "BLOB";

    async fn connect(url: &str) -> Result<Pool, crate::Failure> {
        let options: SqliteConnectOptions = url.parse()?;
        let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        Ok(Pool::connect_with(options).await?)
    }

    include!("application.rs");
}

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_login::AuthUser;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinError};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let url = variable("DATABASE_URL")?;
    let secret = variable("SECRET_KEY")?;
    let listener = TcpListener::bind(variable("ADDR")?).await?;
    let app = if url.starts_with("postgres") {
        postgres::application(&url, secret.as_bytes()).await?
    } else {
        sqlite::application(&url, secret.as_bytes()).await?
    };
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[derive(Clone, sqlx::FromRow, Serialize)]
struct User {
    id: Uuid,
    email: String,
    #[serde(skip)]
    password_hash: String,
    is_active: bool,
    is_verified: bool,
    display_name: Option<String>,
    login_count: i64,
}

// Without `derive(Debug)`, which the crate's examples avoid for the hash too.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AuthUser for User {
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.id
    }

    /// As in the examples: a new password ends the sessions, and each session carries a copy of the hash.
    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

#[derive(Clone, Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Registration {
    email: String,
    password: String,
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    display_name: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    #[error(transparent)]
    Hashing(#[from] JoinError),
    #[error(transparent)]
    Session(Failure),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Sqlx(sqlx::Error::Database(error)) = &self
            && error.is_unique_violation()
        {
            return StatusCode::CONFLICT.into_response();
        }
        eprintln!("{self}");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

fn created(user: User) -> Response {
    (StatusCode::CREATED, Json(user)).into_response()
}
