//! SQLite: the statements that the library needs beside those of the model.

mod credentials;
mod mails;
mod model_sql;
mod roles;
mod schema;
mod users;

pub(super) use credentials::*;
pub(super) use mails::*;
pub(super) use roles::*;
pub(super) use schema::migrate;
pub(super) use users::*;

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio::time::sleep;

use crate::{error::Error, token::Fingerprint};

/// How long a statement waits for another writer, and a request for a connection, before the answer is 503.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before another try at what does not wait by itself.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// More connections than this read no faster from one file.
const MAX_CONNECTIONS: u32 = 8;

pub(super) async fn connect(url: &str) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| Error::Setting { name: "DATABASE_URL", problem: error.to_string() })?
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut, not just a crash of the process.
        .synchronous(SqliteSynchronous::Full);
    // A database in memory belongs to its one connection, and dies with it.
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let pool = SqlitePoolOptions::new()
        .max_connections(if in_memory { 1 } else { MAX_CONNECTIONS })
        .min_connections(u32::from(in_memory))
        .idle_timeout((!in_memory).then_some(Duration::from_mins(10)))
        .max_lifetime(None)
        .acquire_timeout(PATIENCE)
        // A connection to a file does not go stale; asking before each statement costs a sixth of the throughput.
        .test_before_acquire(false);
    let started = Instant::now();
    loop {
        match pool.clone().connect_with(options.clone()).await {
            // Switching a new file to WAL does not wait for others that do the same.
            Err(error) if is_busy(&error) && started.elapsed() < PATIENCE => sleep(RETRY_PAUSE).await,
            connected => return Ok(connected?),
        }
    }
}

/// Whether another connection was in the way (<https://sqlite.org/rescode.html#busy>); the low byte of a code is its
/// kind.
fn is_busy(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: i32 = 5;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

/// Takes the write lock at once: a transaction that read first and wrote later could fail when another one wrote
/// in between.
pub(super) async fn begin(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>, Error> {
    Ok(pool.begin_with("BEGIN IMMEDIATE").await?)
}

fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, Error> {
    Fingerprint::from_bytes(bytes).ok_or_else(|| Error::internal("a stored fingerprint has the wrong length"))
}
