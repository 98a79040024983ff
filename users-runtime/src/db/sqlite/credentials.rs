//! Sessions, revoked tokens and one-time tokens.

use sqlx::{Row, SqliteConnection, SqlitePool, query, sqlite::SqliteRow};

use super::fingerprint;
use crate::{
    db::{NewOneTime, OneTime, Purpose, Storable},
    error::Error,
    model::UserId,
    session::SessionRecord,
    token::TokenHash,
};

pub(in crate::db) async fn insert_session<U: Storable>(
    connection: &mut SqliteConnection,
    id: TokenHash,
    user_id: U::Id,
    record: &SessionRecord,
) -> Result<(), Error> {
    query(
        "INSERT INTO users_sessions (id_hash, user_id, fingerprint, created_at, seen_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
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

pub(in crate::db) async fn touch_session(
    pool: &SqlitePool,
    id: TokenHash,
    seen_at: i64,
) -> Result<(), Error> {
    query("UPDATE users_sessions SET seen_at = ?2 WHERE id_hash = ?1 AND seen_at < ?2")
        .bind(id.as_bytes())
        .bind(seen_at)
        .execute(pool)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_session(
    connection: &mut SqliteConnection,
    id: TokenHash,
) -> Result<(), Error> {
    query("DELETE FROM users_sessions WHERE id_hash = ?1").bind(id.as_bytes()).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn delete_sessions_of<U: Storable>(
    connection: &mut SqliteConnection,
    user_id: U::Id,
) -> Result<(), Error> {
    query("DELETE FROM users_sessions WHERE user_id = ?1").bind(user_id).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn revoke_token(
    connection: &mut SqliteConnection,
    token: TokenHash,
    expires_at: i64,
) -> Result<(), Error> {
    query("INSERT INTO users_revoked_tokens (id_hash, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .bind(token.as_bytes())
        .bind(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_expired(pool: &SqlitePool, now: i64, idle: i64) -> Result<(), Error> {
    query("DELETE FROM users_sessions WHERE expires_at <= ?1 OR seen_at <= ?2")
        .bind(now)
        .bind(now.saturating_sub(idle))
        .execute(pool)
        .await?;
    query("DELETE FROM users_one_time_tokens WHERE expires_at <= ?1").bind(now).execute(pool).await?;
    query("DELETE FROM users_revoked_tokens WHERE expires_at <= ?1").bind(now).execute(pool).await?;
    Ok(())
}

pub(in crate::db) async fn put_one_time<U: Storable>(
    connection: &mut SqliteConnection,
    new: &NewOneTime<'_, U::Id>,
) -> Result<bool, Error> {
    let done = query(
        "INSERT INTO users_one_time_tokens \
         (user_id, purpose, token_hash, fingerprint, new_identifier, issued_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         ON CONFLICT (user_id, purpose) DO UPDATE SET token_hash = excluded.token_hash, \
         fingerprint = excluded.fingerprint, new_identifier = excluded.new_identifier, \
         issued_at = excluded.issued_at, expires_at = excluded.expires_at \
         WHERE excluded.issued_at >= users_one_time_tokens.issued_at",
    )
    .bind(new.user_id)
    .bind(new.purpose.as_str())
    .bind(new.hash.as_bytes())
    .bind(new.fingerprint.as_bytes())
    .bind(new.new_identifier)
    .bind(new.issued_at)
    .bind(new.expires_at)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn take_one_time<U: Storable>(
    connection: &mut SqliteConnection,
    hash: TokenHash,
    purpose: Purpose,
) -> Result<Option<OneTime<U::Id>>, Error> {
    let row = query(
        "DELETE FROM users_one_time_tokens WHERE token_hash = ?1 AND purpose = ?2 \
         RETURNING user_id, fingerprint, new_identifier, expires_at",
    )
    .bind(hash.as_bytes())
    .bind(purpose.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(one_time).transpose()
}

pub(in crate::db) async fn peek_one_time<U: Storable>(
    pool: &SqlitePool,
    hash: TokenHash,
    purpose: Purpose,
) -> Result<Option<OneTime<U::Id>>, Error> {
    let row = query(
        "SELECT user_id, fingerprint, new_identifier, expires_at FROM users_one_time_tokens \
         WHERE token_hash = ?1 AND purpose = ?2",
    )
    .bind(hash.as_bytes())
    .bind(purpose.as_str())
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(one_time).transpose()
}

fn one_time<Id: UserId>(row: &SqliteRow) -> Result<OneTime<Id>, Error> {
    Ok(OneTime {
        user_id: row.try_get(0)?,
        fingerprint: fingerprint(row.try_get(1)?)?,
        new_identifier: row.try_get(2)?,
        expires_at: row.try_get(3)?,
    })
}

pub(in crate::db) async fn delete_one_time_of<U: Storable>(
    connection: &mut SqliteConnection,
    user_id: U::Id,
) -> Result<(), Error> {
    query("DELETE FROM users_one_time_tokens WHERE user_id = ?1").bind(user_id).execute(connection).await?;
    Ok(())
}
