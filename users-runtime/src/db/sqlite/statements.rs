//! One function a statement.

use sqlx::{
    Row, Sqlite, SqliteConnection, SqliteExecutor, SqlitePool, query, query_scalar, query_with,
    sqlite::SqliteRow,
};

use crate::{
    clock,
    db::{NewOneTime, OneTime, Purpose, Storable, outbox::Claimed},
    error::Error,
    model::{ModelSql, Stored, UserId},
    principal::{Principal, RoleNames},
    session::SessionRecord,
    token::{Fingerprint, Nonce, TokenHash},
    validate::CanonicalIdentifier,
};

/// The model's statements for SQLite, put together while compiling from the names of its columns.
#[doc(hidden)]
#[macro_export]
macro_rules! __sqlite_sql {
    (
        table: $table:literal,
        width: $width:literal,
        id: $id:literal,
        identifier: $identifier:literal,
        canonical: $canonical:literal,
        password_hash: $password_hash:literal,
        active: $active:tt,
        verified: $verified:tt,
        select: $select:literal,
        insert: $insert:literal,
        values: $values:literal,
        update: $update:tt $(,)?
    ) => {
        $crate::ModelSql {
            table: $table,
            width: $width,
            insert: ::core::concat!(
                "INSERT INTO ", $table, " (", $insert, ") VALUES (", $values, ") RETURNING ", $id
            ),
            by_id: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                " FROM ", $table, " u WHERE u.", $id, " = ?1"
            ),
            by_canonical: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                " FROM ", $table, " u WHERE u.", $canonical, " = ?1"
            ),
            by_session: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                ", s.fingerprint, s.created_at, s.seen_at, s.expires_at",
                " FROM users_sessions s JOIN ", $table, " u ON u.", $id, " = s.user_id WHERE s.id_hash = ?1"
            ),
            by_token: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                ", EXISTS (SELECT 1 FROM users_revoked_tokens t WHERE t.id_hash = ?2)",
                " FROM ", $table, " u WHERE u.", $id, " = ?1"
            ),
            update: $crate::__sqlite_optional!(
                $update => "UPDATE ", $table, " SET ", $update, " WHERE ", $id, " = ?1"
            ),
            set_password: ::core::concat!(
                "UPDATE ", $table, " SET ", $password_hash, " = ?3 WHERE ", $id, " = ?1 AND ",
                $password_hash, " = ?2"
            ),
            set_identifier: ::core::concat!(
                "UPDATE ", $table, " SET ", $identifier, " = ?3, ", $canonical, " = ?4 WHERE ", $id,
                " = ?1 AND ", $identifier, " = ?2"
            ),
            set_active: $crate::__sqlite_optional!(
                $active => "UPDATE ", $table, " SET ", $active, " = ?2 WHERE ", $id, " = ?1"
            ),
            set_verified: $crate::__sqlite_optional!(
                $verified => "UPDATE ", $table, " SET ", $verified, " = ?2 WHERE ", $id, " = ?1"
            ),
            delete: ::core::concat!("DELETE FROM ", $table, " WHERE ", $id, " = ?1"),
        }
    };
}

/// A statement that exists only for a model with the column.
#[doc(hidden)]
#[macro_export]
macro_rules! __sqlite_optional {
    (none => $($part:tt)*) => {
        ::core::option::Option::None
    };
    ($column:literal => $($part:tt)*) => {
        ::core::option::Option::Some(::core::concat!($($part)*))
    };
}

/// The names of a user's roles as one column, so that they arrive with the user.
#[doc(hidden)]
#[macro_export]
macro_rules! __sqlite_roles {
    ($id:literal) => {
        ::core::concat!(
            "(SELECT group_concat(r.name, char(10)) FROM users_role_members m",
            " JOIN users_roles r ON r.id = m.role_id WHERE m.user_id = u.",
            $id,
            ")"
        )
    };
}

fn sql<U: Storable>() -> ModelSql {
    <U as Stored<Sqlite>>::SQL
}

fn found<U: Storable>(row: &SqliteRow) -> Result<Principal<U>, sqlx::Error> {
    let user = <U as Stored<Sqlite>>::from_row(row)?;
    let roles: Option<&str> = row.try_get(sql::<U>().width)?;
    Ok(Principal::new(user, RoleNames::from_column(roles)))
}

fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, Error> {
    Fingerprint::from_bytes(bytes).ok_or_else(|| Error::internal("a stored fingerprint has the wrong length"))
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

pub(in crate::db) async fn insert_mail(
    connection: &mut SqliteConnection,
    nonce: &Nonce,
    message: &str,
    now: i64,
) -> Result<(), Error> {
    query(
        "INSERT INTO users_outbox (nonce, message, created_at, due_at, attempts) VALUES (?1, ?2, ?3, ?3, 0)",
    )
    .bind(nonce.as_bytes())
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

pub(in crate::db) async fn role_has_members(pool: &SqlitePool, role: &str) -> Result<bool, Error> {
    let found = query_scalar(
        "SELECT EXISTS (SELECT 1 FROM users_role_members m JOIN users_roles r ON r.id = m.role_id WHERE r.name = ?1)",
    )
    .bind(role)
    .fetch_one(pool)
    .await?;
    Ok(found)
}

pub(in crate::db) async fn assign_role<U: Storable>(
    connection: &mut SqliteConnection,
    user_id: U::Id,
    role: &str,
) -> Result<(), Error> {
    query("INSERT INTO users_roles (name, created_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .bind(role)
        .bind(clock::now())
        .execute(&mut *connection)
        .await?;
    query(
        "INSERT INTO users_role_members (user_id, role_id) SELECT ?1, id FROM users_roles WHERE name = ?2 \
         ON CONFLICT DO NOTHING",
    )
    .bind(user_id)
    .bind(role)
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::db) async fn revoke_role<U: Storable>(
    connection: &mut SqliteConnection,
    user_id: U::Id,
    role: &str,
) -> Result<(), Error> {
    query(
        "DELETE FROM users_role_members WHERE user_id = ?1 AND role_id = (SELECT id FROM users_roles WHERE name = ?2)",
    )
    .bind(user_id)
    .bind(role)
    .execute(connection)
    .await?;
    Ok(())
}
