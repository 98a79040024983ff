//! Which routes are closed, which are open, and what the router itself answers.

use axum::{
    Router,
    routing::{any, get, post},
};
use serde_json::{Value, json};
use users_runtime::{CurrentUser, Visitor};
use users_tests::{App, Client, Database, Kind, Options, PASSWORD, apps::User, each_backend};

use crate::support::{Carrier, carriers, carrying, config, get_raw, plain, serve};

async fn with_routes(kind: Kind, protected: Router, public: Router) -> App {
    App::start_with(kind, Options { protected, public, ..Options::default() }).await
}

fn text(text: &'static str) -> axum::routing::MethodRouter {
    get(move || async move { text })
}

each_backend!(routes_are_closed_unless_they_are_opened, |app| async move {
    let client = app.user("ada@example.com").await;
    let bad = carrying(&app, carriers(app.kind)[0], "junk");
    for path in ["/private", "/files/a", "/files/a/b/c", "/publicity", "/open/1/owner", "/administration"] {
        for stranger in [&app.client(), &bad] {
            let answer = stranger.get(path).await.expect(401, "unauthenticated");
            assert!(!answer.text.contains("closed"), "{path}");
        }
        let answer = client.get(path).await;
        assert!(matches!(answer.status.as_u16(), 200 | 403), "{path}");
    }
    for path in ["/public/ping", "/public/a/b", "/open/1", "/open/anything%20else"] {
        for anyone in [&app.client(), &bad, &client] {
            anyone.get(path).await.expect(200, "");
        }
    }
});

each_backend!(an_open_route_takes_a_bad_credential_for_none, |app| async move {
    let client = app.user("ada@example.com").await;
    let nobody = json!({"anonymous": true, "email": null});
    let visitor = json!({"id": null, "is_active": false, "is_verified": false, "roles": []});
    let mut strangers = vec![app.client()];
    for &carrier in carriers(app.kind) {
        strangers.push(carrying(&app, carrier, "junk"));
        strangers.push(carrying(&app, carrier, &"A".repeat(43)));
    }
    for stranger in &strangers {
        assert_eq!(stranger.get("/feed").await.expect(200, "").json(), nobody);
        assert_eq!(stranger.get("/visitor").await.expect(200, "").json(), visitor);
        let answer = stranger.get("/demanding").await.expect(401, "unauthenticated");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    let id = app.id_of("ada@example.com").await;
    assert_eq!(client.get("/feed").await.json(), json!({"anonymous": false, "email": "ada@example.com"}));
    let known = json!({"id": id.to_string(), "is_active": true, "is_verified": true, "roles": []});
    assert_eq!(client.get("/visitor").await.json(), known);
    assert_eq!(client.get("/demanding").await.expect(200, "").json()["email"], "ada@example.com");
});

#[tokio::test]
async fn an_excluded_route_knows_its_visitor_and_may_demand_one() {
    async fn maybe(user: Option<CurrentUser<User>>) -> String {
        user.map_or_else(|| "nobody".to_owned(), |user| user.email.clone())
    }
    async fn demand(user: CurrentUser<User>) -> String {
        user.email.clone()
    }
    for kind in Kind::ALL {
        let own = Router::new().route("/public/maybe", get(maybe)).route("/public/demand", get(demand));
        let app = with_routes(kind, own, Router::new()).await;
        let client = app.user("ada@example.com").await;
        let bad = carrying(&app, carriers(kind)[0], "junk");
        for stranger in [app.client(), bad] {
            assert_eq!(stranger.get("/public/maybe").await.expect(200, "").text, "nobody");
            stranger.get("/public/demand").await.expect(401, "unauthenticated");
        }
        assert_eq!(client.get("/public/maybe").await.expect(200, "").text, "ada@example.com");
        assert_eq!(client.get("/public/demand").await.expect(200, "").text, "ada@example.com");
    }
}

/// Ways to write a path so that a reader of raw paths takes it for another one.
const TRICKS: [&str; 48] = [
    "//public/ping",
    "/public//ping",
    "/public/ping/",
    "/public/",
    "/public",
    "/./public/ping",
    "/public/./ping",
    "/public/../private",
    "/public/..%2fprivate",
    "/public/%2e%2e/private",
    "/public/%2e%2e%2fprivate",
    "/public/..;/private",
    "/public;/../private",
    "/private/../public/ping",
    "/%70ublic/ping",
    "/%70rivate",
    "/p%72ivate",
    "/private?x=/public/ping",
    "/private#/public/ping",
    "/private;/public/ping",
    "/private%3f/public/ping",
    "/private%23/public/ping",
    "/public%2fping",
    "/public%2Fping",
    "/public%252fping",
    "/private%00/public/ping",
    "/private%20",
    "/private/",
    "//private",
    "/./private",
    "/Private",
    "/PUBLIC/ping",
    "/Public/ping",
    "/publicity",
    "/publicity/",
    "/public-private",
    "/publicx/ping",
    "/xpublic/ping",
    "/x/public/ping",
    "/files/public/ping",
    "/files//public/ping",
    "/files/..%2fpublic%2fping",
    "/files/../public/ping",
    "/open/",
    "/open//owner",
    "/open/1/",
    "/open/1/owner",
    "/open/1/owner?x=/open/1",
];

/// Whether a path is one of `/public/{a}/{b}`, which is excluded, whatever it looks like to a proxy in front.
fn matches_excluded(trick: &str) -> bool {
    let path = trick.split(['?', '#']).next().unwrap_or_default();
    matches!(path.split('/').collect::<Vec<_>>()[..], ["", "public", _, last] if !last.is_empty())
}

each_backend!(s54_no_spelling_of_a_path_opens_a_route, |app| async move {
    let client = app.user("ada@example.com").await;
    let credential = client.request("GET", "/").build().expect("a request").headers().clone();
    for trick in TRICKS {
        for method in ["GET", "HEAD"] {
            let reply = get_raw(&app.base, method, trick, &[]).await;
            let opened = matches_excluded(trick);
            let expected: &[u16] = if opened { &[200] } else { &[401, 404] };
            assert!(expected.contains(&reply.status), "{method} {trick}: {}", reply.status);
            assert!(!reply.body.contains("closed") && !reply.body.contains("email"), "{method} {trick}");
            if opened && method == "GET" {
                // Open by the route that it matches, and that route is not the private one.
                assert_eq!(reply.body, "pong", "{trick}");
            }
        }
    }
    // What is not found without a login is not found with one: nothing hides behind the 404.
    let lines: Vec<_> = credential.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    for trick in TRICKS {
        let (without, with) =
            (get_raw(&app.base, "GET", trick, &[]).await, get_raw(&app.base, "GET", trick, &lines).await);
        assert_eq!(without.status == 404, with.status == 404, "{trick}");
        assert_ne!(with.status, 401, "{trick}");
    }
});

each_backend!(s54_absolute_and_odd_targets_open_nothing, |app| async move {
    for target in [
        "http://localhost/private",
        "http://localhost/public/../private",
        "http://localhost/public/ping@/private",
        "http://evil.example/private",
    ] {
        let reply = get_raw(&app.base, "GET", target, &[]).await;
        assert!(matches!(reply.status, 200 | 400 | 401 | 404), "{target}: {}", reply.status);
        assert!(!reply.body.contains("email"), "{target}");
    }
    for (method, target) in [("OPTIONS", "*"), ("CONNECT", "localhost:80"), ("GET", "private"), ("GET", "*")]
    {
        let reply = get_raw(&app.base, method, target, &[]).await;
        assert!((400..500).contains(&reply.status), "{method} {target}: {}", reply.status);
    }
    // Headers by which proxies rename a request or its sender.
    for (name, value) in [
        ("X-Original-URL", "/public/ping"),
        ("X-Rewrite-URL", "/public/ping"),
        ("X-HTTP-Method-Override", "OPTIONS"),
        ("X-Forwarded-Prefix", "/public"),
        ("X-Forwarded-User", "ada@example.com"),
        ("Forwarded", "for=127.0.0.1"),
    ] {
        let reply = get_raw(&app.base, "GET", "/private", &[(name, value.as_bytes())]).await;
        assert_eq!(reply.status, 401, "{name}");
    }
});

#[tokio::test]
async fn s54_nested_routers_are_closed_by_the_whole_route() {
    for kind in Kind::ALL {
        let inner = Router::new().route("/ping", text("closed")).route("/public/ping", text("closed"));
        let opened = Router::new().route("/nested", text("open")).route("/deep/{a}/er", text("open"));
        let service = Router::new().route("/x", text("closed")).fallback(|| async { "closed" });
        let own = Router::new()
            .nest("/api", inner.clone())
            .nest("/api/public", Router::new().route("/pong", text("closed")))
            .nest("/public", opened)
            .nest_service("/assets", service)
            .nest("/tree", Router::new().nest("/public", inner).fallback(|| async { "closed" }));
        let app = with_routes(kind, own, Router::new()).await;
        let client = app.user("ada@example.com").await;
        for path in [
            "/api/ping",
            "/api/public/ping",
            "/api/public/pong",
            "/assets/x",
            "/assets/public/ping",
            "/assets",
            "/tree/public/ping",
            "/tree/public/public/ping",
            "/tree/none",
            "/tree/public/none",
        ] {
            app.client().get(path).await.expect(401, "unauthenticated");
            assert_eq!(client.get(path).await.expect(200, "").text, "closed", "{path}");
        }
        for path in ["/public/nested", "/public/deep/1/er"] {
            assert_eq!(app.client().get(path).await.expect(200, "").text, "open");
        }
        app.client().get("/public/none").await.expect(404, "not_found");
        app.client().get("/api/none").await.expect(404, "not_found");
    }
}

/// The users' router below a prefix, beside routes that it knows nothing of.
async fn nested_at(prefix: &str, as_service: bool) -> (Database, Client) {
    let database = Database::in_memory().await;
    let users = plain::Users::with_pool(database.store().await, config()).await.expect("it starts");
    let own = Router::new()
        .route("/private", text("closed"))
        .route("/{id}", text("closed"))
        .route("/public/ping", text("open"))
        .fallback(|| async { "closed" });
    let accounts = plain::router(users).protected(own).into_router();
    let app = Router::new().route("/health", text("open"));
    let app = if as_service { app.nest_service(prefix, accounts) } else { app.nest(prefix, accounts) };
    (database, serve(app).await.0)
}

#[tokio::test]
async fn s54_exclude_names_routes_of_the_router_wherever_that_is_nested() {
    for prefix in ["/app", "/app/", "/public", "/open", "/public/v1", "/shop/{tenant}", "/open/{id}"] {
        for as_service in [false, true] {
            let (_database, client) = nested_at(prefix, as_service).await;
            let at = prefix.replace("{tenant}", "public").replace("{id}", "1");
            let at = at.trim_end_matches('/');
            for path in ["/private", "/7", "/users/me", "/none/such", "/publicity"] {
                let answer = client.get(&format!("{at}{path}")).await;
                let what = format!("{prefix} {path} {as_service}");
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (401, "unauthenticated"),
                    "{what}"
                );
            }
            let answer = client.get(&format!("{at}/public/ping")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.text.as_str()),
                (200, "open"),
                "{prefix} {as_service}"
            );
            assert_eq!(client.get("/health").await.expect(200, "").text, "open");
        }
    }
}

#[tokio::test]
async fn s54_fallbacks_of_protected_routers_are_closed() {
    for kind in Kind::ALL {
        let own = Router::new()
            .route("/one", post(|| async { "closed" }).fallback(|| async { "closed" }))
            .route("/all", any(|| async { "closed" }))
            .route("/public/one", post(|| async { "open" }).fallback(|| async { "open" }))
            .fallback(|| async { "closed" });
        let app = with_routes(kind, own, Router::new()).await;
        let client = app.user("ada@example.com").await;
        for path in ["/one", "/all", "/none/such", "/", "/public", "/public/none/such/route"] {
            app.client().get(path).await.expect(401, "unauthenticated");
            assert_eq!(client.get(path).await.expect(200, "").text, "closed", "{path}");
            for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
                let stranger = app.client();
                let answer = stranger.send(stranger.request(method, path)).await;
                assert_eq!(answer.status, 401, "{method} {path}");
            }
        }
        assert_eq!(app.client().get("/public/one").await.expect(200, "").text, "open");
        // A fallback of the protected half closes nothing of the public one.
        app.client().get("/feed").await.expect(200, "");
        app.client().post("/login", &json!({})).await.expect(422, "validation_failed");
    }
    let own = Router::new()
        .route("/one", post(|| async { "closed" }))
        .method_not_allowed_fallback(|| async { "closed" });
    let app = with_routes(Kind::Session, own, Router::new()).await;
    app.client().get("/one").await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn a_fallback_of_the_public_half_is_open_and_opens_nothing() {
    let public = Router::new().fallback(|| async { "open" });
    let app = with_routes(Kind::Session, Router::new(), public).await;
    assert_eq!(app.client().get("/none/such").await.expect(200, "").text, "open");
    app.client().get("/private").await.expect(401, "unauthenticated");
    app.client().me().await.expect(401, "unauthenticated");
}

each_backend!(what_does_not_exist_is_404_for_everybody, |app| async move {
    let client = app.user("ada@example.com").await;
    let bad = carrying(&app, carriers(app.kind)[0], "junk");
    for path in
        ["/", "/none", "/users", "/users/", "/users/me/", "/users/me/none", "/login/", "/publi", "/files/"]
    {
        for anyone in [&app.client(), &bad, &client] {
            let answer = anyone.get(path).await.expect(404, "not_found");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.json()["status"], 404);
        }
    }
});

each_backend!(a_wrong_method_is_405_for_everybody, |app| async move {
    let client = app.user("ada@example.com").await;
    for (method, path, allowed) in [
        ("POST", "/users/me", "GET,HEAD,PATCH,DELETE"),
        ("GET", "/login", "POST"),
        ("GET", "/logout", "POST"),
        ("GET", "/register", "POST"),
        ("GET", "/verify", "POST"),
        ("GET", "/verify/resend", "POST"),
        ("GET", "/forgot-password", "POST"),
        ("GET", "/reset-password", "POST"),
        ("POST", "/users/me/sessions", "GET,HEAD,DELETE"),
        ("GET", "/users/me/sessions/x", "DELETE"),
        ("DELETE", "/private", "GET,HEAD,POST"),
        ("DELETE", "/public/ping", "GET,HEAD"),
        ("BREW", "/feed", "GET,HEAD,POST"),
    ] {
        for anyone in [&app.client(), &client] {
            let answer = anyone.send(anyone.request(method, path)).await.expect(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
});

each_backend!(head_and_options_reveal_nothing_that_get_would_not, |app| async move {
    let client = app.user("ada@example.com").await;
    for path in ["/users/me", "/private", "/files/a/b", "/publicity"] {
        let stranger = app.client();
        let (get, head) = (stranger.get(path).await, stranger.send(stranger.request("HEAD", path)).await);
        assert_eq!(head.status, 401, "{path}");
        assert_eq!(head.stable_headers(), get.stable_headers(), "{path}");
        assert!(head.text.is_empty());
        let head = client.send(client.request("HEAD", path)).await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.text.is_empty());
        for anyone in [&stranger, &client] {
            let options = anyone.send(anyone.request("OPTIONS", path)).await;
            assert_eq!(options.status, 405, "{path}");
            assert!(!options.text.contains("ada@example.com"));
        }
    }
    // With a credential that is no good, or that does not suffice, the answers are those of `GET`, too.
    for &carrier in carriers(app.kind) {
        let bad = carrying(&app, carrier, "junk");
        for path in ["/users/me", "/private", "/administration", "/socket", "/no/such/route"] {
            for anyone in [&bad, &client] {
                let (get, head) = (anyone.get(path).await, anyone.send(anyone.request("HEAD", path)).await);
                if get.status != 200 && path != "/socket" {
                    assert_eq!(
                        (head.status, head.stable_headers()),
                        (get.status, get.stable_headers()),
                        "{path}"
                    );
                }
                assert_ne!((head.status.as_u16(), path), (200, "/socket"));
                assert!(head.text.is_empty(), "{path}");
            }
        }
    }
    // A browser that asks for another origin what it may send is told nothing, whoever its user is.
    for path in ["/users/me", "/logout", "/private", "/administration"] {
        for anyone in [&app.client(), &client] {
            let preflight = anyone
                .request("OPTIONS", path)
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "PATCH")
                .header("access-control-request-headers", "content-type");
            let answer = anyone.send(preflight).await.expect(405, "method_not_allowed");
            let allowed =
                |(name, _): (&reqwest::header::HeaderName, _)| name.as_str().starts_with("access-control");
            assert!(!answer.headers.iter().any(allowed), "{path}");
        }
    }
    // Asking changes nothing.
    let head = client.send(client.request("HEAD", "/logout")).await;
    assert_eq!(head.status, 405);
    client.me().await.expect(200, "");
});

fn assert_hardened(answer: &users_tests::Answer, what: &str) {
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
}

each_backend!(s50_no_generated_route_is_cached_or_guessed_at, |app| async move {
    let client = app.user("ada@example.com").await;
    app.client().register("ben@example.com", PASSWORD).await.expect(201, "");
    let verify = app.mailbox.token("ben@example.com", 1).await;
    app.client().forgot("ada@example.com").await.expect(201, "");
    let reset = app.mailbox.token("ada@example.com", 2).await;
    let mut seen = std::collections::BTreeMap::<_, Vec<u16>>::new();
    for (method, path, bodies) in [
        (
            "POST",
            "/login",
            vec![
                json!({"email": "ada@example.com", "password": PASSWORD}),
                json!({"email": "a", "password": ""}),
                json!({}),
            ],
        ),
        (
            "POST",
            "/register",
            vec![
                json!({"email": "new@example.com", "password": PASSWORD}),
                json!({"email": "new@example.com", "password": PASSWORD}),
                json!([]),
            ],
        ),
        ("POST", "/verify", vec![json!({"token": verify}), json!({"token": verify}), json!({})]),
        ("POST", "/verify/resend", vec![json!({"email": "ada@example.com"}), json!(1)]),
        ("POST", "/forgot-password", vec![json!({"email": "ada@example.com"}), json!({})]),
        ("GET", "/users/me", vec![Value::Null]),
        ("GET", "/users/me/sessions", vec![Value::Null]),
        ("DELETE", "/users/me/sessions/x", vec![Value::Null]),
        (
            "PATCH",
            "/users/me",
            vec![json!({"age": 31}), json!({"age": 999}), json!({"password": "x", "x": 1})],
        ),
        (
            "DELETE",
            "/users/me",
            vec![json!({"current_password": "wrong"}), json!({"current_password": PASSWORD})],
        ),
        ("GET", "/users/me", vec![Value::Null]),
        ("GET", "/users/me/sessions", vec![Value::Null]),
        ("POST", "/logout", vec![Value::Null]),
        ("POST", "/reset-password", vec![json!({"token": reset, "password": PASSWORD}), json!({})]),
        ("HEAD", "/users/me", vec![Value::Null]),
        ("PUT", "/users/me", vec![Value::Null]),
        ("GET", "/login", vec![Value::Null]),
    ] {
        for body in bodies {
            let answer = client.send(client.request(method, path).json(&body)).await;
            assert_hardened(&answer, &format!("{method} {path} {}", answer.status));
            seen.entry((method, path)).or_default().push(answer.status.as_u16());
        }
    }
    assert_eq!(seen[&("POST", "/login")], [201, 401, 422]);
    assert_eq!(seen[&("POST", "/register")], [201, 409, 422]);
    assert_eq!(seen[&("POST", "/verify")], [201, 400, 422]);
    assert_eq!(seen[&("PATCH", "/users/me")], [200, 422, 422]);
    assert_eq!(seen[&("DELETE", "/users/me")], [403, 204]);
    assert_eq!(seen[&("GET", "/users/me")], [200, 401]);
    assert_eq!(seen[&("GET", "/users/me/sessions")], [200, 401]);
    assert_eq!(seen[&("DELETE", "/users/me/sessions/x")], [404]);

    let other = app.user("cleo@example.com").await;
    let answer = other.log_out().await.expect(201, "");
    assert_hardened(&answer, "logout");
    app.mailbox.clear();
    app.verified("dora@example.com").await;
    app.client().forgot("dora@example.com").await.expect(201, "");
    let reset = app.mailbox.token("dora@example.com", 2).await;
    let answer = app.client().reset(&reset, "an entirely different sentence").await.expect(201, "");
    assert_hardened(&answer, "reset-password");
    if app.kind.is_cookie() {
        let foreign = app.client().with_header("origin", "https://evil.example");
        assert_hardened(&foreign.log_out().await.expect(403, "cross_origin"), "another origin");
    }
    // What the application serves is its own to cache.
    assert_eq!(app.client().get("/public/ping").await.header("cache-control"), "");
});

#[tokio::test]
async fn an_extractor_outside_the_router_opens_nothing() {
    async fn demand(user: CurrentUser<User>) -> String {
        user.email.clone()
    }
    async fn maybe(user: Option<CurrentUser<User>>) -> String {
        user.map_or_else(|| "nobody".to_owned(), |user| user.email.clone())
    }
    async fn visitor(visitor: Visitor<User>) -> String {
        visitor.is_anonymous().to_string()
    }
    let database = Database::in_memory().await;
    let users = plain::Users::connect(database.url(), config()).await.expect("it starts");
    let outside = Router::new()
        .route("/demand", get(demand))
        .route("/maybe", get(maybe))
        .route("/visitor", get(visitor));
    let (client, _) = serve(outside.merge(plain::router(users).into_router())).await;
    for path in ["/demand", "/maybe", "/visitor"] {
        let answer = client.get(path).await.expect(500, "internal");
        assert_eq!(answer.json()["detail"], "an internal error");
    }
    client.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn a_header_in_front_of_a_cookie_is_read_in_raw_bytes_too() {
    let app = App::start(Kind::JwtCookie).await;
    let token = crate::support::secret(&app, &app.user("ada@example.com").await);
    let cookie = format!("token={token}");
    // An `Authorization` that is no text is no bearer token: the cookie counts.
    let lines: [(&str, &[u8]); 2] = [("Authorization", b"\xff\xfe"), ("Cookie", cookie.as_bytes())];
    assert_eq!(get_raw(&app.base, "GET", "/users/me", &lines).await.status, 200);
    let lines: [(&str, &[u8]); 2] = [("Authorization", b"Bearer junk"), ("Cookie", cookie.as_bytes())];
    assert_eq!(get_raw(&app.base, "GET", "/users/me", &lines).await.status, 401);
    carrying(&app, Carrier::Cookie, &token).me().await.expect(200, "");
}
