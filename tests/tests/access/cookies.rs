//! Cookies: what a browser is told of them.

use std::collections::BTreeSet;

use users_runtime::{Config, Error, SecretKey};
use users_tests::{Answer, App, Database, Kind, Options, PASSWORD};

use crate::support::{plain, secret};

async fn secure(kind: Kind) -> App {
    let config = |config: Config| config.with_insecure_cookies(false);
    App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await
}

/// Name, value, and the set of attributes but for the lifetime, which is in seconds.
fn parts(cookie: &str) -> (String, String, BTreeSet<String>, u64) {
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    let (name, value) = pair.split_once('=').expect("a name");
    let lifetimes: Vec<_> =
        attributes.split("; ").filter_map(|attribute| attribute.strip_prefix("Max-Age=")).collect();
    let [lifetime] = lifetimes[..] else { panic!("one lifetime: {cookie}") };
    let others = attributes.split("; ").filter(|attribute| !attribute.starts_with("Max-Age="));
    let seconds = lifetime.parse().expect("a number");
    (name.to_owned(), value.to_owned(), others.map(str::to_owned).collect(), seconds)
}

/// The cookies of a response, by their names.
fn cookies(answer: &Answer) -> Vec<(String, String, BTreeSet<String>, u64)> {
    answer.headers.get_all("set-cookie").iter().map(|value| parts(value.to_str().expect("text"))).collect()
}

const DAY: u64 = 24 * 60 * 60;

/// The cookies that a login gives, and for how long.
fn given(kind: Kind) -> &'static [(&'static str, u64)] {
    match kind {
        Kind::Session | Kind::SessionCookie => &[("session", 30 * DAY)],
        _ => &[("token", DAY), ("refresh", 30 * DAY)],
    }
}

/// Asserts that these are the cookies of a login, and that each has these attributes; the value of the first.
fn assert_given(kind: Kind, cookies: &[(String, String, BTreeSet<String>, u64)], secure: bool) -> String {
    assert_eq!(cookies.len(), given(kind).len(), "{cookies:?}");
    for ((name, _, attributes, seconds), (wanted, lifetime)) in cookies.iter().zip(given(kind)) {
        let prefix = if secure { "__Host-" } else { "" };
        assert_eq!(*name, format!("{prefix}{wanted}"));
        let mut all = BTreeSet::from(["HttpOnly", "SameSite=Lax", "Path=/"].map(str::to_owned));
        all.extend(secure.then(|| "Secure".to_owned()));
        assert_eq!(*attributes, all, "{name}");
        // What is left of a session that has just begun may be a moment less.
        assert!((lifetime - 10..=*lifetime).contains(seconds), "{name}: {seconds}");
    }
    cookies[0].1.clone()
}

#[tokio::test]
async fn s26_cookies_are_for_this_host_https_and_the_server_alone() {
    for kind in Kind::COOKIES {
        let app = secure(kind).await;
        app.verified("ada@example.com").await;
        let client = app.client();
        let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
        let value = assert_given(kind, &cookies(&answer), true);
        client.me().await.expect(200, "");

        // The name without its prefix could come from a subdomain or over plain HTTP.
        let tossed = app.client();
        tossed.set_cookie(kind.cookie(), &value);
        tossed.me().await.expect(401, "unauthenticated");

        let taken = cookies(&client.log_out().await.expect(201, ""));
        assert_eq!(taken.len(), given(kind).len(), "{taken:?}");
        for ((name, value, attributes, seconds), (wanted, _)) in taken.iter().zip(given(kind)) {
            assert_eq!((name, value.as_str(), *seconds), (&format!("__Host-{wanted}"), "", 0));
            let wanted = ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"];
            assert_eq!(*attributes, wanted.map(str::to_owned).into());
        }
    }
}

#[tokio::test]
async fn s26_the_setting_for_plain_http_drops_the_prefix_and_secure_alone() {
    for kind in Kind::COOKIES {
        let app = App::start(kind).await;
        app.verified("ada@example.com").await;
        let answer = app.client().log_in("ada@example.com", PASSWORD).await.expect(201, "");
        assert_given(kind, &cookies(&answer), false);
    }
}

#[tokio::test]
async fn s26_a_header_backend_sets_no_cookie_and_reads_none() {
    for kind in [Kind::Jwt, Kind::OAuth2Password] {
        let app = secure(kind).await;
        app.verified("ada@example.com").await;
        let client = app.client();
        let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
        assert!(!answer.headers.contains_key("set-cookie"));
        let token = secret(&app, &client);
        for name in ["token", "__Host-token", "session", "__Host-session", "refresh", "__Host-refresh"] {
            let other = app.client();
            other.set_cookie(name, &token);
            other.me().await.expect(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn s26_plain_http_is_refused_at_start_up_for_another_host() {
    for (url, starts) in [
        ("http://127.0.0.1:3000", true),
        ("http://localhost:3000", true),
        ("http://[::1]:3000", true),
        ("https://app.example.com", false),
        ("http://192.168.0.7", false),
        ("http://localhost.example.com", false),
        ("http://127.0.0.1.example.com", false),
    ] {
        let config = Config::new(SecretKey::generate().expect("randomness"))
            .with_insecure_cookies(true)
            .with_base_url(url)
            .expect("a URL");
        let database = Database::in_memory().await;
        let started = plain::Users::connect(database.url(), config.clone()).await;
        let pooled = plain::Users::with_pool(database.store().await, config).await;
        for outcome in [started, pooled] {
            match outcome {
                Ok(_) => assert!(starts, "{url}"),
                Err(Error::Setting { name, .. }) => assert!(!starts && name == "INSECURE_COOKIES", "{url}"),
                Err(other) => panic!("{url}: {other}"),
            }
        }
    }
}
