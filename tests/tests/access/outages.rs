//! A database that hangs, dies, is locked or has no connection left below an application that serves: 503 in bounded time,
//! nobody let in meanwhile, and everything as before once it is back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};
use users_runtime::CurrentUser;
use users_tests::{
    Answer, Client, Database, Engine, On, PASSWORD,
    apps::User,
    relay::{Mode, Relay},
};

use crate::{
    failures::assert_unavailable,
    support::{config, plain, registration, serve},
};

const ADA: &str = "ada@example.com";

/// How long a request waits for a connection of the pool, and then for the answer to a statement: `PATIENCE` and `ANSWER`
/// of the library's `db`. The first of a request that gets no answer ends it.
const LIMIT: Duration = Duration::from_secs(5 + 10);

/// What a loaded machine adds.
const SLACK: Duration = Duration::from_secs(4);

/// After how long everything is as before: a connection that was cut off is asked and closed within `PATIENCE` each.
const RECOVERY: Duration = Duration::from_secs(5 + 5);

async fn feed(user: Option<CurrentUser<User>>) -> Json<Value> {
    Json(json!({ "anonymous": user.is_none() }))
}

/// Serves an application at this address of a database, to a client who is logged in.
async fn serve_at(url: &str) -> Client {
    serve_users(plain::Users::connect(url, config()).await.expect("it starts")).await
}

async fn serve_users(users: plain::Users) -> Client {
    users.create_user(registration(ADA)).await.expect("a user");
    let public = Router::new().route("/feed", get(feed));
    let (client, _) = serve(plain::router(users).public(public).into_router()).await;
    client.log_in(ADA, PASSWORD).await.expect(201, "");
    client
}

/// Every kind of request that needs the database, at the same time, by somebody who is logged in; each is answered in time.
async fn ask_everything(client: &Client) -> Vec<Answer> {
    let mut asked = JoinSet::new();
    for (method, path, body) in [
        ("GET", "/users/me", Value::Null),
        ("GET", "/feed", Value::Null),
        ("POST", "/login", json!({"email": ADA, "password": PASSWORD})),
        ("POST", "/login", json!({"email": "nobody@example.com", "password": PASSWORD})),
        ("PATCH", "/users/me", json!({"age": 31})),
        ("POST", "/logout", Value::Null),
        ("DELETE", "/users/me", json!({"current_password": PASSWORD})),
    ] {
        let client = client.snapshot();
        asked.spawn(async move {
            let begun = Instant::now();
            let answer = client.send(client.request(method, path).json(&body)).await;
            assert!(begun.elapsed() < LIMIT + SLACK, "{method} {path} took {:?}", begun.elapsed());
            answer
        });
    }
    asked.join_all().await
}

/// Closed, and silent about why; nobody needs the database to be nobody.
async fn assert_closed(client: &Client, database: &Database) {
    for answer in ask_everything(client).await {
        assert!(!answer.text.contains(&database.secret()), "{}", answer.text);
        assert_unavailable(answer, None);
    }
    let stranger = client.fresh();
    assert_eq!(stranger.get("/feed").await.expect(200, "").json()["anonymous"], true);
    stranger.me().await.expect(401, "unauthenticated");
}

/// Waits until requests are served again: as many at once as the pool has connections, and more.
async fn assert_back(client: &Client) {
    let begun = Instant::now();
    while client.me().await.status != 200 {
        assert!(begun.elapsed() < RECOVERY + SLACK, "it does not come back");
        sleep(Duration::from_millis(50)).await;
    }
    let mut asked = JoinSet::new();
    for _ in 0..12 {
        let client = client.snapshot();
        asked.spawn(async move { client.patch("/users/me", &json!({"age": 44})).await.expect(200, "") });
    }
    asked.join_all().await;
}

/// Whether the run is on a server. Nothing is between an application and a file.
fn is_on_server() -> bool {
    Engine::chosen() != Engine::Sqlite
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_a_database_that_hangs_is_503_in_time_and_comes_back() {
    if !is_on_server() {
        return;
    }
    let database = Database::new().await;
    let (relay, url) = Relay::before_url(database.url()).await;
    let client = serve_at(&url).await;
    assert_back(&client).await;
    relay.set(Mode::Hang);
    assert_closed(&client, &database).await;
    // The connections that hang stay dead, as when a firewall has forgotten them.
    relay.set(Mode::Pass);
    assert_back(&client).await;
}

/// Whoever waits for a while and leaves must not take a connection along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_clients_that_leave_a_database_that_hangs_take_no_connection_along() {
    if !is_on_server() {
        return;
    }
    let database = Database::new().await;
    let (relay, url) = Relay::before_url(database.url()).await;
    let client = serve_at(&url).await;
    assert_back(&client).await;
    relay.set(Mode::Hang);
    let mut leaving = JoinSet::new();
    for _ in 0..8 {
        let client = client.snapshot();
        leaving.spawn(async move {
            let request = client.request("GET", "/users/me").timeout(Duration::from_secs(1));
            request.send().await.expect_err("it hangs");
        });
    }
    leaving.join_all().await;
    relay.set(Mode::Pass);
    assert_back(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_a_database_that_dies_in_the_middle_of_a_change_keeps_nothing_of_it() {
    if !is_on_server() {
        return;
    }
    let database = Database::new().await;
    let (relay, url) = Relay::before_url(database.url()).await;
    let client = serve_at(&url).await;
    let store = database.store().await;
    let held = store.hold(LOCK.chosen()).await;
    let changing = client.snapshot();
    let change = tokio::spawn(async move { changing.patch("/users/me", &json!({"age": 77})).await });
    sleep(Duration::from_secs(1)).await;
    assert!(!change.is_finished(), "the statement waits for the lock");
    relay.set(Mode::Cut);
    assert_unavailable(change.await.expect("no panic"), None);
    assert_closed(&client, &database).await;
    drop(held);
    relay.set(Mode::Pass);
    let begun = Instant::now();
    let me = loop {
        let answer = client.me().await;
        if answer.status == 200 {
            break answer;
        }
        assert!(begun.elapsed() < RECOVERY + SLACK, "it does not come back");
    };
    assert_eq!(me.json()["age"], 30, "the change was rolled back");
    assert_back(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_nobody_is_anonymous_while_a_database_comes_and_goes() {
    if !is_on_server() {
        return;
    }
    let database = Database::new().await;
    let (relay, url) = Relay::before_url(database.url()).await;
    let client = serve_at(&url).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = JoinSet::new();
    for number in 0..6 {
        let (client, stop) = (client.snapshot(), Arc::clone(&stop));
        asking.spawn(async move {
            let (mut served, mut refused) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                let answer = client.get(if number % 2 == 0 { "/feed" } else { "/users/me" }).await;
                if answer.status == 200 {
                    assert_ne!(answer.json()["anonymous"], true, "somebody counted as nobody");
                    served += 1;
                } else {
                    assert_unavailable(answer, None);
                    refused += 1;
                }
            }
            (served, refused)
        });
    }
    for _ in 0..10 {
        relay.set(Mode::Cut);
        sleep(Duration::from_millis(150)).await;
        relay.set(Mode::Pass);
        sleep(Duration::from_millis(250)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for (served, refused) in asking.join_all().await {
        assert!(served > 0 && refused > 0, "{served} served, {refused} refused");
    }
    assert_back(&client).await;
}

/// What makes a change of an account wait, in a transaction that stays open.
const LOCK: On<&str> = On {
    sqlite: "UPDATE users SET login_count = login_count",
    postgres: "SELECT id FROM users FOR UPDATE",
    mysql: "SELECT id FROM users FOR UPDATE",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_a_database_that_somebody_else_locks_is_503_in_time() {
    let database = Database::new().await;
    let client = serve_at(database.url()).await;
    let store = database.store().await;
    let held = store.hold(LOCK.chosen()).await;
    let begun = Instant::now();
    assert_unavailable(client.patch("/users/me", &json!({"age": 77})).await, None);
    assert!(begun.elapsed() < LIMIT + SLACK, "{:?}", begun.elapsed());
    // Whoever only reads waits for nobody.
    let begun = Instant::now();
    assert_eq!(client.me().await.expect(200, "").json()["age"], 30);
    assert!(begun.elapsed() < SLACK, "{:?}", begun.elapsed());
    drop(held);
    assert_back(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_a_pool_without_a_connection_left_is_503_in_time() {
    let database = Database::in_memory().await;
    let patience = Duration::from_secs(1);
    let store = database.narrow(patience).await;
    let users = plain::Users::with_pool(store.clone(), config()).await.expect("it starts");
    let client = serve_users(users).await;
    let held = store.hold("SELECT 1").await;
    let begun = Instant::now();
    assert_closed(&client, &database).await;
    assert!(begun.elapsed() < patience + SLACK, "{:?}", begun.elapsed());
    drop(held);
    assert_back(&client).await;
}
