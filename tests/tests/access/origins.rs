//! Requests from pages of other origins: what a browser sends without its user's wish.

use serde_json::{Value, json};
use users_runtime::Config;
use users_tests::{App, Client, Kind, Options, PASSWORD};

use crate::support::secret;

/// Every unsafe route: the generated ones and two of the application's own.
fn unsafe_routes() -> Vec<(&'static str, &'static str, Value)> {
    let account = json!({"email": "new@example.com", "password": PASSWORD});
    let token = json!({"token": "A".repeat(43)});
    vec![
        ("POST", "/login", json!({"email": "ada@example.com", "password": PASSWORD})),
        ("POST", "/register", account),
        ("POST", "/logout", Value::Null),
        ("POST", "/verify", token),
        ("POST", "/verify?token=x", Value::Null),
        ("POST", "/verify/resend", json!({"email": "ada@example.com"})),
        ("POST", "/forgot-password", json!({"email": "ada@example.com"})),
        ("POST", "/reset-password", json!({"token": "A".repeat(43), "password": PASSWORD})),
        ("PATCH", "/users/me", json!({"age": 77})),
        ("DELETE", "/users/me", json!({"current_password": PASSWORD})),
        ("DELETE", "/users/me/sessions", Value::Null),
        ("DELETE", "/users/me/sessions/x", Value::Null),
        ("POST", "/token", Value::Null),
        ("POST", "/token/refresh", Value::Null),
        ("POST", "/private", Value::Null),
        ("POST", "/feed", Value::Null),
        ("PUT", "/private", Value::Null),
        ("POST", "/no/such/route", Value::Null),
    ]
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> users_tests::Answer {
    client.send(client.request(method, path).json(body)).await
}

async fn with_trusted(kind: Kind) -> App {
    let config = |config: Config| config.with_trusted_origin("https://admin.example.com").expect("an origin");
    App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await
}

fn with_headers(client: &Client, headers: &[(&str, &str)]) -> Client {
    headers.iter().fold(client.snapshot(), |client, (name, value)| client.with_header(name, value))
}

const FOREIGN: &[&[(&str, &str)]] = &[
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "")],
    &[("origin", "http://localhost.evil.example")],
    &[("origin", "https://admin.example.com.evil.example")],
    &[("origin", "http://admin.example.com")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "nonsense")],
    &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
    &[("origin", "https://evil.example"), ("referer", "http://127.0.0.1:3000/")],
];

#[tokio::test]
async fn s49_every_unsafe_route_refuses_pages_of_other_origins() {
    for kind in Kind::COOKIES {
        let app = with_trusted(kind).await;
        let client = app.user("ada@example.com").await;
        let mails = app.mailbox.mails().len();
        for headers in FOREIGN {
            let foreign = with_headers(&client, headers);
            for (method, path, body) in unsafe_routes() {
                let answer = send(&foreign, method, path, &body).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (403, "cross_origin"),
                    "{method} {path} {headers:?}"
                );
                assert!(!answer.headers.contains_key("set-cookie"), "{method} {path} {headers:?}");
            }
        }
        // Nothing has happened.
        client.me().await.expect(200, "");
        assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
        assert_eq!(app.count("SELECT age FROM users").await, 30);
        assert_eq!(app.count("SELECT login_count FROM users").await, 1);
        assert_eq!(app.mailbox.settled("ada@example.com").await, mails);
    }
}

#[tokio::test]
async fn s49_pages_of_this_origin_and_of_trusted_ones_pass() {
    for kind in Kind::COOKIES {
        let app = with_trusted(kind).await;
        let client = app.user("ada@example.com").await;
        let own = app.base.clone();
        for headers in [
            &[][..],
            &[("origin", own.as_str())],
            &[("origin", "http://127.0.0.1:3000")],
            &[("origin", "https://admin.example.com")],
            &[("origin", "https://admin.example.com:443")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", own.as_str())],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://admin.example.com")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://admin.example.com")],
        ] {
            let near = with_headers(&client, headers);
            send(&near, "PATCH", "/users/me", &json!({"age": 31})).await.expect(200, "");
            send(&near, "POST", "/private", &Value::Null).await.expect(200, "");
            send(&near, "POST", "/feed", &Value::Null).await.expect(200, "");
            let stranger = with_headers(&app.client(), headers);
            stranger.log_in("ada@example.com", PASSWORD).await.expect(201, "");
            stranger.log_out().await.expect(201, "");
        }
    }
}

#[tokio::test]
async fn s49_safe_methods_pass_from_everywhere() {
    for kind in Kind::COOKIES {
        let app = App::start(kind).await;
        let client = app.user("ada@example.com").await;
        for headers in FOREIGN {
            let foreign = with_headers(&client, headers);
            foreign.me().await.expect(200, "");
            foreign.get("/feed").await.expect(200, "");
            let head = foreign.send(foreign.request("HEAD", "/users/me")).await;
            assert_eq!(head.status, 200);
        }
    }
}

#[tokio::test]
async fn s49_a_credential_in_a_header_is_no_browsers_doing() {
    for kind in [Kind::Jwt, Kind::OAuth2Password] {
        let app = App::start(kind).await;
        app.verified("ada@example.com").await;
        for headers in FOREIGN {
            let foreign = with_headers(&app.client(), headers);
            foreign.log_in("ada@example.com", PASSWORD).await.expect(201, "");
            send(&foreign, "PATCH", "/users/me", &json!({"age": 31})).await.expect(200, "");
        }
    }
    // The same token of `jwt_cookie`: in the header it passes, in the cookie it does not.
    let app = App::start(Kind::JwtCookie).await;
    let client = app.user("ada@example.com").await;
    let script = app.client();
    script.set_bearer(Some(&secret(&app, &client)));
    for headers in FOREIGN {
        let change = json!({"age": 31});
        with_headers(&script, headers).patch("/users/me", &change).await.expect(200, "");
        with_headers(&client, headers).patch("/users/me", &change).await.expect(403, "cross_origin");
    }
    // A header of another scheme does not make the cookie any less of a browser's.
    let mixed = with_headers(&client, FOREIGN[0]).with_header("authorization", "Basic YTpi");
    mixed.patch("/users/me", &json!({"age": 31})).await.expect(403, "cross_origin");
}
