//! The application's part in each step: what it is shown, and what becomes of the step when it refuses or fails.

use serde_json::{Value, json};
use users_tests::{Answer, App, Client, Kind, OTHER_PASSWORD, PASSWORD, apps::HOOK_HEADER, each_backend};

use crate::help::{app_with, assert_no_credential};

const EMAIL: &str = "ada@example.com";

/// The client with an order to the hooks.
fn ordered(client: &Client, order: &str) -> Client {
    client.with_header(HOOK_HEADER, order)
}

/// Fails unless a hook refused this.
#[track_caller]
fn assert_vetoed(answer: Answer, step: &str) {
    assert_no_credential(&answer);
    let answer = answer.expect(403, "vetoed");
    assert_eq!(answer.json()["detail"], format!("no {step} today"));
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

/// Fails unless a hook broke, of which the answer says nothing.
#[track_caller]
fn assert_broken(answer: Answer) {
    assert_no_credential(&answer);
    let answer = answer.expect(500, "internal");
    assert!(!answer.text.contains("hook"), "{}", answer.text);
}

/// The steps that hooks wrote down, with the requests that they were shown.
async fn notes(app: &App) -> Vec<(String, String)> {
    app.query("SELECT step, request FROM hook_notes ORDER BY number").rows().await
}

fn note(step: &str, request: &str) -> (String, String) {
    (step.to_owned(), request.to_owned())
}

each_backend!(every_step_is_shown_its_request, |app| async move {
    let client = app.user(EMAIL).await;
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    client.patch("/users/me", &body).await.expect(200, "");
    app.mailbox.nth(EMAIL, 2).await;
    client.forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 3).await;
    client.reset(&token, PASSWORD).await.expect(201, "");
    assert_eq!(
        notes(&app).await,
        [
            note("after_register", "POST /register"),
            note("after_verify", "POST /verify"),
            note("after_password_change", "PATCH /users/me"),
            note("after_password_change", "POST /reset-password"),
        ]
    );
    assert_eq!(app.count("SELECT COUNT(DISTINCT user_id) FROM hook_notes").await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes h JOIN users u ON u.id = h.user_id").await, 4);
    assert_eq!(app.count("SELECT login_count FROM users").await, 1);
});

#[tokio::test]
async fn before_register_may_change_the_registration() {
    let app = App::start(Kind::Session).await;
    let answer = ordered(&app.client(), "rename").register(EMAIL, PASSWORD).await.expect(201, "");
    assert_eq!(answer.json()["display_name"], "renamed by a hook");
    let answer =
        ordered(&app.client(), "readdress").register("x@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(answer.json()["email"], "Hooked@Example.com");
    app.mailbox.nth("Hooked@Example.com", 1).await;
    // The address in its new form is what is unique.
    app.client().register("hooked@example.com", PASSWORD).await.expect(409, "identifier_taken");
    app.client().register("x@example.com", PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn what_before_register_changed_keeps_the_rules() {
    let app = App::start(Kind::Session).await;
    let answer =
        ordered(&app.client(), "spoil").register(EMAIL, PASSWORD).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["display_name: too_short"]);
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn a_registration_that_breaks_rules_never_comes_to_the_hook() {
    let app = App::start(Kind::Session).await;
    let client = ordered(&app.client(), "veto:before_register");
    client.register(EMAIL, "short").await.expect(422, "validation_failed");
}

each_backend!(a_registration_can_be_refused_or_fail_as_a_whole, |app| async move {
    for step in ["before_register", "after_register"] {
        let client = ordered(&app.client(), &format!("veto:{step}"));
        assert_vetoed(client.register(EMAIL, PASSWORD).await, step);
        let client = ordered(&app.client(), &format!("break:{step}"));
        assert_broken(client.register(EMAIL, PASSWORD).await);
    }
    // Neither the user, nor what the hook itself wrote, nor the promise of a mail is there.
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_outbox").await, 0);
    assert_eq!(app.mailbox.settled(EMAIL).await, 0);
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
});

each_backend!(a_login_can_be_refused_or_fail_as_a_whole, |app| async move {
    app.verified(EMAIL).await;
    for step in ["before_login", "after_login"] {
        let client = ordered(&app.client(), &format!("veto:{step}"));
        assert_vetoed(client.log_in(EMAIL, PASSWORD).await, step);
        client.me().await.expect(401, "unauthenticated");
        let client = ordered(&app.client(), &format!("break:{step}"));
        assert_broken(client.log_in(EMAIL, PASSWORD).await);
        client.me().await.expect(401, "unauthenticated");
    }
    assert_eq!(app.count("SELECT login_count FROM users").await, 0);
    assert_eq!(app.sessions().await, 0);
    let answer = app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
    // What the hook wrote is in the answer.
    assert_eq!(answer.json()["login_count"], 1);
});

#[tokio::test]
async fn a_login_is_refused_for_its_password_before_a_hook_is_asked() {
    let app = App::start(Kind::Session).await;
    app.verified(EMAIL).await;
    for order in ["veto:before_login", "break:before_login"] {
        let client = ordered(&app.client(), order);
        client.log_in(EMAIL, "a wrong sentence").await.expect(401, "bad_credentials");
        client.log_in("nobody@example.com", PASSWORD).await.expect(401, "bad_credentials");
    }
}

each_backend!(a_login_that_fails_leaves_the_credential_that_there_was, |app| async move {
    let ada = app.user(EMAIL).await;
    for order in ["veto:before_login", "break:before_login", "veto:after_login", "break:after_login"] {
        let answer = ordered(&ada, order).log_in(EMAIL, PASSWORD).await;
        assert!(answer.status.as_u16() >= 400, "{}", answer.text);
        ada.me().await.expect(200, "");
    }
    assert_eq!(app.sessions().await, 1);
});

each_backend!(a_verification_can_be_refused_or_fail_as_a_whole, |app| async move {
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    for step in ["before_verify", "after_verify"] {
        assert_vetoed(ordered(&app.client(), &format!("veto:{step}")).verify(&token).await, step);
        assert_broken(ordered(&app.client(), &format!("break:{step}")).verify(&token).await);
        app.client().log_in(EMAIL, PASSWORD).await.expect(403, "not_verified");
    }
    assert_eq!(notes(&app).await, [note("after_register", "POST /register")]);
    // The token is as good as before.
    app.client().verify(&token).await.expect(201, "");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verification_that_fails_ends_no_session() {
    for kind in Kind::ALL {
        let app = app_with(kind, |config| config.with_required_verification(false)).await;
        let ada = app.client();
        ada.register(EMAIL, PASSWORD).await.expect(201, "");
        ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
        let token = app.mailbox.token(EMAIL, 1).await;
        assert_broken(ordered(&app.client(), "break:after_verify").verify(&token).await);
        ada.me().await.expect(200, "");
    }
}

each_backend!(a_reset_can_be_refused_or_fail_as_a_whole, |app| async move {
    let ada = app.user(EMAIL).await;
    app.client().forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 2).await;
    for step in ["before_password_change", "after_password_change"] {
        let client = ordered(&app.client(), &format!("veto:{step}"));
        assert_vetoed(client.reset(&token, OTHER_PASSWORD).await, step);
        let client = ordered(&app.client(), &format!("break:{step}"));
        assert_broken(client.reset(&token, OTHER_PASSWORD).await);
        app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(401, "bad_credentials");
        ada.me().await.expect(200, "");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes WHERE step = 'after_password_change'").await, 0);
    assert_eq!(app.mailbox.settled(EMAIL).await, 2);
    app.client().reset(&token, OTHER_PASSWORD).await.expect(201, "");
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
});

each_backend!(a_change_of_password_can_be_refused_or_fail_as_a_whole, |app| async move {
    let ada = app.user(EMAIL).await;
    let two = app.client();
    two.log_in(EMAIL, PASSWORD).await.expect(201, "");
    let body = json!({
        "email": "countess@example.com",
        "display_name": "Ada",
        "password": OTHER_PASSWORD,
        "current_password": PASSWORD
    });
    for step in ["before_password_change", "after_password_change"] {
        assert_vetoed(ordered(&ada, &format!("veto:{step}")).patch("/users/me", &body).await, step);
        assert_broken(ordered(&ada, &format!("break:{step}")).patch("/users/me", &body).await);
        app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(401, "bad_credentials");
        two.me().await.expect(200, "");
        assert_eq!(ada.me().await.expect(200, "").json()["display_name"], Value::Null);
    }
    // No notice of a change that did not happen, and no mail that would confirm a part of it.
    assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes WHERE step = 'after_password_change'").await, 0);
    assert_eq!(app.mailbox.settled(EMAIL).await, 1);
    assert_eq!(app.mailbox.mails().len(), 1);
    ada.patch("/users/me", &body).await.expect(200, "");
});

#[tokio::test]
async fn a_change_that_is_not_of_the_password_asks_no_hook() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let client = ordered(&ada, "veto:before_password_change");
    client.patch("/users/me", &json!({"display_name": "Ada"})).await.expect(200, "");
}
