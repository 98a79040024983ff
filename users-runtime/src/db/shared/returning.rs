//! What SQLite and PostgreSQL do in one statement, since theirs answer the rows that they change.

use sqlx::{Row, query, query_with};

use super::{Connection, Db, DbArguments, SKIP_LOCKED, SYNTAX, claimed, one_time};
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
    _key: Id,
) -> Result<Id, sqlx::Error> {
    query_with::<Db, _>(statement, arguments).fetch_one(connection).await?.try_get(0)
}

pub(in crate::db) async fn put_one_time<U: Storable>(
    connection: &mut Connection,
    new: &NewOneTime<'_, U::Id>,
) -> Result<bool, Error> {
    let done = query(sql!(
        "INSERT INTO users_one_time_tokens \
         (user_id, purpose, token_hash, fingerprint, new_identifier, issued_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (user_id, purpose) DO UPDATE SET token_hash = excluded.token_hash, \
         fingerprint = excluded.fingerprint, new_identifier = excluded.new_identifier, \
         issued_at = excluded.issued_at, expires_at = excluded.expires_at \
         WHERE excluded.issued_at >= users_one_time_tokens.issued_at"
    ))
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
    connection: &mut Connection,
    hash: TokenHash,
    purpose: Purpose,
) -> Result<Option<OneTime<U::Id>>, Error> {
    let row = query(sql!(
        "DELETE FROM users_one_time_tokens WHERE token_hash = ? AND purpose = ? \
         RETURNING user_id, fingerprint, new_identifier, expires_at"
    ))
    .bind(hash.as_bytes())
    .bind(purpose.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(one_time).transpose()
}

/// Deletes the oldest of the events before a moment, so few that nobody waits for it; how many they were.
pub(in crate::db) async fn delete_events(connection: &mut Connection, before: i64) -> Result<u64, Error> {
    let done = query(sql!(
        "DELETE FROM users_events WHERE id IN \
         (SELECT id FROM users_events WHERE occurred_at < ? ORDER BY occurred_at LIMIT 1000)"
    ))
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
    if !super::is_mail_due(connection, now).await? {
        return Ok(None);
    }
    let row = query(sql!(
        "UPDATE users_outbox SET due_at = ?, attempts = attempts + 1 WHERE id = \
         (SELECT id FROM users_outbox WHERE due_at <= ? ORDER BY due_at, id LIMIT 1",
        SKIP_LOCKED,
        ") RETURNING id, nonce, message, created_at, attempts, fingerprint"
    ))
    .bind(until)
    .bind(now)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(claimed).transpose()
}
