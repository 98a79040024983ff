//! What PostgreSQL tells of its tables, and how they are changed.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Row, query, query_scalar, raw_sql};

use crate::{
    clock,
    db::schema::{
        Dialect, Difference, Existing, Found, Index, SchemaMode, Table, Tables, is_plain_name,
        steps::{self, Catalog},
    },
    error::Error,
    model::Stored,
};

/// Creates what is missing and checks what is there.
pub(in crate::db) async fn migrate<U: Stored<Postgres>>(
    pool: &PgPool,
    mode: SchemaMode,
) -> Result<(), Error> {
    // One transaction: a process that dies in the middle leaves no table behind.
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    steps::migrate(&mut Connected(&mut transaction), &tables::<U>(), mode).await?;
    transaction.commit().await?;
    Ok(())
}

/// What sets the tables apart from the structs; nothing is written.
pub(in crate::db) async fn drift<U: Stored<Postgres>>(pool: &PgPool) -> Result<Vec<Difference>, Error> {
    let mut transaction = pool.begin().await?;
    steps::drift(&mut Connected(&mut transaction), &tables::<U>()).await
}

/// Ends the differences that need no decision.
pub(in crate::db) async fn apply<U: Stored<Postgres>>(
    pool: &PgPool,
    mode: SchemaMode,
) -> Result<Vec<String>, Error> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let done = steps::apply(&mut Connected(&mut transaction), &tables::<U>(), mode).await?;
    transaction.commit().await?;
    Ok(done)
}

/// Waits for other processes that change the same schema. The lock ends with the transaction.
async fn lock(connection: &mut PgConnection) -> Result<(), Error> {
    let schema: Option<String> =
        query_scalar("SELECT current_schema()::text").fetch_one(&mut *connection).await?;
    let Some(schema) = schema else {
        return Err(Error::Schema(
            "no schema of the connection's `search_path` exists; create it, or name another one in the URL's `options`"
                .to_owned(),
        ));
    };
    // The first number is the library's own, `users` in four letters.
    query("SELECT pg_advisory_xact_lock(x'75736572'::int, hashtext($1))")
        .bind(schema)
        .execute(connection)
        .await?;
    Ok(())
}

fn tables<U: Stored<Postgres>>() -> Tables {
    Tables::of::<Postgres, U>(Dialect::Postgres)
}

struct Connected<'c>(&'c mut PgConnection);

impl Catalog for Connected<'_> {
    const DIALECT: Dialect = Dialect::Postgres;

    async fn find(&mut self, table: &str) -> Result<Option<Found>, Error> {
        // Only where a table would be created: one of the name further down the search path is somebody else's.
        let relation: Option<i64> = query_scalar(
            "SELECT c.oid::int8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        )
        .bind(table)
        .fetch_optional(&mut *self.0)
        .await?;
        let Some(relation) = relation else { return Ok(None) };
        let columns = self.columns(relation).await?;
        Ok(Some(Found { columns, indexes: self.indexes(relation).await?, transactional: true }))
    }

    async fn unknown_types(&mut self, table: &Table) -> Result<Vec<String>, Error> {
        let mut unknown = Vec::new();
        // A type with a length or a collation is one of the database's own.
        for column in table.columns.iter().filter(|column| is_plain_name(&column.sql_type)) {
            let there: bool = query_scalar("SELECT to_regtype($1) IS NOT NULL")
                .bind(&column.sql_type)
                .fetch_one(&mut *self.0)
                .await?;
            if !there && !unknown.contains(&column.sql_type) {
                unknown.push(column.sql_type.clone());
            }
        }
        Ok(unknown)
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
        query("INSERT INTO users_migrations (version, applied_at) VALUES ($1, $2)")
            .bind(version)
            .bind(clock::now())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}

impl Connected<'_> {
    async fn columns(&mut self, relation: i64) -> Result<Vec<Existing>, Error> {
        // A domain is sent and stored as the type that it is over. Keys are taken from the sequence that belongs to the
        // column, so any other default is none for them.
        let rows = query(
            "SELECT a.attname::text, \
             CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) \
             ELSE format_type(a.atttypid, a.atttypmod) END, \
             CASE WHEN l.collname = 'default' \
             THEN (SELECT d.datcollate::text FROM pg_database d WHERE d.datname = current_database()) \
             ELSE l.collname::text END, \
             COALESCE(l.collisdeterministic, true), \
             a.attnotnull OR t.typnotnull, \
             CASE WHEN p.indrelid IS NULL THEN a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL \
             ELSE pg_get_serial_sequence(a.attrelid::regclass::text, a.attname::text) IS NOT NULL END, \
             p.indrelid IS NOT NULL \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             LEFT JOIN pg_index p ON p.indrelid = a.attrelid AND p.indisprimary AND a.attnum = ANY (p.indkey) \
             WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        )
        .bind(relation)
        .fetch_all(&mut *self.0)
        .await?;
        let existing = |row: &sqlx::postgres::PgRow| {
            Ok(Existing {
                name: row.try_get(0)?,
                sql_type: row.try_get(1)?,
                collation: row.try_get(2)?,
                exact: row.try_get(3)?,
                not_null: row.try_get(4)?,
                has_default: row.try_get(5)?,
                key: row.try_get(6)?,
            })
        };
        Ok(rows.iter().map(existing).collect::<Result<_, sqlx::Error>>()?)
    }

    async fn indexes(&mut self, relation: i64) -> Result<Vec<Index>, Error> {
        // A unique constraint that waits for the commit would let a doubled identifier through until then.
        let rows = query(
            "SELECT i.relname::text, x.indisunique AND x.indimmediate, a.attname::text \
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
             JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree' \
             CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, position) \
             LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum > 0 \
             WHERE x.indrelid = $1::oid AND x.indisvalid AND x.indpred IS NULL \
             AND k.position <= x.indnkeyatts ORDER BY i.relname, k.position",
        )
        .bind(relation)
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
