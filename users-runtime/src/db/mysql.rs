//! MySQL and MariaDB.

mod claims;
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
#[path = "shared/roles.rs"]
mod roles;
mod schema;
#[path = "shared/users.rs"]
mod users;

pub(super) use claims::*;
pub(super) use credentials::*;
pub(super) use deletions::*;
pub(super) use entries::*;
pub(super) use events::*;
pub(super) use import::*;
pub(super) use list::*;
pub(super) use mails::*;
pub(super) use oauth::*;
pub(super) use roles::*;
pub(super) use schema::{apply, drift, migrate};
pub(super) use users::*;

use std::str::FromStr;

use sqlx::{
    MySql, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use super::{IDLE_BEFORE_PING, MAX_SERVER_CONNECTIONS, PATIENCE, Storable, fingerprint, sql::Syntax};
use crate::{error::Error, model::UserModel};

type Db = MySql;
type Connection = sqlx::MySqlConnection;
type DbRow = sqlx::mysql::MySqlRow;
type DbArguments = sqlx::mysql::MySqlArguments;

const SYNTAX: Syntax = super::sql::MYSQL;

/// The canonical identifier is compared byte by byte, since a collation that is not would be a difference of the schema.
const BYTE_ORDER: &str = "";

/// An index of several columns finds `a >= ?` alone, not `(a, b) > (?, ?)`.
const COMPARES_ROWS: bool = false;

/// The most arguments of a statement: the protocol counts them in 16 bits.
const MAX_ARGUMENTS: usize = 65_535;

pub(super) async fn connect(url: &str, max_connections: Option<u32>) -> Result<MySqlPool, Error> {
    let options = MySqlConnectOptions::from_str(url).map_err(|error| super::database::wrong_url(&error))?;
    let pool = MySqlPoolOptions::new()
        .max_connections(max_connections.unwrap_or(MAX_SERVER_CONNECTIONS))
        .acquire_timeout(PATIENCE)
        // A connection that was in use a moment ago is there; asking each time costs a round trip.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= IDLE_BEFORE_PING {
                    sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        });
    Ok(pool.connect_with(options).await?)
}

/// A transaction that sees what others have committed: under the server's default, REPEATABLE READ, what it counts
/// could be older than the lock that it holds.
pub(super) const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION";

/// MySQL makes a key out of `NULL`.
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
