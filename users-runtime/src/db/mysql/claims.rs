//! What MySQL does in two statements under a lock, since its statements do not answer the rows that they change.

use sqlx::{Connection as _, Row, query, query_scalar, query_with};

use super::{Connection, Db, DbArguments, claimed, is_mail_due, one_time};
use crate::{
    db::{NewOneTime, OneTime, Purpose, Storable, outbox::Claimed},
    error::Error,
    model::UserId,
    token::TokenHash,
};

/// Stores a row, and answers its key.
pub(super) async fn insert_returning_key<Id: UserId>(
    connection: &mut Connection,
    statement: &'static str,
    arguments: DbArguments,
    key: Id,
) -> Result<Id, sqlx::Error> {
    let done = query_with::<Db, _>(statement, arguments).execute(connection).await?;
    match key.assigned() {
        Some(key) => Ok(key),
        None => done.last_insert_id().to_string().parse().map_err(|_| {
            sqlx::Error::Protocol("the database assigned no key: the column lacks AUTO_INCREMENT".to_owned())
        }),
    }
}

pub(in crate::db) async fn put_one_time<U: Storable>(
    connection: &mut Connection,
    new: &NewOneTime<'_, U::Id>,
) -> Result<bool, Error> {
    // Assignments are made in order, so the time that they compare with changes last.
    query(
        "INSERT INTO users_one_time_tokens \
         (user_id, purpose, token_hash, fingerprint, new_identifier, issued_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
         token_hash = IF(VALUES(issued_at) >= issued_at, VALUES(token_hash), token_hash), \
         fingerprint = IF(VALUES(issued_at) >= issued_at, VALUES(fingerprint), fingerprint), \
         new_identifier = IF(VALUES(issued_at) >= issued_at, VALUES(new_identifier), new_identifier), \
         expires_at = IF(VALUES(issued_at) >= issued_at, VALUES(expires_at), expires_at), \
         issued_at = GREATEST(VALUES(issued_at), issued_at)",
    )
    .bind(new.user_id)
    .bind(new.purpose.as_str())
    .bind(new.hash.as_bytes())
    .bind(new.fingerprint.as_bytes())
    .bind(new.new_identifier)
    .bind(new.issued_at)
    .bind(new.expires_at)
    .execute(&mut *connection)
    .await?;
    let stored: i64 = query_scalar(
        "SELECT COUNT(*) FROM users_one_time_tokens WHERE user_id = ? AND purpose = ? AND token_hash = ?",
    )
    .bind(new.user_id)
    .bind(new.purpose.as_str())
    .bind(new.hash.as_bytes())
    .fetch_one(connection)
    .await?;
    Ok(stored == 1)
}

pub(in crate::db) async fn take_one_time<U: Storable>(
    connection: &mut Connection,
    hash: TokenHash,
    purpose: Purpose,
) -> Result<Option<OneTime<U::Id>>, Error> {
    let row = query(
        "SELECT user_id, fingerprint, new_identifier, expires_at FROM users_one_time_tokens \
         WHERE token_hash = ? AND purpose = ? FOR UPDATE",
    )
    .bind(hash.as_bytes())
    .bind(purpose.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // Of several at once, one deletes the row.
    let done = query("DELETE FROM users_one_time_tokens WHERE token_hash = ? AND purpose = ?")
        .bind(hash.as_bytes())
        .bind(purpose.as_str())
        .execute(connection)
        .await?;
    if done.rows_affected() == 1 { one_time(&row).map(Some) } else { Ok(None) }
}

/// Deletes the oldest of the events before a moment, so few that nobody waits for it; how many they were.
pub(in crate::db) async fn delete_events(connection: &mut Connection, before: i64) -> Result<u64, Error> {
    let done = query("DELETE FROM users_events WHERE occurred_at < ? ORDER BY occurred_at LIMIT 1000")
        .bind(before)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Takes the mail that has waited longest. Its due time becomes the end of the lease, so that another process sends
/// it when this one dies.
pub(in crate::db) async fn claim_mail(
    connection: &mut Connection,
    now: i64,
    until: i64,
) -> Result<Option<Claimed>, Error> {
    // Reads first: an idle worker that wrote each second would keep the disk awake.
    if !is_mail_due(connection, now).await? {
        return Ok(None);
    }
    let mut transaction = connection.begin_with(super::BEGIN).await?;
    let row = query(
        "SELECT id, nonce, message, created_at, attempts + 1, fingerprint FROM users_outbox \
         WHERE due_at <= ? ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(now)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = row else { return Ok(None) };
    query("UPDATE users_outbox SET due_at = ?, attempts = attempts + 1 WHERE id = ?")
        .bind(until)
        .bind(row.try_get::<i64, _>(0)?)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    claimed(&row).map(Some)
}
