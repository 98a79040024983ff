//! Server-sent events, which go on after the request was let in, and end with the login.

use std::time::Duration;

use reqwest::{Response, header};
use serde_json::json;
use users_tests::{Client, OTHER_PASSWORD, PASSWORD, each_backend};

use crate::support::{carriers, carrying};

/// A limit for what has to come: a machine under load takes its time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream of events that has begun.
async fn news(client: &Client, path: &str) -> Response {
    let mut response = client.request("GET", path).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(event(&mut response).await.as_deref(), Some("data: ada@example.com\n\n"));
    response
}

/// The next event; `None` at the end of the stream.
async fn event(response: &mut Response) -> Option<String> {
    let next = tokio::time::timeout(PATIENCE, response.chunk()).await.expect("an event in time");
    next.expect("a whole event").map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

async fn assert_ends(mut response: Response) {
    let mut events = 0;
    while event(&mut response).await.is_some() {
        events += 1;
        assert!(events < 500, "it does not end");
    }
}

each_backend!(events_are_for_who_is_logged_in, |app| async move {
    let client = app.user("ada@example.com").await;
    news(&client, "/news").await;
    app.client().get("/news").await.expect(401, "unauthenticated");
    carrying(&app, carriers(app.kind)[0], "junk").get("/news").await.expect(401, "unauthenticated");
    client.get("/administration/news").await.expect(403, "forbidden");
    // What a method asks about it is no more than what it answers.
    let stranger = app.client();
    for path in ["/news", "/administration/news"] {
        let head = stranger.send(stranger.request("HEAD", path)).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (401, ""));
    }
});

each_backend!(s21_events_end_after_the_logout, |app| async move {
    let client = app.user("ada@example.com").await;
    let elsewhere = app.client();
    elsewhere.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let (ending, mut other) = (news(&client, "/news").await, news(&elsewhere, "/news").await);
    client.log_out().await.expect(201, "");
    assert_ends(ending).await;
    for _ in 0..3 {
        assert!(event(&mut other).await.is_some());
    }
});

each_backend!(s23_events_end_when_the_account_does, |app| async move {
    let client = app.user("ada@example.com").await;
    let ending = news(&client, "/news").await;
    app.admin.set_active(app.id_of("ada@example.com").await, false).await.expect("it is there");
    assert_ends(ending).await;
});

each_backend!(s22_events_end_after_a_new_password, |app| async move {
    let client = app.user("ada@example.com").await;
    let ending = news(&client, "/news").await;
    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    client.patch("/users/me", &change).await.expect(200, "");
    assert_ends(ending).await;
    news(&client, "/news").await;
});

each_backend!(s25_events_behind_a_guard_end_with_the_role, |app| async move {
    let client = app.user("ada@example.com").await;
    let id = app.id_of("ada@example.com").await;
    // The last administrator would stay one.
    app.admin.grant(app.verified("ben@example.com").await, "administrator").await.expect("a role");
    app.admin.grant(id, "administrator").await.expect("a role");
    let ending = news(&client, "/administration/news").await;
    app.admin.withdraw(id, "administrator").await.expect("a role");
    assert_ends(ending).await;
    news(&client, "/news").await;
});

each_backend!(s58_events_end_when_nobody_can_tell_whose_they_are, |app| async move {
    let client = app.user("ada@example.com").await;
    let ending = news(&client, "/news").await;
    app.destroy_database().await;
    assert_ends(ending).await;
});
