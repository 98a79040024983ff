//! The outbox.

use sqlx::{Row, query, query_scalar};

use super::{Connection, DbRow, SYNTAX, fingerprint};
use crate::{
    db::outbox::Claimed,
    error::Error,
    token::{Fingerprint, Nonce},
};

pub(in crate::db) async fn insert_mail(
    connection: &mut Connection,
    nonce: &Nonce,
    bound_to: Option<Fingerprint>,
    message: &str,
    now: i64,
) -> Result<(), Error> {
    query(sql!(
        "INSERT INTO users_outbox (nonce, fingerprint, message, created_at, due_at, attempts) \
         VALUES (?, ?, ?, ?, ?, 0)"
    ))
    .bind(nonce.as_bytes())
    .bind(bound_to.as_ref().map(Fingerprint::as_bytes))
    .bind(message)
    .bind(now)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a mail waits that nobody sends now.
pub(super) async fn is_mail_due(connection: &mut Connection, now: i64) -> Result<bool, Error> {
    let due: Option<i64> = query_scalar(sql!("SELECT id FROM users_outbox WHERE due_at <= ? LIMIT 1"))
        .bind(now)
        .fetch_optional(connection)
        .await?;
    Ok(due.is_some())
}

/// A mail out of `id, nonce, message, created_at, attempts, fingerprint`; the attempts count the one that begins.
pub(super) fn claimed(row: &DbRow) -> Result<Claimed, Error> {
    let nonce = Nonce::from_bytes(row.try_get(1)?)
        .ok_or_else(|| Error::internal("a stored nonce has the wrong length"))?;
    Ok(Claimed {
        id: row.try_get(0)?,
        nonce,
        message: row.try_get(2)?,
        created_at: row.try_get(3)?,
        attempts: u32::try_from(row.try_get::<i64, _>(4)?).unwrap_or(u32::MAX),
        fingerprint: row.try_get::<Option<&[u8]>, _>(5)?.map(fingerprint).transpose()?,
    })
}

pub(in crate::db) async fn set_mail_fingerprint(
    connection: &mut Connection,
    id: i64,
    fingerprint: Fingerprint,
) -> Result<(), Error> {
    query(sql!("UPDATE users_outbox SET fingerprint = ? WHERE id = ?"))
        .bind(fingerprint.as_bytes())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn postpone_mail(
    connection: &mut Connection,
    id: i64,
    until: i64,
) -> Result<(), Error> {
    query(sql!("UPDATE users_outbox SET due_at = ? WHERE id = ?"))
        .bind(until)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_mail(connection: &mut Connection, id: i64) -> Result<(), Error> {
    query(sql!("DELETE FROM users_outbox WHERE id = ?")).bind(id).execute(connection).await?;
    Ok(())
}
