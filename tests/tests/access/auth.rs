//! Group `auth`.

use std::collections::BTreeSet;

use serde_json::json;
use users_tests::{App, Kind, OTHER_PASSWORD, PASSWORD, apps::HOOK_HEADER, each_backend};

use crate::support::{Carrier, carriers, carrying, secret};

each_backend!(login_answers_201_with_the_user_and_the_credential, |app| async move {
    let id = app.verified("ada@example.com").await;
    let client = app.client();
    let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let user = answer.json();
    let keys: BTreeSet<_> = user.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["age", "display_name", "email", "id", "is_active", "is_verified", "login_count", "roles"];
    assert_eq!(keys, BTreeSet::from(expected));
    assert_eq!(user["id"], id.to_string());
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["login_count"], 1);
    assert_eq!(answer.headers.contains_key("set-cookie"), app.kind.is_cookie());
    let in_header = Kind::TOKENS.contains(&app.kind);
    assert_eq!(answer.header("authorization").starts_with("Bearer ey"), in_header);
    assert!(!answer.text.contains(&secret(&app, &client)));
    client.me().await.expect(200, "");
});

each_backend!(the_identifier_logs_in_however_it_is_written, |app| async move {
    app.verified("ada@example.com").await;
    for typed in ["ADA@Example.COM", " ada@example.com\t", "\u{ff41}da@example.com"] {
        let typed = typed.trim_end_matches('\t');
        app.client().log_in(typed, PASSWORD).await.expect(201, "");
    }
});

each_backend!(login_has_one_text_for_every_cause, |app| async move {
    app.verified("ada@example.com").await;
    let gone = app.verified("gone@example.com").await;
    app.admin.set_active(gone, false).await.expect("it is there");
    let wrong = app.client().log_in("ada@example.com", OTHER_PASSWORD).await.expect(401, "bad_credentials");
    assert!(!wrong.header("www-authenticate").is_empty());
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("gone@example.com", OTHER_PASSWORD),
        ("ada@example.com", ""),
        ("ada@example.com", "correct horse battery staple "),
        ("ada@example.com", "Correct horse battery staple"),
    ] {
        let client = app.client();
        let answer = client.log_in(email, password).await;
        assert_eq!((answer.status, &answer.text), (wrong.status, &wrong.text), "{email:?} {password:?}");
        assert_eq!(answer.stable_headers(), wrong.stable_headers(), "{email:?} {password:?}");
        assert!(client.cookies().is_empty() && client.bearer().is_none());
    }
});

each_backend!(login_of_an_unverified_account_is_403_and_only_with_its_password, |app| async move {
    app.client().register("ben@example.com", PASSWORD).await.expect(201, "");
    let client = app.client();
    let answer = client.log_in("ben@example.com", PASSWORD).await.expect(403, "not_verified");
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("authorization"));
    client.log_in("ben@example.com", OTHER_PASSWORD).await.expect(401, "bad_credentials");
    client.me().await.expect(401, "unauthenticated");
});

each_backend!(login_refuses_bodies_that_lack_something, |app| async move {
    let client = app.client();
    for (body, field) in [
        (json!({"email": "ada@example.com"}), "password: required"),
        (json!({"password": PASSWORD}), "email: required"),
        (json!({"email": "ada@example.com", "password": 1}), "password: invalid_type"),
        (
            json!({"email": "ada@example.com", "password": PASSWORD, "remember": true}),
            "remember: unknown_field",
        ),
        (json!({"email": "ada@example.com", "password": "x".repeat(257)}), "password: password_too_long"),
    ] {
        let answer = client.post("/login", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field]);
    }
});

each_backend!(a_hook_stops_a_login_and_nothing_of_it_stays, |app| async move {
    app.verified("ada@example.com").await;
    for (order, status, code) in [
        ("veto:before_login", 403, "vetoed"),
        ("break:before_login", 500, "internal"),
        ("veto:after_login", 403, "vetoed"),
        ("break:after_login", 500, "internal"),
    ] {
        let client = app.client().with_header(HOOK_HEADER, order);
        let answer = client.log_in("ada@example.com", PASSWORD).await.expect(status, code);
        assert!(!answer.headers.contains_key("set-cookie"), "{order}");
        assert!(!answer.headers.contains_key("authorization"), "{order}");
        assert!(!answer.text.contains("as told"), "{order}");
    }
    assert_eq!(app.count("SELECT login_count FROM users").await, 0);
    assert_eq!(app.sessions().await, 0);
});

#[tokio::test]
async fn a_header_backend_answers_the_token_response_to_those_who_ask() {
    for kind in [Kind::Jwt, Kind::OAuth2Password] {
        let app = App::start(kind).await;
        app.verified("ada@example.com").await;
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let answer = app.client().post("/login?response=token", &body).await.expect(201, "");
        let token = answer.json();
        let keys: BTreeSet<_> = token.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["access_token", "expires_in", "refresh_token", "token_type"]));
        assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(86_400)));
        let text = token["access_token"].as_str().expect("a text");
        assert_eq!(answer.header("authorization"), format!("Bearer {text}"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.headers.contains_key("set-cookie"));
        carrying(&app, Carrier::Header, text).me().await.expect(200, "");
    }
}

#[tokio::test]
async fn a_cookie_backend_never_puts_the_credential_into_the_body_of_a_login() {
    for kind in Kind::COOKIES {
        let app = App::start(kind).await;
        app.verified("ada@example.com").await;
        for query in ["", "?response=token", "?response=tokens", "?response=token&"] {
            let client = app.client();
            let body = json!({"email": "ada@example.com", "password": PASSWORD});
            let answer = client.post(&format!("/login{query}"), &body).await.expect(201, "");
            assert_eq!(answer.json()["email"], "ada@example.com");
            for value in client.cookies().values() {
                assert!(!answer.text.contains(value), "{kind:?} {query}");
            }
            client.me().await.expect(200, "");
        }
    }
}

#[tokio::test]
async fn jwt_cookie_reads_the_header_before_the_cookie() {
    let app = App::start(Kind::JwtCookie).await;
    let (ada, ben) = (app.user("ada@example.com").await, app.user("ben@example.com").await);
    let (ada, ben) = (secret(&app, &ada), secret(&app, &ben));
    let both = carrying(&app, Carrier::Cookie, &ada);
    both.set_bearer(Some(&ben));
    assert_eq!(both.me().await.expect(200, "").json()["email"], "ben@example.com");
    both.set_bearer(Some("junk"));
    both.me().await.expect(401, "unauthenticated");
    let other_scheme = carrying(&app, Carrier::Cookie, &ada).with_header("authorization", "Basic YTpi");
    assert_eq!(other_scheme.me().await.expect(200, "").json()["email"], "ada@example.com");
}

#[tokio::test]
async fn s21_jwt_cookie_logs_out_of_the_header_and_the_cookie() {
    let app = App::start(Kind::JwtCookie).await;
    let [one, other] = [app.user("ada@example.com").await, app.user("ben@example.com").await];
    let [one, other] = [secret(&app, &one), secret(&app, &other)];
    let both = carrying(&app, Carrier::Cookie, &one);
    both.set_bearer(Some(&other));
    both.log_out().await.expect(201, "");
    for token in [one, other] {
        carrying(&app, Carrier::Cookie, &token).me().await.expect(401, "unauthenticated");
    }
}

#[tokio::test]
async fn the_scheme_bearer_has_no_case() {
    for kind in Kind::TOKENS {
        scheme_has_no_case(&App::start(kind).await).await;
    }
}

async fn scheme_has_no_case(app: &App) {
    let token = secret(app, &app.user("ada@example.com").await);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let client = app.client().with_header("authorization", &format!("{scheme} {token}"));
        client.me().await.expect(200, "");
    }
    for value in
        [token.clone(), format!("Token {token}"), format!("Bearer{token}"), format!("Bearer, {token}")]
    {
        app.client().with_header("authorization", &value).me().await.expect(401, "unauthenticated");
    }
}

each_backend!(a_challenge_comes_with_every_401, |app| async move {
    let challenge = if carriers(app.kind) == [Carrier::Cookie] { "Session" } else { "Bearer" };
    let junk = carrying(&app, carriers(app.kind)[0], "junk");
    for client in [app.client(), junk] {
        for answer in [client.me().await, client.get("/private").await, client.log_out().await] {
            let answer = answer.expect(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), challenge);
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
});

each_backend!(s21_logout_ends_the_credential_on_the_server, |app| async move {
    let client = app.user("ada@example.com").await;
    let elsewhere = app.client();
    elsewhere.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let stolen = secret(&app, &client);
    let copy = client.snapshot();
    copy.me().await.expect(200, "");
    assert_eq!(app.sessions().await, 2);

    let answer = client.log_out().await.expect(201, "");
    assert_eq!(answer.headers.contains_key("set-cookie"), app.kind.is_cookie());
    if app.kind.is_cookie() {
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with(&format!("{}=;", app.kind.cookie())), "{cookie}");
        assert!(cookie.contains("Max-Age=0") && cookie.contains("Path=/"), "{cookie}");
        assert!(client.cookies().is_empty());
    }
    copy.me().await.expect(401, "unauthenticated");
    copy.get("/private").await.expect(401, "unauthenticated");
    copy.log_out().await.expect(401, "unauthenticated");
    for &carrier in carriers(app.kind) {
        carrying(&app, carrier, &stolen).me().await.expect(401, "unauthenticated");
    }
    assert_eq!(copy.get("/feed").await.expect(200, "").json()["anonymous"], true);
    // Another login of the same user is another credential.
    elsewhere.me().await.expect(200, "");
    assert_eq!(app.sessions().await, 1);
});

each_backend!(logout_is_post_and_needs_a_login, |app| async move {
    app.client().log_out().await.expect(401, "unauthenticated");
    let client = app.user("ada@example.com").await;
    client.get("/logout").await.expect(405, "method_not_allowed");
    client.me().await.expect(200, "");
});
