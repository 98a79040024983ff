//! PostgreSQL.

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

use std::str::FromStr;

use sqlx::{
    PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    query_scalar,
};

use super::{IDLE_BEFORE_PING, MAX_SERVER_CONNECTIONS, PATIENCE, Storable, fingerprint, sql::Syntax};
use crate::{
    error::Error,
    model::{
        Column, ColumnRole, OAuthAccountModel, RoleModel, Stored, StoredOAuthAccount, StoredRole, UserId,
        UserModel,
    },
};

type Db = Postgres;
type DbPool = PgPool;
type Connection = sqlx::PgConnection;
type DbRow = sqlx::postgres::PgRow;
type DbArguments = sqlx::postgres::PgArguments;

const SYNTAX: Syntax = super::sql::POSTGRES;

/// A search by prefix is a range of bytes, whatever the collation of a column that was there before. The index of
/// one that the library made is in this order.
const BYTE_ORDER: &str = " COLLATE \"C\"";

/// An index of several columns finds `(a, b) > (?, ?)`.
const COMPARES_ROWS: bool = true;

/// The most arguments of a statement: the protocol counts them in 16 bits.
const MAX_ARGUMENTS: usize = 65_535;

/// Workers on other nodes claim other mails.
const SKIP_LOCKED: &str = " FOR UPDATE SKIP LOCKED";

pub(super) async fn connect(url: &str, max_connections: Option<u32>) -> Result<PgPool, Error> {
    let options = PgConnectOptions::from_str(url).map_err(|error| super::database::wrong_url(&error))?;
    let pool = PgPoolOptions::new()
        .max_connections(max_connections.unwrap_or(MAX_SERVER_CONNECTIONS))
        .acquire_timeout(PATIENCE)
        // A connection that was in use a moment ago is there; asking each time costs a quarter of the throughput.
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

pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, Error> {
    // What the checks of a transaction count on, whatever the server's default is.
    Ok(pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?)
}

/// The user under the key that the database assigns: a `NULL` would not make it assign one.
async fn with_key<U: Storable>(connection: &mut Connection, user: U) -> Result<U, Error> {
    if user.id().assigned().is_some() {
        return Ok(user);
    }
    let id = next_key(connection, <U as Stored<Db>>::SQL.table, <U as Stored<Db>>::columns()).await?;
    Ok(user.with_id(id))
}

/// The same for a role.
async fn role_with_key<U: Storable>(
    connection: &mut Connection,
    role: <U as UserModel>::Role,
) -> Result<<U as UserModel>::Role, Error> {
    if role.id().assigned().is_some() {
        return Ok(role);
    }
    let table = <U::Role as StoredRole<Db>>::SQL.table;
    let id = next_key(connection, table, <U::Role as StoredRole<Db>>::columns()).await?;
    Ok(role.with_id(id))
}

/// The same for a linked account.
async fn oauth_account_with_key<U: Storable>(
    connection: &mut Connection,
    account: <U as UserModel>::OAuthAccount,
) -> Result<<U as UserModel>::OAuthAccount, Error> {
    if account.id().assigned().is_some() {
        return Ok(account);
    }
    let table = <U::OAuthAccount as StoredOAuthAccount<Db>>::SQL.table;
    let id = next_key(connection, table, <U::OAuthAccount as StoredOAuthAccount<Db>>::columns()).await?;
    Ok(account.with_id(id))
}

async fn next_key<Id: UserId>(
    connection: &mut Connection,
    table: &str,
    columns: Vec<Column>,
) -> Result<Id, Error> {
    let column =
        columns.into_iter().find(|column| column.role == ColumnRole::Id).map_or("id", |key| key.name);
    let next: Option<i64> = query_scalar("SELECT nextval(pg_get_serial_sequence($1, $2)::regclass)")
        .bind(table)
        .bind(column)
        .fetch_one(connection)
        .await?;
    next.and_then(|next| next.to_string().parse().ok()).ok_or_else(|| {
        Error::Schema(format!(
            "the column `{column}` of {table} has no sequence that assigns keys; run: ALTER TABLE {table} ALTER \
             COLUMN \"{column}\" ADD GENERATED BY DEFAULT AS IDENTITY"
        ))
    })
}
