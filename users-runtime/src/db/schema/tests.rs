//! What is said of tables that do not fit, in each database.

mod oauth_accounts;
mod order;

use self::oauth_accounts::accounts;
use super::{types::affinity, *};
use ColumnRole::{Canonical, Id, Identifier, Own, PasswordHash};

const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql];

fn column(name: &'static str, sql_type: &str, role: ColumnRole) -> Column {
    Column { name, sql_type: sql_type.to_owned(), nullable: false, role, indexed: false, sql_default: None }
}

fn existing(name: &str, sql_type: &str, not_null: bool) -> Existing {
    Existing {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        collation: None,
        exact: true,
        not_null,
        has_default: false,
        key: false,
    }
}

fn table(columns: Vec<Column>) -> Table {
    Table { name: "users".to_owned(), columns, identifier_length: 254, owner: None }
}

fn found(columns: Vec<Existing>) -> Found {
    Found { columns, indexes: Vec::new(), transactional: true }
}

fn index(name: &str, unique: bool, columns: &[&str]) -> Index {
    Index { name: name.to_owned(), unique, columns: columns.iter().map(|&name| name.to_owned()).collect() }
}

/// The types that sqlx names for a key, a text, a flag and a number.
fn model(dialect: Dialect) -> Table {
    let [id, text, flag, number] = match dialect {
        Dialect::Sqlite => ["BLOB", "TEXT", "BOOLEAN", "INTEGER"],
        Dialect::Postgres => ["UUID", "TEXT", "BOOL", "INT8"],
        Dialect::MySql => ["BLOB", "VARCHAR", "BOOLEAN", "BIGINT"],
    };
    table(vec![
        column("id", id, ColumnRole::Id),
        column("email", text, ColumnRole::Identifier),
        column("email_canonical", text, ColumnRole::Canonical),
        column("password_hash", text, ColumnRole::PasswordHash),
        column("is_active", flag, ColumnRole::Active),
        column("age", number, ColumnRole::Own).indexed(),
        column("note", text, ColumnRole::Own).nullable(),
    ])
}

fn tenanted(dialect: Dialect) -> Table {
    let mut table = model(dialect);
    table.columns.push(Column { role: ColumnRole::Tenant, name: "team", ..table.columns[0].clone() });
    table
}

/// A table as its own definition makes it.
fn made(dialect: Dialect, table: &Table) -> Found {
    let columns = table
        .columns
        .iter()
        .map(|column| Existing {
            collation: (dialect == Dialect::MySql).then(|| "utf8mb4_bin".to_owned()).or(Some("C".to_owned())),
            key: column.role == ColumnRole::Id,
            ..existing(
                column.name,
                // The catalogue tells the collation apart from the type.
                dialect.column_type(column).split(" CHARACTER SET").next().unwrap_or_default(),
                !column.nullable,
            )
        })
        .collect();
    Found { columns, indexes: dialect.indexes(table), transactional: true }
}

fn problems(dialect: Dialect, table: &Table, found: &Found) -> Vec<String> {
    let differences = dialect.compare(table, Some(found));
    differences.iter().filter(|difference| difference.required).map(ToString::to_string).collect()
}

#[test]
fn every_difference_names_column_expected_and_found() {
    let wanted = table(vec![
        column("email", "TEXT", ColumnRole::Identifier),
        column("age", "INTEGER", ColumnRole::Own),
        column("score", "REAL", ColumnRole::Own).nullable(),
        column("nickname", "TEXT", ColumnRole::Own).nullable(),
    ]);
    let there = found(vec![
        existing("email", "VARCHAR(320)", false),
        existing("age", "TEXT", true),
        existing("score", "REAL", true),
        existing("legacy", "TEXT", true),
    ]);
    assert_eq!(
        problems(Dialect::Sqlite, &wanted, &there),
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
fn a_table_fits_its_own_definition() {
    for dialect in DIALECTS {
        for table in [model(dialect), tenanted(dialect)] {
            assert_eq!(dialect.compare(&table, Some(&made(dialect, &table))), [], "{dialect:?}");
        }
    }
}

#[test]
fn definitions_are_those_of_the_database() {
    let create = |dialect: Dialect| dialect.create(&model(dialect));
    assert_eq!(
        create(Dialect::Postgres),
        [
            "CREATE TABLE \"users\" (\n    \"id\" UUID PRIMARY KEY NOT NULL,\n    \"email\" TEXT NOT NULL,\n    \
             \"email_canonical\" TEXT COLLATE \"C\" NOT NULL,\n    \"password_hash\" TEXT NOT NULL,\n    \
             \"is_active\" BOOL NOT NULL,\n    \"age\" INT8 NOT NULL,\n    \"note\" TEXT\n)",
            "CREATE UNIQUE INDEX \"users_email_canonical\" ON \"users\" (\"email_canonical\")",
            "CREATE INDEX \"users_is_active_idx\" ON \"users\" (\"is_active\", \"id\")",
            "CREATE INDEX \"users_age_idx\" ON \"users\" (\"age\", \"id\")",
        ]
    );
    let exact = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    assert_eq!(
        create(Dialect::MySql),
        [format!(
            "CREATE TABLE IF NOT EXISTS `users` (\n    `id` BINARY(16) PRIMARY KEY NOT NULL,\n    \
             `email` VARCHAR(320) {exact} NOT NULL,\n    `email_canonical` VARCHAR(320) {exact} NOT NULL,\n    \
             `password_hash` VARCHAR(255) {exact} NOT NULL,\n    `is_active` BOOLEAN NOT NULL,\n    \
             `age` BIGINT NOT NULL,\n    `note` TEXT {exact},\n    \
             UNIQUE INDEX `users_email_canonical` (`email_canonical`),\n    \
             INDEX `users_is_active_idx` (`is_active`, `id`),\n    INDEX `users_age_idx` (`age`, `id`)\n\
             ) ENGINE=InnoDB DEFAULT {exact}"
        )]
    );
    assert_eq!(create(Dialect::Sqlite).len(), 4);
}

#[test]
fn the_database_assigns_numbers_as_keys() {
    let key = |kind| column("id", kind, ColumnRole::Id);
    for (dialect, kind, expected) in [
        (Dialect::Sqlite, "INTEGER", "\"id\" INTEGER PRIMARY KEY AUTOINCREMENT"),
        (Dialect::Sqlite, "BIGINT", "\"id\" INTEGER PRIMARY KEY AUTOINCREMENT"),
        (Dialect::Postgres, "INT8", "\"id\" INT8 GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
        (Dialect::MySql, "BIGINT", "`id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"),
    ] {
        assert_eq!(dialect.definition(&key(kind)), expected);
        let there = found(vec![Existing { key: true, ..existing("id", "bigint", true) }]);
        let problems = problems(dialect, &table(vec![key(kind)]), &there);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].contains("expected a key that the database assigns, found bigint"),
            "{problems:?}"
        );
    }
}

#[test]
fn a_part_of_a_key_is_no_key() {
    let wanted = table(vec![column("id", "UUID", ColumnRole::Id)]);
    let part = |name| Existing { key: true, ..existing(name, "uuid", true) };
    let there = found(vec![part("id"), part("team")]);
    let expected = ["column `id`: expected the primary key, found a part of it"];
    assert_eq!(problems(Dialect::Postgres, &wanted, &there), expected);
}

#[test]
fn a_column_without_a_value_for_old_rows_needs_a_decision() {
    for dialect in DIALECTS {
        let table = model(dialect);
        let mut there = made(dialect, &table);
        there.columns.retain(|column| column.name != "age" && column.name != "note");
        there.indexes.retain(|index| index.unique);
        let decide = |change: fn(Column) -> Column| {
            let mut table = table.clone();
            table.columns[5] = change(table.columns[5].clone());
            dialect
                .compare(&table, Some(&there))
                .into_iter()
                .map(|d| (d.safe, d.required))
                .collect::<Vec<_>>()
        };
        // The column, the one that may be NULL, and the index of the flag.
        assert_eq!(decide(|age| age), [(false, true), (true, true), (true, false)], "{dialect:?}");
        // With a value the index of the column follows.
        let with_index = [(true, true), (true, true), (true, false), (true, false)];
        assert_eq!(decide(|age| age.with_sql_default("0")), with_index, "{dialect:?}");
        assert_eq!(decide(Column::nullable), with_index, "{dialect:?}");
        let advice = dialect.compare(&table, Some(&there)).swap_remove(0).advice.unwrap_or_default();
        assert!(advice.contains("#[user(sql_default = \"...\")]") && advice.contains("Option"), "{advice}");
    }
}

#[test]
fn defaults_of_long_texts_are_expressions_in_mysql() {
    let definition =
        |kind| Dialect::MySql.definition(&column("c", kind, ColumnRole::Own).with_sql_default("'a'"));
    assert!(definition("VARCHAR").ends_with("NOT NULL DEFAULT ('a')"));
    assert!(definition("BINARY").ends_with("JSON NOT NULL DEFAULT ('a')"));
    assert!(definition("VARCHAR(20)").ends_with("NOT NULL DEFAULT 'a'"));
}

#[test]
fn uniqueness_is_of_the_canonical_identifier_within_a_tenant() {
    for dialect in DIALECTS {
        let table = model(dialect);
        let with = |indexes: Vec<Index>, table: &Table| {
            problems(dialect, table, &Found { indexes, ..made(dialect, table) })
        };
        for useless in [
            index("i", false, &["email_canonical"]),
            index("i", true, &["email_canonical", "email"]),
            index("i", true, &["email"]),
        ] {
            let problems = with(vec![useless], &table);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(
                problems[0]
                    .starts_with("column `email_canonical`: expected a unique index, found none; run: ")
            );
        }
        assert!(with(vec![index("i", true, &["email_canonical"])], &table).is_empty());
        let table = tenanted(dialect);
        for right in [["team", "email_canonical"], ["email_canonical", "team"]] {
            assert!(with(vec![index("i", true, &right)], &table).is_empty());
        }
        let problems = with(vec![index("i", true, &["email_canonical"])], &table);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("expected a unique index together with `team`, found none"));
        assert!(problems[1].contains("found the index `i`, which makes them unique across tenants"));
    }
}

#[test]
fn a_missing_index_of_a_list_is_slow_and_no_error() {
    for dialect in DIALECTS {
        let table = tenanted(dialect);
        let mut there = made(dialect, &table);
        there.indexes.retain(|index| index.unique);
        let differences = dialect.compare(&table, Some(&there));
        assert!(differences.iter().all(|difference| difference.safe && !difference.required));
        let statements: Vec<_> = differences.into_iter().filter_map(|difference| difference.fix).collect();
        let on = format!("ON {} (", dialect.quoted("users"));
        let columns: Vec<_> =
            statements.iter().filter_map(|fix| fix.split_once(&on)).map(|(_, c)| c).collect();
        let quoted = |names: &[&str]| {
            format!("{})", names.iter().map(|name| dialect.quoted(name)).collect::<Vec<_>>().join(", "))
        };
        let wanted =
            [quoted(&["team", "id"]), quoted(&["team", "is_active", "id"]), quoted(&["team", "age", "id"])];
        assert_eq!(columns, wanted);
    }
}

#[test]
fn types_fit_by_affinity_in_sqlite() {
    let fits = |expected, declared| {
        let wanted = column("c", expected, ColumnRole::Own);
        Dialect::Sqlite.fits(&table(Vec::new()), &wanted, &existing("c", declared, true))
    };
    assert!(fits("TEXT", "varchar(20)"));
    assert!(fits("BOOLEAN", "TINYINT"));
    assert!(fits("DATETIME", "TEXT"));
    assert!(!fits("BLOB", "TEXT"));
    assert!(!fits("TEXT", "BLOB"));
    assert!(!fits("INTEGER", "TEXT"));
    assert_eq!(affinity("decimal(3)"), "NUMERIC");
}

#[test]
fn types_fit_by_name_in_postgres() {
    let fits = |role, expected, declared| {
        let wanted = column("c", expected, role);
        Dialect::Postgres.fits(&table(Vec::new()), &wanted, &existing("c", declared, true))
    };
    for (role, expected, declared) in [
        (Own, "TEXT", "character varying(20)"),
        (Own, "TEXT", "citext"),
        (Identifier, "TEXT", "public.citext"),
        (Own, "VARCHAR(20)", "character varying(20)"),
        (Own, "INT8", "bigint"),
        (Own, "TIMESTAMPTZ", "timestamp(3) with time zone"),
        (Own, "TEXT[]", "text[]"),
        (Own, "Color", "app.color"),
        (Canonical, "TEXT", "character varying(320)"),
        (PasswordHash, "TEXT", "character varying(100)"),
    ] {
        assert!(fits(role, expected, declared), "{expected} {declared}");
    }
    for (role, expected, declared) in [
        (Own, "INT8", "integer"),
        (Own, "INT4", "bigint"),
        (Own, "TIMESTAMPTZ", "timestamp without time zone"),
        (Own, "JSONB", "json"),
        (Own, "UUID", "text"),
        (Own, "VARCHAR(40)", "character varying(20)"),
        (Canonical, "TEXT", "citext"),
        (Canonical, "TEXT", "character(254)"),
        (Identifier, "TEXT", "character varying(100)"),
        (PasswordHash, "TEXT", "character varying(60)"),
    ] {
        assert!(!fits(role, expected, declared), "{expected} {declared}");
    }
}

#[test]
fn types_fit_by_what_they_hold_in_mysql() {
    let fits = |role, expected, declared| {
        let wanted = column("c", expected, role);
        Dialect::MySql.fits(&table(Vec::new()), &wanted, &existing("c", declared, true))
    };
    for (role, expected, declared) in [
        (Own, "VARCHAR", "varchar(20)"),
        (Own, "VARCHAR", "longtext"),
        (Own, "BOOLEAN", "tinyint(1)"),
        (Own, "BOOLEAN", "bit(1)"),
        (Own, "INT", "bigint(20)"),
        (Own, "INT UNSIGNED", "int(10) unsigned"),
        (Own, "TIMESTAMP", "datetime(6)"),
        (Own, "TIMESTAMP", "timestamp"),
        (Own, "BINARY", "longtext"),
        (Own, "BINARY", "json"),
        (Own, "BLOB", "varbinary(255)"),
        (Own, "ENUM", "enum('a','b')"),
        (Own, "BINARY(16)", "binary(16)"),
        (Id, "BLOB", "binary(16)"),
        (Id, "BIGINT", "int(11)"),
        (Canonical, "VARCHAR", "varchar(255)"),
    ] {
        assert!(fits(role, expected, declared), "{expected} {declared}");
    }
    for (role, expected, declared) in [
        (Own, "VARCHAR", "varbinary(20)"),
        (Own, "BIGINT", "int(11)"),
        (Own, "BIGINT", "bigint(20) unsigned"),
        (Own, "DATETIME", "timestamp"),
        (Own, "DOUBLE", "float"),
        (Own, "BINARY(16)", "binary(32)"),
        (Id, "BLOB", "char(36)"),
        (Id, "BLOB", "binary(32)"),
        (Id, "BIGINT", "bigint(20) unsigned"),
        (Canonical, "VARCHAR", "text"),
        (Canonical, "VARCHAR", "varchar(191)"),
        (PasswordHash, "VARCHAR", "varchar(60)"),
    ] {
        assert!(!fits(role, expected, declared), "{expected} {declared}");
    }
}

#[test]
fn texts_that_are_compared_are_compared_exactly() {
    let with = |dialect: Dialect, name: &str, collation: &str, exact| {
        let table = model(dialect);
        let mut there = made(dialect, &table);
        for column in there.columns.iter_mut().filter(|column| column.name == name) {
            (column.collation, column.exact) = (Some(collation.to_owned()), exact);
        }
        dialect.compare(&table, Some(&there))
    };
    let differences = with(Dialect::MySql, "email_canonical", "utf8mb4_general_ci", false);
    assert_eq!(differences.len(), 1);
    assert_eq!(
        differences[0].to_string(),
        "column `email_canonical`: expected the collation utf8mb4_bin, in which only equal values are equal, found \
         utf8mb4_general_ci; run: ALTER TABLE `users` MODIFY COLUMN `email_canonical` VARCHAR(320) \
         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"
    );
    assert!(!differences[0].safe && differences[0].required);
    assert!(with(Dialect::MySql, "note", "latin1_swedish_ci", false).is_empty());
    assert!(with(Dialect::MySql, "email", "utf8mb4_general_ci", false).is_empty());
    assert_eq!(with(Dialect::MySql, "email", "latin1_swedish_ci", false).len(), 1);

    let differences = with(Dialect::Postgres, "email_canonical", "en_US.utf8", true);
    assert!(differences.len() == 1 && !differences[0].required && !differences[0].safe, "{differences:?}");
    let differences = with(Dialect::Postgres, "email_canonical", "insensitive", false);
    assert!(differences.len() == 1 && differences[0].required, "{differences:?}");
    assert!(with(Dialect::Postgres, "email_canonical", "C.UTF-8", true).is_empty());
}

#[test]
fn indexes_over_expressions_are_left_out() {
    let row = |name: &str, column: Option<&str>| (index(name, true, &[]), column.map(ToOwned::to_owned));
    let rows =
        [row("a", Some("x")), row("a", Some("y")), row("b", Some("x")), row("b", None), row("c", Some("z"))];
    assert_eq!(Index::collect(rows), [index("a", true, &["x", "y"]), index("c", true, &["z"])]);
}
