//! The cache of users: what it promises on the node that changes something, and on others.

use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use users_runtime::UserCache;
use users_tests::{Client, Engine, Kind, OTHER_PASSWORD, PASSWORD, Store};
use uuid::Uuid;

use crate::support::{Node, Place, each_kind};

const EMAIL: &str = "ann@example.com";

/// Longer than any test runs.
const FOR_GOOD: Duration = Duration::from_hours(1);

/// How long a node takes at most to hear of another one's commit, on a machine that does much else.
const TOLD: Duration = Duration::from_secs(5);

async fn node(kind: Kind, place: &Place, staleness: Duration) -> Node {
    let cache = UserCache::default().with_staleness(staleness);
    Node::start(kind, place, &place.key, |config| config.with_user_cache(cache)).await
}

/// What users are called now, past the library.
async fn rename(store: &Store, name: &str) {
    store.execute(&format!("UPDATE users SET display_name = '{name}'")).await;
}

async fn name(client: &Client) -> Value {
    client.me().await.expect(200, "").json()["display_name"].clone()
}

/// Waits until something is so.
async fn until<F: Future<Output = bool>>(limit: Duration, what: &str, is_so: impl Fn() -> F) {
    let end = Instant::now() + limit;
    while !is_so().await {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a node keeps what it reads: the one of a server has to listen first.
async fn until_kept(place: &Place, client: &Client) {
    let store = place.database.store().await;
    // A name once used may be what is kept from then on.
    let names = AtomicU32::new(0);
    until(TOLD, "a user is kept", || async {
        client.me().await.expect(200, "");
        let other = format!("Name {}", names.fetch_add(1, Ordering::Relaxed));
        rename(&store, &other).await;
        name(client).await != other
    })
    .await;
}

/// The steps that end a credential.
const STEPS: [&str; 7] =
    ["logout", "one session", "every session", "password", "identifier", "deactivated", "deleted"];

/// Ends the credential of a client by way of another one of the same user.
async fn end(step: &str, node: &Node, own: &Client, id: Uuid) {
    let other = node.logged_in(EMAIL).await;
    let sessions = "/users/me/sessions";
    match step {
        "logout" => drop(own.snapshot().log_out().await.expect(201, "")),
        "one session" => {
            let items = own.get(sessions).await.expect(200, "").json()["items"].clone();
            let current =
                items.as_array().and_then(|items| items.iter().find(|item| item["current"] == true));
            let name = current.and_then(|item| item["id"].as_str()).expect("a name").to_owned();
            let path = format!("{sessions}/{name}");
            other.send(other.request("DELETE", &path)).await.expect(204, "");
        }
        "every session" => drop(other.send(other.request("DELETE", sessions)).await.expect(204, "")),
        "password" => {
            let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
            other.patch("/users/me", &body).await.expect(200, "");
        }
        "identifier" => {
            let body = json!({"email": "new@example.com", "current_password": PASSWORD});
            other.patch("/users/me", &body).await.expect(200, "");
            let token = node.mailbox.token("new@example.com", 1).await;
            other.verify(&token).await.expect(201, "");
        }
        "deactivated" => node.admin.set_active(id, false).await.expect("it is done"),
        _ => node.admin.delete(id).await.expect("it is done"),
    }
}

each_kind!(all, s21_s22_s23_s24_what_a_node_ends_itself_is_over_at_once, |kind| async move {
    for step in STEPS {
        let place = Place::new().await;
        let node = node(kind, &place, FOR_GOOD).await;
        let id = node.verified(EMAIL).await;
        let client = node.logged_in(EMAIL).await;
        until_kept(&place, &client).await;
        end(step, &node, &client, id).await;
        client.me().await.expect(401, "unauthenticated");
    }
});

each_kind!(all, s25_roles_and_rows_that_a_node_changes_itself_are_seen_at_once, |kind| async move {
    let place = Place::new().await;
    let node = node(kind, &place, FOR_GOOD).await;
    // The last administrator would stay one.
    node.admin.grant(node.verified("ben@example.com").await, "administrator").await.expect("a role");
    let id = node.verified(EMAIL).await;
    let client = node.logged_in(EMAIL).await;
    until_kept(&place, &client).await;
    client.get("/users").await.expect(403, "forbidden");
    node.admin.grant(id, "administrator").await.expect("a role");
    client.get("/users").await.expect(200, "");
    node.admin.withdraw(id, "administrator").await.expect("a role");
    client.get("/users").await.expect(403, "forbidden");

    client.patch("/users/me", &json!({"display_name": "Ann"})).await.expect(200, "");
    assert_eq!(name(&client).await, "Ann");
    // Past the library nobody hears of it until it is said.
    until_kept(&place, &client).await;
    rename(&place.database.store().await, "Nan").await;
    node.admin.forget_cached(id).await.expect("it is said");
    assert_eq!(name(&client).await, "Nan");
});

each_kind!(all, s23_s25_another_node_sees_a_change_within_the_staleness, |kind| async move {
    // Over PostgreSQL the other node is told, and does not have to wait for the end of what it keeps.
    let told = Engine::chosen() == Engine::Postgres;
    let (staleness, limit) = if told { (FOR_GOOD, TOLD) } else { (Duration::from_secs(1), TOLD) };
    for step in STEPS {
        let place = Place::new().await;
        let (here, there) = (node(kind, &place, staleness).await, node(kind, &place, staleness).await);
        let id = here.verified(EMAIL).await;
        let client = here.logged_in(EMAIL).await;
        let elsewhere = there.take_over(&client);
        until_kept(&place, &elsewhere).await;
        end(step, &here, &client, id).await;
        until(limit, step, || async { elsewhere.me().await.status.as_u16() == 401 }).await;
    }

    let place = Place::new().await;
    let (here, there) = (node(kind, &place, staleness).await, node(kind, &place, staleness).await);
    here.admin.grant(here.verified("ben@example.com").await, "administrator").await.expect("a role");
    let id = here.verified(EMAIL).await;
    let elsewhere = there.take_over(&here.logged_in(EMAIL).await);
    until_kept(&place, &elsewhere).await;
    for (step, status) in [("a role given", 200), ("a role taken", 403)] {
        let changed = match status {
            200 => here.admin.grant(id, "administrator").await,
            _ => here.admin.withdraw(id, "administrator").await,
        };
        changed.expect(step);
        until(limit, step, || async { elsewhere.get("/users").await.status.as_u16() == status }).await;
    }
});

/// However often it is used meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s23_nothing_is_kept_for_longer_than_the_staleness() {
    let place = Place::new().await;
    let node = node(Kind::JwtCookie, &place, Duration::from_millis(700)).await;
    node.verified(EMAIL).await;
    let client = node.logged_in(EMAIL).await;
    until_kept(&place, &client).await;
    let store = place.database.store().await;
    for name_of in ["One", "Two", "Three"] {
        rename(&store, name_of).await;
        let since = Instant::now();
        while name(&client).await != name_of {
            assert!(since.elapsed() < TOLD, "{name_of} is not seen");
        }
    }
}

/// Whoever hears nothing asks the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s23_a_node_that_stops_hearing_of_others_keeps_nothing() {
    if Engine::chosen() != Engine::Postgres {
        // Nobody is told over other engines.
        return;
    }
    let place = Place::new().await;
    let node = node(Kind::JwtCookie, &place, FOR_GOOD).await;
    node.verified(EMAIL).await;
    let client = node.logged_in(EMAIL).await;
    until_kept(&place, &client).await;
    let store = place.database.store().await;
    rename(&store, "Unheard").await;
    let ended = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE application_name = current_setting('application_name') AND query LIKE 'LISTEN %'";
    assert_eq!(store.count(ended).await, 1);
    until(TOLD, "the silence is noticed", || async { name(&client).await == "Unheard" }).await;
    // It listens again, and keeps again.
    until_kept(&place, &client).await;
}
