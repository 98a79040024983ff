//! Roles, and who has which.

use sqlx::{Arguments, Executor, Row, query, query_with};

use super::{Connection, Db, DbArguments, SYNTAX, in_tenant, insert_returning_key, taken};
use crate::{
    db::Storable,
    error::Error,
    model::{RoleModel, RoleStatements, StoredRole, UserModel},
};

type RoleId<U> = <<U as UserModel>::Role as RoleModel>::Id;

fn statements<U: Storable>() -> RoleStatements {
    super::model_sql::<U>().roles
}

pub(in crate::db) async fn insert_role<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    role: U::Role,
) -> Result<U::Role, Error> {
    let role = super::role_with_key::<U>(connection, role).await?;
    let mut arguments = DbArguments::default();
    <U::Role as StoredRole<Db>>::add_insert(&role, &mut arguments).map_err(Error::internal)?;
    let arguments = in_tenant::<U>(arguments, tenant)?;
    let id = insert_returning_key(connection, statements::<U>().insert, arguments, role.id())
        .await
        .map_err(|error| taken(error, Error::RoleNameTaken))?;
    Ok(role.with_id(id))
}

/// Stores a role unless one of its name is there.
pub(in crate::db) async fn insert_missing_role<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    role: U::Role,
) -> Result<(), Error> {
    let role = super::role_with_key::<U>(connection, role).await?;
    let mut arguments = DbArguments::default();
    <U::Role as StoredRole<Db>>::add_insert(&role, &mut arguments).map_err(Error::internal)?;
    let arguments = in_tenant::<U>(arguments, tenant)?;
    query_with(statements::<U>().insert_missing, arguments).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn roles<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
) -> Result<Vec<U::Role>, Error> {
    let arguments = in_tenant::<U>(DbArguments::default(), tenant)?;
    let rows = query_with(statements::<U>().all, arguments).fetch_all(connection).await?;
    let roles = rows.iter().filter_map(|row| <U::Role as StoredRole<Db>>::from_row(row, 0).transpose());
    Ok(roles.collect::<Result<_, _>>()?)
}

async fn one<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    statement: &'static str,
    arguments: DbArguments,
    tenant: &U::Tenant,
) -> Result<Option<U::Role>, Error> {
    let arguments = in_tenant::<U>(arguments, tenant)?;
    let Some(row) = query_with(statement, arguments).fetch_optional(executor).await? else {
        return Ok(None);
    };
    Ok(<U::Role as StoredRole<Db>>::from_row(&row, 0)?)
}

pub(in crate::db) async fn role_by_id<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    id: RoleId<U>,
) -> Result<Option<U::Role>, Error> {
    one::<U>(executor, statements::<U>().by_id, values![id], tenant).await
}

pub(in crate::db) async fn role_by_name<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    name: &str,
) -> Result<Option<U::Role>, Error> {
    one::<U>(executor, statements::<U>().by_name, values![name], tenant).await
}

/// The same, and nobody else changes what depends on it until the transaction ends.
pub(in crate::db) async fn lock_role<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    name: &str,
) -> Result<Option<U::Role>, Error> {
    one::<U>(connection, statements::<U>().lock_by_name, values![name], tenant).await
}

pub(in crate::db) async fn update_role<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: RoleId<U>,
    update: &<U::Role as RoleModel>::Update,
) -> Result<(), Error> {
    let Some(statement) = statements::<U>().update else { return Ok(()) };
    let mut arguments = DbArguments::default();
    <U::Role as StoredRole<Db>>::add_update(update, &mut arguments).map_err(Error::internal)?;
    arguments.add(id).map_err(Error::internal)?;
    query_with(statement, in_tenant::<U>(arguments, tenant)?).execute(connection).await?;
    Ok(())
}

pub(in crate::db) async fn rename_role<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: RoleId<U>,
    name: &str,
) -> Result<(), Error> {
    let arguments = in_tenant::<U>(values![name, id], tenant)?;
    query_with(statements::<U>().rename, arguments)
        .execute(connection)
        .await
        .map_err(|error| taken(error, Error::RoleNameTaken))?;
    Ok(())
}

pub(in crate::db) async fn delete_role<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: RoleId<U>,
) -> Result<(), Error> {
    // A pool of the application's own may have foreign keys switched off, so nothing is left to the cascade.
    query(sql!("DELETE FROM users_role_members WHERE role_id = ?"))
        .bind(id)
        .execute(&mut *connection)
        .await?;
    let arguments = in_tenant::<U>(values![id], tenant)?;
    query_with(statements::<U>().delete, arguments).execute(connection).await?;
    Ok(())
}

/// How many users with a role of this name may use their accounts.
pub(in crate::db) async fn active_members<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    name: &str,
) -> Result<i64, Error> {
    let arguments = in_tenant::<U>(values![name], tenant)?;
    Ok(query_with(statements::<U>().active_members, arguments).fetch_one(executor).await?.try_get(0)?)
}

/// Gives a user a role. User and role are of one tenant, which the caller has checked.
pub(in crate::db) async fn assign_role<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
    role_id: RoleId<U>,
) -> Result<(), Error> {
    query(sql!("INSERT INTO users_role_members (user_id, role_id) VALUES (?, ?)"))
        .bind(user_id)
        .bind(role_id)
        .execute(connection)
        .await
        .map_err(|error| match error.as_database_error() {
            Some(broken) if broken.is_unique_violation() => Error::RoleAlreadyAssigned,
            // One of the two was deleted since it was read.
            Some(broken) if broken.is_foreign_key_violation() => Error::NotFound,
            _ => error.into(),
        })?;
    Ok(())
}

/// Takes a role from a user; `false` when the user had it not.
pub(in crate::db) async fn revoke_role<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
    role_id: RoleId<U>,
) -> Result<bool, Error> {
    let done = query(sql!("DELETE FROM users_role_members WHERE user_id = ? AND role_id = ?"))
        .bind(user_id)
        .bind(role_id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn delete_memberships_of<U: Storable>(
    connection: &mut Connection,
    user_id: U::Id,
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_role_members WHERE user_id = ?")).bind(user_id).execute(connection).await?;
    Ok(())
}
