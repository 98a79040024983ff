//! The databases: one with all users that the library made, and a copy of it for each subject.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, query_scalar, raw_sql};
use tokio::runtime::Runtime;
use url::Url;

use crate::{
    Failure, people,
    subject::{Database, Subject},
};

/// What the copies are made of.
const TEMPLATE: &str = "template";
/// How many users one statement stores.
const ROWS_AT_ONCE: usize = 1_000;

/// All databases of a run.
pub struct Databases {
    runtime: Runtime,
    folder: PathBuf,
    server: Option<Url>,
    /// What was made on the server.
    made: Vec<String>,
}

impl Databases {
    pub fn new(folder: &Path, server: Option<&Url>) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, folder: folder.to_owned(), server: server.cloned(), made: Vec::new() })
    }

    pub fn url(&self, subject: Subject) -> String {
        self.url_of(subject.database, &subject.id())
    }

    pub fn template(&self, database: Database) -> String {
        self.url_of(database, TEMPLATE)
    }

    fn url_of(&self, database: Database, name: &str) -> String {
        match (database, self.server.clone()) {
            (Database::Postgres, Some(mut url)) => {
                url.set_path(&on_server(name));
                url.into()
            }
            // With the fourth slash, which SQLAlchemy takes for an absolute path and sqlx does not mind.
            _ => format!("sqlite:///{}", self.file(name).display()),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }

    /// Makes the empty database that the library then fills with its tables.
    pub fn make_template(&mut self, database: Database) -> Result<(), Failure> {
        match database {
            Database::Sqlite => Ok(()),
            Database::Postgres => self.create(TEMPLATE, ""),
        }
    }

    /// An empty database for a program that makes its own tables.
    pub fn make_empty(&mut self, subject: Subject) -> Result<(), Failure> {
        match subject.database {
            Database::Sqlite => Ok(()),
            Database::Postgres => self.create(&subject.id(), ""),
        }
    }

    /// Stores the users beside the one that registered.
    pub fn fill(&self, database: Database, users: u32) -> Result<(), Failure> {
        let verified = format!("UPDATE users SET is_verified = TRUE WHERE email = '{}'", people::SEED);
        let starts = (0..users).step_by(ROWS_AT_ONCE);
        let rows = |literal: fn(uuid::Uuid) -> String| {
            let end = |start: u32| users.min(start + u32::try_from(ROWS_AT_ONCE).unwrap_or(u32::MAX));
            starts.map(move |start| people::insert(start..end(start), literal))
        };
        let url = self.template(database);
        self.runtime.block_on(async {
            match database {
                Database::Sqlite => {
                    let mut connection = SqliteConnection::connect(&url).await?;
                    for sql in rows(|id| format!("X'{}'", id.simple())).chain([verified]) {
                        connection.execute(raw_sql(AssertSqlSafe(sql))).await?;
                    }
                    connection.execute(raw_sql("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")).await?;
                    connection.close().await?;
                }
                Database::Postgres => {
                    let mut connection = PgConnection::connect(&url).await?;
                    for sql in rows(|id| format!("'{id}'::uuid")).chain([verified]) {
                        connection.execute(raw_sql(AssertSqlSafe(sql))).await?;
                    }
                    connection.execute(raw_sql("VACUUM (ANALYZE)")).await?;
                    connection.execute(raw_sql("CHECKPOINT")).await?;
                    connection.close().await?;
                }
            }
            Ok(())
        })
    }

    /// Copies the template for a program.
    pub fn copy(&mut self, subject: Subject) -> Result<(), Failure> {
        match subject.database {
            Database::Sqlite => {
                fs::copy(self.file(TEMPLATE), self.file(&subject.id()))?;
                Ok(())
            }
            Database::Postgres => self.create(&subject.id(), &format!("TEMPLATE {}", on_server(TEMPLATE))),
        }
    }

    fn create(&mut self, name: &str, options: &str) -> Result<(), Failure> {
        let name = on_server(name);
        // One may be left of a run that was killed.
        self.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        self.execute(format!("CREATE DATABASE {name} {options}"))?;
        self.made.push(name);
        Ok(())
    }

    /// The version of PostgreSQL; `None` without a server.
    pub fn version(&self) -> Result<Option<String>, Failure> {
        let Some(server) = &self.server else { return Ok(None) };
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(server.as_str()).await?;
            Ok(Some(query_scalar("SHOW server_version").fetch_one(&mut connection).await?))
        })
    }

    /// Drops what was made on the server.
    pub fn remove(&mut self) -> Result<(), Failure> {
        for name in std::mem::take(&mut self.made) {
            self.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        }
        Ok(())
    }

    fn execute(&self, sql: String) -> Result<(), Failure> {
        let server = self.server.as_ref().ok_or("--postgres is not given")?;
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(server.as_str()).await?;
            connection.execute(raw_sql(AssertSqlSafe(sql))).await?;
            Ok(connection.close().await?)
        })
    }
}

fn on_server(name: &str) -> String {
    format!("users_bench_{name}")
}
