//! What users see and end of their own sessions, and what administrators end of others' (S24).

use std::{collections::BTreeSet, time::Duration};

use chrono::DateTime;
use serde_json::{Value, json};
use users_tests::{App, Client, Kind, PASSWORD, now};

use crate::support::{
    Node, Place, Tokens, claims, each_kind, in_database, new_key, refresh, set_cookies, with,
};

const PATH: &str = "/users/me/sessions";

async fn list(client: &Client) -> Vec<Value> {
    let answer = client.get(PATH).await.expect(200, "");
    answer.json()["items"].as_array().cloned().unwrap_or_else(|| panic!("{}", answer.text))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn milliseconds(value: &Value, name: &str) -> i64 {
    DateTime::parse_from_rfc3339(text(value, name)).expect("RFC 3339").timestamp_millis()
}

async fn delete(client: &Client, path: &str) -> users_tests::Answer {
    client.send(client.request("DELETE", path)).await
}

/// A client that logs in under a name of its own.
async fn device(app: &App, email: &str, agent: Option<&str>) -> Client {
    let client = app.client();
    match agent {
        Some(agent) => client.with_header("user-agent", agent).log_in(email, PASSWORD).await,
        None => client.log_in(email, PASSWORD).await,
    }
    .expect(201, "");
    // Two logins of one millisecond have no order.
    tokio::time::sleep(Duration::from_millis(5)).await;
    client
}

each_kind!(all, s24_users_see_their_sessions, |kind| async move {
    let app = App::start(kind).await;
    let email = "ann@example.com";
    app.verified(email).await;
    app.user("bea@example.com").await;
    let begun = now();
    let first = device(&app, email, Some("First/1.0 (X11; Linux)")).await;
    let second = device(&app, email, None).await;
    let long = format!("Third\t{}", "x".repeat(400));
    let third = device(&app, email, Some(&long)).await;

    let items = list(&second).await;
    assert_eq!(items.len(), 3, "{items:?}");
    let names = ["client", "created_at", "current", "expires_at", "id", "seen_at"].map(String::from);
    for item in &items {
        let found: BTreeSet<_> = item.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(found, names.clone().into());
        let (created, seen, ends) = (
            milliseconds(item, "created_at"),
            milliseconds(item, "seen_at"),
            milliseconds(item, "expires_at"),
        );
        assert!((begun..=now()).contains(&created) && seen >= created && seen <= now(), "{item}");
        assert!((ends - created - 30 * 86_400_000).abs() < 1_000, "{item}");
        for name in ["created_at", "seen_at", "expires_at"] {
            assert!(text(item, name).ends_with('Z'), "{item}");
        }
    }
    let cut = format!("Third{}", "x".repeat(195));
    let clients: Vec<_> = items.iter().map(|item| item["client"].clone()).collect();
    assert_eq!(clients, [json!(cut), Value::Null, json!("First/1.0 (X11; Linux)")], "the latest first");
    for (client, current) in [(&third, 0), (&second, 1), (&first, 2)] {
        let items = list(client).await;
        let marked: Vec<_> = (0..3).filter(|number| items[*number]["current"] == true).collect();
        assert_eq!(marked, [current]);
    }
    let ids: BTreeSet<_> = items.iter().map(|item| text(item, "id")).collect();
    assert_eq!(ids.len(), 3);

    // Bytes that are no text say nothing.
    let odd = app.client();
    let request = odd.request("POST", "/login").json(&json!({"email": email, "password": PASSWORD}));
    let agent = reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").expect("bytes");
    odd.send(request.header("user-agent", agent)).await.expect(201, "");
    assert_eq!(list(&odd).await[0]["client"], Value::Null);
});

each_kind!(all, s24_no_list_of_sessions_holds_a_secret, |kind| async move {
    let app = App::start_with(kind, in_database(|config| config)).await;
    let email = "ann@example.com";
    app.verified(email).await;
    let mut secrets = vec![PASSWORD.to_owned()];
    let client = device(&app, email, Some("x")).await;
    let other = device(&app, email, None).await;
    for client in [&client, &other] {
        secrets.extend(client.cookies().into_values());
        secrets.extend(client.bearer());
    }
    if Kind::TOKENS.contains(&kind) {
        let tokens = Tokens::for_password(&app.client(), email).await;
        secrets.push(claims(&tokens.access)["sid"].as_str().expect("a text").to_owned());
        secrets.extend([tokens.access, tokens.refresh]);
    }
    let hashes: Vec<Vec<u8>> = app.query("SELECT id_hash FROM users_sessions").values().await;
    let fingerprints: Vec<Vec<u8>> = app.query("SELECT fingerprint FROM users_sessions").values().await;
    let encoded = |bytes: &Vec<u8>| base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, bytes);
    secrets.extend(hashes.iter().chain(&fingerprints).map(encoded));
    let answer = client.get(PATH).await.expect(200, "");
    for secret in &secrets {
        assert!(secret.len() >= 16 && !answer.text.contains(secret), "{secret} in {}", answer.text);
        // What a list shows of a session opens nothing.
    }
    for item in list(&client).await {
        let intruder = app.client();
        intruder.set_cookie(kind.cookie(), text(&item, "id"));
        intruder.set_bearer(Some(text(&item, "id")));
        intruder.me().await.expect(401, "unauthenticated");
    }
});

each_kind!(all, s24_users_end_one_of_their_sessions, |kind| async move {
    let app = App::start(kind).await;
    let email = "ann@example.com";
    app.verified(email).await;
    let here = device(&app, email, Some("here")).await;
    let there = device(&app, email, Some("there")).await;
    let bea = app.user("bea@example.com").await;
    let items = list(&here).await;
    let id_of = |client: &str| {
        let found = items.iter().find(|item| item["client"] == client).expect("it is listed");
        text(found, "id").to_owned()
    };

    // Somebody else's, and what is nobody's.
    let beas = text(&list(&bea).await[0], "id").to_owned();
    for id in [
        &beas,
        "x",
        "..",
        "%00",
        "%FF",
        "null",
        "0",
        "%C3%A9",
        "%2e%2e%2f",
        &"A".repeat(22),
        &"A".repeat(5_000),
    ] {
        let answer = delete(&here, &format!("{PATH}/{id}")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{id}: {}", answer.text);
    }
    delete(&here, &format!("{PATH}/{beas}")).await.expect(404, "not_found");
    for client in [&here, &there, &bea] {
        client.me().await.expect(200, "");
    }

    let path = format!("{PATH}/{}", id_of("there"));
    let answer = delete(&here, &path).await.expect(204, "");
    assert_eq!((answer.text.as_str(), answer.header("cache-control")), ("", "no-store"));
    there.me().await.expect(401, "unauthenticated");
    here.me().await.expect(200, "");
    delete(&here, &path).await.expect(404, "not_found");
    assert_eq!(list(&here).await.len(), 1);

    delete(&here, &format!("{PATH}/{}", id_of("here"))).await.expect(204, "");
    here.me().await.expect(401, "unauthenticated");
    bea.me().await.expect(200, "");
});

each_kind!(all, s24_users_end_all_their_sessions, |kind| async move {
    let app = App::start(kind).await;
    let email = "ann@example.com";
    app.verified(email).await;
    let here = device(&app, email, None).await;
    let there = device(&app, email, None).await;
    let bea = app.user("bea@example.com").await;
    let tokens = if Kind::TOKENS.contains(&kind) {
        Some(Tokens::for_password(&app.client(), email).await)
    } else {
        None
    };
    let copy = here.snapshot();
    let answer = delete(&here, PATH).await.expect(204, "");
    let cleared: Vec<_> =
        set_cookies(&answer).into_iter().filter(|cookie| cookie.contains("Max-Age=0")).collect();
    assert_eq!(cleared.is_empty(), !kind.is_cookie(), "{cleared:?}");
    assert!(here.cookies().is_empty());
    for client in [&copy, &there] {
        client.me().await.expect(401, "unauthenticated");
        client.get(PATH).await.expect(401, "unauthenticated");
    }
    if let Some(tokens) = tokens {
        assert_eq!(tokens.status(&app.client()).await, 401);
        assert_eq!(refresh(&app.client(), &tokens.refresh).await.status.as_u16(), 400);
    }
    bea.me().await.expect(200, "");
    here.log_in(email, PASSWORD).await.expect(201, "");
    assert_eq!(list(&here).await.len(), 1);
});

each_kind!(all, s24_nobody_without_a_login_sees_or_ends_sessions, |kind| async move {
    let app = App::start(kind).await;
    let client = app.client();
    client.get(PATH).await.expect(401, "unauthenticated");
    for path in [PATH.to_owned(), format!("{PATH}/x")] {
        let answer = delete(&client, &path).await.expect(401, "unauthenticated");
        assert_ne!(answer.header("www-authenticate"), "");
    }
    let ann = app.user("ann@example.com").await;
    ann.post(PATH, &json!({})).await.expect(405, "method_not_allowed");
    ann.get(&format!("{PATH}/x")).await.expect(405, "method_not_allowed");
    if kind.is_cookie() {
        let crossing = ann.with_header("sec-fetch-site", "cross-site");
        delete(&crossing, PATH).await.expect(403, "cross_origin");
        ann.me().await.expect(200, "");
    }
});

each_kind!(all, s24_administrators_end_the_sessions_of_others, |kind| async move {
    let place = Place::new().await;
    let node = Node::start(kind, &place, &new_key(), |config| config).await;
    let mut ids = Vec::new();
    for name in ["admin", "other", "ann", "bea"] {
        ids.push(node.verified(&format!("{name}@example.com")).await);
    }
    for id in &ids[..2] {
        node.admin.grant(*id, "administrator").await.expect("it is done");
    }
    let admin = node.logged_in("admin@example.com").await;
    let other = node.logged_in("other@example.com").await;
    let ann = node.logged_in("ann@example.com").await;
    let again = node.logged_in("ann@example.com").await;
    let bea = node.logged_in("bea@example.com").await;
    let path = |number: usize| format!("/users/{}/sessions", ids[number]);

    delete(&node.client(), &path(2)).await.expect(401, "unauthenticated");
    delete(&bea, &path(2)).await.expect(403, "forbidden");
    delete(&ann, &path(2)).await.expect(403, "forbidden");
    ann.me().await.expect(200, "");
    let answer = delete(&admin, &path(2)).await.expect(204, "");
    assert_eq!((answer.text.as_str(), answer.header("cache-control")), ("", "no-store"));
    for client in [&ann, &again] {
        client.me().await.expect(401, "unauthenticated");
    }
    for client in [&bea, &other, &admin] {
        client.me().await.expect(200, "");
    }
    delete(&admin, &path(2)).await.expect(204, "");
    delete(&admin, "/users/00000000-0000-4000-8000-000000000000/sessions").await.expect(404, "not_found");
    assert!(matches!(delete(&admin, "/users/x/sessions").await.status.as_u16(), 404 | 422));
    delete(&admin, &path(1)).await.expect(204, "");
    other.me().await.expect(401, "unauthenticated");
    ann.log_in("ann@example.com", PASSWORD).await.expect(201, "");
});

/// Whom a support desk may manage: its role is not the administrators'.
#[users_runtime::users_app(
    auth = "session",
    user = users_tests::apps::User,
    routes(auth, users(guard = |user| user.has_role("support")), docs)
)]
pub mod desk {}

#[tokio::test]
async fn s24_a_manager_who_is_no_administrator_ends_no_administrators_sessions() {
    use users_runtime::{Config, Password, Users, UsersRouter};
    use users_tests::{Database, apps::UserRegistration};

    let database = Database::new().await;
    let config = Config::new(new_key()).with_insecure_cookies(true).with_max_connections(4);
    let users = Users::<desk::App>::connect(database.url(), config).await.expect("it starts");
    let (base, task) = crate::support::serve(UsersRouter::new(users.clone()).into_router()).await;
    let mut people = Vec::new();
    for (name, role) in [("boss", Some("administrator")), ("desk", Some("support")), ("ann", None)] {
        let email = format!("{name}@example.com");
        let registration = UserRegistration {
            email: email.clone(),
            password: Password::new(PASSWORD),
            display_name: None,
            age: None,
        };
        let id = users.create_user(registration).await.expect("it is made").id;
        if let Some(role) = role {
            users.grant(id, role).await.expect("it is done");
        }
        let client = Client::new(base.clone());
        client.log_in(&email, PASSWORD).await.expect(201, "");
        people.push((client, format!("/users/{id}/sessions")));
    }
    let [(boss, of_boss), (desk, of_desk), (ann, of_ann)] = &people[..] else { panic!("three people") };
    delete(desk, of_boss).await.expect(403, "forbidden");
    boss.get("/users").await.expect(403, "forbidden");
    delete(desk, of_ann).await.expect(204, "");
    ann.log_out().await.expect(401, "unauthenticated");
    assert_eq!(boss.log_out().await.status.as_u16(), 201);
    delete(desk, of_desk).await.expect(204, "");
    desk.get("/users").await.expect(401, "unauthenticated");
    task.abort();
}

each_kind!(all, s24_one_login_too_many_ends_the_oldest, |kind| async move {
    let app = App::start_with(kind, with(|config| config.with_max_sessions(2))).await;
    let email = "ann@example.com";
    app.verified(email).await;
    let bea = app.user("bea@example.com").await;
    let first = device(&app, email, Some("1")).await;
    let second = device(&app, email, Some("2")).await;
    for client in [&first, &second] {
        client.me().await.expect(200, "");
    }
    let third = device(&app, email, Some("3")).await;
    first.me().await.expect(401, "unauthenticated");
    for client in [&second, &third, &bea] {
        client.me().await.expect(200, "");
    }
    let clients: Vec<_> = list(&third).await.iter().map(|item| item["client"].clone()).collect();
    assert_eq!(clients, ["3", "2"]);
    // Who logs in again in the same client takes no other's place.
    second.with_header("user-agent", "2").log_in(email, PASSWORD).await.expect(201, "");
    for client in [&second, &third] {
        client.me().await.expect(200, "");
    }
});

each_kind!(all, s24_sessions_that_ended_are_not_listed, |kind| async move {
    let app = App::start_with(kind, in_database(|config| config)).await;
    let email = "ann@example.com";
    app.verified(email).await;
    let old = device(&app, email, Some("old")).await;
    let idle = device(&app, email, Some("idle")).await;
    let here = device(&app, email, Some("here")).await;
    let created: Vec<i64> =
        app.query("SELECT created_at FROM users_sessions ORDER BY created_at").values().await;
    assert_eq!(created.len(), 3);
    let end = "UPDATE users_sessions SET expires_at = ? WHERE created_at = ?";
    app.query(end).bind(now()).bind(created[0]).execute().await;
    let idle_since = "UPDATE users_sessions SET seen_at = ? WHERE created_at = ?";
    app.query(idle_since).bind(now() - 7 * 86_400_000).bind(created[1]).execute().await;
    let items = list(&here).await;
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["client"], "here");
    for client in [&old, &idle] {
        client.me().await.expect(401, "unauthenticated");
    }
});

#[tokio::test]
async fn s24_sessions_that_ended_are_cleaned_away() {
    let mut place = Place::new().await;
    place.keep_in_database();
    let key = new_key();
    let node = Node::start(Kind::Session, &place, &key, |config| config).await;
    node.verified("ann@example.com").await;
    for _ in 0..3 {
        node.logged_in("ann@example.com").await;
    }
    let store = place.database.store().await;
    let created: Vec<i64> =
        store.query("SELECT created_at FROM users_sessions ORDER BY created_at").values().await;
    let end = "UPDATE users_sessions SET expires_at = ? WHERE created_at = ?";
    store.query(end).bind(now() - 1).bind(created[0]).execute().await;
    let idle_since = "UPDATE users_sessions SET seen_at = ? WHERE created_at = ?";
    store.query(idle_since).bind(now() - 8 * 86_400_000).bind(created[1]).execute().await;
    drop(node);
    // A node that starts cleans up.
    let _node = Node::start(Kind::Session, &place, &key, |config| config).await;
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while store.count("SELECT COUNT(*) FROM users_sessions").await != 1 {
        assert!(std::time::Instant::now() < end, "what ended is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left: i64 = store.query("SELECT created_at FROM users_sessions").value().await;
    assert_eq!(left, created[2]);
}
