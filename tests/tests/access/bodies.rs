//! Bodies: limited, JSON alone, and strict about every key.

use std::fmt::Write;

use serde_json::{Value, json};
use users_tests::{Answer, App, Client, Engine, Kind, On, PASSWORD};

use crate::support::raw;

/// Every route that reads a body, with one that is right and the keys whose values are texts.
fn routes() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("POST", "/register", json!({"email": "new@example.com", "password": PASSWORD})),
        ("POST", "/login", json!({"email": "ada@example.com", "password": PASSWORD})),
        ("POST", "/verify", json!({"token": "A".repeat(43)})),
        ("POST", "/verify/resend", json!({"email": "ada@example.com"})),
        ("POST", "/forgot-password", json!({"email": "ada@example.com"})),
        ("POST", "/reset-password", json!({"token": "A".repeat(43), "password": PASSWORD})),
        ("PATCH", "/users/me", json!({"password": PASSWORD, "current_password": PASSWORD})),
        ("DELETE", "/users/me", json!({"current_password": PASSWORD})),
    ]
}

struct Fixture {
    app: App,
    client: Client,
    before: Vec<i64>,
}

impl Fixture {
    async fn new() -> Self {
        let app = App::start(Kind::Jwt).await;
        let client = app.user("ada@example.com").await;
        let before = written(&app).await;
        Self { app, client, before }
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.client.request(method, path).header("content-type", "application/json");
        // A copy, so that a credential that should not have been given is seen and not kept.
        self.client.snapshot().send(request.body(body.into())).await
    }

    /// Refuses this body on every route with this answer.
    async fn refuse(
        &self,
        body: impl Fn(&Value) -> Vec<u8>,
        status: u16,
        code: &str,
        field: impl Fn(&Value) -> String,
    ) {
        for (method, path, right) in routes() {
            let bytes = body(&right);
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
            let answer = self.send(method, path, bytes).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (status, code),
                "{method} {path} {shown}"
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
            if status == 422 {
                assert_eq!(answer.fields(), [field(&right)], "{method} {path} {shown}");
            }
            assert!(!answer.text.contains(PASSWORD), "{method} {path} {shown}");
        }
    }

    async fn assert_untouched(self) {
        assert_eq!(written(&self.app).await, self.before);
        self.client.me().await.expect(200, "");
    }
}

/// What a request that was accepted would have changed.
async fn written(app: &App) -> Vec<i64> {
    vec![
        app.count("SELECT COUNT(*) FROM users").await,
        app.count("SELECT SUM(login_count) FROM users").await,
        app.count("SELECT COUNT(*) FROM users_one_time_tokens").await,
        promised(app).await,
        app.count("SELECT SUM(age) FROM users").await,
    ]
}

/// How many mails were ever promised, or a number that grows with it.
async fn promised(app: &App) -> i64 {
    if Engine::chosen() == Engine::MySql {
        // MySQL answers from statistics that may be a day old.
        app.execute("ANALYZE TABLE users_outbox").await;
    }
    let given = On {
        sqlite: "SELECT seq FROM sqlite_sequence WHERE name = 'users_outbox'",
        postgres: "SELECT last_value FROM pg_sequences \
                   WHERE schemaname = current_schema() AND sequencename LIKE 'users\\_outbox%'",
        mysql: "SELECT auto_increment FROM information_schema.tables \
                WHERE table_schema = DATABASE() AND table_name = 'users_outbox'",
    };
    app.count(given.chosen()).await
}

fn first_key(right: &Value) -> String {
    right.as_object().and_then(|object| object.keys().next().cloned()).expect("a key")
}

/// The right body with other text in place of the first key's value.
fn with_first(right: &Value, value: &str) -> Vec<u8> {
    let first = first_key(right);
    let mut body = format!("{{\"{first}\":{value}");
    for (key, value) in right.as_object().expect("an object").iter().skip(1) {
        let _ = write!(body, ",\"{key}\":{value}");
    }
    body.push('}');
    body.into_bytes()
}

#[tokio::test]
async fn s51_no_answer_names_a_type_of_the_program() {
    let app = App::start(Kind::Session).await;
    for body in ["1", "null", "\"text\""] {
        let request = app.client().request("POST", "/register").header("content-type", "application/json");
        let answer = app.client().send(request.body(body)).await.expect(422, "validation_failed");
        assert!(
            answer.text.contains("expected an object") && !answer.text.contains("User"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn s51_unknown_keys_are_refused_by_name() {
    let fixture = Fixture::new().await;
    for key in ["is_verified", "roles", "Email", "password ", "é", "constructor"] {
        let body = |right: &Value| {
            let mut body = right.clone();
            body[key] = json!(true);
            body.to_string().into_bytes()
        };
        fixture.refuse(body, 422, "validation_failed", |_| format!("{key}: unknown_field")).await;
    }
    // A client's own word does not come back at full length.
    let answer = fixture.send("POST", "/login", format!("{{\"{}\":1}}", "k".repeat(5_000))).await;
    assert!(answer.expect(422, "validation_failed").text.len() < 1_000);
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_duplicate_keys_are_refused_by_name() {
    let fixture = Fixture::new().await;
    let twice = |right: &Value| {
        let text = right.to_string();
        let first = first_key(right);
        format!("{},\"{first}\":{}}}", &text[..text.len() - 1], right[&first]).into_bytes()
    };
    fixture
        .refuse(twice, 422, "validation_failed", |right| format!("{}: duplicate_field", first_key(right)))
        .await;
    // The escape of a letter is the letter.
    let escaped = |right: &Value| {
        let text = right.to_string();
        let first = first_key(right);
        let code = u32::from(first.chars().next().expect("a letter"));
        format!("{},\"\\u{code:04x}{}\":\"x\"}}", &text[..text.len() - 1], &first[1..]).into_bytes()
    };
    fixture
        .refuse(escaped, 422, "validation_failed", |right| format!("{}: duplicate_field", first_key(right)))
        .await;
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_missing_keys_are_refused_by_name() {
    let fixture = Fixture::new().await;
    for (method, path, right) in routes().into_iter().filter(|(method, ..)| *method != "PATCH") {
        for missing in right.as_object().expect("an object").keys() {
            let mut body = right.clone();
            body.as_object_mut().expect("an object").remove(missing);
            let answer = fixture.send(method, path, body.to_string()).await.expect(422, "validation_failed");
            assert_eq!(answer.fields(), [format!("{missing}: required")]);
        }
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_values_of_another_type_are_refused_by_name() {
    let fixture = Fixture::new().await;
    for value in [
        "1",
        "-1.5",
        "true",
        "null",
        "[]",
        "[\"x\"]",
        "{}",
        "{\"$ne\":null}",
        "18446744073709551616",
        "1e300",
    ] {
        let body = |right: &Value| with_first(right, value);
        fixture
            .refuse(body, 422, "validation_failed", |right| format!("{}: invalid_type", first_key(right)))
            .await;
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_only_an_object_is_a_body() {
    let fixture = Fixture::new().await;
    for body in ["[]", "null", "true", "1", "\"text\"", "[{}]", "[null]", "1e400"] {
        for (method, path, _) in routes() {
            let answer = fixture.send(method, path, body).await;
            assert!(matches!(answer.status.as_u16(), 400 | 422), "{method} {path} {body}: {}", answer.status);
        }
    }
    // The values alone, in the order of the struct, are not the object.
    let values = |right: &Value| {
        let values: Vec<_> = right.as_object().expect("an object").values().cloned().collect();
        Value::from(values).to_string().into_bytes()
    };
    fixture.refuse(values, 422, "validation_failed", |_| ": invalid_type".to_owned()).await;
    let all = json!(["new@example.com", PASSWORD, "New", 30]).to_string();
    fixture
        .refuse(|_| all.clone().into_bytes(), 422, "validation_failed", |_| ": invalid_type".to_owned())
        .await;
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_numbers_out_of_bounds_are_refused() {
    let fixture = Fixture::new().await;
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "1.0",
        "0x1",
        "1e400",
        "NaN",
        "--1",
        "01",
        "1_0",
    ] {
        let register =
            format!("{{\"email\":\"new@example.com\",\"password\":\"{PASSWORD}\",\"age\":{number}}}");
        for (method, path, body) in
            [("POST", "/register", register), ("PATCH", "/users/me", format!("{{\"age\":{number}}}"))]
        {
            let answer = fixture.send(method, path, body).await;
            assert!(matches!(answer.status.as_u16(), 400 | 422), "{path} {number}: {}", answer.status);
        }
    }
    let answer = fixture.send("PATCH", "/users/me", "{\"age\":9223372036854775807}").await;
    assert_eq!(answer.expect(422, "validation_failed").fields(), ["age: out_of_range"]);
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_no_text_holds_a_nul() {
    let fixture = Fixture::new().await;
    for value in ["\"a\\u0000b\"", "\"\\u0000\"", "[\"\\u0000\"]", "{\"a\":\"\\u0000\"}"] {
        let body = |right: &Value| with_first(right, value);
        fixture
            .refuse(body, 422, "validation_failed", |right| format!("{}: invalid_text", first_key(right)))
            .await;
    }
    // In a key, and where a duplicate hides the first value from a reader that keeps the last.
    let answer = fixture.send("POST", "/login", "{\"a\\u0000\":1}").await;
    assert_eq!(answer.expect(422, "validation_failed").fields(), ["a\u{fffd}: invalid_text"]);
    let hidden = |right: &Value| {
        let text = right.to_string();
        format!("{{\"{}\":\"\\u0000\",{}", first_key(right), &text[1..]).into_bytes()
    };
    fixture
        .refuse(hidden, 422, "validation_failed", |right| format!("{}: duplicate_field", first_key(right)))
        .await;
    // A backslash before it makes it six harmless characters.
    let body = json!({"display_name": "\\u0000"}).to_string();
    assert!(body.contains("\\\\u0000"));
    fixture.send("PATCH", "/users/me", body).await.expect(200, "");
    fixture.refuse(|right| with_first(right, "\"a\0b\""), 400, "malformed_body", |_| String::new()).await;
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_what_is_not_json_is_400_without_a_piece_of_it() {
    let fixture = Fixture::new().await;
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b" ".to_vec(),
        b"{".to_vec(),
        b"}".to_vec(),
        b"{]".to_vec(),
        b"{'email':'x'}".to_vec(),
        b"{email:1}".to_vec(),
        b"// comment\n{}".to_vec(),
        b"\xff\xfe{\0}\0".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"<xml/>".to_vec(),
        b"email=a&password=b".to_vec(),
        b"\0".to_vec(),
        b"undefined".to_vec(),
        b"\x1f\x8b\x08\x00".to_vec(),
    ];
    for body in bodies {
        fixture.refuse(|_| body.clone(), 400, "malformed_body", |_| String::new()).await;
    }
    for value in [
        "\"\\ud800\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"line\nbreak\"",
        "\"open",
        "tru",
        "\"a\" \"b\"",
        "\"a\",",
        "+1",
        ".5",
    ] {
        let body = |right: &Value| with_first(right, value);
        for (method, path, right) in routes() {
            let answer = fixture.send(method, path, body(&right)).await;
            let code = answer.code();
            assert_eq!(
                (answer.status.as_u16(), code.as_str()),
                (400, "malformed_body"),
                "{method} {path} {value}"
            );
            assert!(!answer.text.contains(PASSWORD));
        }
    }
    for bytes in [&b"\"\xff\xfe\""[..], b"\"\xc3\x28\"", b"\"\xed\xa0\x80\"", b"\"\xf0\x9f\""] {
        let body = |right: &Value| {
            let text = with_first(right, "@");
            let at = text.iter().position(|byte| *byte == b'@').expect("the mark");
            [&text[..at], bytes, &text[at + 1..]].concat()
        };
        fixture.refuse(body, 400, "malformed_body", |_| String::new()).await;
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_nothing_follows_the_object() {
    let fixture = Fixture::new().await;
    for rest in ["x", "{}", ",", "]", "\0", "null", "// comment"] {
        let body = |right: &Value| format!("{right}{rest}").into_bytes();
        fixture.refuse(body, 400, "malformed_body", |_| String::new()).await;
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_deep_nesting_is_refused_before_it_is_followed() {
    let fixture = Fixture::new().await;
    for depth in [200, 8_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            if open.len() * depth > 16_000 {
                continue;
            }
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for (method, path, right) in routes() {
                for body in [with_first(&right, &nested), nested.clone().into_bytes()] {
                    if body.len() > 16 * 1024 {
                        continue;
                    }
                    let answer = fixture.send(method, path, body).await;
                    assert!(
                        matches!(answer.status.as_u16(), 400 | 422),
                        "{method} {path}: {}",
                        answer.status
                    );
                }
            }
        }
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_bodies_are_limited_to_16_kib() {
    let fixture = Fixture::new().await;
    let padded = |right: &Value, size: usize| {
        let mut body = right.to_string().into_bytes();
        body.resize(size, b' ');
        body
    };
    fixture.refuse(|right| padded(right, 16 * 1024 + 1), 413, "body_too_large", |_| String::new()).await;
    fixture.refuse(|right| padded(right, 64 * 1024), 413, "body_too_large", |_| String::new()).await;
    let right = json!({"current_password": PASSWORD});
    fixture.send("PATCH", "/users/me", padded(&right, 16 * 1024)).await.expect(200, "");
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_the_limit_counts_chunks_too() {
    let fixture = Fixture::new().await;
    let token = fixture.client.bearer().expect("a token");
    for (method, path, right) in routes() {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let body = right.to_string();
        let mut request = format!("{head}{:x}\r\n{body}\r\n", body.len());
        for _ in 0..17 {
            let _ = write!(request, "400\r\n{}\r\n", " ".repeat(1024));
        }
        request.push_str("0\r\n\r\n");
        let reply = raw(&fixture.app.base, request.as_bytes()).await;
        assert_eq!((reply.status, &reply.json()["code"]), (413, &json!("body_too_large")), "{method} {path}");
    }
    // A length that is a lie is a broken message.
    let request = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\
                   Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(raw(&fixture.app.base, request.as_bytes()).await.status, 400);
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_a_body_has_to_say_that_it_is_json() {
    let fixture = Fixture::new().await;
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
        Some("application/xml; a=application/json"),
        Some("text/plain, application/json"),
        Some("json"),
    ] {
        for (method, path, right) in routes() {
            let mut request = fixture.client.request(method, path).body(right.to_string());
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let answer = fixture.client.snapshot().send(request).await;
            assert_eq!(answer.status, 415, "{method} {path} {content_type:?}");
            assert_eq!(answer.code(), "unsupported_media_type");
        }
    }
    for content_type in
        ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
    {
        let request = fixture.client.request("PATCH", "/users/me").header("content-type", content_type);
        fixture.client.send(request.body("{}")).await.expect(200, "");
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s52_registration_writes_nothing_outside_its_dto() {
    let fixture = Fixture::new().await;
    for key in [
        "id",
        "is_active",
        "is_verified",
        "login_count",
        "password_hash",
        "email_canonical",
        "roles",
        "is_superuser",
    ] {
        let mut body = json!({"email": "new@example.com", "password": PASSWORD});
        body[key] = json!(1);
        let answer =
            fixture.send("POST", "/register", body.to_string()).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("{key}: unknown_field")]);
    }
    fixture.assert_untouched().await;
}

#[tokio::test]
async fn s51_the_query_of_verify_is_as_strict() {
    let fixture = Fixture::new().await;
    // A query without the key leaves the token to the body, and there is none.
    for query in ["", "tokens=x", "Token=a", "token%20=a"] {
        let path = format!("/verify?{query}");
        let answer = fixture.client.send(fixture.client.request("POST", &path)).await;
        answer.expect(415, "unsupported_media_type");
    }
    for query in ["token=a&token=b", "token=a&x=y&token=", "token&token"] {
        let path = format!("/verify?{query}");
        let answer = fixture.client.send(fixture.client.request("POST", &path)).await;
        assert_eq!(answer.expect(422, "validation_failed").fields(), ["token: duplicate_field"], "{query}");
    }
    for query in ["token", "token=", "token=%ff", "token=%00", "token=a.b.c", "token=%2e%2e%2f"] {
        let path = format!("/verify?{query}");
        fixture.client.send(fixture.client.request("POST", &path)).await.expect(400, "token_invalid");
    }
    fixture.assert_untouched().await;
}
