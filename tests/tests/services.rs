//! The database servers of the tests: which answer, and what a test is given of one.

use std::{io::Write, time::Duration};

use sqlx::{Connection, MySqlConnection, PgConnection};
use users_runtime::{RedisStore, Store};
use users_tests::{Database, Engine, On, Storage, redis_url};
use uuid::Uuid;

/// Whether a server answers, and what it says if not.
async fn ask(engine: Engine) -> Result<(), sqlx::Error> {
    let url = engine.server().expect("a server");
    match engine {
        Engine::MySql => MySqlConnection::connect(url.as_str()).await?.ping().await,
        _ => PgConnection::connect(url.as_str()).await?.ping().await,
    }
}

/// Says that tests are left out, past the capture of the output of tests that pass.
fn left_out(what: &str, answers: bool, variable: &str) {
    let start = if answers { "" } else { "scripts/services && " };
    let notice = format!(
        "left out: the tests on {what}; run them with \
         `{start}{variable} cargo test -p users-tests --test access --test accounts --test logins --test management`\n"
    );
    std::io::stderr().write_all(notice.as_bytes()).expect("standard error");
}

fn is_required() -> bool {
    std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1")
}

#[tokio::test]
async fn servers_whose_tests_are_left_out_are_named() {
    for (engine, name, chosen) in
        [(Engine::Postgres, "PostgreSQL", "postgres"), (Engine::MySql, "MySQL or MariaDB", "mysql")]
    {
        let answer = ask(engine).await;
        if is_required() {
            answer.unwrap_or_else(|error| panic!("{name}: {error}; run `scripts/services`"));
        } else if Engine::chosen() == Engine::Sqlite {
            left_out(name, answer.is_ok(), &format!("TEST_DATABASE={chosen}"));
        }
    }
}

#[tokio::test]
async fn so_are_the_stores_of_sessions() {
    let redis = RedisStore::new(&redis_url()).expect("a URL").with_timeout(Duration::from_secs(10));
    let answer = redis.ping().await;
    if is_required() {
        answer.unwrap_or_else(|error| panic!("Redis: {error}; run `scripts/services`"));
    } else if Storage::chosen() == Storage::Database && Engine::chosen() == Engine::Sqlite {
        left_out("Redis", answer.is_ok(), "TEST_STORE=redis");
    }
}

const TABLE: On<&str> = On {
    sqlite: "CREATE TABLE things (id BLOB PRIMARY KEY, word TEXT, number INTEGER NOT NULL, raw BLOB)",
    postgres: "CREATE TABLE things (id UUID PRIMARY KEY, word TEXT, number BIGINT NOT NULL, raw BYTEA)",
    mysql: "CREATE TABLE things (id BINARY(16) PRIMARY KEY, word TEXT, number BIGINT NOT NULL, raw VARBINARY(9))",
};

#[tokio::test]
async fn a_test_has_a_database_of_its_own_in_which_statements_mean_the_same() {
    let (one, other) = (Database::new().await, Database::new().await);
    let store = one.store().await;
    store.execute(TABLE.chosen()).await;
    assert_eq!(store.tables().await, ["things"]);
    assert!(other.store().await.tables().await.is_empty());

    let id = Uuid::new_v4();
    let insert = "INSERT INTO things (id, word, number, raw) VALUES (?, '?', ?, ?), (?, ?, 2, NULL)";
    let insert = store.query(insert).bind(id).bind(1).bind(vec![0xff, 0]);
    assert_eq!(insert.bind(Uuid::nil()).bind("wörd").execute().await, 2);
    let rows = store.query("SELECT id, word, number FROM things ORDER BY number");
    let expected = [(id, "?".to_owned(), 1), (Uuid::nil(), "wörd".to_owned(), 2)];
    assert_eq!(rows.rows::<(Uuid, String, i64)>().await, expected);
    assert_eq!(store.count("SELECT SUM(number) FROM things").await, 3);
    let raw = store.query("SELECT raw FROM things WHERE number < ? AND word <> ?").bind(9).bind("x");
    assert_eq!(raw.values::<Option<Vec<u8>>>().await.into_iter().flatten().collect::<Vec<_>>(), [[0xff, 0]]);

    let contents = one.contents(&store).await;
    let holds = |part: &[u8]| contents.windows(part.len()).any(|window| window == part);
    assert!(holds("wörd".as_bytes()) && holds(&[0xff, 0]) && !holds(b"nothing"));
    let before = store.definitions().await;
    store.execute("CREATE UNIQUE INDEX numbers ON things (number)").await;
    assert_ne!(store.definitions().await, before);
}

/// A transaction that is open when its test ends must not hold up the others.
#[tokio::test]
async fn a_database_goes_with_its_test_whatever_is_under_way() {
    let database = Database::new().await;
    let (url, store) = (database.url().to_owned(), database.store().await);
    store.execute(TABLE.chosen()).await;
    match Engine::chosen() {
        Engine::Sqlite => {
            drop(database);
            assert!(!std::path::Path::new(url.trim_start_matches("sqlite://")).exists());
        }
        Engine::Postgres => {
            let mut open = PgConnection::connect(&url).await.expect("it is there");
            sqlx::raw_sql("BEGIN; LOCK TABLE things").execute(&mut open).await.expect("a lock");
            drop(database);
            assert!(open.ping().await.is_err());
            let mut late = PgConnection::connect(&url).await.expect("the server is there");
            sqlx::raw_sql("SELECT 1 FROM things").execute(&mut late).await.expect_err("no such table");
        }
        Engine::MySql => {
            let mut open = MySqlConnection::connect(&url).await.expect("it is there");
            let lock = "START TRANSACTION; SELECT * FROM things";
            sqlx::raw_sql(lock).execute(&mut open).await.expect("a lock");
            drop(database);
            assert!(open.ping().await.is_err());
            MySqlConnection::connect(&url).await.expect_err("no such database");
        }
    }
}
