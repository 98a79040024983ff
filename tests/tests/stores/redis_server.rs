//! Entries in Redis: a server that is gone, hangs or starts again, and what is in it.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;
use users_runtime::{Entry, Expected, RedisStore, Store};
use users_tests::relay::{Mode, Relay};

use crate::support::{Redis, create, entry, keys_of, new_key, soon};

/// What every kind of request is answered with, and after how long at most.
async fn fails(store: &RedisStore, within: Duration) {
    let key = new_key();
    let since = Instant::now();
    let errors = [
        store.get(&key).await.map(drop).expect_err("get"),
        store.put(&key, entry(Some("ann"), b""), Expected::Absent).await.map(drop).expect_err("put"),
        store.remove(&key).await.map(drop).expect_err("remove"),
        store.keys_of("ann").await.map(drop).expect_err("keys_of"),
        store.ping().await.expect_err("ping"),
    ];
    assert!(since.elapsed() < within * 5, "{:?}", since.elapsed());
    for error in errors {
        assert_eq!(error.status().as_u16(), 503);
        let mut shown = format!("{error:?} {error} {store:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            let _ = write!(shown, "{error:?} {error}");
            cause = error.source();
        }
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

/// Every kind of address of what is at this port.
fn stores(port: u16) -> [RedisStore; 3] {
    [
        format!("redis://ann:s3cret@127.0.0.1:{port}"),
        format!("redis+cluster://ann:s3cret@127.0.0.1:{port}"),
        format!("redis+sentinel://ann:s3cret@127.0.0.1:{port}/users?sentinel_password=s3cret"),
    ]
    .map(|url| RedisStore::new(&url).expect("an address").with_timeout(Duration::from_millis(400)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_nobody_listens_to_lets_nobody_in() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address").port()
    };
    for store in stores(port) {
        soon(fails(&store, Duration::from_millis(600))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_answers_lets_nobody_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            open.push(connection);
        }
    });
    for store in stores(port) {
        soon(fails(&store, Duration::from_millis(600))).await;
    }
    let tls = RedisStore::new(&format!("rediss://ann:s3cret@127.0.0.1:{port}")).expect("an address");
    soon(fails(&tls.with_timeout(Duration::from_millis(400)), Duration::from_millis(600))).await;
    silent.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_or_hangs_is_made_anew() {
    let Some((_, prefix)) = Redis::Server.store().await else { return };
    let url: reqwest::Url = Redis::Server.url().parse().expect("an address");
    let server = format!("{}:{}", url.host_str().expect("a host"), url.port().unwrap_or(6379));
    let relay = Relay::before(server).await;
    let store = RedisStore::new(&format!("redis://127.0.0.1:{}", relay.port()))
        .expect("an address")
        .with_prefix(&prefix.name)
        .with_timeout(Duration::from_millis(500));
    let key = new_key();
    create(&store, &key, Some("ann")).await;

    // Whoever closes idle connections is not noticed: the request is sent again.
    for _ in 0..3 {
        relay.set(Mode::Cut);
        tokio::time::sleep(Duration::from_millis(50)).await;
        relay.set(Mode::Pass);
        assert!(store.get(&key).await.expect("a new connection").is_some());
    }

    relay.set(Mode::Hang);
    for _ in 0..3 {
        let since = Instant::now();
        assert_eq!(store.get(&key).await.expect_err("it hangs").status().as_u16(), 503);
        assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    }
    relay.set(Mode::Cut);
    relay.set(Mode::Pass);
    let since = Instant::now();
    while store.get(&key).await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(5), "it does not come back");
    }
    assert!(store.remove(&key).await.expect("a server"));
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_sent_them_again() {
    let Some((store, _prefix)) = Redis::Server.store().await else { return };
    let mut server =
        redis::Client::open(Redis::Server.url()).expect("an address").get_connection().expect("a server");
    for _ in 0..3 {
        let key = new_key();
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server).expect("a server");
        create(&store, &key, Some("ann")).await;
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server).expect("a server");
        assert!(store.remove(&key).await.expect("a server"));
    }
}

#[tokio::test]
async fn every_key_in_redis_has_the_prefix_and_an_end() {
    let Some((store, prefix)) = Redis::Server.store().await else { return };
    let (ann, bob) = (new_key(), new_key());
    let first = create(&store, &ann, Some("ann@example.com")).await;
    create(&store, &bob, Some("bob")).await;
    assert!(
        store
            .put(&ann, entry(Some("ann@example.com"), b"2"), Expected::Revision(first.revision))
            .await
            .expect("a server")
    );
    let mut server =
        redis::Client::open(Redis::Server.url()).expect("an address").get_connection().expect("a server");
    let keys = prefix.keys();
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in &keys {
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut server).expect("a server");
        assert!((60_000..=181_000).contains(&left), "{key} ends in {left} ms");
        assert!(!key.contains("example.com"), "{key} names the owner");
    }
    // What was written before, and what was removed, does not stay with the owner.
    let owners: Vec<_> = keys.iter().filter(|key| key.contains("owner:")).collect();
    assert_eq!(owners.len(), 2, "{keys:?}");
    for owner in owners {
        let count: usize = redis::cmd("ZCARD").arg(owner).query(&mut server).expect("a server");
        assert_eq!(count, 1);
    }
    assert!(store.remove(&ann).await.expect("a server"));
    assert!(store.remove(&bob).await.expect("a server"));
    assert_eq!(prefix.keys(), [""; 0]);
}

#[tokio::test]
async fn an_owner_forgets_what_has_ended() {
    let Some((store, prefix)) = Redis::Server.store().await else { return };
    let mut server =
        redis::Client::open(Redis::Server.url()).expect("an address").get_connection().expect("a server");
    let key = new_key();
    create(&store, &key, Some("ann")).await;
    let owner = prefix.keys().into_iter().find(|key| key.contains("owner:")).expect("an owner");
    let long_ago = users_tests::now() - 120_000;
    redis::cmd("ZADD").arg(&owner).arg(long_ago).arg("session:old 0").exec(&mut server).expect("a server");
    assert_eq!(keys_of(&store, "ann").await.len(), 2, "keys of entries that have ended may be among them");
    let other = new_key();
    create(&store, &other, Some("ann")).await;
    let mut expected = vec![key, other];
    expected.sort();
    assert_eq!(keys_of(&store, "ann").await, expected);
}

#[tokio::test]
async fn an_entry_that_is_damaged_lets_nobody_in() {
    let Some((store, prefix)) = Redis::Server.store().await else { return };
    let mut server =
        redis::Client::open(Redis::Server.url()).expect("an address").get_connection().expect("a server");
    let key = new_key();
    for damaged in ["", "x", &"x".repeat(30)] {
        create(&store, &key, None).await;
        let there = prefix.keys().pop().expect("an entry");
        redis::cmd("SET").arg(&there).arg(damaged).exec(&mut server).expect("a server");
        let error = store.get(&key).await.expect_err("it is damaged");
        assert_eq!(error.status().as_u16(), 503);
        assert!(store.remove(&key).await.expect("it can be removed"));
        assert_eq!(store.get(&key).await.expect("a server"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_too_few_replicas_have_does_not_count() {
    let Some((store, _prefix)) = Redis::Server.store().await else { return };
    let store = store.with_replicas(1).with_timeout(Duration::from_millis(600));
    let key = new_key();
    for _ in 0..2 {
        let error = soon(store.put(&key, entry(Some("ann"), b""), Expected::Absent)).await;
        assert_eq!(error.expect_err("there is no replica").status().as_u16(), 503);
    }
    // To remove what is not there is a write too: it may have been removed by a request that did not wait to the end.
    assert_eq!(soon(store.remove(&key)).await.expect_err("there is no replica").status().as_u16(), 503);
    assert_eq!(store.get(&key).await.expect("reading needs none"), None);
}

#[tokio::test]
async fn a_wrong_password_is_not_said() {
    if !Redis::Server.answers().await {
        return;
    }
    let url = Redis::Server.url().replace("redis://", "redis://ann:s3cret@");
    let store = RedisStore::new(&url).expect("an address");
    soon(fails(&store, Duration::from_secs(2))).await;
}

#[tokio::test]
async fn two_prefixes_are_two_stores() {
    let (Some((one, _one)), Some((other, _other))) =
        (Redis::Server.store().await, Redis::Server.store().await)
    else {
        return;
    };
    let key = new_key();
    let first: Entry = create(&one, &key, Some("ann")).await;
    assert_eq!(other.get(&key).await.expect("a server"), None);
    assert_eq!(keys_of(&other, "ann").await, [""; 0]);
    create(&other, &key, Some("ann")).await;
    assert_eq!(one.get(&key).await.expect("a server"), Some(first));
}
