//! Who has which role.

use sqlx::{SqliteConnection, SqlitePool, query, query_scalar};

use crate::{clock, db::Storable, error::Error};

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
