//! The tables: made once, checked against the struct, and never taken back to an older version.

use sqlx::{AssertSqlSafe, SqlitePool};
use users_runtime::Error;
use users_tests::PASSWORD;

use crate::support::{Place, config, plain, registration, serve};

async fn pool(place: &Place) -> SqlitePool {
    SqlitePool::connect(&format!("{}?mode=rwc", place.url())).await.expect("a database file")
}

async fn execute(pool: &SqlitePool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.expect("a statement that works");
}

/// What a start says of a table that does not fit.
async fn complaint(table: &str) -> String {
    let place = Place::new();
    let pool = pool(&place).await;
    execute(&pool, table).await;
    let error = plain::Users::connect(&place.url(), config()).await.expect_err("it does not fit");
    assert!(matches!(error, Error::Schema(_)), "{error}");
    let own: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'users\\_%' ESCAPE '\\'")
            .fetch_one(&pool)
            .await
            .expect("a number");
    assert_eq!(own, 0, "a start that fails leaves nothing behind");
    error.to_string()
}

const FITTING: &str = "CREATE TABLE users (
    id BLOB PRIMARY KEY NOT NULL, email VARCHAR(320) NOT NULL, email_canonical TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL, is_active TINYINT NOT NULL, is_verified BOOLEAN NOT NULL, display_name TEXT,
    age INT NOT NULL, login_count BIGINT NOT NULL, noted TEXT, source TEXT NOT NULL DEFAULT 'import'
)";

async fn starts_and_works(place: &Place) {
    let users = plain::Users::connect(&place.url(), config()).await.expect("it fits");
    let (client, _) = serve(plain::router(users).into_router()).await;
    assert_eq!(
        client.log_in("ada@example.com", PASSWORD).await.expect(201, "").json()["email"],
        "ada@example.com"
    );
    client.me().await.expect(200, "");
}

async fn seed(place: &Place) {
    let users = plain::Users::connect(&place.url(), config()).await.expect("it fits");
    users.create_user(registration("ada@example.com")).await.expect("a user");
}

#[tokio::test]
async fn an_empty_database_gets_its_tables() {
    let place = Place::new();
    seed(&place).await;
    starts_and_works(&place).await;
}

#[tokio::test]
async fn a_table_of_the_users_own_fits_by_affinity_and_may_have_more_columns() {
    let place = Place::new();
    execute(&pool(&place).await, FITTING).await;
    seed(&place).await;
    starts_and_works(&place).await;
    let source: String = sqlx::query_scalar("SELECT source FROM users")
        .fetch_one(&pool(&place).await)
        .await
        .expect("the user");
    assert_eq!(source, "import");
}

#[tokio::test]
async fn every_difference_is_told_at_once_with_column_expected_and_found() {
    let message = complaint(
        "CREATE TABLE users (
            id TEXT, email TEXT, email_canonical TEXT NOT NULL, password_hash BLOB NOT NULL, is_active TEXT NOT NULL,
            display_name TEXT NOT NULL, age INTEGER NOT NULL, login_count TEXT NOT NULL, legacy TEXT NOT NULL
        )",
    )
    .await;
    let expected = "the table `users` does not fit the struct:\
        \n  - column `id`: expected BLOB, found TEXT\
        \n  - column `id`: expected the primary key, found an ordinary column\
        \n  - column `email`: expected NOT NULL, found a column that may be NULL\
        \n  - column `password_hash`: expected TEXT, found BLOB\
        \n  - column `is_active`: expected BOOLEAN, found TEXT\
        \n  - column `is_verified`: expected BOOLEAN NOT NULL, found no such column; \
        run: ALTER TABLE \"users\" ADD COLUMN \"is_verified\" BOOLEAN NOT NULL DEFAULT <value>\
        \n  - column `display_name`: expected a column that may be NULL, found NOT NULL\
        \n  - column `login_count`: expected INTEGER, found TEXT\
        \n  - column `legacy`: expected no column that must have a value and is not in the struct, found TEXT NOT NULL; \
        add it to the struct, or give it a DEFAULT\
        \n  - column `email_canonical`: expected a unique index, found none; \
        run: CREATE UNIQUE INDEX \"users_email_canonical\" ON \"users\" (email_canonical)";
    assert_eq!(message, expected);
}

#[tokio::test]
async fn the_canonical_identifier_is_unique_by_an_index_of_its_own() {
    for index in [
        "",
        "CREATE INDEX i ON users (email_canonical)",
        "CREATE UNIQUE INDEX i ON users (email_canonical, email)",
        "CREATE UNIQUE INDEX i ON users (email_canonical) WHERE is_active",
        "CREATE UNIQUE INDEX i ON users (email)",
    ] {
        let table = FITTING.replace(" UNIQUE", "");
        let message = complaint(&format!("{table};{index}")).await;
        assert!(
            message.contains("column `email_canonical`: expected a unique index, found none"),
            "{index}: {message}"
        );
        assert_eq!(message.lines().count(), 2, "{message}");
    }
    let place = Place::new();
    let table = FITTING.replace(" UNIQUE", "");
    execute(&pool(&place).await, &format!("{table}; CREATE UNIQUE INDEX i ON users (email_canonical)")).await;
    seed(&place).await;
}

#[tokio::test]
async fn the_remedy_in_a_message_is_one() {
    let place = Place::new();
    let pool = pool(&place).await;
    execute(&pool, &FITTING.replace(" display_name TEXT,", "")).await;
    let message =
        plain::Users::connect(&place.url(), config()).await.expect_err("a column is missing").to_string();
    let (_, remedy) = message.split_once("run: ").expect("a remedy");
    execute(&pool, remedy).await;
    seed(&place).await;
}

#[tokio::test]
async fn connecting_again_changes_nothing() {
    let place = Place::new();
    seed(&place).await;
    let pool = pool(&place).await;
    let schema = || async {
        let rows = sqlx::query_scalar("SELECT COALESCE(sql, name) FROM sqlite_master ORDER BY name");
        let schema: Vec<String> = rows.fetch_all(&pool).await.expect("the schema");
        let applied: Vec<i64> =
            sqlx::query_scalar("SELECT applied_at FROM users_migrations ORDER BY version")
                .fetch_all(&pool)
                .await
                .expect("the versions");
        (schema, applied)
    };
    let before = schema().await;
    assert!(!before.1.is_empty());
    for _ in 0..3 {
        starts_and_works(&place).await;
    }
    assert_eq!(schema().await, before);
    let users: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&pool).await.expect("a number");
    assert_eq!(users, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_migrate_once() {
    let place = Place::new();
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = place.url();
        starts.spawn(async move { plain::Users::connect(&url, config()).await.map(|_| ()) });
    }
    while let Some(start) = starts.join_next().await {
        start.expect("no panic").expect("each starts");
    }
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM users_migrations ORDER BY version")
        .fetch_all(&pool(&place).await)
        .await
        .expect("the versions");
    assert_eq!(versions, (1..).take(versions.len()).collect::<Vec<_>>());
    seed(&place).await;
    starts_and_works(&place).await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let place = Place::new();
    seed(&place).await;
    execute(&pool(&place).await, "INSERT INTO users_migrations (version, applied_at) VALUES (999, 0)").await;
    let error = plain::Users::connect(&place.url(), config()).await.expect_err("it is newer");
    assert!(matches!(error, Error::Schema(_)));
    let message = error.to_string();
    assert!(message.contains("at version 999") && message.contains("newer program"), "{message}");
}

#[tokio::test]
async fn a_url_of_no_known_database_says_what_to_write() {
    for url in ["", "app.db", "mongodb://localhost", "postgres://localhost/app"] {
        let error = plain::Users::connect(url, config()).await.expect_err("no such database");
        assert!(error.to_string().contains("sqlite://app.db"), "{url}: {error}");
    }
}
