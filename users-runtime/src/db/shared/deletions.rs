//! Accounts that wait for their deletion.

use sqlx::{Row, query};

use super::{Connection, SYNTAX};
use crate::{db::Storable, error::Error};

pub(in crate::db) async fn insert_deletion<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
    tenant: &str,
    due_at: i64,
) -> Result<(), Error> {
    query(sql!("INSERT INTO users_deletions (user_id, tenant, due_at, cancellable) VALUES (?, ?, ?, 1)"))
        .bind(user_id)
        .bind(tenant)
        .bind(due_at)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn may_cancel_deletion<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
    now: i64,
) -> Result<bool, Error> {
    let row = query(sql!(
        "SELECT due_at FROM users_deletions WHERE user_id = ? AND cancellable = 1 AND due_at > ?"
    ))
    .bind(user_id)
    .bind(now)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

pub(in crate::db) async fn cancel_deletion<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
    now: i64,
) -> Result<bool, Error> {
    let done =
        query(sql!("DELETE FROM users_deletions WHERE user_id = ? AND cancellable = 1 AND due_at > ?"))
            .bind(user_id)
            .bind(now)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn claim_deletion<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
    now: i64,
) -> Result<bool, Error> {
    let done = query(sql!("DELETE FROM users_deletions WHERE user_id = ? AND due_at <= ?"))
        .bind(user_id)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn hold_deletion<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
) -> Result<(), Error> {
    query(sql!("UPDATE users_deletions SET cancellable = 0 WHERE user_id = ?"))
        .bind(user_id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::db) async fn delete_deletion<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_deletions WHERE user_id = ?")).bind(user_id).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn due_deletions<U: Storable>(
    connection: &mut Connection,
    now: i64,
    passed_over: i64,
) -> Result<Vec<(U::Id, String)>, Error> {
    let rows = query(sql!(
        "SELECT user_id, tenant FROM users_deletions WHERE due_at <= ? ORDER BY user_id LIMIT 100 OFFSET ?"
    ))
    .bind(now)
    .bind(passed_over)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
