//! The users themselves: one function a statement of the model.

use std::iter;

use sqlx::{Arguments, Executor, Row, query, query_with};

use super::{Connection, Db, DbArguments, DbRow, fingerprint, insert_returning_key};
use crate::{
    db::{Found, SESSIONS, Storable},
    error::Error,
    model::{ModelSql, Stored, StoredRole},
    principal::Principal,
    session::SessionRecord,
    token::TokenHash,
    validate::CanonicalIdentifier,
};

pub(super) fn model_sql<U: Storable>() -> ModelSql {
    <U as Stored<Db>>::SQL
}

/// Arguments and behind them the tenant, as every statement of a model ends.
pub(super) fn in_tenant<U: Storable>(
    mut arguments: DbArguments,
    tenant: &U::Tenant,
) -> Result<DbArguments, Error> {
    <U as Stored<Db>>::add_tenant(tenant, &mut arguments).map_err(Error::internal)?;
    Ok(arguments)
}

/// The user of rows that differ in the role alone.
pub(super) fn principal<U: Storable>(rows: &[DbRow]) -> Result<Option<Principal<U>>, Error> {
    let Some(first) = rows.first() else { return Ok(None) };
    let user = <U as Stored<Db>>::from_row(first)?;
    let roles = rows.iter().filter_map(|row| role::<U>(row).transpose()).collect::<Result<_, _>>()?;
    Ok(Some(Principal::new(user, roles)))
}

/// The role that a row brings with its user, if any.
pub(super) fn role<U: Storable>(row: &DbRow) -> Result<Option<U::Role>, sqlx::Error> {
    <U::Role as StoredRole<Db>>::from_row(row, model_sql::<U>().width)
}

pub(in crate::db) async fn ping(connection: &mut Connection) -> Result<(), Error> {
    query("SELECT 1").execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn user_by_id<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    id: U::Id,
) -> Result<Option<Principal<U>>, Error> {
    let arguments = in_tenant::<U>(values![id], tenant)?;
    principal(&query_with(model_sql::<U>().by_id, arguments).fetch_all(executor).await?)
}

pub(in crate::db) async fn user_by_canonical<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    canonical: &str,
) -> Result<Option<Principal<U>>, Error> {
    let arguments = in_tenant::<U>(values![canonical], tenant)?;
    principal(&query_with(model_sql::<U>().by_canonical, arguments).fetch_all(executor).await?)
}

pub(in crate::db) async fn user_by_session<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    id: TokenHash,
) -> Result<Option<Found<U>>, Error> {
    let arguments = in_tenant::<U>(values![id.as_bytes()], tenant)?;
    found(&query_with(model_sql::<U>().by_session, arguments).fetch_all(executor).await?)
}

/// The sessions that there are of some, each named once and no more than [`SESSIONS`], with their users. What cannot be read of
/// one is no error of the others.
pub(in crate::db) async fn users_by_sessions<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    ids: &[TokenHash],
) -> Result<Vec<(TokenHash, Result<Found<U>, Error>)>, Error> {
    let mut arguments = DbArguments::default();
    // Nothing is looked for in a place that is left.
    let places = ids.iter().map(|id| Some(id.as_bytes())).chain(iter::repeat(None));
    for id in places.take(SESSIONS) {
        arguments.add(id).map_err(Error::internal)?;
    }
    let arguments = in_tenant::<U>(arguments, tenant)?;
    let rows = query_with(model_sql::<U>().by_sessions, arguments).fetch_all(executor).await?;
    let column = model_sql::<U>().width + model_sql::<U>().role_width + 6;
    let id = |row: &DbRow| row.try_get::<&[u8], _>(column).ok().and_then(TokenHash::from_bytes);
    let sessions = rows.chunk_by(|one, next| id(one) == id(next));
    Ok(sessions
        .filter_map(|rows| {
            let id = rows.first().and_then(id)?;
            found::<U>(rows).transpose().map(|found| (id, found))
        })
        .collect())
}

/// A session and its user out of rows that differ in the role alone.
fn found<U: Storable>(rows: &[DbRow]) -> Result<Option<Found<U>>, Error> {
    let (Some(found), Some(row)) = (principal::<U>(rows)?, rows.first()) else { return Ok(None) };
    let first = model_sql::<U>().width + model_sql::<U>().role_width;
    let user_id = Some(found.id().to_string());
    Ok(Some((found, session_record(row, first, user_id)?)))
}

/// A session out of `fingerprint, created_at, seen_at, expires_at, revision, content`.
pub(super) fn session_record(
    row: &DbRow,
    first: usize,
    user_id: Option<String>,
) -> Result<SessionRecord, Error> {
    let content = row.try_get::<Option<&str>, _>(first + 5)?.map(serde_json::from_str).transpose();
    Ok(SessionRecord {
        user_id,
        fingerprint: row.try_get::<Option<&[u8]>, _>(first)?.map(fingerprint).transpose()?,
        created_at: row.try_get(first + 1)?,
        seen_at: row.try_get(first + 2)?,
        expires_at: row.try_get(first + 3)?,
        revision: row.try_get(first + 4)?,
        content: content.map_err(Error::internal)?.unwrap_or_default(),
    })
}

pub(in crate::db) async fn insert_user<U: Storable>(
    connection: &mut Connection,
    user: U,
    canonical: &str,
) -> Result<U, Error> {
    let user = super::with_key::<U>(connection, user).await?;
    let mut arguments = DbArguments::default();
    <U as Stored<Db>>::add_insert(&user, canonical, &mut arguments).map_err(Error::internal)?;
    let id = insert_returning_key(connection, model_sql::<U>().insert, arguments, user.id())
        .await
        .map_err(|error| taken(error, Error::IdentifierTaken))?;
    Ok(user.with_id(id))
}

/// What to answer when a unique constraint is broken: of the user's table that the identifier is taken, since keys are
/// random or assigned.
pub(super) fn taken(error: sqlx::Error, answer: Error) -> Error {
    match error.as_database_error() {
        Some(error) if error.is_unique_violation() => answer,
        _ => error.into(),
    }
}

pub(in crate::db) async fn update_user<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    update: &U::Update,
) -> Result<(), Error> {
    let Some(statement) = model_sql::<U>().update else { return Ok(()) };
    let mut arguments = DbArguments::default();
    <U as Stored<Db>>::add_update(update, &mut arguments).map_err(Error::internal)?;
    arguments.add(id).map_err(Error::internal)?;
    query_with(statement, in_tenant::<U>(arguments, tenant)?).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn admin_update_user<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    update: &U::AdminUpdate,
) -> Result<(), Error> {
    let Some(statement) = model_sql::<U>().admin_update else { return Ok(()) };
    let mut arguments = DbArguments::default();
    <U as Stored<Db>>::add_admin_update(update, &mut arguments).map_err(Error::internal)?;
    arguments.add(id).map_err(Error::internal)?;
    query_with(statement, in_tenant::<U>(arguments, tenant)?).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn set_password<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    old: &str,
    new: &str,
) -> Result<bool, Error> {
    let arguments = in_tenant::<U>(values![new, id, old], tenant)?;
    let done = query_with(model_sql::<U>().set_password, arguments).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn set_identifier<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    old: &str,
    new: &CanonicalIdentifier,
) -> Result<bool, Error> {
    let arguments = in_tenant::<U>(values![new.typed.as_str(), new.canonical.as_str(), id, old], tenant)?;
    let done = query_with(model_sql::<U>().set_identifier, arguments)
        .execute(connection)
        .await
        .map_err(|error| taken(error, Error::IdentifierTaken))?;
    Ok(done.rows_affected() == 1)
}

/// `false` when there is no such user, or no such flag.
pub(in crate::db) async fn set_verified<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    verified: bool,
) -> Result<bool, Error> {
    set_flag::<U>(connection, tenant, id, model_sql::<U>().set_verified, verified).await
}

/// `false` when there is no such user, or no such flag.
pub(in crate::db) async fn set_active<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    active: bool,
) -> Result<bool, Error> {
    set_flag::<U>(connection, tenant, id, model_sql::<U>().set_active, active).await
}

/// Whether there is such a flag.
pub(in crate::db) fn has_active_flag<U: Storable>() -> bool {
    model_sql::<U>().set_active.is_some()
}

async fn set_flag<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
    statement: Option<&'static str>,
    value: bool,
) -> Result<bool, Error> {
    let Some(statement) = statement else { return Ok(false) };
    let arguments = in_tenant::<U>(values![value, id], tenant)?;
    let done = query_with(statement, arguments).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn delete_user<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: U::Id,
) -> Result<bool, Error> {
    // A pool of the application's own may have foreign keys switched off, so nothing is left to the cascade.
    super::delete_sessions_of::<U>(connection, id).await?;
    super::delete_one_time_of::<U>(connection, id).await?;
    super::delete_deletion::<U>(connection, id).await?;
    if <U::Role as crate::model::RoleModel>::PRESENT {
        super::delete_memberships_of::<U>(connection, id).await?;
    }
    if <U::OAuthAccount as crate::model::OAuthAccountModel>::PRESENT {
        super::delete_oauth_accounts_of::<U>(connection, tenant, id).await?;
    }
    let arguments = in_tenant::<U>(values![id], tenant)?;
    let done = query_with(model_sql::<U>().delete, arguments).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}
