//! What a password may be, and how it is stored.

use serde_json::json;
use users_runtime::{Bcrypt, Pbkdf2};
use users_tests::{App, Kind, PASSWORD};
use uuid::Uuid;

use crate::help::{app_with, at_once, statuses};

const EMAIL: &str = "ada.lovelace@example.com";

/// How every new hash begins (S08).
const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Tries each password on the three paths that set one; each has to refuse it with the code that goes with it, and
/// without hashing it.
async fn assert_refused(cases: &[(String, &str)]) {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    ada.forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 2).await;
    let computations = app.admin.password_computations();
    for (password, code) in cases {
        let other = "ada.lovelace@example.org";
        let change = json!({"password": password, "current_password": PASSWORD});
        for answer in [
            app.client().register(other, password).await,
            ada.patch("/users/me", &change).await,
            app.client().reset(&token, password).await,
        ] {
            let answer = answer.expect(422, "validation_failed");
            assert_eq!(answer.fields(), [format!("password: {code}")], "{password}");
            // The text of the rules has common words of its own.
            let repeated = password.len() >= 12 && answer.text.contains(password.as_str());
            assert!(!repeated, "the answer repeats the password: {}", answer.text);
        }
    }
    assert_eq!(app.admin.password_computations(), computations);
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
}

/// Sets each password on the three paths and logs in with it.
async fn assert_accepted(passwords: &[String]) {
    let app = App::start(Kind::Session).await;
    for (index, password) in passwords.iter().enumerate() {
        let email = format!("user{index}@example.com");
        let client = app.client();
        client.register(&email, password).await.expect(201, "");
        let token = app.mailbox.token(&email, 1).await;
        client.verify(&token).await.expect(201, "");
        client.log_in(&email, password).await.expect(201, "");
        let between = json!({"password": PASSWORD, "current_password": password});
        client.patch("/users/me", &between).await.expect(200, "");
        let change = json!({"password": password, "current_password": PASSWORD});
        client.patch("/users/me", &change).await.expect(200, "");
        client.log_in(&email, password).await.expect(201, "");
        app.mailbox.nth(&email, 3).await;
        client.forgot(&email).await.expect(201, "");
        let token = app.mailbox.token(&email, 4).await;
        client.reset(&token, password).await.expect(201, "");
        client.log_in(&email, password).await.expect(201, "");
    }
}

#[tokio::test]
async fn s01_fewer_than_eight_code_points_are_refused_and_eight_are_not() {
    // Seven characters of four bytes each, and eight of one.
    assert_refused(&[
        ("xq7!kfw".to_owned(), "password_too_short"),
        ("🦀🦞🐙🦑🐠🐡🦐".to_owned(), "password_too_short"),
        (String::new(), "password_too_short"),
    ])
    .await;
    assert_accepted(&["xq7!kfwp".to_owned(), "🦀🦞🐙🦑🐠🐡🦐🐚".to_owned()]).await;
}

#[tokio::test]
async fn s01_the_minimum_is_configurable() {
    let app = app_with(Kind::Session, |config| {
        let policy = users_runtime::PasswordPolicy::default().with_min(15).expect("more than the floor");
        config.with_password_policy(policy)
    })
    .await;
    let answer = app.client().register(EMAIL, "fourteen chars").await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["password: password_too_short"]);
    app.client().register(EMAIL, "fifteen charact").await.expect(201, "");
}

#[tokio::test]
async fn s02_up_to_256_code_points_are_accepted_and_more_are_never_hashed() {
    let long = "🦀é".repeat(128);
    assert_refused(&[(format!("{long}x"), "password_too_long"), ("x".repeat(10_000), "password_too_long")])
        .await;
    assert_accepted(&["abcdefgh".repeat(8), long.clone()]).await;

    // Nor where a password is checked.
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let computations = app.admin.password_computations();
    let answer = ada.log_in(EMAIL, &format!("{long}x")).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["password: password_too_long"]);
    let change = json!({"password": "another long sentence", "current_password": format!("{long}x")});
    let answer = ada.patch("/users/me", &change).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["current_password: password_too_long"]);
    // Where nothing asks for it, too.
    let change = json!({"current_password": format!("{long}x"), "display_name": "Ada"});
    let answer = ada.patch("/users/me", &change).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["current_password: password_too_long"]);
    assert_eq!(app.admin.password_computations(), computations);
}

#[tokio::test]
async fn s03_no_kind_of_character_is_asked_for_and_all_are_kept() {
    let app = App::start(Kind::Session).await;
    // Longer than the 72 bytes that bcrypt looks at; with spaces around it; with letters that have another case and
    // another normal form.
    let base = format!("  {} Zo\u{eb} ", "pass phrase ".repeat(10));
    app.client().register(EMAIL, &base).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 1).await;
    app.client().verify(&token).await.expect(201, "");
    for other in [
        base.trim().to_owned(),
        base.to_lowercase(),
        base.to_uppercase(),
        base.replace('\u{eb}', "e\u{308}"),
        format!("{base}x"),
        base[..72].to_owned(),
        base[..base.len() - 1].to_owned(),
    ] {
        app.client().log_in(EMAIL, &other).await.expect(401, "bad_credentials");
    }
    app.client().log_in(EMAIL, &base).await.expect(201, "");
    assert_accepted(&["vxkqwjzmtr".to_owned(), "0417392658".to_owned(), "        x ".to_owned()]).await;
}

#[tokio::test]
async fn s04_common_passwords_are_refused() {
    let cases = ["password", "PassWord", "12345678", "qwertyuiop", "iloveyou1", "ｐａｓｓｗｏｒｄ"];
    assert_refused(&cases.map(|password| (password.to_owned(), "password_too_common"))).await;
}

#[tokio::test]
async fn s05_the_name_of_the_user_and_of_the_application_are_refused() {
    // The applications of these tests are called `Tests`.
    let cases =
        ["ada.lovelace", "my Ada.Lovelace sentence", "ａｄａ．ｌｏｖｅｌａｃｅ!", "all the tESTs of mine"];
    assert_refused(&cases.map(|password| (password.to_owned(), "password_contains_context"))).await;
}

#[tokio::test]
async fn s05_however_the_address_is_written() {
    let app = App::start(Kind::Session).await;
    for email in ["  Ada.Lovelace@example.com ", "ａｄａ．ｌｏｖｅｌａｃｅ＠example.com"] {
        let answer = app.client().register(email, "my ada.lovelace sentence").await;
        assert_eq!(answer.expect(422, "validation_failed").fields(), ["password: password_contains_context"]);
    }
}

#[tokio::test]
async fn s05_the_old_and_the_new_name_count_when_both_change() {
    let app = App::start(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    for password in ["my ada.lovelace sentence", "my countess sentence"] {
        let body =
            json!({"email": "countess@example.com", "password": password, "current_password": PASSWORD});
        let answer = ada.patch("/users/me", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["password: password_contains_context"], "{password}");
    }
}

async fn stored_hash(app: &App, id: Uuid) -> String {
    app.query("SELECT password_hash FROM users WHERE id = ?").bind(id).value().await
}

async fn store_hash(app: &App, id: Uuid, hash: &str) {
    let update = app.query("UPDATE users SET password_hash = ? WHERE id = ?").bind(hash).bind(id);
    assert_eq!(update.execute().await, 1);
}

/// The parameters of a PHC string of Argon2id, by name.
fn cost(hash: &str, name: &str) -> u32 {
    let params = hash.split('$').nth(3).expect("parameters");
    let value = params.split(',').find_map(|param| param.strip_prefix(name)?.strip_prefix('='));
    value.and_then(|value| value.parse().ok()).expect("a number")
}

#[tokio::test]
async fn s08_every_path_stores_argon2id_at_the_floor_or_above_with_a_salt_of_its_own() {
    let app = App::start(Kind::Session).await;
    let id = app.verified(EMAIL).await;
    let registered = stored_hash(&app, id).await;
    let client = app.client();
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
    // The same password again, so that only the salt can differ.
    let body = json!({"password": PASSWORD, "current_password": PASSWORD});
    client.patch("/users/me", &body).await.expect(200, "");
    let changed = stored_hash(&app, id).await;
    app.mailbox.nth(EMAIL, 2).await;
    client.forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 3).await;
    client.reset(&token, PASSWORD).await.expect(201, "");
    let reset = stored_hash(&app, id).await;
    for hash in [&registered, &changed, &reset] {
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert!(cost(hash, "m") >= 19_456 && cost(hash, "t") >= 2 && cost(hash, "p") >= 1, "{hash}");
        assert!(!hash.contains(PASSWORD), "{hash}");
    }
    assert!(registered != changed && changed != reset && reset != registered);
}

#[tokio::test]
async fn s08_a_higher_cost_is_configurable() {
    let app = app_with(Kind::Session, |config| {
        config.with_argon2(users_runtime::argon2_cost!(m = 20_480, t = 3, p = 1))
    })
    .await;
    let id = app.verified(EMAIL).await;
    let hash = stored_hash(&app, id).await;
    assert!(hash.starts_with("$argon2id$v=19$m=20480,t=3,p=1$"), "{hash}");
    app.client().log_in(EMAIL, PASSWORD).await.expect(201, "");
}

/// Passwords and their hashes of older schemes and weaker costs, from the test vectors of `crypt_blowfish`, of the
/// reference implementation of Argon2, and of Python's `hashlib`.
const OLDER: [(&str, &str); 4] = [
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    (
        "password",
        "$pbkdf2-sha256$i=1000,l=32$8PHy8/T19vf4+fr7/P3+/w$d5D2InnL4oi0qnBlkUtzZMs+KcGeuKJ59Lp081vm+JM",
    ),
    ("password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
    ("password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"),
];

#[tokio::test]
async fn s09_an_older_hash_verifies_and_is_upgraded_at_login() {
    let app = app_with(Kind::Session, |config| config.with_scheme(Bcrypt).with_scheme(Pbkdf2)).await;
    let id = app.verified(EMAIL).await;
    for (password, older) in OLDER {
        store_hash(&app, id, older).await;
        app.client().log_in(EMAIL, "not the password").await.expect(401, "bad_credentials");
        assert_eq!(stored_hash(&app, id).await, older, "a wrong password must change nothing");
        // One computation to check it, one to store it anew.
        let computations = app.admin.password_computations();
        let client = app.client();
        client.log_in(EMAIL, password).await.expect(201, "");
        assert_eq!(app.admin.password_computations() - computations, 2);
        client.me().await.expect(200, "");
        let upgraded = stored_hash(&app, id).await;
        assert!(upgraded.starts_with(CURRENT), "{upgraded}");
        let computations = app.admin.password_computations();
        app.client().log_in(EMAIL, password).await.expect(201, "");
        app.client().log_in(EMAIL, "not the password").await.expect(401, "bad_credentials");
        assert_eq!(app.admin.password_computations() - computations, 2);
        assert_eq!(stored_hash(&app, id).await, upgraded);
        client.me().await.expect(200, "");
    }
}

#[tokio::test]
async fn s09_a_veto_leaves_the_older_hash() {
    let app = app_with(Kind::Session, |config| config.with_scheme(Bcrypt)).await;
    let id = app.verified(EMAIL).await;
    let (password, older) = OLDER[0];
    store_hash(&app, id, older).await;
    for order in ["veto:before_login", "break:after_login"] {
        let client = app.client().with_header(users_tests::apps::HOOK_HEADER, order);
        assert!(client.log_in(EMAIL, password).await.status.as_u16() >= 400);
        assert_eq!(stored_hash(&app, id).await, older, "{order}");
    }
}

#[tokio::test]
async fn s09_a_hash_of_no_configured_scheme_lets_nobody_in() {
    let app = App::start(Kind::Session).await;
    let id = app.verified(EMAIL).await;
    for (password, hash) in [OLDER[0], OLDER[1], ("password", "password"), ("", "")] {
        store_hash(&app, id, hash).await;
        let computations = app.admin.password_computations();
        app.client().log_in(EMAIL, password).await.expect(401, "bad_credentials");
        assert_eq!(app.admin.password_computations() - computations, 1);
        assert_eq!(stored_hash(&app, id).await, hash);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s09_upgrades_at_the_same_time_let_everybody_in() {
    for kind in Kind::ALL {
        let app = app_with(kind, |config| config.with_scheme(Bcrypt)).await;
        let id = app.verified(EMAIL).await;
        let (password, older) = OLDER[0];
        store_hash(&app, id, older).await;
        let clients: Vec<_> = (0..8).map(|_| app.client()).collect();
        let answers = at_once(8, |index| {
            // It keeps the credential for `clients[index]`.
            let client = clients[index].with_header("x-number", &index.to_string());
            async move { client.log_in(EMAIL, password).await }
        })
        .await;
        assert_eq!(statuses(&answers), [(201, 8)].into(), "{kind:?}");
        assert!(stored_hash(&app, id).await.starts_with(CURRENT));
        // No upgrade ends what another login was given a moment before.
        for client in &clients {
            client.me().await.expect(200, "");
        }
        assert_eq!(app.count("SELECT login_count FROM users").await, 8, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s09_an_upgrade_never_undoes_a_reset() {
    let app = app_with(Kind::Session, |config| config.with_scheme(Bcrypt)).await;
    let (password, older) = OLDER[0];
    for number in 0..3 {
        let email = format!("user{number}@example.com");
        let id = app.verified(&email).await;
        store_hash(&app, id, older).await;
        app.client().forgot(&email).await.expect(201, "");
        let token = app.mailbox.token(&email, 2).await;
        let answers = at_once(5, |index| {
            let (client, email, token) = (app.client(), email.clone(), token.clone());
            async move {
                match index {
                    0 => client.reset(&token, PASSWORD).await,
                    _ => client.log_in(&email, password).await,
                }
            }
        })
        .await;
        // The upgrade may have come first and ended the token; then nothing is reset.
        let (dead, alive) = match answers[0].status.as_u16() {
            201 => (password, PASSWORD),
            _ => (PASSWORD, password),
        };
        app.client().log_in(&email, dead).await.expect(401, "bad_credentials");
        app.client().log_in(&email, alive).await.expect(201, "");
    }
}
