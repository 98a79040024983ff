//! Sessions, and what every kind of credential has in common: how it begins, and what ends it.

use std::{fmt::Write, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use users_runtime::SessionStorage;
use users_tests::{App, Client, Kind, OTHER_PASSWORD, Options, PASSWORD, each_backend, now};

use crate::support::{Carrier, Shelf, carriers, carrying, secret};

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

#[tokio::test]
async fn s18_the_database_holds_the_hash_of_a_session_and_nothing_else_of_it() {
    let app = App::start(Kind::Session).await;
    let client = app.user("ada@example.com").await;
    client.me().await.expect(200, "");
    let text = secret(&app, &client);
    let bytes = decoded(&text);
    assert_eq!(bytes.len(), 32);
    let stored: Vec<u8> = app.query("SELECT id_hash FROM users_sessions").value().await;
    assert_eq!(stored, Sha256::digest(&bytes).to_vec());
    let database = app.contents().await;
    assert!(holds(&database, &stored), "the search finds what is there");
    assert!(!holds(&database, text.as_bytes()));
    assert!(!holds(&database, &bytes));
    assert!(!holds(&database, hex(&bytes).as_bytes()));
    // The hash is no way in.
    let hash = BASE64_URL_SAFE_NO_PAD.encode(&stored);
    carrying(&app, Carrier::Cookie, &hash).me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn s18_the_database_holds_no_access_token() {
    for kind in [Kind::Jwt, Kind::JwtCookie] {
        let app = App::start(kind).await;
        let client = app.user("ada@example.com").await;
        let token = secret(&app, &client);
        client.log_out().await.expect(201, "");
        assert_eq!(app.count("SELECT COUNT(*) FROM users_revoked_tokens").await, 1);
        let database = app.contents().await;
        let payload = token.split('.').nth(1).expect("three parts");
        let claims: serde_json::Value = serde_json::from_slice(&decoded(payload)).expect("claims");
        for part in token.split('.').skip(1).chain(claims["jti"].as_str()) {
            assert!(!holds(&database, part.as_bytes()), "{part}");
        }
    }
}

#[tokio::test]
async fn s18_a_store_of_the_applications_own_is_given_the_hash_alone() {
    let shelf = Shelf::default();
    let app = with_shelf(&shelf).await;
    let client = app.user("ada@example.com").await;
    let record = shelf.records().remove(0);
    assert_eq!(record.user_id, app.id_of("ada@example.com").await.to_string());
    assert_eq!(app.count("SELECT COUNT(*) FROM users_sessions").await, 0);
    client.me().await.expect(200, "");
}

async fn with_shelf(shelf: &Shelf) -> App {
    let store = Arc::new(shelf.clone());
    let config =
        move |config: users_runtime::Config| config.with_session_storage(SessionStorage::Custom(store));
    App::start_with(Kind::Session, Options { config: Box::new(config), ..Options::default() }).await
}

/// Both stores of the kind `session`.
const STORES: [Kind; 2] = [Kind::Session, Kind::SessionInMemory];

#[tokio::test]
async fn s19_each_login_gives_a_new_identifier_and_ends_the_old_one() {
    for kind in STORES {
        let app = App::start(kind).await;
        let client = app.user("ada@example.com").await;
        let first = secret(&app, &client);
        client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
        let second = secret(&app, &client);
        assert_ne!(first, second);
        carrying(&app, Carrier::Cookie, &first).me().await.expect(401, "unauthenticated");
        carrying(&app, Carrier::Cookie, &second).me().await.expect(200, "");
        // Another account in the same browser ends it too.
        app.verified("ben@example.com").await;
        client.log_in("ben@example.com", PASSWORD).await.expect(201, "");
        carrying(&app, Carrier::Cookie, &second).me().await.expect(401, "unauthenticated");
        assert_eq!(client.me().await.json()["email"], "ben@example.com");
    }
}

#[tokio::test]
async fn s19_a_planted_identifier_is_never_adopted() {
    for kind in STORES {
        let app = App::start(kind).await;
        app.verified("ada@example.com").await;
        let planted = "A".repeat(43);
        let victim = carrying(&app, Carrier::Cookie, &planted);
        victim.me().await.expect(401, "unauthenticated");
        victim.log_in("ada@example.com", PASSWORD).await.expect(201, "");
        assert_ne!(secret(&app, &victim), planted);
        victim.me().await.expect(200, "");
        carrying(&app, Carrier::Cookie, &planted).me().await.expect(401, "unauthenticated");
    }
}

#[tokio::test]
async fn s19_a_login_that_fails_leaves_the_session_alone() {
    for kind in STORES {
        let app = App::start(kind).await;
        let client = app.user("ada@example.com").await;
        client.log_in("ada@example.com", OTHER_PASSWORD).await.expect(401, "bad_credentials");
        client.me().await.expect(200, "");
    }
}

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
    let app = App::start(Kind::Session).await;
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

#[tokio::test]
async fn s20_use_renews_a_session_now_and_then_and_never_past_its_end() {
    let app = App::start(Kind::Session).await;
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

#[tokio::test]
async fn s20_a_store_of_the_applications_own_keeps_the_same_time() {
    let shelf = Shelf::default();
    let app = with_shelf(&shelf).await;
    let client = app.user("ada@example.com").await;
    let ended = shelf.records()[0].expires_at;

    let recent = now() - 4 * MINUTE;
    shelf.change(|record| record.seen_at = recent);
    client.me().await.expect(200, "");
    assert_eq!(shelf.records()[0].seen_at, recent);
    shelf.change(|record| record.seen_at = now() - 6 * MINUTE);
    client.me().await.expect(200, "");
    assert!(now() - shelf.records()[0].seen_at < MINUTE);
    assert_eq!(shelf.records()[0].expires_at, ended);

    shelf.change(|record| record.seen_at = now() - 7 * DAY - 1);
    client.me().await.expect(401, "unauthenticated");
    shelf.change(|record| record.seen_at = now());
    client.me().await.expect(200, "");
    shelf.change(|record| record.expires_at = now());
    client.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn s20_sessions_in_memory_end_by_themselves() {
    let config = |config: users_runtime::Config| {
        config
            .with_session_timeouts(Duration::from_secs(1), Duration::from_secs(2))
            .with_session_renewal(Duration::from_millis(1))
    };
    let options = Options { config: Box::new(config), ..Options::default() };
    let app = App::start_with(Kind::SessionInMemory, options).await;
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

/// Values that are no credential, in bytes that HTTP lets through.
fn hostile_values(real: &str) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "",
        " ",
        "junk",
        "null",
        "undefined",
        "a.b.c",
        "...",
        "..",
        ".",
        "e30.e30.",
        "e30.e30.e30",
        "ey.ey.ey",
        "=",
        "==",
        "' OR 1=1 --",
        "\"",
        "\\",
        "%00",
        "%",
        "{}",
        "[]",
        "../../etc/passwd",
        "${jndi:ldap://x}",
        "<script>",
        "\t\t",
        "Bearer",
        "Bearer Bearer x",
        "session",
        "token",
        "=;=;",
        "\u{e4}\u{1f980}",
        "\u{202e}x",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    values.extend(
        [&b"\xff\xfe\xfd"[..], b"\x80", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f"].map(<[u8]>::to_vec),
    );
    values.extend([
        b"A".repeat(43),
        b"A".repeat(44),
        b"A".repeat(20_000),
        b".".repeat(5_000),
        b"\xe9".repeat(43),
    ]);
    for broken in [
        real[..real.len() - 1].to_owned(),
        real[1..].to_owned(),
        format!("{real}A"),
        format!("{real}="),
        format!("{real}.x"),
        format!("\"{real}\""),
        real.to_uppercase(),
        real.chars().rev().collect(),
        format!("{real}%00"),
        format!("{real}\u{a0}"),
    ] {
        values.push(broken.into_bytes());
    }
    values
}

each_backend!(s31_no_bytes_in_a_credential_are_more_than_a_401, |app| async move {
    let client = app.user("ada@example.com").await;
    let real = secret(&app, &client);
    for value in hostile_values(&real) {
        for carrier in [Carrier::Header, Carrier::Cookie] {
            let lines: Vec<(&str, Vec<u8>)> = match carrier {
                Carrier::Header => vec![
                    ("Authorization", [b"Bearer ".as_slice(), &value].concat()),
                    ("Authorization", value.clone()),
                ],
                Carrier::Cookie => {
                    let name = app.kind.cookie().as_bytes();
                    vec![
                        ("Cookie", [name, b"=", &value].concat()),
                        ("Cookie", [b"a=b; ", name, b"=", &value, b"; c=d"].concat()),
                        ("Cookie", value.clone()),
                    ]
                }
            };
            for (name, line) in lines {
                let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
                let closed = crate::support::get_raw(&app.base, "GET", "/users/me", &[(name, &line)]).await;
                assert_eq!(closed.status, 401, "{name}: {shown}");
                assert_eq!(closed.json()["code"], "unauthenticated", "{name}: {shown}");
                let open = crate::support::get_raw(&app.base, "GET", "/feed", &[(name, &line)]).await;
                assert_eq!(open.status, 200, "{name}: {shown}");
                assert_eq!(open.json()["anonymous"], true, "{name}: {shown}");
            }
        }
    }
    // The real one still works, sent the same way.
    let line = match carriers(app.kind)[0] {
        Carrier::Header => ("Authorization", format!("Bearer {real}")),
        Carrier::Cookie => ("Cookie", format!("a=b; {}={real}", app.kind.cookie())),
    };
    let open = crate::support::get_raw(&app.base, "GET", "/users/me", &[(line.0, line.1.as_bytes())]).await;
    assert_eq!(open.status, 200);
});

each_backend!(s31_bytes_that_http_forbids_never_reach_a_handler, |app| async move {
    for value in [&b"Bearer a\0b"[..], b"Bearer a\x01b", b"Bearer a\x7fb", b"Bearer a\nb", b"Bearer a\rb"] {
        let reply = crate::support::get_raw(&app.base, "GET", "/users/me", &[("Authorization", value)]).await;
        assert!(matches!(reply.status, 400 | 401), "{value:?}: {}", reply.status);
        let reply = crate::support::get_raw(&app.base, "GET", "/users/me", &[("Cookie", value)]).await;
        assert!(matches!(reply.status, 400 | 401), "{value:?}: {}", reply.status);
    }
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
