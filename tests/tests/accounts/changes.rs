//! `PATCH /users/me`: a new password and a new identifier.

use serde_json::{Value, json};
use users_tests::{Answer, App, Client, Kind, OTHER_PASSWORD, PASSWORD, each_backend};

use crate::help::{assert_no_credential, at_once, statuses, tokens_expire_in};

const EMAIL: &str = "ada@example.com";
const NEW_EMAIL: &str = "countess@example.com";

/// Changes the own account.
async fn change(client: &Client, body: Value) -> Answer {
    client.patch("/users/me", &body).await
}

/// Asks for another address; the token of the mail that confirms it.
async fn ask_for(app: &App, client: &Client, email: &str, mails: usize) -> String {
    let answer = change(client, json!({"email": email, "current_password": PASSWORD})).await.expect(200, "");
    assert_eq!(answer.json()["pending_identifier"], email);
    app.mailbox.token(email, mails + 1).await
}

each_backend!(s07_a_new_password_needs_the_current_one, |app| async move {
    let ada = app.user(EMAIL).await;
    let answer = change(&ada, json!({"password": OTHER_PASSWORD})).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["current_password: required"]);
    for wrong in [OTHER_PASSWORD, "", "Correct horse battery staple", "correct horse battery staple "] {
        let body = json!({"password": OTHER_PASSWORD, "current_password": wrong});
        let answer = change(&ada, body).await.expect(403, "current_password_wrong");
        assert_no_credential(&answer);
    }
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(401, "bad_credentials");
    change(&ada, json!({"password": OTHER_PASSWORD, "current_password": PASSWORD})).await.expect(200, "");
    app.client().log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
});

each_backend!(s07_a_new_identifier_needs_the_current_password, |app| async move {
    let ada = app.user(EMAIL).await;
    let answer = change(&ada, json!({"email": NEW_EMAIL})).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["current_password: required"]);
    let body = json!({"email": NEW_EMAIL, "current_password": OTHER_PASSWORD});
    change(&ada, body).await.expect(403, "current_password_wrong");
    assert_eq!(app.count("SELECT COUNT(*) FROM users_outbox").await, 0);
    assert_eq!(app.mailbox.settled(NEW_EMAIL).await, 0);
});

each_backend!(s22_a_new_password_ends_every_other_session_and_token, |app| async move {
    let one = app.user(EMAIL).await;
    let before = one.snapshot();
    let two = app.client();
    two.log_in(EMAIL, PASSWORD).await.expect(201, "");
    let other = app.user("grace@example.com").await;
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    change(&one, body).await.expect(200, "");
    // Whoever changed it goes on with a credential of its own; the one from before is dead like all others.
    one.me().await.expect(200, "");
    before.me().await.expect(401, "unauthenticated");
    two.me().await.expect(401, "unauthenticated");
    other.me().await.expect(200, "");
    // What can be deleted is, and not left to its fingerprint: the new one and the other user's stay.
    assert_eq!(app.sessions().await, 2);
});

each_backend!(what_is_no_credential_changes_without_a_password_and_ends_nothing, |app| async move {
    let one = app.user(EMAIL).await;
    let two = app.client();
    two.log_in(EMAIL, PASSWORD).await.expect(201, "");
    // An address that is the own one is no change.
    let answer =
        change(&one, json!({"display_name": "Ada", "age": 36, "email": EMAIL})).await.expect(200, "");
    assert_no_credential(&answer);
    assert_eq!(answer.json()["display_name"], "Ada");
    assert!(answer.json().get("pending_identifier").is_none(), "{}", answer.text);
    assert_eq!(one.me().await.expect(200, "").json()["age"], 36);
    two.me().await.expect(200, "");
    assert_eq!(app.mailbox.settled(EMAIL).await, 1);
});

each_backend!(a_change_needs_a_login, |app| async move {
    app.verified(EMAIL).await;
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    change(&app.client(), body).await.expect(401, "unauthenticated");
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
});

#[tokio::test]
async fn a_change_that_breaks_rules_changes_nothing() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let body = json!({
        "email": "nobody", "password": "short", "current_password": PASSWORD, "display_name": "x", "age": -1
    });
    let answer = change(&ada, body).await.expect(422, "validation_failed");
    assert_eq!(
        answer.fields(),
        [
            "email: invalid_email",
            "password: password_too_short",
            "display_name: too_short",
            "age: out_of_range"
        ]
    );
    // A wrong password holds back the rest of the change too.
    let body = json!({"display_name": "Eve", "password": OTHER_PASSWORD, "current_password": "wrong wrong"});
    change(&ada, body).await.expect(403, "current_password_wrong");
    assert_eq!(ada.me().await.expect(200, "").json()["display_name"], Value::Null);
    for (field, value) in [
        ("id", json!("x")),
        ("is_verified", json!(true)),
        ("is_active", json!(true)),
        ("login_count", json!(9)),
        ("password_hash", json!("x")),
    ] {
        let mut body = json!({"display_name": "Eve"});
        body[field] = value;
        let answer = change(&ada, body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("{field}: unknown_field")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s07_of_ten_changes_at_once_one_replaces_the_password_that_it_confirmed() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let passwords: Vec<_> = (0..10).map(|index| format!("sentence number {index} of many")).collect();
    let answers = at_once(10, |index| {
        let (client, password) = (ada.snapshot(), passwords[index].clone());
        async move { change(&client, json!({"password": password, "current_password": PASSWORD})).await }
    })
    .await;
    let counts = statuses(&answers);
    assert_eq!(counts.get(&200), Some(&1), "{counts:?}");
    // The others come too late: for the check of the password, or for the session.
    assert!(counts.keys().all(|status| [200, 401, 403].contains(status)), "{counts:?}");
    let winner = answers.iter().position(|answer| answer.status == 200).expect("one of them");
    app.client().log_in(EMAIL, &passwords[winner]).await.expect(201, "");
}

#[tokio::test]
async fn s60_a_new_password_is_told_to_the_account() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    change(&ada, json!({"password": OTHER_PASSWORD, "current_password": PASSWORD})).await.expect(200, "");
    let mail = app.mailbox.nth(EMAIL, 2).await;
    assert!(mail.subject.contains("password") && !mail.text.contains("token="), "{}", mail.text);
}

each_backend!(s37_a_new_address_counts_once_it_is_confirmed, |app| async move {
    let ada = app.user(EMAIL).await;
    let body = json!({"email": NEW_EMAIL, "current_password": PASSWORD});
    let answer = change(&ada, body).await.expect(200, "");
    assert_eq!(
        (&answer.json()["email"], &answer.json()["pending_identifier"]),
        (&json!(EMAIL), &json!(NEW_EMAIL))
    );
    // Until then the old one works and the new one does not, and nobody is logged out.
    let token = app.mailbox.token(NEW_EMAIL, 1).await;
    assert_eq!(ada.me().await.expect(200, "").json()["email"], EMAIL);
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
    app.client().log_in(NEW_EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    // The old address is told, without a token.
    let told = app.mailbox.nth(EMAIL, 2).await;
    assert!(told.text.contains(NEW_EMAIL) && !told.text.contains("token="), "{}", told.text);

    let answer = app.client().verify(&token).await.expect(201, "");
    assert_eq!((&answer.json()["email"], &answer.json()["is_verified"]), (&json!(NEW_EMAIL), &json!(true)));
    assert_no_credential(&answer);
    app.client().log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    app.client().log_in(NEW_EMAIL, PASSWORD).await.expect(201, "");
    let told = app.mailbox.nth(EMAIL, 3).await;
    assert!(told.text.contains(NEW_EMAIL) && !told.text.contains("token="), "{}", told.text);
    // S22: a new identifier ends every session and token.
    ada.me().await.expect(401, "unauthenticated");
    app.client().verify(&token).await.expect(400, "token_invalid");
});

#[tokio::test]
async fn s37_the_old_address_is_free_afterwards_and_not_before() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, NEW_EMAIL, 0).await;
    app.client().register(EMAIL, PASSWORD).await.expect(409, "identifier_taken");
    app.client().verify(&token).await.expect(201, "");
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    app.client().register(NEW_EMAIL, PASSWORD).await.expect(409, "identifier_taken");
}

#[tokio::test]
async fn s37_another_spelling_of_the_own_address_is_confirmed_too() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, "Ada@Example.com", 0).await;
    let answer = app.client().verify(&token).await.expect(201, "");
    assert_eq!(answer.json()["email"], "Ada@Example.com");
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
}

each_backend!(s37_a_taken_address_is_409, |app| async move {
    let ada = app.user(EMAIL).await;
    app.verified("grace@example.com").await;
    let body = json!({"email": "Grace@example.com", "current_password": PASSWORD, "display_name": "Eve"});
    change(&ada, body).await.expect(409, "identifier_taken");
    assert_eq!(ada.me().await.expect(200, "").json()["display_name"], Value::Null);
    assert_eq!(app.mailbox.settled(EMAIL).await, 1);
});

#[tokio::test]
async fn s37_an_address_that_is_taken_meanwhile_is_409_and_the_old_one_works() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, NEW_EMAIL, 0).await;
    app.client().register("COUNTESS@example.com", PASSWORD).await.expect(201, "");
    app.client().verify(&token).await.expect(409, "identifier_taken");
    assert_eq!(ada.me().await.expect(200, "").json()["email"], EMAIL);
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
    // Nothing was said of a change that did not happen.
    assert_eq!(app.mailbox.settled(EMAIL).await, 2);
}

#[tokio::test]
async fn s33_a_newer_change_invalidates_the_older() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let old = ask_for(&app, &ada, "first@example.com", 0).await;
    let new = ask_for(&app, &ada, "second@example.com", 0).await;
    app.client().verify(&old).await.expect(400, "token_invalid");
    let answer = app.client().verify(&new).await.expect(201, "");
    assert_eq!(answer.json()["email"], "second@example.com");
}

#[tokio::test]
async fn s33_a_change_waits_for_a_day_and_not_longer() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, NEW_EMAIL, 0).await;
    assert_eq!(app.count("SELECT expires_at - issued_at FROM users_one_time_tokens").await, 24 * 3600 * 1000);
    tokens_expire_in(&app, 0).await;
    app.client().verify(&token).await.expect(400, "token_invalid");
}

#[tokio::test]
async fn s34_opening_the_link_does_not_confirm_a_change() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, NEW_EMAIL, 0).await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        let path = format!("/verify?token={token}");
        assert_eq!(ada.send(ada.request(method, &path)).await.status.as_u16(), 405);
    }
    assert_eq!(ada.me().await.expect(200, "").json()["email"], EMAIL);
}

#[tokio::test]
async fn s32_a_change_that_waits_dies_with_a_new_password() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, NEW_EMAIL, 0).await;
    change(&ada, json!({"password": OTHER_PASSWORD, "current_password": PASSWORD})).await.expect(200, "");
    app.client().verify(&token).await.expect(400, "token_invalid");
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s37_address_and_password_can_change_in_one_request() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let body = json!({"email": NEW_EMAIL, "password": OTHER_PASSWORD, "current_password": PASSWORD});
    let answer = change(&ada, body).await.expect(200, "");
    assert_eq!(answer.json()["pending_identifier"], NEW_EMAIL);
    app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(NEW_EMAIL, 1).await;
    app.client().verify(&token).await.expect(201, "");
    app.client().log_in(NEW_EMAIL, OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s32_of_twenty_confirmations_at_once_one_succeeds() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let token = ask_for(&app, &ada, NEW_EMAIL, 0).await;
    let answers = at_once(20, |_| {
        let (client, token) = (app.client(), token.clone());
        async move { client.verify(&token).await }
    })
    .await;
    assert_eq!(statuses(&answers), [(201, 1), (400, 19)].into());
}
