//! Cookies: what a browser is told of them.

use std::collections::BTreeSet;

use users_runtime::{Config, Error, SecretKey};
use users_tests::{App, Database, Kind, Options, PASSWORD};

use crate::support::{plain, secret};

const COOKIE_BACKENDS: [Kind; 3] = [Kind::Session, Kind::SessionInMemory, Kind::JwtCookie];

async fn secure(kind: Kind) -> App {
    let config = |config: Config| config.with_insecure_cookies(false);
    App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await
}

/// Name, value and the set of attributes.
fn parts(cookie: &str) -> (String, String, BTreeSet<String>) {
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    let (name, value) = pair.split_once('=').expect("a name");
    (name.to_owned(), value.to_owned(), attributes.split("; ").map(str::to_owned).collect())
}

fn lifetime(kind: Kind) -> &'static str {
    if kind == Kind::JwtCookie { "Max-Age=86400" } else { "Max-Age=2592000" }
}

#[tokio::test]
async fn s26_cookies_are_for_this_host_https_and_the_server_alone() {
    for kind in COOKIE_BACKENDS {
        let app = secure(kind).await;
        app.verified("ada@example.com").await;
        let client = app.client();
        let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
        let (name, value, attributes) = parts(answer.header("set-cookie"));
        assert_eq!(name, format!("__Host-{}", kind.cookie()));
        let wanted = ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", lifetime(kind)];
        assert_eq!(attributes, wanted.map(str::to_owned).into());
        client.me().await.expect(200, "");

        // The name without its prefix could come from a subdomain or over plain HTTP.
        let tossed = app.client();
        tossed.set_cookie(kind.cookie(), &value);
        tossed.me().await.expect(401, "unauthenticated");

        let (name, value, attributes) = parts(client.log_out().await.expect(201, "").header("set-cookie"));
        assert_eq!((name, value.as_str()), (format!("__Host-{}", kind.cookie()), ""));
        let wanted = ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=0"];
        assert_eq!(attributes, wanted.map(str::to_owned).into());
    }
}

#[tokio::test]
async fn s26_the_setting_for_plain_http_drops_the_prefix_and_secure_alone() {
    for kind in COOKIE_BACKENDS {
        let app = App::start(kind).await;
        app.verified("ada@example.com").await;
        let answer = app.client().log_in("ada@example.com", PASSWORD).await.expect(201, "");
        let (name, _, attributes) = parts(answer.header("set-cookie"));
        assert_eq!(name, kind.cookie());
        let wanted = ["HttpOnly", "SameSite=Lax", "Path=/", lifetime(kind)];
        assert_eq!(attributes, wanted.map(str::to_owned).into());
    }
}

#[tokio::test]
async fn s26_the_header_backend_sets_no_cookie_and_reads_none() {
    let app = secure(Kind::Jwt).await;
    app.verified("ada@example.com").await;
    let client = app.client();
    let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    assert!(!answer.headers.contains_key("set-cookie"));
    let token = secret(&app, &client);
    for name in ["token", "__Host-token", "session", "__Host-session"] {
        let other = app.client();
        other.set_cookie(name, &token);
        other.me().await.expect(401, "unauthenticated");
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
