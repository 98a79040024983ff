//! Group `password_reset`.

use std::time::Duration;

use serde_json::json;
use users_tests::{App, Kind, OTHER_PASSWORD, PASSWORD, each_backend};

use crate::help::{app_with, assert_no_credential, at_once, statuses, tokens_expire_in};

const EMAIL: &str = "ada@example.com";

/// The token of a reset mail for a user who has had this many mails.
async fn reset_token(app: &App, email: &str, mails: usize) -> String {
    app.client().forgot(email).await.expect(201, "");
    app.mailbox.token(email, mails + 1).await
}

each_backend!(a_reset_answers_201_and_replaces_the_password, |app| async move {
    app.verified(EMAIL).await;
    let client = app.client();
    let forgot = client.forgot(EMAIL).await.expect(201, "");
    assert_eq!(forgot.text, "");
    let token = app.mailbox.token(EMAIL, 2).await;
    let reset = client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    assert_eq!(reset.text, "");
    client.log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    client.log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
    client.me().await.expect(200, "");
});

each_backend!(s36_a_reset_logs_nobody_in, |app| async move {
    app.verified(EMAIL).await;
    let client = app.client();
    let answer = client.forgot(EMAIL).await.expect(201, "");
    assert_no_credential(&answer);
    let token = app.mailbox.token(EMAIL, 2).await;
    let answer = client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    assert_no_credential(&answer);
    client.me().await.expect(401, "unauthenticated");
});

each_backend!(s22_a_reset_ends_every_session_and_token, |app| async move {
    let one = app.user(EMAIL).await;
    let two = app.client();
    two.log_in(EMAIL, PASSWORD).await.expect(201, "");
    let other = app.user("grace@example.com").await;
    let token = reset_token(&app, EMAIL, 1).await;
    // Even the one whose owner asks for it, and nothing dies before.
    one.me().await.expect(200, "");
    one.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    one.me().await.expect(401, "unauthenticated");
    two.me().await.expect(401, "unauthenticated");
    other.me().await.expect(200, "");
    // What can be deleted is, and not left to its fingerprint.
    assert_eq!(app.sessions().await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_one_time_tokens").await, 0);
});

each_backend!(a_token_that_is_no_good_is_400, |app| async move {
    app.verified(EMAIL).await;
    let client = app.client();
    let token = reset_token(&app, EMAIL, 1).await;
    for token in ["", "x", &"A".repeat(43), &format!("{token}="), &token.to_ascii_uppercase()] {
        client.reset(token, OTHER_PASSWORD).await.expect(400, "token_invalid");
    }
    client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    client.reset(&token, "a third sentence of words").await.expect(400, "token_invalid");
    client.log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
});

#[tokio::test]
async fn a_body_without_the_fields_is_422() {
    let app = App::start(Kind::Jwt).await;
    let client = app.client();
    for (path, body, field) in [
        ("/forgot-password", json!({}), "email: required"),
        ("/forgot-password", json!({"email": 1}), "email: invalid_type"),
        ("/forgot-password", json!({"email": EMAIL, "url": "x"}), "url: unknown_field"),
        ("/reset-password", json!({"token": "x"}), "password: required"),
        ("/reset-password", json!({"password": PASSWORD}), "token: required"),
        ("/reset-password", json!({"token": "x", "password": 1}), "password: invalid_type"),
        (
            "/reset-password",
            json!({"token": "x", "password": PASSWORD, "email": EMAIL}),
            "email: unknown_field",
        ),
    ] {
        let answer = client.post(path, &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{path} {body}");
    }
}

#[tokio::test]
async fn a_refused_password_leaves_the_token_for_another_try() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    let answer = app.client().reset(&token, "short").await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["password: password_too_short"]);
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
    app.client().reset(&token, OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s23_a_deactivated_account_gets_no_mail_and_redeems_no_token() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    app.execute("UPDATE users SET is_active = FALSE").await;
    app.client().reset(&token, OTHER_PASSWORD).await.expect(400, "token_invalid");
    app.client().forgot(EMAIL).await.expect(201, "");
    assert_eq!(app.mailbox.settled(EMAIL).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s32_of_twenty_redemptions_of_one_token_at_once_one_succeeds() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    let passwords: Vec<_> = (0..20).map(|index| format!("sentence number {index} of many")).collect();
    let answers = at_once(20, |index| {
        let (client, token, password) = (app.client(), token.clone(), passwords[index].clone());
        async move { client.reset(&token, &password).await }
    })
    .await;
    assert_eq!(statuses(&answers), [(201, 1), (400, 19)].into());
    let winner = answers.iter().position(|answer| answer.status == 201).expect("one of them");
    app.client().log_in(EMAIL, &passwords[winner]).await.expect(201, "");
    let steps = "SELECT COUNT(*) FROM hook_notes WHERE step = 'after_password_change'";
    assert_eq!(app.count(steps).await, 1);
}

#[tokio::test]
async fn s32_a_token_dies_when_the_password_is_changed_otherwise() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    ada.patch("/users/me", &body).await.expect(200, "");
    app.client().reset(&token, "a third sentence of words").await.expect(400, "token_invalid");
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s33_a_newer_token_invalidates_the_older() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let old = reset_token(&app, EMAIL, 1).await;
    let new = reset_token(&app, EMAIL, 2).await;
    assert_ne!(old, new);
    app.client().reset(&old, OTHER_PASSWORD).await.expect(400, "token_invalid");
    app.client().reset(&new, OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s33_a_token_lives_for_an_hour_and_not_longer() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    assert_eq!(app.count("SELECT expires_at - issued_at FROM users_one_time_tokens").await, 3600 * 1000);
    let text = app.mailbox.nth(EMAIL, 2).await.text;
    assert!(text.contains("1 hour"), "{text}");
    tokens_expire_in(&app, 0).await;
    app.client().reset(&token, OTHER_PASSWORD).await.expect(400, "token_invalid");
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
    tokens_expire_in(&app, 60_000).await;
    app.client().reset(&token, OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s33_the_lifetime_is_configurable() {
    let config = |config: users_runtime::Config| {
        config.with_link_lifetimes(Duration::from_mins(1), Duration::from_millis(700))
    };
    let app = app_with(Kind::Session, config).await;
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    tokio::time::sleep(Duration::from_millis(701)).await;
    app.client().reset(&token, OTHER_PASSWORD).await.expect(400, "token_invalid");
}

each_backend!(s34_opening_the_link_does_not_redeem_it, |app| async move {
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    let client = app.client();
    let body = json!({"token": token, "password": OTHER_PASSWORD});
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
        for path in ["/reset-password".to_owned(), format!("/reset-password?token={token}")] {
            let answer = client.send(client.request(method, &path).json(&body)).await;
            assert_eq!(answer.status.as_u16(), 405, "{method}");
            assert_eq!(answer.header("allow"), "POST", "{method}");
        }
    }
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
    client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
});

#[tokio::test]
async fn s60_a_reset_tells_the_account() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    let token = reset_token(&app, EMAIL, 1).await;
    app.client().reset(&token, OTHER_PASSWORD).await.expect(201, "");
    let mail = app.mailbox.nth(EMAIL, 3).await;
    assert!(!mail.text.contains("token="), "{}", mail.text);
    assert!(mail.subject.to_lowercase().contains("password"), "{}", mail.subject);
}
