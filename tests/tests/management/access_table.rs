//! S53: every generated route against everybody, from the router itself.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use users_runtime::{Access, Config, GeneratedRoute, Group, SecretKey};
use users_tests::{App, Client, Database, Kind, PASSWORD, apps::jwt};

use crate::support::{Office, id_of, office};

/// The statuses that anonymous callers, unverified, deactivated and ordinary users, another user and an administrator are
/// answered, in this order.
type Row = [u16; 6];

/// What is sent, and what comes back.
fn row(method: &Method, path: &str) -> Option<(Value, Row)> {
    let key = json!("00000000-0000-0000-0000-000000000000");
    let open = |status| [status; 6];
    let of_users = |status| [401, 403, 401, status, status, status];
    let of_administrators = |status| [401, 403, 401, 403, 403, status];
    Some(match (method.as_str(), path) {
        ("POST", "/register") => (json!({"email": "nobody", "password": PASSWORD}), open(422)),
        ("POST", "/verify") => (json!({"token": "x"}), open(400)),
        ("POST", "/verify/resend") => (json!({"email": "nobody@example.com"}), open(202)),
        ("POST", "/login") => (json!({"email": "nobody@example.com", "password": PASSWORD}), open(401)),
        ("POST", "/forgot-password") => (json!({"email": "nobody@example.com"}), open(201)),
        ("POST", "/reset-password") => (json!({"token": "x", "password": PASSWORD}), open(400)),
        ("POST", "/logout") => (Value::Null, of_users(201)),
        ("GET", "/users/me" | "/users/me/sessions" | "/users/me/events" | "/users/me/export") => {
            (Value::Null, of_users(200))
        }
        ("PATCH", "/users/me") => (json!({}), of_users(200)),
        ("DELETE", "/users/me") => (json!({"current_password": "wrong password"}), of_users(403)),
        ("DELETE", "/users/me/sessions") => (Value::Null, of_users(204)),
        ("DELETE", "/users/me/sessions/{id}") => (Value::Null, of_users(404)),
        ("POST", "/token" | "/token/refresh") => (json!({"refresh_token": "x"}), open(400)),
        ("GET", "/.well-known/jwks.json" | "/schema" | "/schema/openapi.json") => (Value::Null, open(200)),
        ("GET", "/users" | "/users/roles") => (Value::Null, of_administrators(200)),
        ("GET", "/users/{id}/events")
        | ("GET" | "DELETE", "/users/{id}" | "/users/{id}/lock")
        | ("DELETE", "/users/roles/{id}" | "/users/{id}/sessions") => (Value::Null, of_administrators(404)),
        ("PATCH", "/users/{id}" | "/users/roles/{id}") => (json!({}), of_administrators(404)),
        ("POST", "/users/roles") => (json!({"name": ""}), of_administrators(422)),
        ("PUT", "/users/roles/assign" | "/users/roles/revoke") => {
            (json!({"user_id": key, "role_id": key}), of_administrators(404))
        }
        _ => return None,
    })
}

async fn routes() -> Vec<GeneratedRoute> {
    let office = Office::start().await;
    office::router(office.users.clone()).routes()
}

async fn status(client: &Client, method: &str, path: &str, body: &Value) -> u16 {
    let request = client.request(method, path);
    let request = if body.is_null() { request } else { request.json(body) };
    client.send(request).await.status.as_u16()
}

#[tokio::test]
async fn s53_every_generated_route_answers_everybody_as_the_table_says() {
    let office = Office::start().await;
    let ada = office.person("ada@example.com", &["clerk"]).await;
    let ben = office.person("ben@example.com", &[]).await;
    let admin = office.administrator().await;
    let asleep = office.person("asleep@example.com", &["administrator"]).await;
    let unproven = office.person("unproven@example.com", &["administrator"]).await;
    // Behind the library's back: their sessions live on, and so would what they give.
    office.store.execute("UPDATE staff SET is_active = FALSE WHERE email = 'asleep@example.com'").await;
    let unverified = office.store.query("UPDATE staff SET is_verified = FALSE WHERE email = ?");
    unverified.bind("unproven@example.com").execute().await;
    let nobody = office.client();
    let callers = [&nobody, &unproven.client, &asleep.client, &ada.client, &ben.client, &admin.client];
    let names = ["anonymous", "unverified", "deactivated", "user", "other user", "administrator"];
    let mut wrong = BTreeMap::new();
    for route in office::router(office.users.clone()).routes() {
        let (body, row) = row(&route.method, &route.path)
            .unwrap_or_else(|| panic!("{} {} has no row in this table", route.method, route.path));
        let path = route.path.replace("{id}", "00000000-0000-0000-0000-000000000000");
        for ((caller, name), expected) in callers.iter().zip(names).zip(row) {
            let status = status(&caller.snapshot(), route.method.as_str(), &path, &body).await;
            // A verified flag is part of what a session stands for, so one of before is worth nothing.
            let fits = status == expected || (name == "unverified" && expected == 403 && status == 401);
            if !fits {
                wrong.insert(format!("{} {} {name}", route.method, route.path), (status, expected));
            }
            // The session that the next route needs has ended.
            if matches!((path.as_str(), status), ("/logout", 201) | ("/users/me/sessions", 204)) {
                let email = ["", "", "", "ada@example.com", "ben@example.com", "admin@example.com"];
                let email = email[names.iter().position(|other| *other == name).expect("a caller")];
                caller.log_in(email, PASSWORD).await.expect(201, "");
            }
        }
    }
    assert!(wrong.is_empty(), "answered and expected: {wrong:#?}");
}

#[tokio::test]
async fn what_the_table_leaves_open_is_what_the_library_calls_open() {
    for route in routes().await {
        let (_, row) = row(&route.method, &route.path).expect("a row");
        let access = match row {
            [_, _, _, user, _, administrator] if user != administrator => Access::Guarded,
            [anonymous, _, _, user, ..] if anonymous != user => Access::User,
            _ => Access::Anyone,
        };
        assert_eq!(access, route.access, "{} {}", route.method, route.path);
        assert!(!route.summary.is_empty());
    }
}

#[tokio::test]
async fn the_groups_of_the_contract_are_all_there() {
    assert_eq!(routes().await.len(), 31);
}

#[tokio::test]
async fn s53_the_routes_of_tokens_are_open_as_the_table_says() {
    let app = App::start(Kind::Jwt).await;
    let callers = [app.client(), app.user("ada@example.com").await];
    let database = Database::in_memory().await;
    let config = Config::new(SecretKey::generate().expect("randomness"));
    let users = jwt::Users::connect(database.url(), config).await.expect("it starts");
    let routes = jwt::router(users).routes().into_iter().filter(|route| route.group == Group::Tokens);
    let mut seen = 0;
    for route in routes {
        let (body, row) = row(&route.method, &route.path).expect("a row");
        for caller in &callers {
            let status = status(caller, route.method.as_str(), &route.path, &body).await;
            assert_eq!(status, row[0], "{} {}", route.method, route.path);
        }
        assert_eq!(route.access, Access::Anyone, "{} {}", route.method, route.path);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[tokio::test]
async fn another_user_reaches_nothing_of_ones_own() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let ben = office.person("ben@example.com", &[]).await;
    for method in ["GET", "PATCH", "DELETE"] {
        // Neither what exists nor what is one's own differs from what does not exist.
        for path in [ada.path(), ben.path(), "/users/00000000-0000-0000-0000-000000000000".to_owned()] {
            assert_eq!(status(&ben, method, &path, &json!({"age": 99})).await, 403, "{method} {path}");
        }
    }
    assert_eq!(id_of(&admin.get(&ada.path()).await.expect(200, "").json()), ada.id);
}
