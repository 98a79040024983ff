//! Sessions and one-time tokens.

use sqlx::{Executor, Row, query};

use super::{Connection, Db, DbRow, SYNTAX, fingerprint, session_record};
use crate::{
    db::{OneTime, Purpose, Storable},
    error::Error,
    model::UserId,
    session::{Content, SessionRecord},
    token::{Fingerprint, TokenHash},
};

/// The columns of a session, in the order of [`session_record`].
const RECORD: &str = "fingerprint, created_at, seen_at, expires_at, revision, content";

/// A session's content as its column holds it: nothing for one that carries nothing.
fn content_text(content: &Content) -> Result<Option<String>, Error> {
    if *content == Content::default() {
        return Ok(None);
    }
    serde_json::to_string(content).map(Some).map_err(Error::internal)
}

/// The key of a session's user.
fn user_key<U: Storable>(record: &SessionRecord) -> Result<Option<U::Id>, Error> {
    let parsed = record.user_id.as_deref().map(str::parse).transpose();
    parsed.map_err(|_| Error::internal("a session with a key that is none"))
}

pub(in crate::db) async fn insert_session<U: Storable>(
    connection: &mut Connection,
    id: TokenHash,
    record: &SessionRecord,
) -> Result<(), Error> {
    query(sql!(
        "INSERT INTO users_sessions \
         (id_hash, user_id, fingerprint, created_at, seen_at, expires_at, revision, content) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ))
    .bind(id.as_bytes())
    .bind(user_key::<U>(record)?)
    .bind(record.fingerprint.as_ref().map(Fingerprint::as_bytes))
    .bind(record.created_at)
    .bind(record.seen_at)
    .bind(record.expires_at)
    .bind(record.revision)
    .bind(content_text(&record.content)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// A session, whoever it belongs to.
pub(in crate::db) async fn session_by_id<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    id: TokenHash,
) -> Result<Option<SessionRecord>, Error> {
    let row = query(sql!("SELECT user_id, ", RECORD, " FROM users_sessions WHERE id_hash = ?"))
        .bind(id.as_bytes())
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user_id: Option<U::Id> = row.try_get(0)?;
    session_record(&row, 1, user_id.map(|id| id.to_string())).map(Some)
}

pub(in crate::db) async fn sessions_of<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    user_id: U::Id,
) -> Result<Vec<(TokenHash, SessionRecord)>, Error> {
    let rows = query(sql!("SELECT id_hash, ", RECORD, " FROM users_sessions WHERE user_id = ?"))
        .bind(user_id)
        .fetch_all(executor)
        .await?;
    let session = |row: &DbRow| {
        let id = TokenHash::from_bytes(row.try_get(0)?);
        let id = id.ok_or_else(|| Error::internal("a stored hash has the wrong length"))?;
        Ok((id, session_record(row, 1, Some(user_id.to_string()))?))
    };
    rows.iter().map(session).collect()
}

/// Replaces what a session carries if it is still the version that `record` was made of; `false` when it is not.
pub(in crate::db) async fn replace_session(
    connection: &mut Connection,
    id: TokenHash,
    revision: i64,
    record: &SessionRecord,
) -> Result<bool, Error> {
    let done = query(sql!(
        "UPDATE users_sessions SET seen_at = ?, revision = ?, content = ? WHERE id_hash = ? AND revision = ?"
    ))
    .bind(record.seen_at)
    .bind(record.revision)
    .bind(content_text(&record.content)?)
    .bind(id.as_bytes())
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn touch_session(
    connection: &mut Connection,
    id: TokenHash,
    seen_at: i64,
) -> Result<(), Error> {
    // The time is no condition: MySQL would look for it in the index of `seen_at`, lock every row before it, and end in
    // deadlocks with others that are in use.
    query(sql!(
        "UPDATE users_sessions SET seen_at = CASE WHEN seen_at < ? THEN ? ELSE seen_at END WHERE id_hash = ?"
    ))
    .bind(seen_at)
    .bind(seen_at)
    .bind(id.as_bytes())
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::db) async fn delete_session(connection: &mut Connection, id: TokenHash) -> Result<bool, Error> {
    let done = query(sql!("DELETE FROM users_sessions WHERE id_hash = ?"))
        .bind(id.as_bytes())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn delete_sessions_of<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_sessions WHERE user_id = ?")).bind(user_id).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn delete_expired(
    connection: &mut Connection,
    now: i64,
    idle: i64,
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_sessions WHERE expires_at <= ? OR seen_at <= ?"))
        .bind(now)
        .bind(now.saturating_sub(idle))
        .execute(&mut *connection)
        .await?;
    query(sql!("DELETE FROM users_one_time_tokens WHERE expires_at <= ?"))
        .bind(now)
        .execute(&mut *connection)
        .await?;
    query(sql!("DELETE FROM users_entries WHERE expires_at <= ?"))
        .bind(now)
        .execute(&mut *connection)
        .await?;
    query(sql!("DELETE FROM users_invitations WHERE expires_at <= ?")).bind(now).execute(connection).await?;
    Ok(())
}

/// Notes that an invitation was redeemed; `false` when it had been before.
pub(in crate::db) async fn redeem_invitation(
    connection: &mut Connection,
    id: &[u8],
    expires_at: i64,
) -> Result<bool, Error> {
    let insert = query(sql!("INSERT INTO users_invitations (id, expires_at) VALUES (?, ?)"));
    match insert.bind(id).bind(expires_at).execute(connection).await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_database_error() {
            Some(taken) if taken.is_unique_violation() => Ok(false),
            _ => Err(error.into()),
        },
    }
}

pub(in crate::db) async fn peek_one_time<U: Storable>(
    connection: &mut Connection,
    hash: TokenHash,
    purpose: Purpose,
) -> Result<Option<OneTime<U::Id>>, Error> {
    let row = query(sql!(
        "SELECT user_id, fingerprint, new_identifier, expires_at FROM users_one_time_tokens \
         WHERE token_hash = ? AND purpose = ?"
    ))
    .bind(hash.as_bytes())
    .bind(purpose.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(one_time).transpose()
}

pub(super) fn one_time<Id: UserId>(row: &DbRow) -> Result<OneTime<Id>, Error> {
    Ok(OneTime {
        user_id: row.try_get(0)?,
        fingerprint: fingerprint(row.try_get(1)?)?,
        new_identifier: row.try_get(2)?,
        expires_at: row.try_get(3)?,
    })
}

pub(in crate::db) async fn delete_one_time_of<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_one_time_tokens WHERE user_id = ?"))
        .bind(user_id)
        .execute(connection)
        .await?;
    Ok(())
}
