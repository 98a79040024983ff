//! Group `register`.

use serde_json::json;
use users_tests::{App, Kind, PASSWORD, each_backend};

use crate::help::assert_no_credential;

const EMAIL: &str = "ada@example.com";

each_backend!(registration_answers_201_with_the_user, |app| async move {
    let answer = app
        .client()
        .post("/register", &json!({"email": EMAIL, "password": PASSWORD, "display_name": "Ada"}))
        .await
        .expect(201, "");
    let user = answer.json();
    assert_eq!(user["email"], EMAIL);
    assert_eq!(user["display_name"], "Ada");
    assert_eq!(user["age"], 30);
    assert_eq!(user["login_count"], 0);
    assert_eq!((&user["is_active"], &user["is_verified"]), (&json!(true), &json!(false)));
    assert!(user.get("password_hash").is_none(), "{user}");
    assert_eq!(app.id_of(EMAIL).await.to_string(), user["id"]);
});

each_backend!(registration_logs_nobody_in, |app| async move {
    let client = app.client();
    let answer = client.register(EMAIL, PASSWORD).await.expect(201, "");
    assert_no_credential(&answer);
    client.me().await.expect(401, "unauthenticated");
});

each_backend!(a_taken_identifier_is_409, |app| async move {
    let client = app.client();
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let answer = client.register(EMAIL, "some other long sentence").await.expect(409, "identifier_taken");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
    // The stranger's attempt changed nothing: the first password is the one that counts.
    let token = app.mailbox.token(EMAIL, 1).await;
    client.verify(&token).await.expect(201, "");
    client.log_in(EMAIL, "some other long sentence").await.expect(401, "bad_credentials");
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
});

each_backend!(a_worthless_credential_does_not_stop_a_registration, |app| async move {
    let client = app.client();
    client.set_cookie(app.kind.cookie(), "worthless");
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    let client = app.client();
    client.set_bearer(Some("worth.less.token"));
    client.register("eve@example.com", PASSWORD).await.expect(201, "");
});

each_backend!(
    s49_a_page_of_another_origin_cannot_register_where_a_browser_adds_the_credential,
    |app| async move {
        let client = app.client().with_header("origin", "https://evil.example");
        let answer = client.register(EMAIL, PASSWORD).await;
        if app.kind.is_cookie() {
            answer.expect(403, "cross_origin");
        } else {
            answer.expect(201, "");
        }
        let registered = app.count("SELECT COUNT(*) FROM users").await;
        assert_eq!(registered, i64::from(!app.kind.is_cookie()));
    }
);

#[tokio::test]
async fn every_broken_rule_is_listed_with_its_field() {
    let app = App::start(Kind::Jwt).await;
    let body = json!({"email": "nobody", "password": "short", "display_name": "x", "age": 151});
    let answer = app.client().post("/register", &body).await.expect(422, "validation_failed");
    assert_eq!(
        answer.fields(),
        [
            "email: invalid_email",
            "password: password_too_short",
            "display_name: too_short",
            "age: out_of_range"
        ]
    );
    assert_eq!(answer.json()["status"], 422);
    assert!(answer.json()["errors"][0]["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
    assert_eq!(app.admin.password_computations(), 0);
}

#[tokio::test]
async fn what_is_missing_or_of_another_type_is_422_with_its_field() {
    let app = App::start(Kind::Jwt).await;
    for (body, field) in [
        (json!({}), "email: required"),
        (json!({"email": EMAIL}), "password: required"),
        (json!({"password": PASSWORD}), "email: required"),
        (json!({"email": 1, "password": PASSWORD}), "email: invalid_type"),
        (json!({"email": EMAIL, "password": ["x"]}), "password: invalid_type"),
        (json!({"email": EMAIL, "password": null}), "password: invalid_type"),
        (json!({"email": EMAIL, "password": PASSWORD, "age": "old"}), "age: invalid_type"),
    ] {
        let answer = app.client().post("/register", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    let client = app.client();
    let twice = r#"{"email": "ada@example.com", "email": "eve@example.com", "password": "correct horse"}"#;
    let request = client.request("POST", "/register").header("content-type", "application/json").body(twice);
    assert_eq!(
        client.send(request).await.expect(422, "validation_failed").fields(),
        ["email: duplicate_field"]
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn s52_nobody_registers_with_fields_that_are_not_theirs_to_write() {
    let app = App::start(Kind::Jwt).await;
    for (field, value) in [
        ("id", json!("00000000-0000-0000-0000-000000000000")),
        ("is_active", json!(true)),
        ("is_verified", json!(true)),
        ("login_count", json!(7)),
        ("password_hash", json!("$argon2id$")),
        ("email_canonical", json!("eve@example.com")),
        ("roles", json!(["administrator"])),
        ("is_superuser", json!(true)),
    ] {
        let mut body = json!({"email": EMAIL, "password": PASSWORD});
        body[field] = value;
        let answer = app.client().post("/register", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("{field}: unknown_field")]);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn what_is_no_json_is_4xx_and_says_nothing_of_the_body() {
    let app = App::start(Kind::Jwt).await;
    let client = app.client();
    let send = async |kind: &str, body: String| {
        client.send(client.request("POST", "/register").header("content-type", kind).body(body)).await
    };
    let good = json!({"email": EMAIL, "password": PASSWORD}).to_string();
    let broken = good.replace('}', "");
    let answer = send("application/json", broken).await.expect(400, "malformed_body");
    assert!(!answer.text.contains(PASSWORD), "{}", answer.text);
    send("text/plain", good.clone()).await.expect(415, "unsupported_media_type");
    send("application/x-www-form-urlencoded", good.clone()).await.expect(415, "unsupported_media_type");
    send("application/json", format!("{good}{}", " ".repeat(16 * 1024))).await.expect(413, "body_too_large");
    client.get("/register").await.expect(405, "method_not_allowed");
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
    send("application/json; charset=utf-8", good).await.expect(201, "");
}
