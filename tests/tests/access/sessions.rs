//! Sessions, and what every kind of credential has in common: how it begins, and what ends it.

use std::{fmt::Write, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use users_tests::{App, Client, Kind, OTHER_PASSWORD, Options, PASSWORD, each_backend, now};

use crate::support::{Shelf, carriers, carrying, secret, with_shelf};

const DAY: i64 = 24 * 60 * 60 * 1000;
const MINUTE: i64 = 60 * 1000;

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Logs a new client in; what it is given, each piece in every form in which something could keep it.
async fn secrets_of_a_login(app: &App) -> (Client, Vec<Vec<u8>>) {
    let client = app.client();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let mut texts = Vec::new();
    if matches!(app.kind, Kind::Jwt | Kind::OAuth2Password) {
        let answer = client.post("/login?response=token", &body).await.expect(201, "").json();
        texts.extend(["access_token", "refresh_token"].map(|name| answer[name].as_str().map(str::to_owned)));
    } else {
        client.post("/login", &body).await.expect(201, "");
        texts.extend(client.cookies().into_values().map(Some));
    }
    let mut forms = Vec::new();
    for text in texts.into_iter().flatten() {
        forms.push(text.clone().into_bytes());
        // The header of a token says nothing of its holder, and the number of pieces nothing of a cookie.
        let parts: Vec<_> = text.split('.').collect();
        for part in &parts[parts.len().saturating_sub(2).max(usize::from(parts.len() > 1))..] {
            let bytes = decoded(part);
            // A refresh token begins with the name of its session, which is no secret.
            let secret = if parts.len() == 1 { &bytes[bytes.len() - 32..] } else { &bytes[..] };
            forms.extend([part.as_bytes().to_vec(), hex(secret).into_bytes(), secret.to_vec()]);
            forms.push(BASE64_URL_SAFE_NO_PAD.encode(secret).into_bytes());
        }
    }
    assert!(forms.len() >= 5, "{:?}", app.kind);
    (client, forms)
}

#[tokio::test]
async fn s18_the_database_holds_the_hash_of_a_session_and_nothing_else_of_it() {
    let app = App::in_database(Kind::Session).await;
    let client = app.user("ada@example.com").await;
    client.me().await.expect(200, "");
    let text = secret(&app, &client);
    let bytes = decoded(&text);
    assert_eq!(bytes.len(), 32);
    let stored: Vec<u8> = app.query("SELECT id_hash FROM users_sessions").value().await;
    assert_eq!(stored, Sha256::digest(&bytes).to_vec());
    let database = app.contents().await;
    assert!(holds(&database, &stored), "the search finds what is there");
}

#[tokio::test]
async fn s18_the_database_holds_no_credential() {
    for kind in Kind::ALL {
        let app = App::in_database(kind).await;
        app.verified("ada@example.com").await;
        let (client, mut secrets) = secrets_of_a_login(&app).await;
        let (other, more) = secrets_of_a_login(&app).await;
        secrets.extend(more);
        client.me().await.expect(200, "");
        assert_eq!(app.sessions().await, 2, "behind every credential there is a session: {kind:?}");
        let hashes: Vec<Vec<u8>> = app.query("SELECT id_hash FROM users_sessions").values().await;
        let database = app.contents().await;
        for hash in &hashes {
            assert!(holds(&database, hash), "the search finds what is there");
            // The hash is no way in.
            let text = BASE64_URL_SAFE_NO_PAD.encode(hash);
            for text in [&text, &format!("1.{text}"), &hex(hash)] {
                for &carrier in carriers(kind) {
                    carrying(&app, carrier, text).me().await.expect(401, "unauthenticated");
                }
            }
        }
        // What a logout leaves behind says no more.
        other.log_out().await.expect(201, "");
        assert_eq!(app.sessions().await, 1, "{kind:?}");
        for contents in [database, app.contents().await] {
            for (at, secret) in secrets.iter().enumerate() {
                assert!(!holds(&contents, secret), "{kind:?}: form {at} of {}", secrets.len());
            }
        }
    }
}

#[tokio::test]
async fn s18_a_store_of_the_applications_own_is_given_the_hash_alone() {
    for kind in Kind::ALL {
        let shelf = Shelf::default();
        let app = with_shelf(kind, &shelf).await;
        let id = app.verified("ada@example.com").await.to_string();
        let (client, secrets) = secrets_of_a_login(&app).await;
        client.me().await.expect(200, "");
        assert_eq!(app.count("SELECT COUNT(*) FROM users_sessions").await, 0);
        let entries = shelf.entries();
        assert_eq!(entries.len(), 1, "{kind:?}");
        let (key, entry) = entries.iter().next().expect("one");
        assert_eq!(entry.owner.as_ref(), Some(&id));
        if kind == Kind::Session {
            let hash = Sha256::digest(decoded(&secret(&app, &client)));
            assert_eq!(*key, format!("session:{}", BASE64_URL_SAFE_NO_PAD.encode(hash)));
        }
        for (at, secret) in secrets.iter().enumerate() {
            assert!(!holds(key.as_bytes(), secret), "{kind:?}: form {at}");
            assert!(!holds(&entry.value, secret), "{kind:?}: form {at}");
        }
        let hash = key.strip_prefix("session:").expect("the key of a session");
        for &carrier in carriers(kind) {
            carrying(&app, carrier, hash).me().await.expect(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn s21_a_credential_is_worth_nothing_without_its_session() {
    for kind in Kind::ALL {
        let app = App::in_database(kind).await;
        let (ada, ben) = (app.user("ada@example.com").await, app.user("ben@example.com").await);
        let id = app.id_of("ada@example.com").await;
        let sessions = "DELETE FROM users_sessions WHERE user_id = ?";
        assert_eq!(app.query(sessions).bind(id).execute().await, 1, "{kind:?}");
        assert_out(&ada).await;
        ben.me().await.expect(200, "");
    }
}

each_backend!(s19_each_login_gives_a_new_credential_and_ends_the_old_one, |app| async move {
    let carrier = carriers(app.kind)[0];
    let client = app.user("ada@example.com").await;
    let first = secret(&app, &client);
    client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let second = secret(&app, &client);
    assert_ne!(first, second);
    carrying(&app, carrier, &first).me().await.expect(401, "unauthenticated");
    carrying(&app, carrier, &second).me().await.expect(200, "");
    assert_eq!(app.sessions().await, 1);
    // Another account in the same browser ends it too.
    app.verified("ben@example.com").await;
    client.log_in("ben@example.com", PASSWORD).await.expect(201, "");
    carrying(&app, carrier, &second).me().await.expect(401, "unauthenticated");
    assert_eq!(client.me().await.json()["email"], "ben@example.com");
    assert_eq!(app.sessions().await, 1);
});

each_backend!(s19_a_planted_credential_is_never_adopted, |app| async move {
    app.verified("ada@example.com").await;
    let elsewhere = App::start(app.kind).await;
    let foreign = secret(&elsewhere, &elsewhere.user("ada@example.com").await);
    let own = secret(&app, &app.user("mallory@example.com").await);
    for planted in ["A".repeat(43), format!("1.{}", "A".repeat(120)), foreign, own] {
        // Where a login puts the next one: a header that somebody adds to every request is stronger than a cookie.
        let &carrier = carriers(app.kind).last().expect("one");
        let victim = carrying(&app, carrier, &planted);
        victim.log_in("ada@example.com", PASSWORD).await.expect(201, "");
        assert_ne!(secret(&app, &victim), planted);
        assert_eq!(victim.me().await.expect(200, "").json()["email"], "ada@example.com");
        for &carrier in carriers(app.kind) {
            carrying(&app, carrier, &planted).me().await.expect(401, "unauthenticated");
        }
    }
});

each_backend!(s19_a_login_that_fails_leaves_the_session_alone, |app| async move {
    let client = app.user("ada@example.com").await;
    client.log_in("ada@example.com", OTHER_PASSWORD).await.expect(401, "bad_credentials");
    client.me().await.expect(200, "");
    assert_eq!(app.sessions().await, 1);
});

/// Sets a column of the one session.
async fn set(app: &App, column: &str, value: i64) {
    let statement = match column {
        "seen_at" => "UPDATE users_sessions SET seen_at = ?",
        _ => "UPDATE users_sessions SET expires_at = ?",
    };
    assert_eq!(app.query(statement).bind(value).execute().await, 1);
}

#[tokio::test]
async fn s20_a_session_ends_when_it_is_idle_or_old() {
    for kind in Kind::ALL {
        let app = App::in_database(kind).await;
        let client = app.user("ada@example.com").await;
        let expires_at = app.count("SELECT expires_at FROM users_sessions").await;
        assert!((now() + 30 * DAY - expires_at).abs() < MINUTE);

        set(&app, "seen_at", now() - 7 * DAY + MINUTE).await;
        client.me().await.expect(200, "");
        set(&app, "seen_at", now() - 7 * DAY - 1).await;
        client.me().await.expect(401, "unauthenticated");
        assert_eq!(client.get("/feed").await.json()["anonymous"], true);
        assert!(
            app.count("SELECT seen_at FROM users_sessions").await < now() - 6 * DAY,
            "a dead one is not renewed"
        );

        set(&app, "seen_at", now()).await;
        client.me().await.expect(200, "");
        set(&app, "expires_at", now() + MINUTE).await;
        client.me().await.expect(200, "");
        set(&app, "expires_at", now()).await;
        client.me().await.expect(401, "unauthenticated");
    }
}

#[tokio::test]
async fn s20_use_renews_a_session_now_and_then_and_never_past_its_end() {
    for kind in Kind::ALL {
        let app = App::in_database(kind).await;
        let client = app.user("ada@example.com").await;
        let expires_at = app.count("SELECT expires_at FROM users_sessions").await;

        let recent = now() - 4 * MINUTE;
        set(&app, "seen_at", recent).await;
        client.me().await.expect(200, "");
        assert_eq!(app.count("SELECT seen_at FROM users_sessions").await, recent);

        set(&app, "seen_at", now() - 6 * MINUTE).await;
        let answer = client.me().await.expect(200, "");
        assert!(now() - app.count("SELECT seen_at FROM users_sessions").await < MINUTE);
        assert_eq!(app.count("SELECT expires_at FROM users_sessions").await, expires_at);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn s20_a_store_of_the_applications_own_keeps_the_same_time() {
    for kind in Kind::ALL {
        let shelf = Shelf::default();
        let app = with_shelf(kind, &shelf).await;
        let client = app.user("ada@example.com").await;
        let ended = shelf.records()[0]["expires_at"].clone();
        let seen_at = || shelf.records()[0]["seen_at"].as_i64().expect("a number");

        let recent = now() - 4 * MINUTE;
        shelf.set("seen_at", recent);
        client.me().await.expect(200, "");
        assert_eq!(seen_at(), recent);
        shelf.set("seen_at", now() - 6 * MINUTE);
        client.me().await.expect(200, "");
        assert!(now() - seen_at() < MINUTE);
        assert_eq!(shelf.records()[0]["expires_at"], ended);
        // The store is told when it may forget: a session that nobody uses any more ends after a week.
        let entry = shelf.entries().into_values().next().expect("one");
        assert!((now() + 7 * DAY - entry.expires_at).abs() < MINUTE);

        shelf.set("seen_at", now() - 7 * DAY - 1);
        client.me().await.expect(401, "unauthenticated");
        shelf.set("seen_at", now());
        client.me().await.expect(200, "");
        shelf.set("expires_at", now());
        client.me().await.expect(401, "unauthenticated");
    }
}

#[tokio::test]
async fn s20_sessions_end_by_themselves_in_every_store() {
    let config = |config: users_runtime::Config| {
        config
            .with_session_timeouts(Duration::from_secs(1), Duration::from_secs(2))
            .with_session_renewal(Duration::from_millis(1))
    };
    let options = Options { config: Box::new(config), ..Options::default() };
    let app = App::start_with(Kind::Session, options).await;
    let (busy, idle) = (app.user("ada@example.com").await, app.client());
    let begun = std::time::Instant::now();
    idle.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    // A machine under load may pause for longer than a session lives; what ends too late is the mistake.
    let mut last = begun.elapsed();
    while busy.me().await.status == 200 && last < Duration::from_secs(4) {
        last = begun.elapsed();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(last < Duration::from_millis(2100), "{last:?}");
    idle.me().await.expect(401, "unauthenticated");
    let late = app.client();
    late.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    late.me().await.expect(401, "unauthenticated");
}

each_backend!(s22_a_new_password_ends_every_other_credential, |app| async move {
    let client = app.user("ada@example.com").await;
    let before = client.snapshot();
    let elsewhere = app.client();
    elsewhere.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    app.client().forgot("ada@example.com").await.expect(201, "");
    let reset = app.mailbox.token("ada@example.com", 2).await;
    let bystander = app.user("ben@example.com").await;

    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    let answer = client.patch("/users/me", &change).await.expect(200, "");
    assert_eq!(answer.headers.contains_key("set-cookie"), app.kind.is_cookie());
    assert!(!answer.text.contains(&secret(&app, &client)));
    // This client goes on with what it was just given; what it had is over.
    client.me().await.expect(200, "");
    before.me().await.expect(401, "unauthenticated");
    elsewhere.me().await.expect(401, "unauthenticated");
    app.client().reset(&reset, "a third sentence of words").await.expect(400, "token_invalid");
    app.client().log_in("ada@example.com", PASSWORD).await.expect(401, "bad_credentials");
    app.client().log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
    bystander.me().await.expect(200, "");
});

each_backend!(s22_a_reset_password_ends_every_credential, |app| async move {
    let client = app.user("ada@example.com").await;
    app.client().forgot("ada@example.com").await.expect(201, "");
    let token = app.mailbox.token("ada@example.com", 2).await;
    let resetting = client.snapshot();
    let answer = resetting.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("authorization"));
    client.me().await.expect(401, "unauthenticated");
    resetting.me().await.expect(401, "unauthenticated");
});

each_backend!(s22_a_new_identifier_ends_every_credential, |app| async move {
    let client = app.user("ada@example.com").await;
    let change = json!({"email": "countess@example.com", "current_password": PASSWORD});
    let answer = client.patch("/users/me", &change).await.expect(200, "");
    assert_eq!(answer.json()["pending_identifier"], "countess@example.com");
    // Until the new address confirms, nothing has changed.
    client.me().await.expect(200, "");
    let token = app.mailbox.token("countess@example.com", 1).await;
    app.client().verify(&token).await.expect(201, "");
    client.me().await.expect(401, "unauthenticated");
    app.client().log_in("countess@example.com", PASSWORD).await.expect(201, "");
});

/// Asserts that a client is nobody, wherever it goes.
async fn assert_out(client: &Client) {
    for answer in [client.me().await, client.get("/private").await, client.log_out().await] {
        answer.expect(401, "unauthenticated");
    }
    client.patch("/users/me", &json!({"age": 31})).await.expect(401, "unauthenticated");
    client.get("/demanding").await.expect(401, "unauthenticated");
    assert_eq!(client.get("/feed").await.expect(200, "").json(), json!({"anonymous": true, "email": null}));
}

each_backend!(s23_a_deactivated_account_is_out_at_the_next_request, |app| async move {
    let client = app.user("ada@example.com").await;
    client.me().await.expect(200, "");
    app.admin.set_active(app.id_of("ada@example.com").await, false).await.expect("it is there");
    assert_out(&client).await;
    app.client().log_in("ada@example.com", PASSWORD).await.expect(401, "bad_credentials");
});

// The flag alone is enough: an administrator with a database client deletes no sessions.
each_backend!(s23_the_flag_in_the_row_decides, |app| async move {
    let client = app.user("ada@example.com").await;
    app.execute("UPDATE users SET is_active = FALSE").await;
    assert_out(&client).await;
    app.execute("UPDATE users SET is_active = TRUE").await;
    client.me().await.expect(200, "");
    app.execute("UPDATE users SET is_verified = FALSE").await;
    assert_out(&client).await;
});

each_backend!(s23_a_deleted_account_is_out_at_the_next_request, |app| async move {
    let client = app.user("ada@example.com").await;
    let elsewhere = app.client();
    elsewhere.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    elsewhere.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
    assert_out(&client).await;
});

each_backend!(s23_an_unverified_account_is_out_at_the_next_request, |app| async move {
    let client = app.user("ada@example.com").await;
    app.admin.set_verified(app.id_of("ada@example.com").await, false).await.expect("it is there");
    assert_out(&client).await;
    app.client().log_in("ada@example.com", PASSWORD).await.expect(403, "not_verified");
});

each_backend!(s25_a_role_counts_from_the_next_request_and_no_longer, |app| async move {
    let client = app.user("ada@example.com").await;
    let id = app.id_of("ada@example.com").await;
    // The last administrator would stay one.
    app.admin.grant(app.verified("ben@example.com").await, "administrator").await.expect("a role");
    client.get("/administration").await.expect(403, "forbidden");
    app.admin.grant(id, "administrator").await.expect("a role");
    client.get("/administration").await.expect(200, "");
    assert_eq!(client.get("/visitor").await.json()["roles"], json!(["administrator"]));
    app.admin.withdraw(id, "administrator").await.expect("a role");
    client.get("/administration").await.expect(403, "forbidden");
    app.client().get("/administration").await.expect(401, "unauthenticated");
});

#[tokio::test]
async fn a_role_goes_to_a_user_who_is_there() {
    let app = App::start(Kind::Session).await;
    let nobody = app.admin.grant(uuid::Uuid::nil(), "administrator").await;
    assert!(matches!(nobody, Err(users_runtime::Error::NotFound)), "{nobody:?}");
    assert_eq!(app.count("SELECT COUNT(*) FROM users_roles").await, 0);
    let id = app.verified("ada@example.com").await;
    for name in ["", "two\nlines", &"x".repeat(65)] {
        let refused = app.admin.grant(id, name).await;
        assert!(matches!(refused, Err(users_runtime::Error::Validation(_))), "{name:?}: {refused:?}");
    }
}
