//! Entries of the database as a store.

use sqlx::{Row, query, query_scalar};

use super::{Connection, SYNTAX};
use crate::{error::Error, store::Entry};

pub(in crate::db) async fn entry(
    connection: &mut Connection,
    key: &str,
    now: i64,
) -> Result<Option<Entry>, Error> {
    let row = query(sql!(
        "SELECT owner, revision, value, expires_at FROM users_entries WHERE entry_key = ? AND expires_at > ?"
    ))
    .bind(key)
    .bind(now)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Entry {
        owner: row.try_get(0)?,
        revision: row.try_get::<i64, _>(1)?.cast_unsigned(),
        value: row.try_get(2)?,
        expires_at: row.try_get(3)?,
    }))
}

/// Writes an entry where none is that has not ended; `false` when there is one.
pub(in crate::db) async fn put_new_entry(
    connection: &mut Connection,
    key: &str,
    entry: &Entry,
    now: i64,
) -> Result<bool, Error> {
    // One that has ended is written over.
    let ended = query(sql!(
        "UPDATE users_entries SET owner = ?, revision = ?, value = ?, expires_at = ? \
         WHERE entry_key = ? AND expires_at <= ?"
    ))
    .bind(&entry.owner)
    .bind(entry.revision.cast_signed())
    .bind(&entry.value)
    .bind(entry.expires_at)
    .bind(key)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    if ended.rows_affected() > 0 {
        return Ok(true);
    }
    let new = query(sql!(
        "INSERT INTO users_entries (owner, revision, value, expires_at, entry_key) VALUES (?, ?, ?, ?, ?)"
    ))
    .bind(&entry.owner)
    .bind(entry.revision.cast_signed())
    .bind(&entry.value)
    .bind(entry.expires_at)
    .bind(key)
    .execute(connection)
    .await;
    match new {
        Ok(_) => Ok(true),
        Err(error) => match error.as_database_error() {
            Some(taken) if taken.is_unique_violation() => Ok(false),
            _ => Err(error.into()),
        },
    }
}

/// Replaces the entry with this revision; `false` when it is another one, or has ended.
pub(in crate::db) async fn replace_entry(
    connection: &mut Connection,
    key: &str,
    entry: &Entry,
    revision: u64,
    now: i64,
) -> Result<bool, Error> {
    let done = query(sql!(
        "UPDATE users_entries SET owner = ?, revision = ?, value = ?, expires_at = ? \
         WHERE entry_key = ? AND revision = ? AND expires_at > ?"
    ))
    .bind(&entry.owner)
    .bind(entry.revision.cast_signed())
    .bind(&entry.value)
    .bind(entry.expires_at)
    .bind(key)
    .bind(revision.cast_signed())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes an entry; `false` when there was none that had not ended.
pub(in crate::db) async fn remove_entry(
    connection: &mut Connection,
    key: &str,
    now: i64,
) -> Result<bool, Error> {
    let done = query(sql!("DELETE FROM users_entries WHERE entry_key = ? AND expires_at > ?"))
        .bind(key)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(in crate::db) async fn entry_keys_of(
    connection: &mut Connection,
    owner: &str,
) -> Result<Vec<String>, Error> {
    Ok(query_scalar(sql!("SELECT entry_key FROM users_entries WHERE owner = ?"))
        .bind(owner)
        .fetch_all(connection)
        .await?)
}
