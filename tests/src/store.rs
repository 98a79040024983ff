//! Statements of the tests' own, written once with `?` for a parameter and run on each engine.

use std::{fmt::Write, time::Duration};

use sqlx::{
    AssertSqlSafe, FromRow, MySqlPool, PgPool, SqlitePool,
    mysql::{MySqlPoolOptions, MySqlRow},
    postgres::{PgPoolOptions, PgRow},
    query_as, raw_sql,
    sqlite::{SqlitePoolOptions, SqliteRow},
};
use users_runtime::{Error, Transaction};
use uuid::Uuid;

use crate::Engine;

/// A pool of a test's own on a database.
#[derive(Debug, Clone)]
pub enum Store {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    MySql(MySqlPool),
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub enum Value {
    Text(String),
    Number(i64),
    Key(Uuid),
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Uuid> for Value {
    fn from(key: Uuid) -> Self {
        Self::Key(key)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// What can be read from a row of each engine: tuples of what each can store.
pub trait Columns:
    for<'row> FromRow<'row, SqliteRow>
    + for<'row> FromRow<'row, PgRow>
    + for<'row> FromRow<'row, MySqlRow>
    + Send
    + Unpin
{
}

impl<T> Columns for T where
    T: for<'row> FromRow<'row, SqliteRow>
        + for<'row> FromRow<'row, PgRow>
        + for<'row> FromRow<'row, MySqlRow>
        + Send
        + Unpin
{
}

/// A statement and its parameters.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    store: &'a Store,
    sql: &'a str,
    values: Vec<Value>,
}

/// The query with every parameter, on whichever engine.
macro_rules! bind {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Key(key) => query.bind(key),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    };
}

impl Statement<'_> {
    /// Adds the parameter of the next `?`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it; how many rows it changed.
    pub async fn execute(self) -> u64 {
        let (sql, values) = (self.sql.to_owned(), self.values);
        let done = match self.store {
            Store::Sqlite(pool) => bind!(sqlx::query(AssertSqlSafe(sql)), values)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
            Store::Postgres(pool) => bind!(sqlx::query(AssertSqlSafe(numbered(&sql))), values)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
            Store::MySql(pool) => bind!(sqlx::query(AssertSqlSafe(sql)), values)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
        };
        done.unwrap_or_else(|error| panic!("{}: {error}", self.sql))
    }

    /// Every row.
    pub async fn rows<R: Columns>(self) -> Vec<R> {
        let (sql, values) = (self.sql.to_owned(), self.values);
        let rows = match self.store {
            Store::Sqlite(pool) => bind!(query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await,
            Store::Postgres(pool) => {
                bind!(query_as(AssertSqlSafe(numbered(&sql))), values).fetch_all(pool).await
            }
            Store::MySql(pool) => bind!(query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await,
        };
        rows.unwrap_or_else(|error| panic!("{}: {error}", self.sql))
    }

    /// The first column of every row.
    pub async fn values<T>(self) -> Vec<T>
    where
        (T,): Columns,
    {
        self.rows::<(T,)>().await.into_iter().map(|(value,)| value).collect()
    }

    /// The first column of the first row.
    pub async fn value<T>(self) -> T
    where
        (T,): Columns,
    {
        let sql = self.sql;
        self.values().await.into_iter().next().unwrap_or_else(|| panic!("{sql}: no row"))
    }

    /// The number that it answers, of whatever type the engine makes it.
    pub async fn count(self) -> i64 {
        let kind = match self.store {
            Store::Sqlite(_) => "INTEGER",
            Store::Postgres(_) => "BIGINT",
            Store::MySql(_) => "SIGNED",
        };
        let sql = format!("SELECT CAST(({}) AS {kind})", self.sql);
        Statement { store: self.store, sql: &sql, values: self.values }.value().await
    }
}

/// PostgreSQL numbers its parameters. A `?` between quotes is text.
fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 8);
    let (mut number, mut quoted) = (0, false);
    for character in sql.chars() {
        quoted ^= character == '\'';
        if character == '?' && !quoted {
            number += 1;
            // Writing to a `String` cannot fail.
            let _ = write!(text, "${number}");
        } else {
            text.push(character);
        }
    }
    text
}

impl Store {
    pub(crate) async fn connect(url: &str, most: u32) -> Self {
        Self::connect_within(url, most, Duration::from_secs(30)).await
    }

    /// The same with a limit to how long somebody waits for a connection.
    pub(crate) async fn connect_within(url: &str, most: u32, patience: Duration) -> Self {
        let store = match Engine::chosen() {
            Engine::Sqlite => {
                let options = SqlitePoolOptions::new().max_connections(most).acquire_timeout(patience);
                options.connect(url).await.map(Self::Sqlite)
            }
            Engine::Postgres => {
                let options = PgPoolOptions::new().max_connections(most).acquire_timeout(patience);
                options.connect(url).await.map(Self::Postgres)
            }
            Engine::MySql => {
                let options = MySqlPoolOptions::new().max_connections(most).acquire_timeout(patience);
                options.connect(url).await.map(Self::MySql)
            }
        };
        store.unwrap_or_else(|error| panic!("a pool for the test: {error}"))
    }

    /// A statement, whose parameters are each a `?`.
    pub fn query<'a>(&'a self, sql: &'a str) -> Statement<'a> {
        Statement { store: self, sql, values: Vec::new() }
    }

    /// A number that a statement without parameters answers.
    pub async fn count(&self, sql: &str) -> i64 {
        self.query(sql).count().await
    }

    /// Runs statements without parameters, of which there may be several.
    pub async fn execute(&self, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Sqlite(pool) => raw_sql(text).execute(pool).await.map(|_| ()),
            Self::Postgres(pool) => raw_sql(text).execute(pool).await.map(|_| ()),
            Self::MySql(pool) => raw_sql(text).execute(pool).await.map(|_| ()),
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
            Self::MySql(pool) => pool.close().await,
        }
    }

    /// The names of the tables.
    pub async fn tables(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            Self::Postgres(_) => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
            }
            Self::MySql(_) => {
                "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
                 WHERE table_schema = DATABASE() ORDER BY table_name"
            }
        };
        self.query(sql).values().await
    }

    /// Every column and index, as far as the engine tells.
    pub async fn definitions(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => "SELECT COALESCE(sql, name) FROM sqlite_master ORDER BY name",
            Self::Postgres(_) => {
                "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) AS line \
                 FROM information_schema.columns WHERE table_schema = current_schema() \
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY line"
            }
            Self::MySql(_) => {
                "SELECT CAST(CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default) \
                 AS CHAR) AS line FROM information_schema.columns WHERE table_schema = DATABASE() \
                 UNION ALL SELECT CAST(CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique) \
                 AS CHAR) FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY line"
            }
        };
        self.query(sql).values().await
    }

    /// Every value of every row, each as the engine stores it or in text, one behind the other.
    pub(crate) async fn contents(&self) -> Vec<u8> {
        let columns = match self {
            Self::Sqlite(_) => panic!("the contents of SQLite are its files"),
            Self::Postgres(_) => {
                "SELECT format(CASE data_type WHEN 'bytea' THEN 'SELECT %I FROM %I' \
                 ELSE 'SELECT convert_to(%I::text, ''UTF8'') FROM %I' END, column_name, table_name) \
                 FROM information_schema.columns WHERE table_schema = current_schema()"
            }
            Self::MySql(_) => {
                "SELECT CAST(CONCAT('SELECT CAST(`', column_name, '` AS BINARY) FROM `', table_name, '`') AS CHAR) \
                 FROM information_schema.columns WHERE table_schema = DATABASE()"
            }
        };
        let mut contents = Vec::new();
        for column in self.query(columns).values::<String>().await {
            for value in self.query(&column).values::<Option<Vec<u8>>>().await.into_iter().flatten() {
                contents.extend(value);
                contents.push(0);
            }
        }
        contents
    }
}

/// A transaction of a test's own that nobody commits. It ends when it is dropped.
pub enum Held {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    MySql(sqlx::Transaction<'static, sqlx::MySql>),
}

impl Store {
    /// Takes a connection out of the pool, and runs a statement in a transaction on it that stays open.
    pub async fn hold(&self, sql: &str) -> Held {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin().await.expect("a transaction");
                raw_sql(sql).execute(&mut *transaction).await.expect("the statement");
                Held::Sqlite(transaction)
            }
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await.expect("a transaction");
                raw_sql(sql).execute(&mut *transaction).await.expect("the statement");
                Held::Postgres(transaction)
            }
            Self::MySql(pool) => {
                let mut transaction = pool.begin().await.expect("a transaction");
                raw_sql(sql).execute(&mut *transaction).await.expect("the statement");
                Held::MySql(transaction)
            }
        }
    }
}

impl From<Store> for users_runtime::Pool {
    fn from(store: Store) -> Self {
        match store {
            Store::Sqlite(pool) => pool.into(),
            Store::Postgres(pool) => pool.into(),
            Store::MySql(pool) => pool.into(),
        }
    }
}

/// Runs a statement inside a transaction of the library's, as a hook of an application does.
pub(crate) async fn execute_in(
    transaction: &mut Transaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<(), Error> {
    let sql = sql.to_owned();
    match Engine::chosen() {
        Engine::Sqlite => {
            bind!(sqlx::query(AssertSqlSafe(sql)), values).execute(transaction.sqlite()?).await?;
        }
        Engine::Postgres => {
            let sql = AssertSqlSafe(numbered(&sql));
            bind!(sqlx::query(sql), values).execute(transaction.postgres()?).await?;
        }
        Engine::MySql => {
            bind!(sqlx::query(AssertSqlSafe(sql)), values).execute(transaction.mysql()?).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn parameters_are_numbered_outside_of_quotes() {
        assert_eq!(
            numbered("SELECT '?', \"a\" FROM t WHERE a = ? AND b LIKE 'it''s ?' AND c = ?"),
            "SELECT '?', \"a\" FROM t WHERE a = $1 AND b LIKE 'it''s ?' AND c = $2"
        );
    }
}
