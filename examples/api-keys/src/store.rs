//! The keys of users, in a table beside the library's.

use serde::Serialize;
use sqlx::SqlitePool;
use time::{Duration, OffsetDateTime};
use users_runtime::Error;
use uuid::Uuid;

use crate::key::Key;

/// How precise the time of a key's last use is: a write for every request would be the price of every request.
const PRECISION: Duration = Duration::MINUTE;

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS api_keys (
    id           BLOB NOT NULL PRIMARY KEY,
    user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    secret_hash  BLOB NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at   TEXT
);
CREATE INDEX IF NOT EXISTS api_keys_of_user ON api_keys (user_id);";

/// A key as it is stored: without the secret.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredKey {
    pub id: Uuid,
    pub user_id: Uuid,
    pub secret_hash: Vec<u8>,
    pub scopes: String,
    last_used_at: Option<OffsetDateTime>,
}

/// A key as its owner sees it in a list.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct ListedKey {
    id: Uuid,
    name: String,
    scopes: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
}

/// The table of keys.
#[derive(Debug, Clone)]
pub struct Keys(SqlitePool);

impl Keys {
    pub fn new(pool: SqlitePool) -> Self {
        Self(pool)
    }

    /// Makes the table, once there is one of users.
    pub async fn create_table(&self) -> Result<(), Error> {
        sqlx::raw_sql(TABLE).execute(&self.0).await?;
        Ok(())
    }

    /// A key that may be used.
    pub async fn find(&self, id: Uuid) -> Result<Option<StoredKey>, Error> {
        let select = "SELECT id, user_id, secret_hash, scopes, last_used_at FROM api_keys \
                      WHERE id = ?1 AND revoked_at IS NULL";
        Ok(sqlx::query_as(select).bind(id).fetch_optional(&self.0).await?)
    }

    /// Notes that a key was used, once a minute at most.
    pub async fn note_use(&self, key: &StoredKey) -> Result<(), Error> {
        let now = OffsetDateTime::now_utc();
        if key.last_used_at.is_none_or(|last| now - last >= PRECISION) {
            let update = "UPDATE api_keys SET last_used_at = ?1 WHERE id = ?2";
            sqlx::query(update).bind(now).bind(key.id).execute(&self.0).await?;
        }
        Ok(())
    }

    /// Stores a new key.
    pub async fn insert(&self, key: &Key, user_id: Uuid, name: &str, scopes: &str) -> Result<(), Error> {
        let insert = "INSERT INTO api_keys (id, user_id, name, secret_hash, scopes, created_at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        sqlx::query(insert)
            .bind(key.id)
            .bind(user_id)
            .bind(name)
            .bind(key.hash().as_slice())
            .bind(scopes)
            .bind(OffsetDateTime::now_utc())
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// The keys of a user, revoked ones too.
    pub async fn of_user(&self, user_id: Uuid) -> Result<Vec<ListedKey>, Error> {
        let select = "SELECT id, name, scopes, created_at, last_used_at, revoked_at FROM api_keys \
                      WHERE user_id = ?1 ORDER BY id";
        Ok(sqlx::query_as(select).bind(user_id).fetch_all(&self.0).await?)
    }

    /// Revokes a key of this user's; `false` when there is none.
    pub async fn revoke(&self, id: Uuid, user_id: Uuid) -> Result<bool, Error> {
        let update =
            "UPDATE api_keys SET revoked_at = ?1 WHERE id = ?2 AND user_id = ?3 AND revoked_at IS NULL";
        let done = sqlx::query(update)
            .bind(OffsetDateTime::now_utc())
            .bind(id)
            .bind(user_id)
            .execute(&self.0)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
