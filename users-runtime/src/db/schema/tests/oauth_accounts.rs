//! The table of linked accounts: what the library adds to it, and what is said of one that somebody else made.

use super::*;

/// A table of linked accounts with a column of the application's own, before its users' table was looked at.
pub(super) fn accounts(dialect: Dialect) -> Table {
    let [id, text] = match dialect {
        Dialect::Sqlite => ["BLOB", "TEXT"],
        Dialect::Postgres => ["UUID", "TEXT"],
        Dialect::MySql => ["BLOB", "VARCHAR"],
    };
    let own = [
        column("id", id, ColumnRole::Id),
        column("provider", text, ColumnRole::Provider),
        column("subject", text, ColumnRole::Subject),
        column("email", text, ColumnRole::Email).nullable(),
        column("label", text, ColumnRole::Own),
    ];
    Table {
        name: "users_oauth_accounts".to_owned(),
        columns: own.into_iter().chain(dialect.of_linked_accounts()).collect(),
        identifier_length: 0,
        owner: None,
    }
}

fn owned(dialect: Dialect) -> Table {
    accounts(dialect).owned_by(Key::of(dialect, &model(dialect), None))
}

fn tenanted_accounts(dialect: Dialect) -> Table {
    let mut table = owned(dialect);
    let team = Column { role: ColumnRole::Tenant, name: "tenant", ..table.columns[1].clone() };
    table.columns.push(team);
    table
}

#[test]
fn each_database_gets_the_table_with_its_reference_and_indexes() {
    let created = |dialect: Dialect| dialect.create(&tenanted_accounts(dialect)).join(";\n");
    assert_eq!(
        created(Dialect::Sqlite),
        r#"CREATE TABLE "users_oauth_accounts" (
    "id" BLOB PRIMARY KEY NOT NULL,
    "provider" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "email" TEXT,
    "label" TEXT NOT NULL,
    "user_id" BLOB NOT NULL,
    "issuer" TEXT NOT NULL,
    "tokens" TEXT,
    "tokens_expire_at" INTEGER,
    "created_at" INTEGER NOT NULL,
    "updated_at" INTEGER NOT NULL,
    "tenant" TEXT NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX "users_oauth_accounts_subject" ON "users_oauth_accounts" ("tenant", "issuer", "subject");
CREATE INDEX "users_oauth_accounts_user_id_idx" ON "users_oauth_accounts" ("user_id")"#
    );
    assert_eq!(
        created(Dialect::Postgres),
        r#"CREATE TABLE "users_oauth_accounts" (
    "id" UUID PRIMARY KEY NOT NULL,
    "provider" TEXT NOT NULL,
    "subject" TEXT COLLATE "C" NOT NULL,
    "email" TEXT,
    "label" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "issuer" TEXT COLLATE "C" NOT NULL,
    "tokens" TEXT,
    "tokens_expire_at" INT8,
    "created_at" INT8 NOT NULL,
    "updated_at" INT8 NOT NULL,
    "tenant" TEXT COLLATE "C" NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX "users_oauth_accounts_subject" ON "users_oauth_accounts" ("tenant", "issuer", "subject");
CREATE INDEX "users_oauth_accounts_user_id_idx" ON "users_oauth_accounts" ("user_id")"#
    );
    let text = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    assert_eq!(
        created(Dialect::MySql),
        format!(
            "CREATE TABLE IF NOT EXISTS `users_oauth_accounts` (
    `id` BINARY(16) PRIMARY KEY NOT NULL,
    `provider` VARCHAR(255) {text} NOT NULL,
    `subject` VARCHAR(255) {text} NOT NULL,
    `email` TEXT {text},
    `label` TEXT {text} NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `issuer` VARCHAR(255) {text} NOT NULL,
    `tokens` LONGTEXT,
    `tokens_expire_at` BIGINT,
    `created_at` BIGINT NOT NULL,
    `updated_at` BIGINT NOT NULL,
    `tenant` VARCHAR(255) {text} NOT NULL,
    FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE,
    UNIQUE INDEX `users_oauth_accounts_subject` (`tenant`, `issuer`, `subject`),
    INDEX `users_oauth_accounts_user_id_idx` (`user_id`)
) ENGINE=InnoDB DEFAULT {text}"
        )
    );
}

#[test]
fn a_table_fits_its_own_definition() {
    for dialect in DIALECTS {
        for table in [owned(dialect), tenanted_accounts(dialect)] {
            assert_eq!(dialect.compare(&table, Some(&made(dialect, &table))), [], "{dialect:?}");
        }
    }
}

#[test]
fn the_users_key_in_an_account_has_the_type_that_it_has_in_their_table() {
    let mut users = made(Dialect::MySql, &model(Dialect::MySql));
    users.columns[0].sql_type = "varbinary(16)".to_owned();
    let key = Key::of(Dialect::MySql, &model(Dialect::MySql), Some(&users));
    let statements = Dialect::MySql.create(&accounts(Dialect::MySql).owned_by(key));
    assert!(statements[0].contains("`user_id` varbinary(16) NOT NULL,"), "{statements:?}");
    assert!(
        statements[0].contains("FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE"),
        "{statements:?}"
    );
}

#[test]
fn columns_that_are_missing_are_told_with_what_fills_them() {
    let dialect = Dialect::Postgres;
    let mut there = made(dialect, &owned(dialect));
    let library = ["user_id", "issuer", "tokens", "tokens_expire_at", "created_at", "updated_at", "label"];
    there.columns.retain(|column| !library.contains(&column.name.as_str()));
    there.indexes.clear();
    assert_eq!(
        problems(dialect, &owned(dialect), &there),
        [
            "column `label`: expected TEXT NOT NULL, found no such column; run: ALTER TABLE \"users_oauth_accounts\" \
             ADD COLUMN \"label\" TEXT NOT NULL DEFAULT <value>",
            "column `user_id`: expected UUID NOT NULL, found no such column; run: ALTER TABLE \
             \"users_oauth_accounts\" ADD COLUMN \"user_id\" UUID; fill it with the keys of the rows' users in \
             \"users\"; then make it NOT NULL, a reference to them and an index",
            "column `issuer`: expected TEXT COLLATE \"C\" NOT NULL, found no such column; run: ALTER TABLE \
             \"users_oauth_accounts\" ADD COLUMN \"issuer\" TEXT COLLATE \"C\" NOT NULL DEFAULT ''; fill it with \
             the issuers of the rows' providers, such as https://accounts.google.com; then CREATE UNIQUE INDEX on it \
             and the subject",
            "column `tokens`: expected TEXT, found no such column; run: ALTER TABLE \"users_oauth_accounts\" ADD \
             COLUMN \"tokens\" TEXT",
            "column `tokens_expire_at`: expected INT8, found no such column; run: ALTER TABLE \
             \"users_oauth_accounts\" ADD COLUMN \"tokens_expire_at\" INT8",
            "column `created_at`: expected INT8 NOT NULL, found no such column; run: ALTER TABLE \
             \"users_oauth_accounts\" ADD COLUMN \"created_at\" INT8 NOT NULL DEFAULT <value>",
            "column `updated_at`: expected INT8 NOT NULL, found no such column; run: ALTER TABLE \
             \"users_oauth_accounts\" ADD COLUMN \"updated_at\" INT8 NOT NULL DEFAULT <value>",
        ]
    );
    let differences = dialect.compare(&owned(dialect), Some(&there));
    let advice: Vec<_> = differences.iter().filter_map(|difference| difference.advice.as_deref()).collect();
    let millis = "rows that are there need a value: write milliseconds since 1970 in place of `<value>`";
    let own = "rows that are there need a value: write `#[oauth_account(sql_default = \"...\")]` above the field, or \
               make it an `Option`";
    assert_eq!(advice, [own, millis, millis]);
}

#[test]
fn s44_an_identity_is_unique_within_its_issuer_and_compared_exactly() {
    for dialect in DIALECTS {
        let table = tenanted_accounts(dialect);
        let fitting = made(dialect, &table);
        let with = |indexes: Vec<Index>| Found { indexes, ..fitting.clone() };
        let [identity, of_user] = <[Index; 2]>::try_from(dialect.indexes(&table)).expect("two");
        assert_eq!(identity.columns, ["tenant", "issuer", "subject"]);

        let missing = problems(dialect, &table, &with(vec![of_user.clone()]));
        let text = "column `subject`: expected a unique index together with `tenant`, `issuer`, found none; run: CREATE";
        assert!(missing.len() == 1 && missing[0].starts_with(text), "{missing:?}");

        let slow = dialect.compare(&table, Some(&with(vec![identity.clone()])));
        let text = "column `user_id`: expected an index, found none; run: CREATE INDEX ";
        assert!(slow.len() == 1 && slow[0].to_string().starts_with(text), "{slow:?}");
        assert!(slow[0].safe && !slow[0].required, "{slow:?}");

        for (columns, within) in [
            (&["subject"][..], "a tenant"),
            (&["issuer", "subject"], "a tenant"),
            (&["provider", "subject"], "a tenant"),
            (&["tenant", "subject"], "an issuer"),
        ] {
            let narrow = index("narrow", true, columns);
            let said = problems(dialect, &table, &with(vec![identity.clone(), of_user.clone(), narrow]));
            let text =
                format!("column `subject`: expected values that are unique within {within}, found the index");
            assert!(said.len() == 1 && said[0].starts_with(&text), "{columns:?}: {said:?}");
        }
        let fine = index("fine", true, &["tenant", "provider", "subject"]);
        assert_eq!(problems(dialect, &table, &with(vec![identity, of_user, fine])), [""; 0]);
    }
    for name in ["issuer", "subject"] {
        let table = owned(Dialect::MySql);
        let mut there = made(Dialect::MySql, &table);
        for column in there.columns.iter_mut().filter(|column| column.name == name) {
            *column =
                Existing { collation: Some("utf8mb4_general_ci".to_owned()), exact: false, ..column.clone() };
        }
        let said = problems(Dialect::MySql, &table, &there);
        let text = format!(
            "column `{name}`: expected the collation utf8mb4_bin, in which only equal values are equal"
        );
        assert!(said.len() == 1 && said[0].starts_with(&text), "{said:?}");
    }
}

#[test]
fn what_a_provider_says_fits_or_is_refused_at_the_start() {
    for (name, declared, expected) in [
        ("subject", "varchar(100)", "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
        ("issuer", "varchar(64)", "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
        ("tokens", "varchar(1024)", "LONGTEXT"),
        ("created_at", "datetime", "BIGINT"),
        ("user_id", "char(36)", "BINARY(16)"),
    ] {
        let table = owned(Dialect::MySql);
        let mut there = made(Dialect::MySql, &table);
        for column in there.columns.iter_mut().filter(|column| column.name == name) {
            declared.clone_into(&mut column.sql_type);
        }
        let said = problems(Dialect::MySql, &table, &there);
        let text = format!("column `{name}`: expected {expected}, found {declared}");
        assert!(said.len() == 1 && said[0].starts_with(&text), "{said:?}");
    }
    for (name, declared) in
        [("tokens", "mediumtext"), ("provider", "varchar(50)"), ("subject", "varchar(320)")]
    {
        let table = owned(Dialect::MySql);
        let mut there = made(Dialect::MySql, &table);
        for column in there.columns.iter_mut().filter(|column| column.name == name) {
            declared.clone_into(&mut column.sql_type);
        }
        assert_eq!(problems(Dialect::MySql, &table, &there), [""; 0], "{name} {declared}");
    }
}
