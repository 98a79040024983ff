//! What is recorded of an account's life, and what its user sees of it.

use serde_json::{Value, json};
use users_tests::{App, Client, Kind, OTHER_PASSWORD, PASSWORD, Statement, apps::HOOK_HEADER, each_backend};

use crate::help::until;

const EMAIL: &str = "ada@example.com";

/// Kinds and outcomes that are recorded, in their order.
async fn recorded(app: &App) -> Vec<String> {
    let events = app.query("SELECT kind, outcome FROM users_events ORDER BY id");
    let rows: Vec<(String, String)> = events.rows().await;
    rows.into_iter().map(|(kind, outcome)| format!("{kind} {outcome}")).collect()
}

fn count<'a>(app: &'a App, kind: &str) -> Statement<'a> {
    app.query("SELECT COUNT(*) FROM users_events WHERE kind = ?").bind(kind)
}

async fn own_events(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/users/me/events{query}")).await.expect(200, "");
    answer.json()["items"].as_array().cloned().expect("a list")
}

each_backend!(s59_the_life_of_an_account_is_recorded, |app| async move {
    let ada = app.user(EMAIL).await;
    let id = app.id_of(EMAIL).await.to_string();
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(401, "bad_credentials");
    app.client().log_in("nobody@example.com", PASSWORD).await.expect(401, "bad_credentials");
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    ada.patch("/users/me", &body).await.expect(200, "");
    ada.log_out().await.expect(201, "");
    let expected = [
        "registered success",
        "verified success",
        "login success",
        "login failure",
        "login failure",
        "password_changed success",
        "logout success",
    ];
    assert_eq!(recorded(&app).await, expected);
    // Who it was where somebody showed to be somebody, why not, and from where.
    let rows: Vec<(Option<String>, Option<String>, Option<String>)> = app
        .query("SELECT user_id, address, detail FROM users_events WHERE kind = ? ORDER BY id")
        .bind("login")
        .rows()
        .await;
    let users: Vec<_> = rows.iter().map(|row| row.0.as_deref()).collect();
    assert_eq!(users, [Some(id.as_str()), Some(id.as_str()), None]);
    assert!(rows.iter().all(|row| row.1.as_deref() == Some("127.0.0.1")), "{rows:?}");
    let reasons: Vec<_> = rows.iter().map(|row| row.2.as_deref()).collect();
    assert_eq!(
        reasons,
        [None, Some(r#"{"reason":"wrong_password"}"#), Some(r#"{"reason":"unknown_account"}"#)]
    );
});

#[tokio::test]
async fn s59_what_was_typed_for_an_account_that_is_none_is_nowhere() {
    let app = App::in_database(Kind::Session).await;
    // People type a password into the wrong field.
    app.client().log_in(OTHER_PASSWORD, PASSWORD).await.expect(401, "bad_credentials");
    app.client().log_in("typed-by-mistake@example.com", PASSWORD).await.expect(401, "bad_credentials");
    assert_eq!(recorded(&app).await, ["login failure", "login failure"]);
    let contents = app.contents().await;
    for text in [OTHER_PASSWORD, PASSWORD, "typed-by-mistake"] {
        assert!(!contents.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}

each_backend!(s59_users_see_what_happened_to_their_own_account, |app| async move {
    let ada = app.user(EMAIL).await;
    let grace = app.user("grace@example.com").await;
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(401, "bad_credentials");
    let events = own_events(&ada, "").await;
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().expect("a word")).collect();
    assert_eq!(kinds, ["login", "login", "verified", "registered"]);
    assert_eq!(events[0]["outcome"], "failure");
    assert_eq!(events[0]["address"], "127.0.0.1");
    let keys: Vec<_> = events[0].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert_eq!(own_events(&grace, "").await.len(), 3);
    assert_eq!(own_events(&ada, "?kind=verified").await.len(), 1);
    app.client().get("/users/me/events").await.expect(401, "unauthenticated");
});

#[tokio::test]
async fn events_come_in_pages() {
    let app = App::start(Kind::Session).await;
    let (ada, grace) = (app.user(EMAIL).await, app.user("grace@example.com").await);
    let first = ada.get("/users/me/events?limit=2").await.expect(200, "").json();
    assert_eq!((first["items"].as_array().map(Vec::len), &first["limit"]), (Some(2), &json!(2)));
    let next = first["next"].as_str().expect("another page");
    let path = format!("/users/me/events?limit=2&after={next}");
    let second = ada.get(&path).await.expect(200, "").json();
    assert_eq!((second["items"].as_array().map(Vec::len), &second["next"]), (Some(1), &Value::Null));
    assert_eq!(second["items"][0]["kind"], "registered");
    // A cursor is good for the list that gave it.
    let answer = grace.get(&path).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["after: invalid_cursor"]);
    for (query, field) in [
        ("limit=0", "limit: out_of_range"),
        ("limit=101", "limit: out_of_range"),
        ("after=x", "after: invalid_cursor"),
        ("kind=unheard_of", "kind: unknown_kind"),
        ("user=1", "user: unknown_field"),
        ("limit=1&limit=1", "limit: duplicate_field"),
    ] {
        let answer = ada.get(&format!("/users/me/events?{query}")).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{query}");
    }
}

each_backend!(s60_a_password_change_that_fails_leaves_no_row_no_event_and_no_mail, |app| async move {
    let ada = app.user(EMAIL).await;
    let before = recorded(&app).await;
    let broken = ada.with_header(HOOK_HEADER, "break:after_password_change");
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    broken.patch("/users/me", &body).await.expect(500, "internal");
    assert_eq!(recorded(&app).await, before);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_outbox").await, 0);
    assert_eq!(app.mailbox.settled(EMAIL).await, 1);
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
});

#[tokio::test]
async fn s60_a_reset_that_fails_leaves_no_event_and_the_token() {
    let app = App::start(Kind::Session).await;
    app.user(EMAIL).await;
    app.client().forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 2).await;
    let broken = app.client().with_header(HOOK_HEADER, "break:after_password_change");
    broken.reset(&token, OTHER_PASSWORD).await.expect(500, "internal");
    assert_eq!(count(&app, "password_reset").count().await, 0);
    app.client().reset(&token, OTHER_PASSWORD).await.expect(201, "");
    assert_eq!(count(&app, "password_reset").count().await, 1);
}

#[tokio::test]
async fn s59_a_mail_that_is_asked_for_is_recorded_for_whom_it_is() {
    let app = App::start(Kind::Session).await;
    app.user(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        app.client().forgot(email).await.expect(201, "");
    }
    app.mailbox.token(EMAIL, 2).await;
    until(count(&app, "password_reset_requested"), 1).await;
    let row: Vec<(Option<String>, Option<String>)> = app
        .query("SELECT user_id, address FROM users_events WHERE kind = ?")
        .bind("password_reset_requested")
        .rows()
        .await;
    let id = app.id_of(EMAIL).await.to_string();
    assert_eq!(row, [(Some(id), Some("127.0.0.1".to_owned()))]);
}

each_backend!(s59_a_login_that_a_hook_refuses_is_recorded, |app| async move {
    app.verified(EMAIL).await;
    for step in ["before_login", "after_login"] {
        let vetoed = app.client().with_header(HOOK_HEADER, &format!("veto:{step}"));
        vetoed.log_in(EMAIL, PASSWORD).await.expect(403, "vetoed");
    }
    assert_eq!(recorded(&app).await[2..], ["login refused", "login refused"]);
});

#[tokio::test]
async fn s59_whoever_guesses_at_an_open_session_is_recorded() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let body = json!({"password": OTHER_PASSWORD, "current_password": "a wrong guess of it"});
    ada.patch("/users/me", &body).await.expect(403, "current_password_wrong");
    assert_eq!(recorded(&app).await[3..], ["reauthentication failure"]);
}

#[tokio::test]
async fn s59_events_are_forgotten_when_their_time_is_over() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    app.execute("UPDATE users_events SET occurred_at = occurred_at - 31622400000 WHERE kind = 'verified'")
        .await;
    let _node = app.another_node().await;
    until(count(&app, "verified"), 0).await;
    assert_eq!(count(&app, "registered").count().await, 1);
}

#[tokio::test]
async fn s59_a_program_carries_events_elsewhere_once_they_are_settled() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let node = app.another_node().await;
    assert!(node.events_after(0, 10).await.expect("it answers").is_empty(), "they are younger than a minute");
    app.execute("UPDATE users_events SET occurred_at = occurred_at - 120000").await;
    let first = node.events_after(0, 1).await.expect("it answers");
    assert_eq!(first.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["registered"]);
    let rest = node.events_after(first[0].id, 10).await.expect("it answers");
    assert_eq!(rest.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["verified"]);
}
