//! The outbox.

use sqlx::{Row, SqliteConnection, SqlitePool, query, query_scalar};

use super::fingerprint;
use crate::{
    db::outbox::Claimed,
    error::Error,
    token::{Fingerprint, Nonce},
};

pub(in crate::db) async fn insert_mail(
    connection: &mut SqliteConnection,
    nonce: &Nonce,
    bound_to: Option<Fingerprint>,
    message: &str,
    now: i64,
) -> Result<(), Error> {
    query(
        "INSERT INTO users_outbox (nonce, fingerprint, message, created_at, due_at, attempts) \
         VALUES (?1, ?2, ?3, ?4, ?4, 0)",
    )
    .bind(nonce.as_bytes())
    .bind(bound_to.as_ref().map(Fingerprint::as_bytes))
    .bind(message)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the mail that has waited longest. Its due time becomes the end of the lease, so that another process sends
/// it when this one dies.
pub(in crate::db) async fn claim_mail(
    pool: &SqlitePool,
    now: i64,
    until: i64,
) -> Result<Option<Claimed>, Error> {
    // Reads first: an idle worker that wrote each second would keep the disk awake.
    let due: Option<i64> = query_scalar("SELECT id FROM users_outbox WHERE due_at <= ?1 LIMIT 1")
        .bind(now)
        .fetch_optional(pool)
        .await?;
    if due.is_none() {
        return Ok(None);
    }
    let row = query(
        "UPDATE users_outbox SET due_at = ?2, attempts = attempts + 1 WHERE id = \
         (SELECT id FROM users_outbox WHERE due_at <= ?1 ORDER BY due_at, id LIMIT 1) \
         RETURNING id, nonce, message, created_at, attempts, fingerprint",
    )
    .bind(now)
    .bind(until)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let nonce = Nonce::from_bytes(row.try_get(1)?)
        .ok_or_else(|| Error::internal("a stored nonce has the wrong length"))?;
    Ok(Some(Claimed {
        id: row.try_get(0)?,
        nonce,
        message: row.try_get(2)?,
        created_at: row.try_get(3)?,
        attempts: row.try_get(4)?,
        fingerprint: row.try_get::<Option<&[u8]>, _>(5)?.map(fingerprint).transpose()?,
    }))
}

pub(in crate::db) async fn set_mail_fingerprint(
    connection: &mut SqliteConnection,
    id: i64,
    fingerprint: Fingerprint,
) -> Result<(), Error> {
    query("UPDATE users_outbox SET fingerprint = ?2 WHERE id = ?1")
        .bind(id)
        .bind(fingerprint.as_bytes())
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn postpone_mail(pool: &SqlitePool, id: i64, until: i64) -> Result<(), Error> {
    query("UPDATE users_outbox SET due_at = ?2 WHERE id = ?1").bind(id).bind(until).execute(pool).await?;
    Ok(())
}

pub(in crate::db) async fn delete_mail(pool: &SqlitePool, id: i64) -> Result<(), Error> {
    query("DELETE FROM users_outbox WHERE id = ?1").bind(id).execute(pool).await?;
    Ok(())
}
