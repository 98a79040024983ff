//! `with_remember_me`: whether a login stays once the browser is closed.

use std::time::Duration;

use serde_json::{Value, json};
use users_tests::{Answer, App, Client, Kind, OTHER_PASSWORD, PASSWORD, now};

use crate::support::{Tokens, each_kind, in_database, set_cookies, with};

const EMAIL: &str = "ann@example.com";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn asked(kind: Kind) -> App {
    let app =
        App::start_with(kind, in_database(|config| config.with_remember_me(Duration::from_hours(2)))).await;
    app.verified(EMAIL).await;
    app
}

async fn log_in(client: &Client, remember: &Value) -> Answer {
    client.post("/login", &json!({"email": EMAIL, "password": PASSWORD, "remember": remember})).await
}

/// For how long the only session is good, in milliseconds.
async fn lifetime(app: &App) -> i64 {
    let ends: Vec<i64> = app.query("SELECT expires_at FROM users_sessions").values().await;
    assert_eq!(ends.len(), 1);
    ends[0] - now()
}

/// Asserts that every cookie of an answer stays, or that none does.
#[track_caller]
fn assert_kept(kind: Kind, answer: &Answer, kept: bool) {
    let cookies = set_cookies(answer);
    assert_eq!(cookies.is_empty(), !kind.is_cookie(), "{cookies:?}");
    for cookie in cookies {
        assert_eq!(cookie.contains("Max-Age="), kept, "{cookie}");
        assert!(!cookie.contains("Expires="), "{cookie}");
    }
}

each_kind!(all, s20_a_login_that_is_not_remembered_ends_with_the_browser, |kind| async move {
    let app = asked(kind).await;
    let client = app.client();
    for remember in [None, Some(false)] {
        let answer = match remember {
            None => client.log_in(EMAIL, PASSWORD).await,
            Some(remember) => log_in(&client, &json!(remember)).await,
        };
        assert_kept(kind, &answer.expect(201, ""), false);
        let left = lifetime(&app).await;
        assert!((HOUR..=2 * HOUR).contains(&left), "{left}");
        client.me().await.expect(200, "");
    }
    assert_kept(kind, &log_in(&client, &json!(true)).await.expect(201, ""), true);
    let left = lifetime(&app).await;
    assert!((29 * DAY..=30 * DAY).contains(&left), "{left}");
    client.me().await.expect(200, "");
});

each_kind!(all, s51_remember_is_a_field_where_it_is_asked_alone, |kind| async move {
    let app = App::start(kind).await;
    app.verified(EMAIL).await;
    for remember in [true, false] {
        let answer = log_in(&app.client(), &json!(remember)).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["remember: unknown_field"], "{}", answer.text);
    }
    let answer = app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
    assert_kept(kind, &answer, true);

    let app = asked(kind).await;
    for wrong in [json!("true"), json!(1), json!(0), json!(null), json!([]), json!({}), json!([true])] {
        let answer = log_in(&app.client(), &wrong).await.expect(422, "validation_failed");
        assert!(answer.fields()[0].starts_with("remember: "), "{wrong}: {}", answer.text);
    }
    for text in [
        format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}","remember":true,"remember":false}}"#),
        format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}","remember":true,"Remember":true}}"#),
        format!(r#"{{"email":"{EMAIL}","remember":true}}"#),
    ] {
        let client = app.client();
        let request = client.request("POST", "/login").header("content-type", "application/json");
        client.send(request.body(text)).await.expect(422, "validation_failed");
    }
    // Its place in the body is no matter.
    let text = format!(r#"{{"remember":true,"password":"{PASSWORD}","email":"{EMAIL}"}}"#);
    let client = app.client();
    let request = client.request("POST", "/login").header("content-type", "application/json");
    assert_kept(kind, &client.send(request.body(text)).await.expect(201, ""), true);
});

each_kind!(all, a_new_password_keeps_what_was_chosen, |kind| async move {
    let app = asked(kind).await;
    let client = app.client();
    let (mut old, mut new) = (PASSWORD, OTHER_PASSWORD);
    for remember in [false, true] {
        let body = json!({"email": EMAIL, "password": old, "remember": remember});
        client.post("/login", &body).await.expect(201, "");
        let body = json!({"password": new, "current_password": old});
        let answer = client.patch("/users/me", &body).await.expect(200, "");
        assert_kept(kind, &answer, remember);
        client.me().await.expect(200, "");
        let left = lifetime(&app).await;
        assert_eq!(left > 2 * HOUR, remember, "{left}");
        (old, new) = (new, old);
    }
});

#[tokio::test]
async fn a_refreshed_cookie_keeps_what_was_chosen() {
    let app = asked(Kind::JwtCookie).await;
    let client = app.client();
    for remember in [false, true] {
        log_in(&client, &json!(remember)).await.expect(201, "");
        for _ in 0..2 {
            let answer = client.send(client.request("POST", "/token/refresh")).await.expect(204, "");
            assert_eq!(set_cookies(&answer).len(), 2);
            assert_kept(Kind::JwtCookie, &answer, remember);
        }
        let left = lifetime(&app).await;
        assert_eq!(left > 2 * HOUR, remember, "{left}");
        client.me().await.expect(200, "");
    }
}

each_kind!(tokens, a_form_is_not_asked_and_its_tokens_stay, |kind| async move {
    let app = asked(kind).await;
    Tokens::for_password(&app.client(), EMAIL).await;
    let left = lifetime(&app).await;
    assert!(left > 29 * DAY, "{left}");
});

each_kind!(all, s20_every_store_ends_a_login_that_is_not_remembered, |kind| async move {
    let options = with(|config| config.with_remember_me(Duration::from_millis(1_500)));
    let app = App::start_with(kind, options).await;
    app.verified(EMAIL).await;
    let (short, long) = (app.client(), app.client());
    log_in(&short, &json!(false)).await.expect(201, "");
    log_in(&long, &json!(true)).await.expect(201, "");
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    short.me().await.expect(401, "unauthenticated");
    long.me().await.expect(200, "");
});

#[tokio::test]
async fn s20_nothing_makes_it_longer_than_a_login_that_is_remembered() {
    let app = App::start_with(
        Kind::Session,
        in_database(|config| {
            let hour = Duration::from_hours(1);
            config.with_session_timeouts(hour, hour).with_remember_me(Duration::from_hours(48))
        }),
    )
    .await;
    app.verified(EMAIL).await;
    log_in(&app.client(), &json!(false)).await.expect(201, "");
    assert!(lifetime(&app).await <= HOUR);
}
