//! The users themselves: one function a statement of the model.

use sqlx::{Row, Sqlite, SqliteConnection, SqliteExecutor, SqlitePool, query, query_with, sqlite::SqliteRow};

use super::fingerprint;
use crate::{
    db::Storable,
    error::Error,
    model::{ModelSql, Stored},
    principal::{Principal, RoleNames},
    session::SessionRecord,
    token::TokenHash,
    validate::CanonicalIdentifier,
};

fn sql<U: Storable>() -> ModelSql {
    <U as Stored<Sqlite>>::SQL
}

fn found<U: Storable>(row: &SqliteRow) -> Result<Principal<U>, sqlx::Error> {
    let user = <U as Stored<Sqlite>>::from_row(row)?;
    let roles: Option<&str> = row.try_get(sql::<U>().width)?;
    Ok(Principal::new(user, RoleNames::from_column(roles)))
}

pub(in crate::db) async fn ping(pool: &SqlitePool) -> Result<(), Error> {
    query("SELECT 1").execute(pool).await?;
    Ok(())
}

async fn read_by_id<U: Storable>(
    executor: impl SqliteExecutor<'_>,
    id: U::Id,
) -> Result<Option<Principal<U>>, Error> {
    let row = query(sql::<U>().by_id).bind(id).fetch_optional(executor).await?;
    Ok(row.as_ref().map(found).transpose()?)
}

async fn read_by_canonical<U: Storable>(
    executor: impl SqliteExecutor<'_>,
    canonical: &str,
) -> Result<Option<Principal<U>>, Error> {
    let row = query(sql::<U>().by_canonical).bind(canonical).fetch_optional(executor).await?;
    Ok(row.as_ref().map(found).transpose()?)
}

pub(in crate::db) async fn user_by_id<U: Storable>(
    pool: &SqlitePool,
    id: U::Id,
) -> Result<Option<Principal<U>>, Error> {
    read_by_id(pool, id).await
}

pub(in crate::db) async fn user_by_id_in<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
) -> Result<Option<Principal<U>>, Error> {
    read_by_id(connection, id).await
}

pub(in crate::db) async fn user_by_canonical<U: Storable>(
    pool: &SqlitePool,
    canonical: &str,
) -> Result<Option<Principal<U>>, Error> {
    read_by_canonical(pool, canonical).await
}

pub(in crate::db) async fn user_by_canonical_in<U: Storable>(
    connection: &mut SqliteConnection,
    canonical: &str,
) -> Result<Option<Principal<U>>, Error> {
    read_by_canonical(connection, canonical).await
}

pub(in crate::db) async fn user_by_session<U: Storable>(
    pool: &SqlitePool,
    id: TokenHash,
) -> Result<Option<(Principal<U>, SessionRecord)>, Error> {
    let Some(row) = query(sql::<U>().by_session).bind(id.as_bytes()).fetch_optional(pool).await? else {
        return Ok(None);
    };
    let found = found::<U>(&row)?;
    let first = sql::<U>().width + 1;
    let record = SessionRecord {
        user_id: found.id().to_string(),
        fingerprint: fingerprint(row.try_get(first)?)?,
        created_at: row.try_get(first + 1)?,
        seen_at: row.try_get(first + 2)?,
        expires_at: row.try_get(first + 3)?,
    };
    Ok(Some((found, record)))
}

pub(in crate::db) async fn user_by_token<U: Storable>(
    pool: &SqlitePool,
    id: U::Id,
    token: TokenHash,
) -> Result<Option<(Principal<U>, bool)>, Error> {
    let row = query(sql::<U>().by_token).bind(id).bind(token.as_bytes()).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    let revoked: bool = row.try_get(sql::<U>().width + 1)?;
    Ok(Some((found(&row)?, revoked)))
}

pub(in crate::db) async fn insert_user<U: Storable>(
    connection: &mut SqliteConnection,
    user: U,
    canonical: &str,
) -> Result<U, Error> {
    let arguments = <U as Stored<Sqlite>>::insert_arguments(&user, canonical).map_err(Error::internal)?;
    let id = query_with(sql::<U>().insert, arguments)
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get::<U::Id, _>(0))
        .map_err(taken)?;
    Ok(user.with_id(id))
}

/// A broken unique constraint of the user's table means that the identifier is taken: keys are random or assigned.
fn taken(error: sqlx::Error) -> Error {
    match error.as_database_error() {
        Some(error) if error.is_unique_violation() => Error::IdentifierTaken,
        _ => error.into(),
    }
}

pub(in crate::db) async fn update_user<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
    update: &U::Update,
) -> Result<(), Error> {
    let Some(statement) = sql::<U>().update else { return Ok(()) };
    let arguments = <U as Stored<Sqlite>>::update_arguments(id, update).map_err(Error::internal)?;
    query_with(statement, arguments).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn set_password<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
    old: &str,
    new: &str,
) -> Result<bool, Error> {
    let done = query(sql::<U>().set_password).bind(id).bind(old).bind(new).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn set_identifier<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
    old: &str,
    new: &CanonicalIdentifier,
) -> Result<bool, Error> {
    let done = query(sql::<U>().set_identifier)
        .bind(id)
        .bind(old)
        .bind(&new.typed)
        .bind(&new.canonical)
        .execute(connection)
        .await
        .map_err(taken)?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn set_verified<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
    verified: bool,
) -> Result<(), Error> {
    if let Some(statement) = sql::<U>().set_verified {
        query(statement).bind(id).bind(verified).execute(connection).await?;
    }
    Ok(())
}

/// `false` when there is no such user, or no such flag.
pub(in crate::db) async fn set_active<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
    active: bool,
) -> Result<bool, Error> {
    let Some(statement) = sql::<U>().set_active else { return Ok(false) };
    let done = query(statement).bind(id).bind(active).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn delete_user<U: Storable>(
    connection: &mut SqliteConnection,
    id: U::Id,
) -> Result<(), Error> {
    // A pool of the application's own may have foreign keys switched off, so nothing is left to the cascade.
    for statement in [
        "DELETE FROM users_sessions WHERE user_id = ?1",
        "DELETE FROM users_one_time_tokens WHERE user_id = ?1",
        "DELETE FROM users_role_members WHERE user_id = ?1",
        sql::<U>().delete,
    ] {
        query(statement).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}
