//! What SQLite tells of its tables, and how they are changed.

use sqlx::{AssertSqlSafe, Row, Sqlite, SqliteConnection, SqlitePool, query, query_scalar, raw_sql};

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
pub(in crate::db) async fn migrate<U: Stored<Sqlite>>(
    pool: &SqlitePool,
    mode: SchemaMode,
) -> Result<(), Error> {
    // One transaction: a process that dies in the middle leaves no table behind, and another one waits.
    let mut transaction = pool.begin_with(super::BEGIN).await?;
    steps::migrate(&mut Connected(&mut transaction), &tables::<U>(), mode).await?;
    transaction.commit().await?;
    Ok(())
}

/// What sets the tables apart from the structs; nothing is written.
pub(in crate::db) async fn drift<U: Stored<Sqlite>>(pool: &SqlitePool) -> Result<Vec<Difference>, Error> {
    let mut transaction = pool.begin().await?;
    steps::drift(&mut Connected(&mut transaction), &tables::<U>()).await
}

/// Ends the differences that need no decision.
pub(in crate::db) async fn apply<U: Stored<Sqlite>>(
    pool: &SqlitePool,
    mode: SchemaMode,
) -> Result<Vec<String>, Error> {
    let mut transaction = pool.begin_with(super::BEGIN).await?;
    let done = steps::apply(&mut Connected(&mut transaction), &tables::<U>(), mode).await?;
    transaction.commit().await?;
    Ok(done)
}

fn tables<U: Stored<Sqlite>>() -> Tables {
    Tables::of::<Sqlite, U>(Dialect::Sqlite)
}

struct Connected<'c>(&'c mut SqliteConnection);

impl Catalog for Connected<'_> {
    const DIALECT: Dialect = Dialect::Sqlite;

    async fn find(&mut self, table: &str) -> Result<Option<Found>, Error> {
        let columns = query(
            "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk > 0 FROM pragma_table_info(?1)",
        )
        .bind(table)
        .fetch_all(&mut *self.0)
        .await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let columns = columns.iter().map(existing).collect::<Result<_, _>>()?;
        Ok(Some(Found { columns, indexes: self.indexes(table).await?, transactional: true }))
    }

    /// Every name is a type in SQLite.
    async fn unknown_types(&mut self, _table: &Table) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn run(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        raw_sql(AssertSqlSafe(statement)).execute(&mut *self.0).await.map(drop)
    }

    async fn version(&mut self) -> Result<Option<i64>, Error> {
        let there = query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'users_migrations')",
        );
        if !there.fetch_one(&mut *self.0).await? {
            return Ok(None);
        }
        let version = query_scalar("SELECT COALESCE(MAX(version), 0) FROM users_migrations");
        Ok(Some(version.fetch_one(&mut *self.0).await?))
    }

    async fn note_version(&mut self, version: i64) -> Result<(), Error> {
        query("INSERT INTO users_migrations (version, applied_at) VALUES (?1, ?2)")
            .bind(version)
            .bind(clock::now())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}

impl Connected<'_> {
    async fn indexes(&mut self, table: &str) -> Result<Vec<Index>, Error> {
        let rows = query(
            "SELECT l.name, l.\"unique\", i.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i \
             WHERE l.partial = 0 ORDER BY l.name, i.seqno",
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

fn existing(row: &sqlx::sqlite::SqliteRow) -> Result<Existing, sqlx::Error> {
    Ok(Existing {
        name: row.try_get(0)?,
        sql_type: row.try_get(1)?,
        collation: None,
        exact: true,
        not_null: row.try_get(2)?,
        has_default: row.try_get(3)?,
        key: row.try_get(4)?,
    })
}
