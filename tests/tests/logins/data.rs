//! `SessionData`: what sessions carry for the application.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use users_runtime::{Error, SecretKey, SessionData};
use users_tests::{Answer, App, Client, Kind, OTHER_PASSWORD, Options, PASSWORD, now};

use crate::support::{Node, Place, each_kind, new_key, set_cookies, with};

/// A value of a type of the application's own.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Basket {
    articles: Vec<u64>,
    coupon: Option<String>,
}

async fn read(session: SessionData, Path(name): Path<String>) -> Result<Json<Option<Value>>, Error> {
    session.get(&name).map(Json)
}

async fn write(
    session: SessionData,
    Path(name): Path<String>,
    Json(value): Json<Value>,
) -> Result<(), Error> {
    session.set(&name, &value)
}

async fn remove(session: SessionData, Path(name): Path<String>) {
    session.remove(&name);
}

/// Changes, and answers with this status.
async fn answer_with(session: SessionData, Path(status): Path<u16>) -> Result<StatusCode, Error> {
    session.set("answered", &status)?;
    session.remove("kept");
    StatusCode::from_u16(status).map_err(Error::internal)
}

/// Takes its time between reading and the storing behind it.
async fn slowly(session: SessionData, Path(name): Path<String>) -> Result<(), Error> {
    session.set(&name, &1)?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(())
}

/// Two extractors see one another's changes.
async fn both(one: SessionData, other: SessionData) -> Result<Json<Basket>, Error> {
    one.set("basket", &Basket { articles: vec![7], coupon: None })?;
    let mut basket: Basket = other.get("basket")?.ok_or(Error::NotFound)?;
    basket.coupon = Some("x".to_owned());
    other.set("basket", &basket)?;
    one.get("basket")?.map(Json).ok_or(Error::NotFound)
}

fn routes() -> Router {
    Router::new()
        .route("/data", delete(|session: SessionData| async move { session.clear() }))
        .route("/data/{name}", get(read).put(write).delete(remove))
        .route(
            "/number/{name}",
            get(|session: SessionData, Path(name): Path<String>| async move {
                session.get::<i64>(&name).map(Json)
            }),
        )
        .route("/status/{status}", post(answer_with))
        .route("/slowly/{name}", post(slowly))
        .route("/both", post(both))
        .route(
            "/anew",
            put(|session: SessionData| async move {
                session.clear();
                session.set("new", &true)
            }),
        )
        .route("/panic", post(panics))
}

async fn panics(session: SessionData) -> Response {
    let refused = session.set("never", &Unwritable);
    refused.map_or_else(IntoResponse::into_response, |()| StatusCode::OK.into_response())
}

/// What cannot be JSON.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("hunter2"))
    }
}

async fn start(kind: Kind) -> App {
    App::start_with(kind, Options { public: routes(), ..Options::default() }).await
}

async fn set(client: &Client, name: &str, value: &Value) -> Answer {
    client.send(client.request("PUT", &format!("/data/{name}")).json(value)).await
}

async fn value(client: &Client, name: &str) -> Value {
    client.get(&format!("/data/{name}")).await.expect(200, "").json()
}

each_kind!(data, a_session_carries_values_of_any_type, |kind| async move {
    let app = start(kind).await;
    let client = app.user("ann@example.com").await;
    assert_eq!(value(&client, "basket").await, Value::Null);
    client.send(client.request("POST", "/both")).await.expect(200, "");
    assert_eq!(value(&client, "basket").await, json!({"articles": [7], "coupon": "x"}));
    let odd = json!({"text": "ä\u{1f40c}\"\\; , =\u{0}", "list": [1, -2.5, null, {"deep": [[]]}]});
    set(&client, "odd", &odd).await.expect(200, "");
    set(&client, "%F0%9F%90%8C%20;%3D", &json!("a name of any text")).await.expect(200, "");
    assert_eq!(value(&client, "odd").await, odd);
    assert_eq!(value(&client, "%F0%9F%90%8C%20;%3D").await, "a name of any text");
    set(&client, "odd", &json!(2)).await.expect(200, "");
    assert_eq!(client.get("/number/odd").await.expect(200, "").json(), 2);
    client.send(client.request("DELETE", "/data/odd")).await.expect(200, "");
    assert_eq!(value(&client, "odd").await, Value::Null);
    client.send(client.request("PUT", "/anew")).await.expect(200, "");
    assert_eq!((value(&client, "basket").await, value(&client, "new").await), (Value::Null, json!(true)));
    client.send(client.request("DELETE", "/data")).await.expect(200, "");
    assert_eq!(value(&client, "new").await, Value::Null);
    client.me().await.expect(200, "");
});

each_kind!(data, a_visitor_has_a_session_once_there_is_something_in_it, |kind| async move {
    let options = Options { public: routes(), in_database: true, ..Options::default() };
    let app = App::start_with(kind, options).await;
    let client = app.client();
    for (method, path) in [("GET", "/data/x"), ("DELETE", "/data/x"), ("DELETE", "/data")] {
        let answer = client.send(client.request(method, path)).await.expect(200, "");
        assert!(set_cookies(&answer).is_empty(), "{method} {path}: {:?}", answer.headers);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users_sessions").await, 0);
    let answer = set(&client, "x", &json!("first")).await.expect(200, "");
    let cookies = set_cookies(&answer);
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(cookies[0].contains(part), "{cookies:?}");
    }
    assert_eq!(value(&client, "x").await, "first");
    assert_eq!(value(&client.fresh(), "x").await, Value::Null);
    // It is no login, and no credential that is wrong.
    client.me().await.expect(401, "unauthenticated");
    assert_eq!(client.get("/feed").await.expect(200, "").json()["anonymous"], true);
    let stored = app.count("SELECT COUNT(*) FROM users_sessions").await;
    assert_eq!(stored, i64::from(kind == Kind::Session), "sealed cookies of visitors are stored nowhere");
    // A cookie that means nothing is as if there were none.
    for cookie in ["", "x", &"A".repeat(43), "1.", "1.AAAA", "9.AAAA", "0.", "-1.x", "99999999999999999999.x"]
    {
        let stranger = app.client();
        stranger.set_cookie("session", cookie);
        assert_eq!(value(&stranger, "x").await, Value::Null, "{cookie}");
        set(&stranger, "x", &json!("new")).await.expect(200, "");
        assert_ne!(stranger.cookies()["session"], cookie, "an unknown identifier is never adopted");
        assert_eq!(value(&stranger, "x").await, "new");
    }
});

each_kind!(data, s20_the_session_of_a_visitor_who_comes_back_goes_on, |kind| async move {
    let options = Options { public: routes(), in_database: true, ..Options::default() };
    let app = App::start_with(kind, options).await;
    let client = app.client();
    set(&client, "x", &json!(1)).await.expect(200, "");
    let six_days = now() - 6 * 86_400_000;
    for request in ["read", "write"] {
        app.query("UPDATE users_sessions SET seen_at = ?").bind(six_days).execute().await;
        match request {
            "read" => assert_eq!(value(&client, "x").await, 1),
            _ => drop(set(&client, "y", &json!(1)).await.expect(200, "")),
        }
        if kind == Kind::Session {
            let seen: i64 = app.query("SELECT seen_at FROM users_sessions").value().await;
            assert!(now() - seen < 60_000, "{request}");
        }
    }
    app.query("UPDATE users_sessions SET seen_at = ?").bind(now() - 7 * 86_400_000).execute().await;
    let expected = if kind == Kind::Session { Value::Null } else { json!(1) };
    assert_eq!(value(&client, "x").await, expected);
});

each_kind!(data, s19_values_stay_across_a_login_under_a_new_identifier, |kind| async move {
    let app = start(kind).await;
    app.verified("ann@example.com").await;
    app.verified("bea@example.com").await;
    let client = app.client();
    set(&client, "basket", &json!([1])).await.expect(200, "");
    let before = client.snapshot();
    client.log_in("ann@example.com", PASSWORD).await.expect(201, "");
    assert_ne!(client.cookies(), before.cookies());
    assert_eq!(value(&client, "basket").await, json!([1]));
    if kind == Kind::Session {
        assert_eq!(value(&before, "basket").await, Value::Null, "the old identifier is dead");
    }
    // The same user again.
    set(&client, "own", &json!("of Ann")).await.expect(200, "");
    let before = client.snapshot();
    client.log_in("ann@example.com", PASSWORD).await.expect(201, "");
    assert_eq!((value(&client, "basket").await, value(&client, "own").await), (json!([1]), json!("of Ann")));
    before.me().await.expect(401, "unauthenticated");
    assert_eq!(value(&before, "own").await, Value::Null, "a session that ended shows nothing");
    // Another user, in the same browser.
    client.log_in("bea@example.com", PASSWORD).await.expect(201, "");
    assert_eq!((value(&client, "basket").await, value(&client, "own").await), (Value::Null, Value::Null));
});

each_kind!(data, values_stay_across_a_new_password, |kind| async move {
    let app = start(kind).await;
    let client = app.user("ann@example.com").await;
    set(&client, "basket", &json!([1])).await.expect(200, "");
    let before = client.snapshot();
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    client.patch("/users/me", &body).await.expect(200, "");
    client.me().await.expect(200, "");
    before.me().await.expect(401, "unauthenticated");
    assert_eq!(value(&before, "basket").await, Value::Null);
    assert_eq!(value(&client, "basket").await, json!([1]));
    assert_eq!(client.get("/users/me/sessions").await.json()["items"].as_array().map(Vec::len), Some(1));
});

each_kind!(data, s21_values_go_with_the_logout, |kind| async move {
    let app = start(kind).await;
    let client = app.user("ann@example.com").await;
    set(&client, "own", &json!("of Ann")).await.expect(200, "");
    let before = client.snapshot();
    client.log_out().await.expect(201, "");
    assert!(client.cookies().is_empty());
    assert_eq!(value(&before, "own").await, Value::Null);
    set(&before, "other", &json!(1)).await.expect(200, "");
    assert_eq!((value(&before, "own").await, value(&before, "other").await), (Value::Null, json!(1)));
    before.me().await.expect(401, "unauthenticated");
    client.log_in("ann@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(value(&client, "own").await, Value::Null);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_requests_at_once_each_keeps_what_it_changed() {
    let app = start(Kind::Session).await;
    let client = app.user("ann@example.com").await;
    set(&client, "old", &json!(0)).await.expect(200, "");
    let requests: Vec<_> = (0..8)
        .map(|number| {
            let client = client.snapshot();
            let path = format!("/slowly/n{number}");
            tokio::spawn(async move { client.send(client.request("POST", &path)).await.status.as_u16() })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.expect("an answer"), 200);
    }
    for name in (0..8).map(|number| format!("n{number}")).chain(["old".to_owned()]) {
        assert_ne!(value(&client, &name).await, Value::Null, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_does_not_bring_a_session_back_that_ended_meanwhile() {
    let app = start(Kind::Session).await;
    let client = app.user("ann@example.com").await;
    let slow = client.snapshot();
    let request = tokio::spawn(async move {
        slow.send(slow.request("POST", "/slowly/x")).await;
        slow
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.snapshot().log_out().await.expect(201, "");
    let slow = request.await.expect("an answer");
    for client in [&client, &slow] {
        client.me().await.expect(401, "unauthenticated");
    }
}

each_kind!(data, s58_a_value_of_another_type_is_a_500_without_a_word_of_it, |kind| async move {
    let app = start(kind).await;
    let client = app.user("ann@example.com").await;
    set(&client, "name", &json!("hunter2")).await.expect(200, "");
    for (method, path) in [("GET", "/number/name"), ("POST", "/panic")] {
        let answer = client.send(client.request(method, path)).await.expect(500, "internal");
        assert!(!answer.text.contains("hunter2") && !answer.text.contains("i64"), "{}", answer.text);
        assert_eq!(answer.json()["detail"], "an internal error");
    }
    assert_eq!(value(&client, "name").await, "hunter2");
});

each_kind!(data, an_answer_that_is_a_defect_stores_nothing, |kind| async move {
    let app = start(kind).await;
    let client = app.client();
    for status in [500, 503, 599] {
        let answer = client.send(client.request("POST", &format!("/status/{status}"))).await;
        assert_eq!((answer.status.as_u16(), set_cookies(&answer).len()), (status, 0));
    }
    set(&client, "kept", &json!(1)).await.expect(200, "");
    for status in [500, 503] {
        client.send(client.request("POST", &format!("/status/{status}"))).await;
        assert_eq!((value(&client, "kept").await, value(&client, "answered").await), (json!(1), Value::Null));
    }
    for status in [200, 303, 404, 422] {
        let answer = client.send(client.request("POST", &format!("/status/{status}"))).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(
            (value(&client, "kept").await, value(&client, "answered").await),
            (Value::Null, json!(status))
        );
    }
});

/// A text that nothing makes shorter.
fn noise(length: usize) -> Value {
    let mut state = 1_u64;
    let text: String = (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + u8::try_from((state >> 33) % 26).expect("small"))
        })
        .collect();
    json!(text)
}

#[tokio::test]
async fn a_large_session_is_split_over_cookies_and_shrinks_again() {
    let app = start(Kind::SessionCookie).await;
    let client = app.user("ann@example.com").await;
    assert_eq!(client.cookies().len(), 1);
    for (length, pieces) in [(2_000, 1), (4_000, 2), (9_000, 4), (15_000, 6), (9_000, 4), (10, 1)] {
        let text = noise(length);
        let answer = set(&client, "large", &text).await.expect(200, "");
        for cookie in set_cookies(&answer) {
            assert!(cookie.len() <= 4_096, "{} bytes", cookie.len());
            assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/"), "{cookie}");
        }
        assert_eq!(client.cookies().len(), pieces, "{length}: {:?}", client.cookies().keys());
        assert_eq!(value(&client, "large").await, text);
        client.me().await.expect(200, "");
    }
    // What does not fit is an error, and what was there is there.
    set(&client, "large", &noise(8_000)).await.expect(200, "");
    let cookies = client.cookies();
    set(&client, "larger", &noise(16_000)).await.expect(500, "internal");
    assert_eq!(client.cookies(), cookies);
    assert_eq!((value(&client, "larger").await, value(&client, "large").await), (Value::Null, noise(8_000)));
    client.log_out().await.expect(201, "");
    assert!(client.cookies().is_empty(), "{:?}", client.cookies().keys());
}

#[tokio::test]
async fn a_large_session_is_no_matter_to_the_server() {
    let app = start(Kind::Session).await;
    let client = app.user("ann@example.com").await;
    set(&client, "large", &noise(30_000)).await.expect(200, "");
    assert_eq!(value(&client, "large").await, noise(30_000));
    assert_eq!(client.cookies().len(), 1);
}

fn with_cookies(app: &App, cookies: &BTreeMap<String, String>) -> Client {
    let client = app.client();
    for (name, value) in cookies {
        client.set_cookie(name, value);
    }
    client
}

/// Asserts that these cookies let nobody in, and show nothing.
async fn assert_worthless(app: &App, cookies: &BTreeMap<String, String>, what: &str) {
    let client = with_cookies(app, cookies);
    let answer = client.me().await;
    assert_eq!(answer.status.as_u16(), 401, "{what}: {}", answer.text);
    assert_eq!(value(&client, "large").await, Value::Null, "{what}");
}

#[tokio::test]
async fn s31_pieces_that_do_not_fit_let_nobody_in() {
    let app = start(Kind::SessionCookie).await;
    let client = app.user("ann@example.com").await;
    let bea = app.user("bea@example.com").await;
    for client in [&client, &bea] {
        set(client, "large", &noise(9_000)).await.expect(200, "");
    }
    let (good, other) = (client.cookies(), bea.cookies());
    assert_eq!(good.keys().collect::<Vec<_>>(), ["session", "session-1", "session-2", "session-3"]);
    with_cookies(&app, &good).me().await.expect(200, "");
    for name in good.keys() {
        let change = |value: Option<String>, what: &str| {
            let mut cookies = good.clone();
            match value {
                Some(value) => drop(cookies.insert(name.clone(), value)),
                None => drop(cookies.remove(name)),
            }
            (cookies, format!("{name}: {what}"))
        };
        let own = &good[name];
        let mut flipped = own.clone().into_bytes();
        let middle = flipped.len() / 2;
        flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
        for (cookies, what) in [
            change(None, "missing"),
            change(Some(String::new()), "empty"),
            change(Some(other[name].clone()), "another user's"),
            change(Some(String::from_utf8(flipped).expect("ASCII")), "one character"),
            change(Some(own[..own.len() - 1].to_owned()), "cut"),
            change(Some(format!("{own}A")), "longer"),
            change(Some("\u{fffd}".to_owned()), "not base64"),
        ] {
            assert_worthless(&app, &cookies, &what).await;
        }
    }
    let mut swapped = good.clone();
    swapped.insert("session-1".to_owned(), good["session-2"].clone());
    swapped.insert("session-2".to_owned(), good["session-1"].clone());
    assert_worthless(&app, &swapped, "swapped").await;
    let rest = good["session"].split_once('.').expect("a number of pieces").1;
    for count in ["0", "1", "2", "3", "5", "6", "7", "99999999999999999999", "-4", "", "x"] {
        let mut cookies = good.clone();
        cookies.insert("session".to_owned(), format!("{count}.{rest}"));
        assert_worthless(&app, &cookies, count).await;
    }
    // A piece too many is no harm, and is taken away.
    let mut more = good.clone();
    more.insert("session-4".to_owned(), "x".to_owned());
    let client = with_cookies(&app, &more);
    client.me().await.expect(200, "");
    set(&client, "x", &json!(1)).await.expect(200, "");
    assert!(!client.cookies().contains_key("session-4"));
}

#[tokio::test]
async fn s28_a_sealed_cookie_is_good_for_its_name_and_its_key_alone() {
    let (place, key) = (Place::new().await, new_key());
    let node = Node::start(Kind::SessionCookie, &place, &key, |config| config).await;
    node.verified("ann@example.com").await;
    let client = node.logged_in("ann@example.com").await;
    client.me().await.expect(200, "");
    let sealed = client.cookies()["session"].clone();
    let other: SecretKey = new_key();
    let stranger = Node::start(Kind::SessionCookie, &place, &other, |config| config).await;
    stranger.take_over(&client).me().await.expect(401, "unauthenticated");
    for kind in [Kind::Session, Kind::Jwt, Kind::JwtCookie, Kind::OAuth2Password] {
        let node = Node::start(kind, &place, &key, |config| config).await;
        for name in ["session", "token", "refresh"] {
            let client = node.client();
            client.set_cookie(name, &sealed);
            client.set_bearer(Some(&sealed));
            client.me().await.expect(401, "unauthenticated");
        }
    }
    let renamed = node.client();
    renamed.set_cookie("session-1", &sealed);
    renamed.set_cookie("token", &sealed);
    renamed.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn s19_a_large_visitors_session_becomes_a_users() {
    let app = start(Kind::SessionCookie).await;
    app.verified("ann@example.com").await;
    let client = app.client();
    set(&client, "large", &noise(9_000)).await.expect(200, "");
    client.log_in("ann@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(value(&client, "large").await, noise(9_000));
    app.verified("bea@example.com").await;
    client.log_in("bea@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(client.cookies().len(), 1, "what Ann had goes, piece by piece");
    assert_eq!(value(&client, "large").await, Value::Null);
}

each_kind!(tokens, backends_without_sessions_carry_no_data, |kind| async move {
    let app = start(kind).await;
    let client = app.user("ann@example.com").await;
    let answer = client.get("/data/x").await.expect(500, "internal");
    assert!(!answer.text.contains("SessionData"), "{}", answer.text);
});

#[tokio::test]
async fn outside_of_the_router_there_is_no_data() {
    let (base, task) = crate::support::serve(routes()).await;
    let answer = Client::new(base).get("/data/x").await.expect(500, "internal");
    assert!(!answer.text.contains("SessionData"), "{}", answer.text);
    task.abort();
}

each_kind!(data, s49_what_a_page_of_another_origin_sends_changes_no_data, |kind| async move {
    let app = start(kind).await;
    let client = app.client();
    set(&client, "x", &json!(1)).await.expect(200, "");
    let crossing = client.with_header("sec-fetch-site", "cross-site");
    set(&crossing, "x", &json!(2)).await.expect(403, "cross_origin");
    assert_eq!(value(&client, "x").await, 1);
});

each_kind!(data, a_login_that_is_not_kept_stays_so_when_data_changes, |kind| async move {
    let options = with(|config| config.with_remember_me(Duration::from_hours(1)));
    let app = App::start_with(kind, Options { public: routes(), ..options }).await;
    let client = app.user("ann@example.com").await;
    let answer = set(&client, "x", &json!(1)).await.expect(200, "");
    assert!(set_cookies(&answer).iter().all(|cookie| !cookie.contains("Max-Age")), "{:?}", answer.headers);
    assert_eq!(value(&client, "x").await, 1);
});
