//! The tables: made once, checked against the struct, and never taken back to an older version.

use users_runtime::{Error, SchemaMode};
use users_tests::{Database, On, PASSWORD};

use crate::support::{config, plain, registration, serve};

/// What a start says of a table that does not fit.
async fn complaint(table: &str) -> String {
    let database = Database::new().await;
    let store = database.store().await;
    store.execute(table).await;
    let error = plain::Users::connect(database.url(), config()).await.expect_err("it does not fit");
    assert!(matches!(error, Error::Schema(_)), "{error}");
    assert_eq!(store.tables().await, ["users"], "a start that fails leaves nothing behind");
    error.to_string()
}

/// A table as somebody else wrote it, which fits.
const FITTING: On<&str> = On {
    sqlite: "CREATE TABLE users (
        id BLOB PRIMARY KEY NOT NULL, email VARCHAR(320) NOT NULL, email_canonical TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL, is_active TINYINT NOT NULL, is_verified BOOLEAN NOT NULL, display_name TEXT,
        age INT NOT NULL, login_count BIGINT NOT NULL, noted TEXT, source TEXT NOT NULL DEFAULT 'import'
    )",
    postgres: "CREATE TABLE users (
        id UUID PRIMARY KEY, email VARCHAR(320) NOT NULL, email_canonical TEXT COLLATE \"C\" NOT NULL UNIQUE,
        password_hash VARCHAR(255) NOT NULL, is_active BOOLEAN NOT NULL, is_verified BOOL NOT NULL, display_name TEXT,
        age INT8 NOT NULL, login_count BIGINT NOT NULL, noted TEXT, source TEXT NOT NULL DEFAULT 'import'
    )",
    mysql: "CREATE TABLE users (
        id BINARY(16) PRIMARY KEY, email VARCHAR(320) CHARACTER SET utf8mb4 NOT NULL,
        email_canonical VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
        password_hash VARCHAR(255) NOT NULL, is_active TINYINT NOT NULL, is_verified BOOLEAN NOT NULL, display_name TEXT,
        age BIGINT NOT NULL, login_count BIGINT NOT NULL, noted TEXT, source VARCHAR(20) NOT NULL DEFAULT 'import'
    )",
};

async fn starts_and_works(database: &Database) {
    let users = plain::Users::connect(database.url(), config()).await.expect("it fits");
    let (client, _) = serve(plain::router(users).into_router()).await;
    assert_eq!(
        client.log_in("ada@example.com", PASSWORD).await.expect(201, "").json()["email"],
        "ada@example.com"
    );
    client.me().await.expect(200, "");
}

async fn seed(database: &Database) {
    let users = plain::Users::connect(database.url(), config()).await.expect("it fits");
    users.create_user(registration("ada@example.com")).await.expect("a user");
}

#[tokio::test]
async fn an_empty_database_gets_its_tables() {
    let database = Database::new().await;
    seed(&database).await;
    starts_and_works(&database).await;
}

#[tokio::test]
async fn a_table_of_the_users_own_fits_by_its_types_and_may_have_more_columns() {
    let database = Database::new().await;
    database.store().await.execute(FITTING.chosen()).await;
    seed(&database).await;
    starts_and_works(&database).await;
    let source: String = database.store().await.query("SELECT source FROM users").value().await;
    assert_eq!(source, "import");
}

/// A table that does not fit in many ways.
const UNFIT: On<&str> = On {
    sqlite: "CREATE TABLE users (
        id TEXT, email TEXT, email_canonical TEXT NOT NULL, password_hash BLOB NOT NULL, is_active TEXT NOT NULL,
        display_name TEXT NOT NULL, age INTEGER NOT NULL, login_count TEXT NOT NULL, legacy TEXT NOT NULL
    )",
    postgres: "CREATE TABLE users (
        id TEXT, email TEXT, email_canonical TEXT COLLATE \"C\" NOT NULL, password_hash VARCHAR(20) NOT NULL,
        is_active TEXT NOT NULL, display_name TEXT NOT NULL, age BIGINT NOT NULL, login_count TEXT NOT NULL,
        legacy TEXT NOT NULL
    )",
    mysql: "CREATE TABLE users (
        id TEXT, email VARCHAR(320) CHARACTER SET utf8mb4,
        email_canonical VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        password_hash BLOB NOT NULL, is_active TEXT NOT NULL, display_name TEXT NOT NULL, age BIGINT NOT NULL,
        login_count TEXT NOT NULL, legacy TEXT NOT NULL
    )",
};

/// What is said of it.
const DIFFERENCES: On<&str> = On {
    sqlite: "the table `users` does not fit the struct:\
        \n  - column `id`: expected BLOB, found TEXT\
        \n  - column `id`: expected the primary key, found an ordinary column\
        \n  - column `email`: expected NOT NULL, found a column that may be NULL\
        \n  - column `password_hash`: expected TEXT, found BLOB\
        \n  - column `is_active`: expected BOOLEAN, found TEXT\
        \n  - column `is_verified`: expected BOOLEAN NOT NULL, found no such column; run: ALTER TABLE \"users\" \
        ADD COLUMN \"is_verified\" BOOLEAN NOT NULL DEFAULT <value>\
        \n  - column `display_name`: expected a column that may be NULL, found NOT NULL\
        \n  - column `login_count`: expected INTEGER, found TEXT\
        \n  - column `legacy`: expected no column that must have a value and is not in the struct, found TEXT \
        NOT NULL; add it to the struct, or give it a DEFAULT\
        \n  - column `email_canonical`: expected a unique index, found none; run: CREATE UNIQUE INDEX \
        \"users_email_canonical\" ON \"users\" (\"email_canonical\")",
    postgres: "the table `users` does not fit the struct:\
        \n  - column `id`: expected UUID, found text; run: ALTER TABLE \"users\" ALTER COLUMN \"id\" TYPE UUID \
        USING \"id\"::UUID\
        \n  - column `id`: expected the primary key, found an ordinary column\
        \n  - column `email`: expected NOT NULL, found a column that may be NULL; run: ALTER TABLE \"users\" \
        ALTER COLUMN \"email\" SET NOT NULL\
        \n  - column `password_hash`: expected TEXT, found character varying(20); run: ALTER TABLE \"users\" \
        ALTER COLUMN \"password_hash\" TYPE TEXT USING \"password_hash\"::TEXT\
        \n  - column `is_active`: expected BOOL, found text; run: ALTER TABLE \"users\" ALTER COLUMN \
        \"is_active\" TYPE BOOL USING \"is_active\"::BOOL\
        \n  - column `is_verified`: expected BOOL NOT NULL, found no such column; run: ALTER TABLE \"users\" ADD \
        COLUMN \"is_verified\" BOOL NOT NULL DEFAULT <value>\
        \n  - column `display_name`: expected a column that may be NULL, found NOT NULL; run: ALTER TABLE \
        \"users\" ALTER COLUMN \"display_name\" DROP NOT NULL\
        \n  - column `login_count`: expected INT8, found text; run: ALTER TABLE \"users\" ALTER COLUMN \
        \"login_count\" TYPE INT8 USING \"login_count\"::INT8\
        \n  - column `legacy`: expected no column that must have a value and is not in the struct, found text \
        NOT NULL; add it to the struct, or give it a DEFAULT\
        \n  - column `email_canonical`: expected a unique index, found none; run: CREATE UNIQUE INDEX \
        \"users_email_canonical\" ON \"users\" (\"email_canonical\")",
    mysql: "the table `users` does not fit the struct:\
        \n  - column `id`: expected BINARY(16), found text\
        \n  - column `id`: expected the primary key, found an ordinary column\
        \n  - column `email`: expected NOT NULL, found a column that may be NULL; run: ALTER TABLE `users` \
        MODIFY COLUMN `email` VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL\
        \n  - column `password_hash`: expected VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, found \
        blob; run: ALTER TABLE `users` MODIFY COLUMN `password_hash` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE \
        utf8mb4_bin NOT NULL\
        \n  - column `is_active`: expected BOOLEAN, found text; run: ALTER TABLE `users` MODIFY COLUMN \
        `is_active` BOOLEAN NOT NULL\
        \n  - column `is_verified`: expected BOOLEAN NOT NULL, found no such column; run: ALTER TABLE `users` \
        ADD COLUMN `is_verified` BOOLEAN NOT NULL DEFAULT <value>\
        \n  - column `display_name`: expected a column that may be NULL, found NOT NULL; run: ALTER TABLE \
        `users` MODIFY COLUMN `display_name` TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\
        \n  - column `login_count`: expected BIGINT, found text; run: ALTER TABLE `users` MODIFY COLUMN \
        `login_count` BIGINT NOT NULL\
        \n  - column `legacy`: expected no column that must have a value and is not in the struct, found text \
        NOT NULL; add it to the struct, or give it a DEFAULT\
        \n  - column `email_canonical`: expected a unique index, found none; run: CREATE UNIQUE INDEX \
        `users_email_canonical` ON `users` (`email_canonical`)",
};

#[tokio::test]
async fn every_difference_is_told_at_once_with_column_expected_and_found() {
    assert_eq!(complaint(UNFIT.chosen()).await, DIFFERENCES.chosen());
}

#[tokio::test]
async fn the_canonical_identifier_is_unique_by_an_index_of_its_own() {
    // An index of a part is no proof.
    let part = On {
        sqlite: "CREATE UNIQUE INDEX i ON users (email_canonical) WHERE is_active",
        postgres: "CREATE UNIQUE INDEX i ON users (email_canonical) WHERE is_active",
        mysql: "CREATE UNIQUE INDEX i ON users (email_canonical(20))",
    }
    .chosen();
    for index in [
        "",
        "CREATE INDEX i ON users (email_canonical)",
        "CREATE UNIQUE INDEX i ON users (email_canonical, email)",
        part,
        "CREATE UNIQUE INDEX i ON users (email)",
    ] {
        let table = FITTING.chosen().replace(" UNIQUE", "");
        let message = complaint(&format!("{table};{index}")).await;
        assert!(
            message.contains("column `email_canonical`: expected a unique index, found none"),
            "{index}: {message}"
        );
        assert_eq!(message.lines().count(), 2, "{message}");
    }
    let database = Database::new().await;
    let table = FITTING.chosen().replace(" UNIQUE", "");
    database
        .store()
        .await
        .execute(&format!("{table}; CREATE UNIQUE INDEX i ON users (email_canonical)"))
        .await;
    seed(&database).await;
}

#[tokio::test]
async fn the_remedy_in_a_message_is_one() {
    let database = Database::new().await;
    let store = database.store().await;
    store.execute(&FITTING.chosen().replace(" display_name TEXT,", "")).await;
    let message =
        plain::Users::connect(database.url(), config()).await.expect_err("a column is missing").to_string();
    let (_, remedy) = message.split_once("run: ").expect("a remedy");
    store.execute(remedy).await;
    seed(&database).await;
}

#[tokio::test]
async fn connecting_again_changes_nothing() {
    let database = Database::new().await;
    seed(&database).await;
    let store = database.store().await;
    let schema = || async {
        let applied = store.query("SELECT applied_at FROM users_migrations ORDER BY version");
        (store.definitions().await, applied.values::<i64>().await)
    };
    let before = schema().await;
    assert!(!before.1.is_empty());
    for _ in 0..3 {
        starts_and_works(&database).await;
    }
    assert_eq!(schema().await, before);
    assert_eq!(store.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_migrate_once() {
    let database = Database::new().await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = database.url().to_owned();
        starts.spawn(async move { plain::Users::connect(&url, config()).await.map(|_| ()) });
    }
    while let Some(start) = starts.join_next().await {
        start.expect("no panic").expect("each starts");
    }
    let store = database.store().await;
    let versions: Vec<i64> =
        store.query("SELECT version FROM users_migrations ORDER BY version").values().await;
    assert_eq!(versions, (1..).take(versions.len()).collect::<Vec<_>>());
    seed(&database).await;
    starts_and_works(&database).await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let database = Database::new().await;
    seed(&database).await;
    database
        .store()
        .await
        .execute("INSERT INTO users_migrations (version, applied_at) VALUES (999, 0)")
        .await;
    let error = plain::Users::connect(database.url(), config()).await.expect_err("it is newer");
    assert!(matches!(error, Error::Schema(_)));
    let message = error.to_string();
    assert!(message.contains("at version 999") && message.contains("newer program"), "{message}");
}

#[tokio::test]
async fn a_url_of_no_known_database_says_what_to_write() {
    for url in ["", "app.db", "mongodb://localhost", "sqlserver://localhost/app"] {
        let error = plain::Users::connect(url, config()).await.expect_err("no such database");
        assert!(error.to_string().contains("sqlite://app.db"), "{url}: {error}");
    }
}

/// Users and their linked accounts in tables that another program made.
#[users_runtime::users_app(auth = "session", routes(auth, oauth2))]
mod older {
    use users_runtime::{NoRoles, OAuthAccountModel, PasswordHash, UserModel};

    #[derive(UserModel)]
    #[user(role = NoRoles)]
    pub struct User {
        #[user(id)]
        pub id: i64,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }

    #[derive(Clone, Debug, OAuthAccountModel)]
    #[oauth_account(table = "oauth_account")]
    pub struct Account {
        #[oauth_account(id)]
        pub id: i64,
        #[oauth_account(provider, column = "oauth_name")]
        pub provider: String,
        #[oauth_account(subject, column = "account_id")]
        pub subject: String,
        #[oauth_account(email, column = "account_email")]
        pub email: Option<String>,
    }
}

const OLDER: On<&str> = On {
    sqlite: "CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL, email_canonical TEXT NOT NULL UNIQUE,
            password_hash TEXT NOT NULL
        );
        CREATE TABLE oauth_account (
            id INTEGER PRIMARY KEY AUTOINCREMENT, oauth_name VARCHAR(100) NOT NULL, account_id VARCHAR(320) NOT NULL,
            account_email VARCHAR(320), user_id INTEGER NOT NULL REFERENCES users (id)
        )",
    postgres: "CREATE TABLE users (
            id BIGSERIAL PRIMARY KEY, email TEXT NOT NULL, email_canonical TEXT COLLATE \"C\" NOT NULL UNIQUE,
            password_hash TEXT NOT NULL
        );
        CREATE TABLE oauth_account (
            id BIGSERIAL PRIMARY KEY, oauth_name VARCHAR(100) NOT NULL, account_id VARCHAR(320) NOT NULL,
            account_email VARCHAR(320), user_id BIGINT NOT NULL REFERENCES users (id)
        )",
    mysql: "CREATE TABLE users (
            id BIGINT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(320) CHARACTER SET utf8mb4 NOT NULL,
            email_canonical VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
            password_hash VARCHAR(255) NOT NULL
        );
        CREATE TABLE oauth_account (
            id BIGINT PRIMARY KEY AUTO_INCREMENT, oauth_name VARCHAR(100) NOT NULL,
            account_id VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
            account_email VARCHAR(320), user_id BIGINT NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id)
        )",
};

#[tokio::test]
async fn linked_accounts_of_another_program_fit_after_what_the_messages_say() {
    let database = Database::new().await;
    let store = database.store().await;
    store.execute(OLDER.chosen()).await;
    let user = "INSERT INTO users (email, email_canonical, password_hash) VALUES ('a@example.com', 'a@example.com', 'x')";
    store.execute(user).await;
    let account = "INSERT INTO oauth_account (oauth_name, account_id, account_email, user_id) \
                   SELECT 'google', '7', 'a@example.com', id FROM users";
    store.execute(account).await;
    let mut said = Vec::new();
    let users = loop {
        match older::Users::connect(database.url(), config()).await {
            Ok(users) => break users,
            Err(error) => said.push(error.to_string()),
        }
        let message = said.last().expect("it was said");
        assert!(said.len() < 3, "{message}");
        for (_, remedy) in message.lines().filter_map(|line| line.split_once("run: ")) {
            let statement = remedy.split(';').next().unwrap_or_default().replace("<value>", "5");
            store.execute(&statement).await;
        }
        store
            .execute("UPDATE oauth_account SET issuer = 'https://accounts.google.com' WHERE issuer = ''")
            .await;
    };
    for column in ["issuer", "tokens", "tokens_expire_at", "created_at", "updated_at"] {
        let text = format!("column `{column}`: expected ");
        assert!(said[0].contains(&text) && !said[1].contains(&text), "{column}: {said:?}");
    }
    // The index can be made when the columns are there.
    assert!(
        said[1].contains("column `account_id`: expected a unique index together with `issuer`"),
        "{said:?}"
    );
    let id = store.query("SELECT id FROM users").value().await;
    let linked = users.oauth_accounts(id).await.expect("they can be read");
    assert_eq!(linked.len(), 1);
    assert_eq!((linked[0].account.subject.as_str(), linked[0].linked_at), ("7", 5));
    assert_eq!(linked[0].issuer, "https://accounts.google.com");
}

#[tokio::test]
async fn tables_of_linked_accounts_are_the_librarys_or_somebody_elses() {
    let external = || config().with_schema_mode(SchemaMode::External);
    let database = Database::new().await;
    let store = database.store().await;
    let tables = OLDER.chosen();
    let (users, _) = tables.split_once(';').expect("two statements");
    store.execute(users).await;
    let message = older::Users::connect(database.url(), external()).await.expect_err("a table is missing");
    assert!(
        message.to_string().contains("expected the table `oauth_account`, found none; run: CREATE TABLE"),
        "{message}"
    );
    assert!(store.tables().await.iter().all(|table| !table.contains("oauth")));

    let database = Database::new().await;
    let store = database.store().await;
    store.execute(FITTING.chosen()).await;
    plain::Users::connect(database.url(), external()).await.expect("the library makes its own tables");
    assert!(store.tables().await.contains(&"users_oauth_accounts".to_owned()));
}
