//! A database of a test's own: a file, or a schema or database on the server that the run was started for.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::atomic::{AtomicU32, Ordering},
};

use futures_util::FutureExt;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use sqlx::{AssertSqlSafe, Executor};

use crate::db::{Database, database::Lenders};

/// An empty database, and how it is removed.
struct Place {
    database: Database,
    remove: Remove,
}

enum Remove {
    #[cfg(feature = "sqlite")]
    File(std::path::PathBuf),
    #[cfg(feature = "postgres")]
    Schema(String, sqlx::PgPool),
    #[cfg(feature = "mysql")]
    Database(String, sqlx::MySqlPool),
}

/// Runs a test on an empty database, which is removed whatever comes of it.
pub(in crate::db) async fn with_database(test: impl AsyncFnOnce(&Database)) {
    let Some(Place { database, remove }) = Place::new().await else { return };
    let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
    close(database).await;
    remove.now().await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

pub(in crate::db) async fn close(database: Database) {
    match database.pool {
        #[cfg(feature = "sqlite")]
        Lenders::Sqlite(pool) => pool.close().await,
        #[cfg(feature = "postgres")]
        Lenders::Postgres(pool) => pool.close().await,
        #[cfg(feature = "mysql")]
        Lenders::MySql(pool) => pool.close().await,
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn server(variable: &str, default: &str) -> url::Url {
    let url = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    url.parse().unwrap_or_else(|error| panic!("{variable}: {error}"))
}

impl Place {
    /// `None` in a build without SQLite, when no server is named.
    async fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("users_unit_{}_{number}", std::process::id());
        match std::env::var("TEST_DATABASE").as_deref() {
            #[cfg(feature = "postgres")]
            Ok("postgres") => {
                let mut url =
                    server("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/test?sslmode=disable");
                let keeper = sqlx::PgPool::connect(url.as_str()).await.unwrap();
                keeper.execute(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).await.unwrap();
                url.query_pairs_mut().append_pair("options[search_path]", &name);
                let database = Database::connect(url.as_str(), Some(8)).await.unwrap();
                Some(Self { database, remove: Remove::Schema(name, keeper) })
            }
            #[cfg(feature = "mysql")]
            Ok("mysql") => {
                let mut url = server("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/test?ssl-mode=disabled");
                let keeper = sqlx::MySqlPool::connect(url.as_str()).await.unwrap();
                keeper.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
                url.set_path(&name);
                let database = Database::connect(url.as_str(), Some(8)).await.unwrap();
                Some(Self { database, remove: Remove::Database(name, keeper) })
            }
            #[cfg(feature = "sqlite")]
            _ => {
                let path = std::env::temp_dir().join(name);
                let url = format!("sqlite://{}", path.display());
                let database = Database::connect(&url, None).await.unwrap();
                Some(Self { database, remove: Remove::File(path) })
            }
            #[cfg(not(feature = "sqlite"))]
            _ => None,
        }
    }
}

impl Remove {
    async fn now(self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(path) => {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{end}", path.display()));
                }
            }
            #[cfg(feature = "postgres")]
            Self::Schema(name, keeper) => {
                keeper.execute(AssertSqlSafe(format!("DROP SCHEMA {name} CASCADE"))).await.unwrap();
            }
            #[cfg(feature = "mysql")]
            Self::Database(name, keeper) => {
                keeper.execute(AssertSqlSafe(format!("DROP DATABASE {name}"))).await.unwrap();
            }
        }
    }
}

/// The same database, in which accounts may stay behind when their user goes.
pub(in crate::db) async fn without_foreign_keys(database: &Database) -> Database {
    match &database.pool {
        #[cfg(feature = "sqlite")]
        Lenders::Sqlite(pool) => {
            let options = (*pool.connect_options()).clone().foreign_keys(false);
            Database::over(sqlx::SqlitePool::connect_with(options).await.unwrap().into())
        }
        #[cfg(feature = "postgres")]
        Lenders::Postgres(pool) => {
            let alter = "ALTER TABLE users_oauth_accounts DROP CONSTRAINT users_oauth_accounts_user_id_fkey";
            pool.execute(alter).await.unwrap();
            database.clone()
        }
        #[cfg(feature = "mysql")]
        Lenders::MySql(pool) => {
            let alter = "ALTER TABLE users_oauth_accounts DROP FOREIGN KEY users_oauth_accounts_ibfk_1";
            pool.execute(alter).await.unwrap();
            database.clone()
        }
    }
}
