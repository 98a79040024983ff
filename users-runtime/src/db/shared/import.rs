//! Users by the thousand, and how far the import of a file is.

use std::{collections::HashSet, iter};

use sqlx::{Arguments, AssertSqlSafe, Row, query, query_scalar, query_with, raw_sql};

use super::{Connection, Db, DbArguments, MAX_ARGUMENTS, SYNTAX, in_tenant, model_sql};
use crate::{
    db::{ImportStep, Refusal, Storable, sql},
    error::Error,
    model::{ColumnRole, ModelSql, RoleModel, Stored},
};

/// `(?, ?, ...)`
fn placeholders(count: usize) -> String {
    format!("({})", iter::repeat_n("?", count).collect::<Vec<_>>().join(", "))
}

/// Which of these canonical identifiers are there.
pub(in crate::db) async fn known_identifiers<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    canonicals: &[&str],
) -> Result<HashSet<String>, Error> {
    let ModelSql { table, list, .. } = model_sql::<U>();
    let mut known = HashSet::new();
    for canonicals in canonicals.chunks(MAX_ARGUMENTS - 1) {
        let text = format!(
            "SELECT {canonical} FROM {table} u WHERE {canonical} IN {}{}",
            placeholders(canonicals.len()),
            and_tenant::<U>(),
            canonical = list.canonical,
        );
        let arguments = in_tenant::<U>(texts(canonicals)?, tenant)?;
        let statement = AssertSqlSafe(sql::number(SYNTAX, &text));
        for row in query_with(statement, arguments).fetch_all(&mut *connection).await? {
            known.insert(row.try_get(0)?);
        }
    }
    Ok(known)
}

fn and_tenant<U: Storable>() -> String {
    model_sql::<U>().list.tenant.map(|tenant| format!(" AND {tenant} = ?")).unwrap_or_default()
}

fn texts(texts: &[&str]) -> Result<DbArguments, Error> {
    let mut arguments = DbArguments::default();
    for text in texts {
        arguments.add(*text).map_err(Error::internal)?;
    }
    Ok(arguments)
}

/// The name of the key's column.
fn key<U: Storable>() -> &'static str {
    let columns = <U as Stored<Db>>::columns();
    columns.iter().find(|column| column.role == ColumnRole::Id).map_or("id", |column| column.name)
}

/// Keys for so many users. PostgreSQL alone does not make one out of `NULL`.
pub(in crate::db) async fn new_keys<U: Storable>(
    connection: &mut Connection,
    count: usize,
) -> Result<Vec<U::Id>, Error> {
    if !SYNTAX.numbered || count == 0 {
        return Ok(Vec::new());
    }
    let keys: Vec<i64> =
        query_scalar("SELECT nextval(pg_get_serial_sequence($1, $2)::regclass) FROM generate_series(1, $3)")
            .bind(model_sql::<U>().table)
            .bind(key::<U>())
            .bind(i64::try_from(count).map_err(Error::internal)?)
            .fetch_all(connection)
            .await?;
    let keys = keys.into_iter().map(|key| key.to_string().parse().ok());
    keys.collect::<Option<_>>().ok_or_else(|| Error::internal("a key of the database is none of the model"))
}

/// Makes the keys that the database assigns start behind those that were given. PostgreSQL alone does not do so by
/// itself.
pub(in crate::db) async fn skip_keys<U: Storable>(connection: &mut Connection) -> Result<(), Error> {
    if !SYNTAX.numbered {
        return Ok(());
    }
    let ModelSql { table, list, .. } = model_sql::<U>();
    let text = format!(
        "SELECT setval(s.name, m.last) FROM (SELECT pg_get_serial_sequence($1, $2)::regclass AS name) s, \
         (SELECT MAX({}) AS last FROM {table} u) m WHERE m.last > COALESCE(pg_sequence_last_value(s.name), 0)",
        list.id
    );
    query(AssertSqlSafe(text)).bind(table).bind(key::<U>()).execute(connection).await?;
    Ok(())
}

/// Stores users with their canonical identifiers, in as few statements as the database takes.
pub(in crate::db) async fn insert_users<U: Storable>(
    connection: &mut Connection,
    users: &[(&U, &str)],
) -> Result<Result<(), Refusal>, Error> {
    let ModelSql { insert_head, insert_row, .. } = model_sql::<U>();
    let width = insert_row.matches('?').count().max(1);
    for users in users.chunks((MAX_ARGUMENTS / width).max(1)) {
        let rows = iter::repeat_n(insert_row, users.len()).collect::<Vec<_>>().join(", ");
        let mut arguments = DbArguments::default();
        for (user, canonical) in users {
            <U as Stored<Db>>::add_insert(user, canonical, &mut arguments).map_err(Error::internal)?;
        }
        let statement = AssertSqlSafe(sql::number(SYNTAX, &format!("{insert_head}{rows}")));
        match query_with(statement, arguments).execute(&mut *connection).await {
            Ok(_) => {}
            Err(error) => return refusal(error).map(Err),
        }
    }
    Ok(Ok(()))
}

/// What a row did wrong; an error when it is not a row's fault.
fn refusal(error: sqlx::Error) -> Result<Refusal, Error> {
    let Some(refused) = error.as_database_error() else { return Err(error.into()) };
    if refused.is_unique_violation() {
        return Ok(Refusal::Taken);
    }
    // SQLSTATE: class 22 is a value that does not fit, class 23 a broken constraint.
    let fault_of_row = refused.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        || !matches!(refused.kind(), sqlx::error::ErrorKind::Other);
    if fault_of_row { Ok(Refusal::Broken(refused.message().to_owned())) } else { Err(error.into()) }
}

/// Gives a role to users who have just been stored.
pub(in crate::db) async fn assign_role_to<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    role_id: <U::Role as RoleModel>::Id,
    canonicals: &[&str],
) -> Result<(), Error> {
    let ModelSql { table, list, .. } = model_sql::<U>();
    for canonicals in canonicals.chunks(MAX_ARGUMENTS - 2) {
        let text = format!(
            "INSERT INTO users_role_members (role_id, user_id) SELECT ?, {id} FROM {table} u \
             WHERE {canonical} IN {}{}",
            placeholders(canonicals.len()),
            and_tenant::<U>(),
            id = list.id,
            canonical = list.canonical,
        );
        let mut arguments = values![role_id];
        for canonical in canonicals {
            arguments.add(*canonical).map_err(Error::internal)?;
        }
        let statement = AssertSqlSafe(sql::number(SYNTAX, &text));
        query_with(statement, in_tenant::<U>(arguments, tenant)?).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Starts, takes back or ends a part of a transaction.
pub(in crate::db) async fn part(connection: &mut Connection, statement: &'static str) -> Result<(), Error> {
    raw_sql(statement).execute(connection).await?;
    Ok(())
}

/// How many rows and bytes of a file are done.
pub(in crate::db) async fn import_progress(
    connection: &mut Connection,
    fingerprint: &[u8],
) -> Result<Option<(i64, i64)>, Error> {
    let row = query(sql!("SELECT rows_done, bytes_done FROM users_imports WHERE fingerprint = ?"))
        .bind(fingerprint)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// Notes how far a file is; `false` when somebody else has come further meanwhile.
pub(in crate::db) async fn advance_import(
    connection: &mut Connection,
    step: &ImportStep<'_>,
    now: i64,
) -> Result<bool, Error> {
    let done = query(sql!(
        "UPDATE users_imports SET rows_done = ?, bytes_done = ?, updated_at = ? \
         WHERE fingerprint = ? AND bytes_done = ?"
    ))
    .bind(step.rows)
    .bind(step.bytes)
    .bind(now)
    .bind(step.fingerprint)
    .bind(step.bytes_before)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() > 0 || step.bytes_before > 0 {
        return Ok(done.rows_affected() == 1);
    }
    let stored = query(sql!(
        "INSERT INTO users_imports (fingerprint, rows_done, bytes_done, updated_at) VALUES (?, ?, ?, ?)"
    ))
    .bind(step.fingerprint)
    .bind(step.rows)
    .bind(step.bytes)
    .bind(now)
    .execute(connection)
    .await;
    match stored {
        Ok(_) => Ok(true),
        Err(error) => match refusal(error)? {
            Refusal::Taken => Ok(false),
            Refusal::Broken(problem) => Err(Error::internal(problem)),
        },
    }
}

/// Forgets how far a file is.
pub(in crate::db) async fn forget_import(
    connection: &mut Connection,
    fingerprint: &[u8],
) -> Result<(), Error> {
    query(sql!("DELETE FROM users_imports WHERE fingerprint = ?"))
        .bind(fingerprint)
        .execute(connection)
        .await?;
    Ok(())
}
