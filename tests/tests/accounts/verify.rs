//! Group `verify`: the proof of a mailbox.

use std::time::Duration;

use serde_json::json;
use users_tests::{App, Client, Kind, OTHER_PASSWORD, PASSWORD, each_backend, now};

use crate::help::{app_with, assert_no_credential, at_once, statuses, tokens_expire_in, until};

const EMAIL: &str = "ada@example.com";

/// Asks for another mail.
async fn resend(client: &Client, email: &str) {
    let answer = client.post("/verify/resend", &json!({ "email": email })).await.expect(202, "");
    assert_eq!(answer.text, "");
    assert_no_credential(&answer);
}

each_backend!(verification_answers_201_with_the_user_and_opens_the_account, |app| async move {
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    client.log_in(EMAIL, PASSWORD).await.expect(403, "not_verified");
    let token = app.mailbox.token(EMAIL, 1).await;
    let answer = client.verify(&token).await.expect(201, "");
    assert_eq!(answer.json()["email"], EMAIL);
    assert_eq!(answer.json()["is_verified"], true);
    assert_no_credential(&answer);
    client.me().await.expect(401, "unauthenticated");
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
    assert_eq!(client.me().await.expect(200, "").json()["is_verified"], true);
});

each_backend!(the_token_may_be_in_the_query, |app| async move {
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    let path = format!("/verify?token={token}");
    let answer = client.send(client.request("POST", &path)).await.expect(201, "");
    assert_eq!(answer.json()["is_verified"], true);
    client.send(client.request("POST", &path)).await.expect(400, "token_invalid");
});

each_backend!(a_token_that_is_no_good_is_400, |app| async move {
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    let mut other = token.clone().into_bytes();
    other[0] = if other[0] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).expect("still text");
    for token in ["", "x", "ünïcode", &"A".repeat(43), &other, &format!("{token}="), &format!(" {token}")] {
        client.verify(token).await.expect(400, "token_invalid");
    }
    client.verify(&token).await.expect(201, "");
    client.verify(&token).await.expect(400, "token_invalid");
});

#[tokio::test]
async fn a_body_or_query_without_a_token_is_422() {
    let app = App::start(Kind::Jwt).await;
    let client = app.client();
    for (body, field) in [
        (json!({}), "token: required"),
        (json!({"token": 1}), "token: invalid_type"),
        (json!({"token": "x", "email": EMAIL}), "email: unknown_field"),
    ] {
        let answer = client.post("/verify", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field]);
    }
    let request = client.request("POST", "/verify?token=x&token=y");
    let answer = client.send(request).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["token: duplicate_field"]);
    // Any other query leaves the token to the body.
    let request = client.request("POST", "/verify?lang=en").json(&json!({"token": "x"}));
    client.send(request).await.expect(400, "token_invalid");
    client.send(client.request("POST", "/verify")).await.expect(415, "unsupported_media_type");
    for (body, field) in [
        (json!({}), "email: required"),
        (json!({"email": [EMAIL]}), "email: invalid_type"),
        (json!({"email": EMAIL, "token": "x"}), "token: unknown_field"),
    ] {
        let answer = client.post("/verify/resend", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field]);
    }
    client.get("/verify/resend").await.expect(405, "method_not_allowed");
}

each_backend!(resend_answers_202_to_everybody_and_mails_to_the_unproven_alone, |app| async move {
    let client = app.client();
    app.verified("grace@example.com").await;
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    app.mailbox.nth(EMAIL, 1).await;
    for email in [EMAIL, "grace@example.com", "nobody@example.com", "no address"] {
        resend(&client, email).await;
    }
    let token = app.mailbox.token(EMAIL, 2).await;
    client.verify(&token).await.expect(201, "");
    assert_eq!(app.mailbox.settled("grace@example.com").await, 1);
    assert_eq!(app.mailbox.mails().len(), 3);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_outbox").await, 0);
});

#[tokio::test]
async fn s23_a_deactivated_account_gets_no_mail_and_redeems_no_token() {
    let app = App::start(Kind::Session).await;
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    let id = app.id_of(EMAIL).await;
    app.execute("UPDATE users SET is_active = FALSE").await;
    client.verify(&token).await.expect(400, "token_invalid");
    resend(&client, EMAIL).await;
    assert_eq!(app.mailbox.settled(EMAIL).await, 1);
    // And deactivation through the application destroys the token.
    app.admin.set_active(id, true).await.expect("the user is there");
    app.admin.set_active(id, false).await.expect("the user is there");
    app.admin.set_active(id, true).await.expect("the user is there");
    client.verify(&token).await.expect(400, "token_invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s32_of_twenty_redemptions_of_one_token_at_once_one_succeeds() {
    let app = App::start(Kind::Session).await;
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    let answers = at_once(20, |_| {
        let (client, token) = (app.client(), token.clone());
        async move { client.verify(&token).await }
    })
    .await;
    assert_eq!(statuses(&answers), [(201, 1), (400, 19)].into());
    assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes WHERE step = 'after_verify'").await, 1);
}

#[tokio::test]
async fn s32_a_token_serves_its_own_purpose_alone() {
    let app = App::start(Kind::Session).await;
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let verify = app.mailbox.token(EMAIL, 1).await;
    client.forgot(EMAIL).await.expect(201, "");
    let reset = app.mailbox.token(EMAIL, 2).await;
    client.verify(&reset).await.expect(400, "token_invalid");
    client.reset(&verify, OTHER_PASSWORD).await.expect(400, "token_invalid");
    client.verify(&verify).await.expect(201, "");
}

#[tokio::test]
async fn s32_a_token_dies_with_the_account_and_with_the_state_it_was_issued_for() {
    let app = App::start(Kind::Session).await;
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    // The address of the account is another one now.
    app.execute("UPDATE users SET email = 'eve@example.com', email_canonical = 'eve@example.com'").await;
    client.verify(&token).await.expect(400, "token_invalid");
    app.execute("UPDATE users SET email = 'ada@example.com', email_canonical = 'ada@example.com'").await;
    let hash: String = app.query("SELECT password_hash FROM users").value().await;
    let store = |hash: String| app.query("UPDATE users SET password_hash = ?").bind(hash).execute();
    store(format!("{hash}x")).await;
    client.verify(&token).await.expect(400, "token_invalid");
    store(hash).await;
    app.execute("DELETE FROM users").await;
    client.verify(&token).await.expect(400, "token_invalid");
}

#[tokio::test]
async fn s33_a_newer_token_invalidates_the_older() {
    let app = App::start(Kind::Session).await;
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let old = app.mailbox.token(EMAIL, 1).await;
    resend(&client, EMAIL).await;
    let new = app.mailbox.token(EMAIL, 2).await;
    assert_ne!(old, new);
    client.verify(&old).await.expect(400, "token_invalid");
    client.verify(&new).await.expect(201, "");
}

#[tokio::test]
async fn s33_a_token_lives_for_a_day_and_not_longer() {
    let app = App::start(Kind::Session).await;
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    assert_eq!(app.count("SELECT expires_at - issued_at FROM users_one_time_tokens").await, 24 * 3600 * 1000);
    assert!(app.mailbox.mails()[0].text.contains("24 hours"), "{}", app.mailbox.mails()[0].text);
    tokens_expire_in(&app, 0).await;
    client.verify(&token).await.expect(400, "token_invalid");
    client.log_in(EMAIL, PASSWORD).await.expect(403, "not_verified");
    tokens_expire_in(&app, 60_000).await;
    client.verify(&token).await.expect(201, "");
}

#[tokio::test]
async fn s33_the_lifetime_is_configurable() {
    let config = |config: users_runtime::Config| {
        config.with_link_lifetimes(Duration::from_millis(700), Duration::from_hours(2))
    };
    let app = app_with(Kind::Session, config).await;
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    assert_eq!(app.count("SELECT expires_at - issued_at FROM users_one_time_tokens").await, 700);
    tokio::time::sleep(Duration::from_millis(701)).await;
    client.verify(&token).await.expect(400, "token_invalid");
    client.forgot(EMAIL).await.expect(201, "");
    app.mailbox.nth(EMAIL, 2).await;
    let lifetime =
        "SELECT expires_at - issued_at FROM users_one_time_tokens WHERE purpose = 'password_reset'";
    assert_eq!(app.count(lifetime).await, 7200 * 1000);
}

each_backend!(s34_opening_the_link_does_not_redeem_it, |app| async move {
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    let path = format!("/verify?token={token}");
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
        let answer = client.send(client.request(method, &path)).await;
        assert_eq!(answer.status.as_u16(), 405, "{method}");
        assert_eq!(answer.header("allow"), "POST", "{method}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users WHERE is_verified").await, 0);
    client.send(client.request("POST", &path)).await.expect(201, "");
});

/// Somebody registers an address that is not theirs, and uses the account before its mailbox is proven.
async fn pre_registered(app: &App) -> Client {
    let attacker = app.client();
    attacker.register(EMAIL, PASSWORD).await.expect(201, "");
    attacker.log_in(EMAIL, PASSWORD).await.expect(201, "");
    attacker.me().await.expect(200, "");
    attacker
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s38_proving_the_mailbox_ends_what_was_issued_before() {
    for kind in Kind::ALL {
        let app = app_with(kind, |config| config.with_required_verification(false)).await;
        let attacker = pre_registered(&app).await;
        let token = app.mailbox.token(EMAIL, 1).await;
        app.client().verify(&token).await.expect(201, "");
        attacker.me().await.expect(401, "unauthenticated");
        assert_eq!(app.sessions().await, 0, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s38_a_reset_gives_a_pre_registered_address_to_its_owner() {
    for kind in Kind::ALL {
        let app = app_with(kind, |config| config.with_required_verification(false)).await;
        let attacker = pre_registered(&app).await;
        let verify = app.mailbox.token(EMAIL, 1).await;
        let owner = app.client();
        owner.forgot(EMAIL).await.expect(201, "");
        let token = app.mailbox.token(EMAIL, 2).await;
        owner.reset(&token, OTHER_PASSWORD).await.expect(201, "");

        attacker.me().await.expect(401, "unauthenticated");
        attacker.log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
        let user = owner.log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
        assert_eq!(user.json()["is_verified"], true, "{kind:?}");
        // A link from before the reset proves nothing any more.
        owner.verify(&verify).await.expect(400, "token_invalid");
        owner.me().await.expect(200, "");
    }
}

/// The owner of a mailbox takes an account back while mails wait for a slow server. The address that the attacker
/// asked for before must not be confirmed afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s38_a_change_of_address_from_before_the_reset_is_never_confirmed() {
    let app = app_with(Kind::Session, |config| config.with_required_verification(false)).await;
    let attacker = pre_registered(&app).await;
    app.mailbox.nth(EMAIL, 1).await;
    let owner = app.client();
    owner.forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 2).await;

    // As many mails as leave at once keep the server busy, so that the next one waits in the outbox.
    app.mailbox.delay(Duration::from_secs(2));
    let rows = ["(?, ?, ?, 0, 0)"; 8].join(", ");
    let insert =
        format!("INSERT INTO users_outbox (nonce, message, created_at, due_at, attempts) VALUES {rows}");
    let insert = (0..8).fold(app.query(&insert), |insert, number: u8| {
        let message = json!({"mail": "password_changed", "to": "busy@example.com"});
        let message = json!({"tenant": null, "message": message});
        insert.bind(vec![number; 32]).bind(message.to_string()).bind(now())
    });
    assert_eq!(insert.execute().await, 8);
    until(app.query("SELECT COUNT(*) FROM users_outbox WHERE attempts = 1"), 8).await;
    let body = json!({"email": "attacker@example.com", "current_password": PASSWORD});
    attacker.patch("/users/me", &body).await.expect(200, "");
    owner.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    let waiting =
        "SELECT COUNT(*) FROM users_outbox WHERE attempts = 0 AND message LIKE '%confirm_identifier%'";
    assert_eq!(app.count(waiting).await, 1, "the test has to be quicker than the mail server");
    app.mailbox.delay(Duration::ZERO);

    // The notice to the owner was promised after that mail.
    until(app.query("SELECT COUNT(*) FROM users_outbox"), 0).await;
    assert_eq!(app.mailbox.settled("attacker@example.com").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_one_time_tokens").await, 0);
}
