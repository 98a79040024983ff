//! An authentication backend of an application's own, in a list with one of the library's: see `README.md` beside this.

mod backend;
#[cfg(test)]
mod conformance;
mod guards;
mod key;
mod routes;
mod store;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use users_runtime::{Config, Error, NoHooks, Session, UsersBuilder, UsersRouter, users_app};

use crate::{backend::ApiKeys, store::Keys};

// A key comes first: whoever sends one means it.
#[users_app(
    auth = [super::ApiKeys, "session"],
    routes(auth, register, current_user(guard = crate::guards::LoggedIn)),
)]
mod accounts {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    /// A user, who may have keys.
    #[derive(Clone, Debug, UserModel)]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
    }
}

/// The application over a pool, with its keys in the same database as its users.
async fn app(pool: SqlitePool, config: Config) -> Result<UsersRouter<accounts::App>, Error> {
    // The backend holds something, so it is given as a value instead of being made by `Default`.
    let keys = Keys::new(pool.clone());
    let backends = (ApiKeys::new(keys.clone()), Session);
    let users = UsersBuilder::<accounts::App>::new(config, backends, NoHooks).with_pool(pool).await?;
    keys.create_table().await?;
    Ok(accounts::router(users).protected(routes::with_login(keys)).protected(routes::with_key()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = SqliteConnectOptions::new()
        .filename("api-keys.db")
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    // A server that others can reach takes `Config::from_env()?` and its SECRET_KEY.
    let app = app(SqlitePool::connect_with(options).await?, Config::development()?).await?;
    let address = std::env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3002".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}; the README has lines to try", listener.local_addr()?);
    axum::serve(listener, app.into_make_service()).await?;
    Ok(())
}
