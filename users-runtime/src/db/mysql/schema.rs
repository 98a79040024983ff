//! What MySQL and MariaDB tell of their tables, and how they are changed.

use sqlx::{AssertSqlSafe, Connection, MySql, MySqlConnection, MySqlPool, Row, query, query_scalar, raw_sql};

use crate::{
    clock,
    db::schema::{
        Dialect, Difference, Existing, Found, Index, SchemaMode, Table, Tables,
        steps::{self, Catalog},
    },
    error::Error,
    model::Stored,
};

/// Creates what is missing and checks what is there.
pub(in crate::db) async fn migrate<U: Stored<MySql>>(
    pool: &MySqlPool,
    mode: SchemaMode,
) -> Result<(), Error> {
    // Each definition commits by itself, so nothing is written before everything was checked, and each statement leaves
    // what is there already alone: after a process that died in the middle, the next one goes on.
    let mut connection = lock(pool).await?;
    let migrated = steps::migrate(&mut Connected(&mut connection), &tables::<U>(), mode).await;
    unlock(connection).await;
    migrated
}

/// What sets the tables apart from the structs; nothing is written.
pub(in crate::db) async fn drift<U: Stored<MySql>>(pool: &MySqlPool) -> Result<Vec<Difference>, Error> {
    let mut connection = pool.acquire().await?;
    steps::drift(&mut Connected(&mut connection), &tables::<U>()).await
}

/// Ends the differences that need no decision.
pub(in crate::db) async fn apply<U: Stored<MySql>>(
    pool: &MySqlPool,
    mode: SchemaMode,
) -> Result<Vec<String>, Error> {
    let mut connection = lock(pool).await?;
    let done = steps::apply(&mut Connected(&mut connection), &tables::<U>(), mode).await;
    unlock(connection).await;
    done
}

/// Waits for other processes that change the same database. The connection leaves the pool: a lock lives as long as its
/// connection, and one that is dropped half-way must not go back with it.
async fn lock(pool: &MySqlPool) -> Result<MySqlConnection, Error> {
    let mut connection = pool.acquire().await?.detach();
    let database: Option<String> = query_scalar("SELECT DATABASE()").fetch_one(&mut connection).await?;
    if database.is_none() {
        return Err(Error::Schema(
            "no database is selected; write its name at the end of the URL, as in `mysql://localhost/app`"
                .to_owned(),
        ));
    }
    // The name of a lock is the server's and has at most 64 characters.
    let taken: Option<i64> = query_scalar("SELECT GET_LOCK(CONCAT('users:', MD5(DATABASE())), 60)")
        .fetch_one(&mut connection)
        .await?;
    if taken != Some(1) {
        return Err(Error::Schema(
            "another process has been changing the tables for a minute; start again when it is done"
                .to_owned(),
        ));
    }
    Ok(connection)
}

/// The lock ends with the connection, so an error on the way changes nothing.
async fn unlock(connection: MySqlConnection) {
    let _ = connection.close().await;
}

fn tables<U: Stored<MySql>>() -> Tables {
    Tables::of::<MySql, U>(Dialect::MySql)
}

struct Connected<'c>(&'c mut MySqlConnection);

impl Catalog for Connected<'_> {
    const DIALECT: Dialect = Dialect::MySql;

    async fn find(&mut self, table: &str) -> Result<Option<Found>, Error> {
        // A view has no engine.
        let engine: Option<Option<String>> = query_scalar(
            "SELECT CAST(ENGINE AS CHAR) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
        )
        .bind(table)
        .fetch_optional(&mut *self.0)
        .await?;
        let Some(engine) = engine else { return Ok(None) };
        let transactional = engine.is_none_or(|engine| engine.eq_ignore_ascii_case("InnoDB"));
        let columns = self.columns(table).await?;
        Ok(Some(Found { columns, indexes: self.indexes(table).await?, transactional }))
    }

    /// MySQL has no types but its own.
    async fn unknown_types(&mut self, _table: &Table) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn run(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        raw_sql(AssertSqlSafe(statement)).execute(&mut *self.0).await.map(drop)
    }

    async fn version(&mut self) -> Result<Option<i64>, Error> {
        if self.find("users_migrations").await?.is_none() {
            return Ok(None);
        }
        let version = query_scalar("SELECT COALESCE(MAX(version), 0) FROM users_migrations");
        Ok(Some(version.fetch_one(&mut *self.0).await?))
    }

    async fn note_version(&mut self, version: i64) -> Result<(), Error> {
        query("INSERT INTO users_migrations (version, applied_at) VALUES (?, ?)")
            .bind(version)
            .bind(clock::now())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}

impl Connected<'_> {
    async fn columns(&mut self, table: &str) -> Result<Vec<Existing>, Error> {
        // The casts make texts of what MySQL 8 answers as bytes.
        let rows = query(
            "SELECT CAST(COLUMN_NAME AS CHAR), CAST(COLUMN_TYPE AS CHAR), CAST(COLLATION_NAME AS CHAR), \
             IS_NULLABLE = 'NO', \
             COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%' OR EXTRA LIKE '%GENERATED%', \
             COLUMN_KEY = 'PRI' \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? \
             ORDER BY ORDINAL_POSITION",
        )
        .bind(table)
        .fetch_all(&mut *self.0)
        .await?;
        let existing = |row: &sqlx::mysql::MySqlRow| {
            let collation: Option<String> = row.try_get(2)?;
            Ok(Existing {
                name: row.try_get(0)?,
                sql_type: row.try_get(1)?,
                exact: collation.as_ref().is_none_or(|name| name.ends_with("_bin")),
                collation,
                not_null: row.try_get(3)?,
                has_default: row.try_get(4)?,
                key: row.try_get(5)?,
            })
        };
        Ok(rows.iter().map(existing).collect::<Result<_, sqlx::Error>>()?)
    }

    async fn indexes(&mut self, table: &str) -> Result<Vec<Index>, Error> {
        // An index over the beginning of a text finds its rows, but does not keep two texts apart.
        let rows = query(
            "SELECT CAST(s.INDEX_NAME AS CHAR), \
             s.NON_UNIQUE = 0 AND NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS p \
             WHERE p.TABLE_SCHEMA = s.TABLE_SCHEMA AND p.TABLE_NAME = s.TABLE_NAME \
             AND p.INDEX_NAME = s.INDEX_NAME AND p.SUB_PART IS NOT NULL), \
             CAST(s.COLUMN_NAME AS CHAR) \
             FROM information_schema.STATISTICS s \
             WHERE s.TABLE_SCHEMA = DATABASE() AND s.TABLE_NAME = ? AND s.INDEX_TYPE = 'BTREE' \
             ORDER BY s.INDEX_NAME, s.SEQ_IN_INDEX",
        )
        .bind(table)
        .fetch_all(&mut *self.0)
        .await?;
        let parts = rows.iter().map(|row| {
            Ok((
                Index { name: row.try_get(0)?, unique: row.try_get(1)?, columns: Vec::new() },
                row.try_get(2)?,
            ))
        });
        Ok(Index::collect(parts.collect::<Result<Vec<_>, sqlx::Error>>()?))
    }
}
