//! SQLite.

#[path = "shared/credentials.rs"]
mod credentials;
#[path = "shared/deletions.rs"]
mod deletions;
#[path = "shared/entries.rs"]
mod entries;
#[path = "shared/events.rs"]
mod events;
#[path = "shared/import.rs"]
mod import;
#[path = "shared/list.rs"]
mod list;
#[path = "shared/mails.rs"]
mod mails;
#[path = "shared/oauth.rs"]
mod oauth;
#[path = "shared/returning.rs"]
mod returning;
#[path = "shared/roles.rs"]
mod roles;
mod schema;
#[path = "shared/users.rs"]
mod users;

pub(super) use credentials::*;
pub(super) use deletions::*;
pub(super) use entries::*;
pub(super) use events::*;
pub(super) use import::*;
pub(super) use list::*;
pub(super) use mails::*;
pub(super) use oauth::*;
pub(super) use returning::*;
pub(super) use roles::*;
pub(super) use schema::{apply, drift, migrate};
pub(super) use users::*;

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio::time::sleep;

use super::{PATIENCE, Storable, fingerprint, sql::Syntax};
use crate::{error::Error, model::UserModel};

type Db = Sqlite;
type Connection = sqlx::SqliteConnection;
type DbRow = sqlx::sqlite::SqliteRow;
type DbArguments = sqlx::sqlite::SqliteArguments;

const SYNTAX: Syntax = super::sql::SQLITE;

/// Texts are compared byte by byte unless a column says otherwise.
const BYTE_ORDER: &str = "";

/// An index of several columns finds `(a, b) > (?, ?)`.
const COMPARES_ROWS: bool = true;

/// The most arguments of a statement (<https://sqlite.org/limits.html#max_variable_number>).
const MAX_ARGUMENTS: usize = 32_766;

/// Nobody else writes while a transaction does.
const SKIP_LOCKED: &str = "";

/// How long to wait before another try at what does not wait by itself.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// More connections than this read no faster from one file.
const MAX_CONNECTIONS: u32 = 8;

pub(super) async fn connect(url: &str, max_connections: Option<u32>) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| super::database::wrong_url(&error))?
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut, not just a crash of the process.
        .synchronous(SqliteSynchronous::Full);
    // A database in memory belongs to its one connection, and dies with it.
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let pool = SqlitePoolOptions::new()
        .max_connections(if in_memory { 1 } else { max_connections.unwrap_or(MAX_CONNECTIONS) })
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
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// SQLite makes a key out of `NULL`.
#[expect(clippy::unused_async, reason = "another database is asked for the key")]
async fn with_key<U: Storable>(_connection: &mut Connection, user: U) -> Result<U, Error> {
    Ok(user)
}

/// The same for a role.
#[expect(clippy::unused_async, reason = "another database is asked for the key")]
async fn role_with_key<U: Storable>(
    _connection: &mut Connection,
    role: <U as UserModel>::Role,
) -> Result<<U as UserModel>::Role, Error> {
    Ok(role)
}

/// The same for a linked account.
#[expect(clippy::unused_async, reason = "another database is asked for the key")]
async fn oauth_account_with_key<U: Storable>(
    _connection: &mut Connection,
    account: <U as UserModel>::OAuthAccount,
) -> Result<<U as UserModel>::OAuthAccount, Error> {
    Ok(account)
}
