//! What happens when the database, a store or the time of the machine runs out: closed, and silent about why.

use std::{
    sync::{Mutex, mpsc},
    time::Duration,
};

use serde_json::{Value, json};
use users_runtime::{Config, PasswordScheme};
use users_tests::{
    Answer, App, Client, Database, Kind, OTHER_PASSWORD, On, Options, PASSWORD, Store, each_backend,
};

use crate::support::{Shelf, config, plain, registration, serve, with_shelf};

const TABLES: [&str; 5] =
    ["users", "users_sessions", "users_one_time_tokens", "users_outbox", "users_events"];

/// Takes the tables away, or brings them back.
async fn rename_tables(app: &App, gone: bool) {
    for table in TABLES {
        let (from, to) = if gone {
            (table.to_owned(), format!("gone_{table}"))
        } else {
            (format!("gone_{table}"), table.to_owned())
        };
        app.execute(&format!("ALTER TABLE {from} RENAME TO {to}")).await;
    }
}

/// Asserts a 503 that says nothing of its cause.
#[track_caller]
pub fn assert_unavailable(answer: Answer, app: Option<&App>) {
    let answer = answer.expect(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("authorization"));
    let expected = json!({
        "type": "urn:users:problem:unavailable",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "a service that this needs does not answer",
        "code": "unavailable",
    });
    assert_eq!(answer.json(), expected);
    let address = app.map(App::secret_address);
    for secret in ["SELECT", "table", "users_", "sqlite", "postgres", "mysql", "hunter2", PASSWORD]
        .into_iter()
        .chain(address.as_deref())
    {
        assert!(
            !answer.text.to_lowercase().contains(&secret.to_lowercase()) || secret == "users_",
            "{secret}"
        );
    }
}

/// Every route that has to ask the database, as a client with a credential and a body that is right.
async fn ask_everything(client: &Client) -> Vec<(&'static str, Answer)> {
    let token = "A".repeat(43);
    let mut answers = Vec::new();
    for path in [
        "/users/me",
        "/users/me/sessions",
        "/private",
        "/administration",
        "/feed",
        "/visitor",
        "/demanding",
        "/files/a/b",
    ] {
        answers.push((path, client.snapshot().get(path).await));
    }
    for (path, body) in [
        ("/login", json!({"email": "ada@example.com", "password": PASSWORD})),
        ("/login", json!({"email": "nobody@example.com", "password": PASSWORD})),
        ("/register", json!({"email": "new@example.com", "password": PASSWORD})),
        ("/logout", Value::Null),
        ("/verify", json!({"token": token})),
        ("/verify/resend", json!({"email": "ada@example.com"})),
        ("/forgot-password", json!({"email": "ada@example.com"})),
        ("/reset-password", json!({"token": token, "password": OTHER_PASSWORD})),
        ("/private", Value::Null),
    ] {
        answers.push((path, client.snapshot().post(path, &body).await));
    }
    answers.push(("PATCH", client.snapshot().patch("/users/me", &json!({"age": 31})).await));
    answers.push((
        "DELETE",
        client.snapshot().delete("/users/me", &json!({"current_password": PASSWORD})).await,
    ));
    for path in ["/users/me/sessions", "/users/me/sessions/x"] {
        answers.push((path, client.snapshot().delete(path, &Value::Null).await));
    }
    answers
}

each_backend!(s58_without_its_tables_everything_is_closed, |app| async move {
    let client = app.user("ada@example.com").await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let answer = app.client().post("/login?response=token", &body).await.json();
    let refresh = match client.cookies().get("refresh") {
        Some(token) => json!(token),
        None => answer["refresh_token"].clone(),
    };
    rename_tables(&app, true).await;
    let mut answers = ask_everything(&client).await;
    if Kind::TOKENS.contains(&app.kind) {
        let form = format!("grant_type=password&username=ada@example.com&password={PASSWORD}");
        let form = client.request("POST", "/token").body(form.replace(' ', "+"));
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        answers.push(("/token", client.snapshot().send(form).await));
        let refresh = json!({"refresh_token": refresh});
        answers.push(("/token/refresh", client.snapshot().post("/token/refresh", &refresh).await));
    }
    for (path, answer) in answers {
        assert_eq!(answer.status, 503, "{path}: {}", answer.text);
        assert_unavailable(answer, Some(&app));
    }
    // Nobody needs the database to be nobody.
    let anonymous = app.client();
    assert_eq!(anonymous.get("/feed").await.expect(200, "").json()["anonymous"], true);
    anonymous.get("/private").await.expect(401, "unauthenticated");
    anonymous.get("/public/ping").await.expect(200, "");
    anonymous.get("/no/such/path").await.expect(404, "not_found");
    rename_tables(&app, false).await;
    client.me().await.expect(200, "");
});

/// An application over a pool that the test holds.
async fn over_pool() -> (Database, Store, Client) {
    let database = Database::in_memory().await;
    let store = database.store().await;
    let users = plain::Users::with_pool(store.clone(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let (client, _) = serve(plain::router(users).into_router()).await;
    client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    (database, store, client)
}

#[tokio::test]
async fn s58_a_closed_pool_closes_the_application() {
    let (_database, store, client) = over_pool().await;
    client.me().await.expect(200, "");
    store.close().await;
    assert_unavailable(client.me().await, None);
    assert_unavailable(client.fresh().log_in("ada@example.com", PASSWORD).await, None);
    client.fresh().me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn s58_a_database_that_is_none_any_more_closes_the_application() {
    let app = App::start(Kind::Session).await;
    let client = app.user("ada@example.com").await;
    client.me().await.expect(200, "");
    app.destroy_database().await;
    for path in ["/users/me", "/private", "/feed"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text);
        for secret in ["ada@example.com", "malformed", &app.secret_address()] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn s58_a_row_that_cannot_be_read_is_a_defect_and_no_way_in() {
    let app = App::in_database(Kind::Session).await;
    let client = app.user("ada@example.com").await;
    let unreadable = On {
        sqlite: "UPDATE users SET is_active = 'perhaps'",
        postgres: "ALTER TABLE users ALTER COLUMN is_active DROP NOT NULL; UPDATE users SET is_active = NULL",
        mysql: "ALTER TABLE users MODIFY is_active BOOLEAN NULL; UPDATE users SET is_active = NULL",
    };
    app.execute(unreadable.chosen()).await;
    for path in ["/users/me", "/private", "/feed"] {
        let answer = client.get(path).await.expect(500, "internal");
        assert_eq!(answer.json()["detail"], "an internal error");
        assert!(!answer.text.contains("is_active"));
    }
    app.execute("UPDATE users SET is_active = TRUE").await;
    app.query("UPDATE users_sessions SET fingerprint = ?").bind(vec![0]).execute().await;
    client.me().await.expect(500, "internal");
}

#[tokio::test]
async fn s58_a_store_that_fails_lets_nobody_in() {
    for kind in Kind::ALL {
        let shelf = Shelf::default();
        let app = with_shelf(kind, &shelf).await;
        let client = app.user("ada@example.com").await;
        shelf.break_down(true);
        for path in ["/users/me", "/users/me/sessions", "/private", "/feed", "/visitor", "/demanding"] {
            assert_unavailable(client.get(path).await, Some(&app));
        }
        assert_unavailable(client.snapshot().log_out().await, Some(&app));
        let stranger = app.client();
        assert_unavailable(stranger.log_in("ada@example.com", PASSWORD).await, Some(&app));
        assert_eq!(
            app.count("SELECT login_count FROM users").await,
            1,
            "a login without its session did not happen"
        );
        assert_eq!(stranger.get("/feed").await.expect(200, "").json()["anonymous"], true);
        stranger.me().await.expect(401, "unauthenticated");
        shelf.break_down(false);
        client.me().await.expect(200, "");
        cannot_end_sessions(&app, &shelf, &client).await;
    }
}

/// What cannot end the other sessions does not happen at all.
async fn cannot_end_sessions(app: &App, shelf: &Shelf, client: &Client) {
    shelf.keep_sessions(true);
    let before = hash(app).await;
    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    assert_unavailable(client.snapshot().patch("/users/me", &change).await, Some(app));
    let id = app.id_of("ada@example.com").await;
    app.admin.set_active(id, false).await.expect_err("the store fails");
    client.me().await.expect(200, "");
    let confirm = json!({"current_password": PASSWORD});
    assert_unavailable(client.snapshot().delete("/users/me", &confirm).await, Some(app));
    assert_unavailable(client.snapshot().delete("/users/me/sessions", &Value::Null).await, Some(app));
    assert_eq!(hash(app).await, before);
    shelf.keep_sessions(false);
    client.me().await.expect(200, "");
    client.snapshot().patch("/users/me", &change).await.expect(200, "");
    client.me().await.expect(401, "unauthenticated");
}

async fn hash(app: &App) -> String {
    app.query("SELECT password_hash FROM users").value().await
}

/// A scheme whose comparisons wait until the test lets them go, and fail.
struct Gate {
    begun: mpsc::SyncSender<()>,
    open: Mutex<mpsc::Receiver<()>>,
}

impl PasswordScheme for Gate {
    fn recognises(&self, stored: &str) -> bool {
        stored == "gate"
    }

    fn verify(&self, _password: &[u8], _stored: &str) -> bool {
        let _ = self.begun.send(());
        let _ = self.open.lock().expect("not poisoned").recv_timeout(Duration::from_secs(20));
        false
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_a_full_password_queue_is_503_for_passwords_alone() {
    let (begun, comparing) = mpsc::sync_channel(16);
    let (open, gate) = mpsc::channel();
    let scheme = Gate { begun, open: Mutex::new(gate) };
    let config = |config: Config| config.with_hash_pool(1, 1).with_scheme(scheme);
    let app =
        App::start_with(Kind::Session, Options { config: Box::new(config), ..Options::default() }).await;
    let ben = app.user("ben@example.com").await;
    app.verified("ada@example.com").await;
    app.execute("UPDATE users SET password_hash = 'gate' WHERE email = 'ada@example.com'").await;

    let mut waiting = tokio::task::JoinSet::new();
    let log_in = |client: Client| async move { client.log_in("ada@example.com", PASSWORD).await };
    waiting.spawn(log_in(app.client()));
    let begun = tokio::task::spawn_blocking(move || {
        comparing.recv_timeout(Duration::from_secs(20)).expect("the comparison begins");
        comparing
    });
    let _comparing = begun.await.expect("no panic");
    // One is being compared, and of these one waits for it; the others are told to come back.
    for _ in 0..5 {
        waiting.spawn(log_in(app.client()));
    }
    for _ in 0..4 {
        let answer =
            waiting.join_next().await.expect("an answer").expect("no panic").expect(503, "overloaded");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    ben.me().await.expect(200, "");
    ben.get("/private").await.expect(200, "");
    ben.patch("/users/me", &json!({"age": 44})).await.expect(200, "");
    app.client().get("/feed").await.expect(200, "");
    app.client().forgot("ben@example.com").await.expect(201, "");
    for answer in [
        app.client().log_in("nobody@example.com", PASSWORD).await,
        app.client().register("new@example.com", PASSWORD).await,
        ben.patch("/users/me", &json!({"password": OTHER_PASSWORD, "current_password": PASSWORD})).await,
        ben.delete("/users/me", &json!({"current_password": PASSWORD})).await,
    ] {
        assert_eq!(answer.expect(503, "overloaded").header("retry-after"), "1");
    }
    for _ in 0..2 {
        open.send(()).expect("the gate");
    }
    while let Some(answer) = waiting.join_next().await {
        answer.expect("no panic").expect(401, "bad_credentials");
    }
    app.client().log_in("ben@example.com", PASSWORD).await.expect(201, "");
}
