//! Where a test's database is: a place of its own on the engine that the run was started for.

use std::{
    path::PathBuf,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use reqwest::Url;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Store, keeper};

/// A database engine that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    MySql,
}

impl Engine {
    /// The engine of this run: `TEST_DATABASE`, or SQLite.
    pub fn chosen() -> Self {
        static CHOSEN: LazyLock<Engine> = LazyLock::new(|| match std::env::var("TEST_DATABASE").as_deref() {
            Err(_) | Ok("" | "sqlite") => Engine::Sqlite,
            Ok("postgres") => Engine::Postgres,
            Ok("mysql") => Engine::MySql,
            Ok(other) => panic!("TEST_DATABASE is `{other}`; write `sqlite`, `postgres` or `mysql`"),
        });
        *CHOSEN
    }

    /// The server that the tests use, which may hold other databases too. By default without TLS, whose handshake
    /// takes a build for tests a tenth of a second for each connection.
    pub fn server(self) -> Option<Url> {
        let (name, default) = match self {
            Self::Sqlite => return None,
            Self::Postgres => {
                ("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/test?sslmode=disable")
            }
            Self::MySql => ("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/test?ssl-mode=disabled"),
        };
        let url = std::env::var(name).unwrap_or_else(|_| default.to_owned());
        Some(url.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
    }
}

/// What differs from one engine to the next, where no text serves all.
#[derive(Debug, Clone, Copy)]
pub struct On<T> {
    pub sqlite: T,
    pub postgres: T,
    pub mysql: T,
}

impl<T> On<T> {
    /// The one for the engine of this run.
    pub fn chosen(self) -> T {
        match Engine::chosen() {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
            Engine::MySql => self.mysql,
        }
    }
}

/// Each has a few connections of its own, and a server has a hundred: on a machine of many cores the tests wait for
/// one another. No test holds two of them for long.
static PLACES: Semaphore = Semaphore::const_new(12);

/// A database of a test's own, which goes with its owner, also when the test panics.
pub struct Database {
    url: String,
    place: Place,
}

enum Place {
    Memory,
    Folder(PathBuf),
    Server { name: String, _permit: SemaphorePermit<'static> },
}

impl Database {
    /// An empty database: a file, or a schema or database on the server.
    pub async fn new() -> Self {
        let engine = Engine::chosen();
        let Some(mut url) = engine.server() else {
            let folder = new_folder();
            let url = format!("sqlite://{}", folder.join("test.db").display());
            return Self { url, place: Place::Folder(folder) };
        };
        let permit = PLACES.acquire().await.expect("never closed");
        let name = keeper::create().await;
        if engine == Engine::Postgres {
            // A schema is made in a tenth of the time of a database. A power cut is no matter to a test.
            url.query_pairs_mut()
                .append_pair("application_name", &name)
                .append_pair("options[search_path]", &name)
                .append_pair("options[synchronous_commit]", "off");
        } else {
            url.set_path(&name);
        }
        Self { url: url.into(), place: Place::Server { name, _permit: permit } }
    }

    /// The same in memory where the engine can. It is gone with its last connection.
    pub async fn in_memory() -> Self {
        match Engine::chosen() {
            Engine::Sqlite => Self { url: "sqlite::memory:".to_owned(), place: Place::Memory },
            _ => Self::new().await,
        }
    }

    /// What an application connects to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new pool of the test's own. In memory it is the only one that sees the database.
    pub async fn store(&self) -> Store {
        match &self.place {
            Place::Memory => Store::connect(&self.url, 1).await,
            Place::Folder(_) => Store::connect(&format!("{}?mode=rwc", self.url), 4).await,
            Place::Server { .. } => Store::connect(&self.url, 2).await,
        }
    }

    /// A pool of one connection, for which nobody waits longer than this.
    pub async fn narrow(&self, patience: Duration) -> Store {
        let mode = if matches!(self.place, Place::Folder(_)) { "?mode=rwc" } else { "" };
        Store::connect_within(&format!("{}{mode}", self.url), 1, patience).await
    }

    /// The part of its address that no answer may name.
    pub fn secret(&self) -> String {
        match &self.place {
            Place::Memory => self.url.clone(),
            Place::Folder(folder) => folder.display().to_string(),
            Place::Server { name, .. } => name.clone(),
        }
    }

    /// What the engine keeps, byte for byte where that can be had: the files of SQLite, which hold deleted rows too,
    /// or every value of every row.
    pub async fn contents(&self, store: &Store) -> Vec<u8> {
        match &self.place {
            Place::Folder(folder) => files(folder).into_iter().flat_map(|(_, bytes)| bytes).collect(),
            _ => store.contents().await,
        }
    }

    /// Destroys the database below an application that runs: its files become garbage, or the server drops it.
    pub async fn destroy(&self, store: &Store) {
        match &self.place {
            Place::Memory => panic!("what is in memory belongs to the application alone"),
            Place::Folder(folder) => {
                store.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
                for (path, bytes) in files(folder) {
                    std::fs::write(path, vec![0x5a; bytes.len()]).expect("it can be written");
                }
            }
            Place::Server { name, .. } => keeper::destroy(name),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match &self.place {
            Place::Memory => {}
            Place::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Place::Server { name, .. } => keeper::destroy(name),
        }
    }
}

/// An empty folder of a test's own.
pub(crate) fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("users-tests-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for a test");
    folder
}

/// The files of a folder. A journal may go while it is read.
fn files(folder: &std::path::Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("a file").path())
        .filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes)))
        .collect()
}
