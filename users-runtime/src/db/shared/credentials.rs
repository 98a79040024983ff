//! Sessions, revoked tokens and one-time tokens.

use sqlx::{Row, query};

use super::{Connection, DbPool, DbRow, KEEP_TOKEN, SYNTAX, fingerprint};
use crate::{
    db::{OneTime, Purpose, Storable},
    error::Error,
    model::UserId,
    session::SessionRecord,
    token::TokenHash,
};

pub(in crate::db) async fn insert_session<U: Storable>(
    connection: &mut Connection,
    id: TokenHash,
    user_id: U::Id,
    record: &SessionRecord,
) -> Result<(), Error> {
    query(sql!(
        "INSERT INTO users_sessions (id_hash, user_id, fingerprint, created_at, seen_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?)"
    ))
    .bind(id.as_bytes())
    .bind(user_id)
    .bind(record.fingerprint.as_bytes())
    .bind(record.created_at)
    .bind(record.seen_at)
    .bind(record.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::db) async fn touch_session(pool: &DbPool, id: TokenHash, seen_at: i64) -> Result<(), Error> {
    query(sql!("UPDATE users_sessions SET seen_at = ? WHERE id_hash = ? AND seen_at < ?"))
        .bind(seen_at)
        .bind(id.as_bytes())
        .bind(seen_at)
        .execute(pool)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_session(connection: &mut Connection, id: TokenHash) -> Result<(), Error> {
    query(sql!("DELETE FROM users_sessions WHERE id_hash = ?"))
        .bind(id.as_bytes())
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_sessions_of<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_sessions WHERE user_id = ?")).bind(user_id).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn revoke_token(
    connection: &mut Connection,
    token: TokenHash,
    expires_at: i64,
) -> Result<(), Error> {
    query(sql!("INSERT INTO users_revoked_tokens (id_hash, expires_at) VALUES (?, ?)", KEEP_TOKEN))
        .bind(token.as_bytes())
        .bind(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_expired(pool: &DbPool, now: i64, idle: i64) -> Result<(), Error> {
    query(sql!("DELETE FROM users_sessions WHERE expires_at <= ? OR seen_at <= ?"))
        .bind(now)
        .bind(now.saturating_sub(idle))
        .execute(pool)
        .await?;
    query(sql!("DELETE FROM users_one_time_tokens WHERE expires_at <= ?")).bind(now).execute(pool).await?;
    query(sql!("DELETE FROM users_revoked_tokens WHERE expires_at <= ?")).bind(now).execute(pool).await?;
    Ok(())
}

pub(in crate::db) async fn peek_one_time<U: Storable>(
    pool: &DbPool,
    hash: TokenHash,
    purpose: Purpose,
) -> Result<Option<OneTime<U::Id>>, Error> {
    let row = query(sql!(
        "SELECT user_id, fingerprint, new_identifier, expires_at FROM users_one_time_tokens \
         WHERE token_hash = ? AND purpose = ?"
    ))
    .bind(hash.as_bytes())
    .bind(purpose.as_str())
    .fetch_optional(pool)
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
