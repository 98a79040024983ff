//! The tables: those of the library, which it migrates, and the user's, which it creates or checks.

use std::fmt::Write;

use sqlx::{
    AssertSqlSafe, Row, Sqlite, SqliteConnection, SqlitePool, TypeInfo, query, query_scalar, raw_sql,
};

use crate::{
    clock,
    db::Storable,
    error::Error,
    model::{Column, ColumnRole, Stored},
};

/// The library's own tables, one entry a version. `{id}` stands for the type of the user's key, `{users}` for the
/// user's table and `{key}` for its key column. An entry is never edited once released: a change is a new entry.
const MIGRATIONS: &[&str] = &["CREATE TABLE users_sessions (
        id_hash BLOB PRIMARY KEY,
        user_id {id} NOT NULL REFERENCES {users} ({key}) ON DELETE CASCADE,
        fingerprint BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX users_sessions_user ON users_sessions (user_id);
    CREATE INDEX users_sessions_expiry ON users_sessions (expires_at);
    CREATE INDEX users_sessions_seen ON users_sessions (seen_at);
    CREATE TABLE users_one_time_tokens (
        user_id {id} NOT NULL REFERENCES {users} ({key}) ON DELETE CASCADE,
        purpose TEXT NOT NULL,
        token_hash BLOB NOT NULL UNIQUE,
        fingerprint BLOB NOT NULL,
        new_identifier TEXT,
        issued_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, purpose)
    ) WITHOUT ROWID;
    CREATE INDEX users_one_time_tokens_expiry ON users_one_time_tokens (expires_at);
    CREATE TABLE users_revoked_tokens (
        id_hash BLOB PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX users_revoked_tokens_expiry ON users_revoked_tokens (expires_at);
    CREATE TABLE users_outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        nonce BLOB NOT NULL,
        fingerprint BLOB,
        message TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL
    );
    CREATE INDEX users_outbox_due ON users_outbox (due_at, id);
    CREATE TABLE users_roles (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL
    );
    CREATE TABLE users_role_members (
        user_id {id} NOT NULL REFERENCES {users} ({key}) ON DELETE CASCADE,
        role_id INTEGER NOT NULL REFERENCES users_roles (id) ON DELETE CASCADE,
        PRIMARY KEY (user_id, role_id)
    ) WITHOUT ROWID;
    CREATE INDEX users_role_members_role ON users_role_members (role_id);"];

pub(in crate::db) async fn migrate<U: Storable>(pool: &SqlitePool) -> Result<(), Error> {
    // One transaction: a process that dies in the middle leaves no table behind.
    let mut transaction = super::begin(pool).await?;
    let table = unquoted(<U as Stored<Sqlite>>::SQL.table);
    let columns = <U as Stored<Sqlite>>::columns();
    if table_exists(&mut transaction, &table).await? {
        check_table(&mut transaction, &table, &columns).await?;
    } else {
        raw_sql(AssertSqlSafe(create_table(&table, &columns))).execute(&mut *transaction).await?;
    }
    own_tables::<U>(&mut transaction, &columns).await?;
    transaction.commit().await?;
    Ok(())
}

async fn own_tables<U: Storable>(connection: &mut SqliteConnection, columns: &[Column]) -> Result<(), Error> {
    query("CREATE TABLE IF NOT EXISTS users_migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL)")
        .execute(&mut *connection)
        .await?;
    let applied: i64 = query_scalar("SELECT COALESCE(MAX(version), 0) FROM users_migrations")
        .fetch_one(&mut *connection)
        .await?;
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if applied > newest {
        return Err(Error::Schema(format!(
            "the library's tables are at version {applied} and this program knows {newest}: a newer program has \
             migrated them; deploy that one, or go back to a backup"
        )));
    }
    let id = <U::Id as sqlx::Type<Sqlite>>::type_info();
    let key = columns.iter().find(|column| column.role == ColumnRole::Id).map_or("id", |column| column.name);
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > applied) {
        let migration = migration
            .replace("{id}", id.name())
            .replace("{users}", <U as Stored<Sqlite>>::SQL.table)
            .replace("{key}", &quoted(key));
        raw_sql(AssertSqlSafe(migration)).execute(&mut *connection).await?;
        query("INSERT INTO users_migrations (version, applied_at) VALUES (?1, ?2)")
            .bind(version)
            .bind(clock::now())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn table_exists(connection: &mut SqliteConnection, table: &str) -> Result<bool, Error> {
    Ok(query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?1)",
    )
    .bind(table)
    .fetch_one(connection)
    .await?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn unquoted(name: &str) -> String {
    name.trim_matches('"').replace("\"\"", "\"")
}

/// The definition of one column, as `CREATE TABLE` and `ALTER TABLE` take it.
fn definition(column: &Column) -> String {
    let name = quoted(column.name);
    let kind = &column.sql_type;
    match column.role {
        // Without AUTOINCREMENT the key of a deleted user would be given to the next one.
        ColumnRole::Id if kind == "INTEGER" => format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT"),
        ColumnRole::Id => format!("{name} {kind} PRIMARY KEY NOT NULL"),
        ColumnRole::Canonical => format!("{name} {kind} NOT NULL UNIQUE"),
        _ if column.nullable => format!("{name} {kind}"),
        _ => format!("{name} {kind} NOT NULL"),
    }
}

fn create_table(table: &str, columns: &[Column]) -> String {
    let columns: Vec<_> = columns.iter().map(definition).collect();
    format!("CREATE TABLE {} (\n    {}\n)", quoted(table), columns.join(",\n    "))
}

/// A column as the database has it.
struct Existing {
    name: String,
    sql_type: String,
    not_null: bool,
    has_default: bool,
    key: bool,
}

/// Compares the user's table with the struct; every difference is named at once.
async fn check_table(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[Column],
) -> Result<(), Error> {
    let rows =
        query("SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk > 0 FROM pragma_table_info(?1)")
            .bind(table)
            .fetch_all(&mut *connection)
            .await?;
    let existing = rows
        .iter()
        .map(|row| {
            Ok(Existing {
                name: row.try_get(0)?,
                sql_type: row.try_get(1)?,
                not_null: row.try_get(2)?,
                has_default: row.try_get(3)?,
                key: row.try_get(4)?,
            })
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let mut problems = differences(table, columns, &existing);
    for column in columns.iter().filter(|column| column.role == ColumnRole::Canonical) {
        if existing.iter().any(|found| found.name == column.name)
            && !is_unique(&mut *connection, table, column.name).await?
        {
            problems.push(format!(
                "column `{name}`: expected a unique index, found none; \
                 run: CREATE UNIQUE INDEX {index} ON {table} ({name})",
                name = column.name,
                index = quoted(&format!("{table}_{}", column.name)),
                table = quoted(table),
            ));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let mut message = format!("the table `{table}` does not fit the struct:");
    for problem in problems {
        // Writing to a `String` cannot fail.
        let _ = write!(message, "\n  - {problem}");
    }
    Err(Error::Schema(message))
}

async fn is_unique(connection: &mut SqliteConnection, table: &str, column: &str) -> Result<bool, Error> {
    Ok(query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1) l WHERE l.\"unique\" = 1 AND l.partial = 0 \
         AND (SELECT COUNT(*) FROM pragma_index_info(l.name)) = 1 \
         AND (SELECT i.name FROM pragma_index_info(l.name) i) = ?2)",
    )
    .bind(table)
    .bind(column)
    .fetch_one(connection)
    .await?)
}

fn differences(table: &str, columns: &[Column], existing: &[Existing]) -> Vec<String> {
    let mut problems = Vec::new();
    for column in columns {
        let name = column.name;
        let Some(found) = existing.iter().find(|found| found.name == name) else {
            problems.push(format!(
                "column `{name}`: expected {}, found no such column; {}",
                described(column),
                { add_column(table, column) }
            ));
            continue;
        };
        if !fits(&column.sql_type, &found.sql_type) {
            problems.push(format!("column `{name}`: expected {}, found {}", column.sql_type, found.sql_type));
        }
        let not_null = found.not_null || (found.key && affinity(&found.sql_type) == "INTEGER");
        if !column.nullable && !not_null && column.role != ColumnRole::Id {
            problems.push(format!("column `{name}`: expected NOT NULL, found a column that may be NULL"));
        }
        if column.nullable && found.not_null {
            problems.push(format!("column `{name}`: expected a column that may be NULL, found NOT NULL"));
        }
        if column.role == ColumnRole::Id && !found.key {
            problems.push(format!("column `{name}`: expected the primary key, found an ordinary column"));
        }
    }
    for found in existing {
        let known = columns.iter().any(|column| column.name == found.name);
        if !known && found.not_null && !found.has_default && !found.key {
            problems.push(format!(
                "column `{}`: expected no column that must have a value and is not in the struct, found {} NOT NULL; \
                 add it to the struct, or give it a DEFAULT",
                found.name, found.sql_type
            ));
        }
    }
    problems
}

fn described(column: &Column) -> String {
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{}{null}", column.sql_type)
}

fn add_column(table: &str, column: &Column) -> String {
    let table = quoted(table);
    let name = quoted(column.name);
    let kind = &column.sql_type;
    match column.role {
        ColumnRole::Canonical => format!(
            "run: ALTER TABLE {table} ADD COLUMN {name} {kind} NOT NULL DEFAULT ''; fill it with the canonical \
             identifiers; then CREATE UNIQUE INDEX on it"
        ),
        _ if column.nullable => format!("run: ALTER TABLE {table} ADD COLUMN {name} {kind}"),
        _ => format!("run: ALTER TABLE {table} ADD COLUMN {name} {kind} NOT NULL DEFAULT <value>"),
    }
}

/// SQLite's column affinity (<https://sqlite.org/datatype3.html>, section 3.1).
fn affinity(declared: &str) -> &'static str {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        "INTEGER"
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        "TEXT"
    } else if has("BLOB") || declared.is_empty() {
        "BLOB"
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        "REAL"
    } else {
        "NUMERIC"
    }
}

/// Whether values of the type that the struct asks for keep their form in a column that was declared otherwise.
fn fits(expected: &str, declared: &str) -> bool {
    let (wanted, found) = (affinity(expected), affinity(declared));
    match expected {
        "BOOLEAN" => matches!(found, "NUMERIC" | "INTEGER"),
        "DATETIME" | "DATE" | "TIME" => matches!(found, "NUMERIC" | "TEXT"),
        _ => wanted == found || matches!((wanted, found), ("INTEGER" | "REAL", "NUMERIC")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &'static str, sql_type: &str, role: ColumnRole) -> Column {
        Column { name, sql_type: sql_type.to_owned(), nullable: false, role }
    }

    fn existing(name: &str, sql_type: &str, not_null: bool) -> Existing {
        Existing {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            not_null,
            has_default: false,
            key: false,
        }
    }

    #[test]
    fn every_difference_names_column_expected_and_found() {
        let wanted = [
            column("email", "TEXT", ColumnRole::Identifier),
            column("age", "INTEGER", ColumnRole::Own),
            column("score", "REAL", ColumnRole::Own).nullable(),
            column("nickname", "TEXT", ColumnRole::Own).nullable(),
        ];
        let found = [
            existing("email", "VARCHAR(320)", false),
            existing("age", "TEXT", true),
            existing("score", "REAL", true),
            existing("legacy", "TEXT", true),
        ];
        assert_eq!(
            differences("users", &wanted, &found),
            [
                "column `email`: expected NOT NULL, found a column that may be NULL",
                "column `age`: expected INTEGER, found TEXT",
                "column `score`: expected a column that may be NULL, found NOT NULL",
                "column `nickname`: expected TEXT, found no such column; \
                 run: ALTER TABLE \"users\" ADD COLUMN \"nickname\" TEXT",
                "column `legacy`: expected no column that must have a value and is not in the struct, \
                 found TEXT NOT NULL; add it to the struct, or give it a DEFAULT",
            ]
        );
    }

    #[test]
    fn types_fit_by_affinity() {
        assert!(fits("TEXT", "varchar(20)"));
        assert!(fits("BOOLEAN", "TINYINT"));
        assert!(fits("DATETIME", "TEXT"));
        assert!(!fits("BLOB", "TEXT"));
        assert!(!fits("TEXT", "BLOB"));
        assert!(!fits("INTEGER", "TEXT"));
    }
}
