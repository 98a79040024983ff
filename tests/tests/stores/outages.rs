//! A Redis that hangs, dies and comes back below an application that keeps its sessions there.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use users_runtime::{Config, RedisStore};
use users_tests::{
    App, Client, Kind, Options, PASSWORD,
    relay::{Mode, Relay},
};

use crate::support::Redis;

/// How long a request waits for one answer of Redis.
const PATIENCE: Duration = Duration::from_millis(700);

/// What a request asks of Redis before it is refused, with what a loaded machine adds.
const LIMIT: Duration = Duration::from_secs(4);

async fn assert_closed(client: &Client) {
    for (method, path, body) in [
        ("GET", "/users/me", Value::Null),
        ("GET", "/feed", Value::Null),
        ("GET", "/private", Value::Null),
        ("GET", "/users/me/sessions", Value::Null),
        ("POST", "/login", json!({"email": "ada@example.com", "password": PASSWORD})),
        ("POST", "/logout", Value::Null),
        ("DELETE", "/users/me/sessions", Value::Null),
    ] {
        let begun = Instant::now();
        let client = client.snapshot();
        let answer = client.send(client.request(method, path).json(&body)).await;
        assert!(begun.elapsed() < LIMIT, "{method} {path} took {:?}", begun.elapsed());
        let answer = answer.expect(503, "unavailable");
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("authorization"));
        for secret in ["redis", "127.0.0.1", "s58", PASSWORD] {
            assert!(!answer.text.to_lowercase().contains(secret), "{}", answer.text);
        }
    }
    // Nobody needs a session to be nobody.
    let stranger = client.fresh();
    assert_eq!(stranger.get("/feed").await.expect(200, "").json()["anonymous"], true);
    stranger.me().await.expect(401, "unauthenticated");
}

async fn assert_back(client: &Client) {
    let begun = Instant::now();
    while client.me().await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not come back");
    }
    client.get("/private").await.expect(200, "");
    client.fresh().log_in("ada@example.com", PASSWORD).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_a_redis_that_hangs_or_dies_is_503_in_time_and_comes_back() {
    let Some((_, prefix)) = Redis::Server.store().await else { return };
    for kind in Kind::ALL {
        let (relay, url) = Relay::before_url(&Redis::Server.url()).await;
        let store =
            RedisStore::new(&url).expect("an address").with_prefix(&prefix.name).with_timeout(PATIENCE);
        let config = |config: Config| config.with_store(store);
        let app = App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await;
        let client = app.user("ada@example.com").await;
        assert_back(&client).await;
        for outage in [Mode::Hang, Mode::Cut] {
            relay.set(outage);
            assert_closed(&client).await;
            relay.set(Mode::Pass);
            assert_back(&client).await;
        }
        // A login without its session did not happen: there are the first, and one each time that Redis was there.
        assert_eq!(app.count("SELECT login_count FROM users").await, 4, "{kind:?}");
    }
}
