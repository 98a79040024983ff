//! How the document is served, and the page that shows it.

use axum::Router;
use reqwest::header;
use serde_json::{Value, json};
use users_runtime::Application;
use users_tests::{App, Client, Kind, apps, browser::Browser};

use crate::support::{config, router, shop};

/// The files that the page loads.
const FILES: [(&str, &str); 4] = [
    ("swagger-ui.css", "text/css"),
    ("swagger-ui-bundle.js", "text/javascript"),
    ("start.js", "text/javascript"),
    ("favicon-32x32.png", "image/png"),
];

/// The application, below a prefix.
async fn served<A: Application>(prefix: &str) -> (Client, String)
where
    A::Auth: Default,
    A::Hooks: Default,
{
    let router = router::<A>(config()).await.into_router();
    let router = if prefix.is_empty() { router } else { Router::new().nest(prefix, router) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it runs") });
    (Client::new(base.clone()), base)
}

#[tokio::test]
async fn s50_the_document_and_the_page_are_for_everybody_and_no_cache() {
    let app = App::start(Kind::JwtCookie).await;
    let document = app.client().get("/schema/openapi.json").await.expect(200, "");
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.json()["paths"]["/login"]["post"]["operationId"], "log_in");
    let page = app.client().get("/schema").await.expect(200, "");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for answer in [&document, &page] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let client = app.client();
    let head = client.send(client.request("HEAD", "/schema")).await.expect(200, "");
    assert!(head.text.is_empty());
}

#[tokio::test]
async fn the_page_runs_its_own_files_and_nothing_else() {
    let (client, _) = served::<apps::session::App>("").await;
    let page = client.get("/schema").await.expect(200, "");
    let policy = page.header(header::CONTENT_SECURITY_POLICY.as_str());
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    for word in ["unsafe", "http:", "https:", "*"] {
        assert!(!policy.contains(word), "{policy}");
    }
    for closed in ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(closed), "{policy}");
    }
    // No script in the page itself, and no address of another host.
    assert_eq!(page.text.matches("<script").count(), page.text.matches("<script src=\"schema/").count());
    assert!(!page.text.contains("//") && !page.text.contains(" on"), "{}", page.text);
    for (file, media_type) in FILES {
        assert!(page.text.contains(&format!("\"schema/{file}\"")), "{file}");
        let request = client.request("GET", &format!("/schema/{file}"));
        let answer = request.send().await.expect("it answers");
        assert_eq!(answer.status(), 200, "{file}");
        let header = |name| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), media_type, "{file}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{file}");
        assert_eq!(header("cache-control"), "public, max-age=3600", "{file}");
    }
    client.get("/schema/swagger-initializer.js").await.expect(404, "not_found");
    client.get("/schema/index.html").await.expect(404, "not_found");
}

#[tokio::test]
async fn below_a_prefix_the_document_names_it() {
    let (client, _) = served::<shop::App>("/shops/{shop}").await;
    let document = client.get("/shops/7/api/reference/openapi.json").await.expect(200, "").json();
    assert_eq!(document["servers"], json!([{"url": "/shops/7"}]));
    let page = client.get("/shops/7/api/reference").await.expect(200, "");
    assert!(page.text.contains("src=\"reference/start.js\""), "{}", page.text);
    let start = client.request("GET", "/shops/7/api/reference/start.js").send().await.expect("it answers");
    assert_eq!(start.status(), 200);
}

#[tokio::test]
async fn a_group_that_is_left_out_is_not_served() {
    let (client, _) = served::<quiet::App>("").await;
    client.get("/schema").await.expect(404, "not_found");
    client.get("/schema/openapi.json").await.expect(404, "not_found");
    client.get("/schema/start.js").await.expect(404, "not_found");
    let document = crate::support::json(&quiet::openapi(&config()));
    assert_eq!(
        document["paths"].as_object().expect("paths").keys().collect::<Vec<_>>(),
        ["/login", "/logout"]
    );
}

#[users_runtime::users_app(auth = "session", user = users_tests::apps::User, routes(auth))]
mod quiet {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_shows_the_document_and_asks_no_other_host() {
    let Some(mut browser) = Browser::start().await else { return };
    for (prefix, path) in [("", "/schema"), ("/api", "/schema")] {
        let (_, base) = served::<apps::jwt_cookie::App>(prefix).await;
        browser.go(&format!("{base}{prefix}{path}")).await;
        browser.until("document.querySelectorAll('.opblock').length > 15").await;
        let asked =
            browser.value("performance.getEntriesByType('resource').map((entry) => entry.name)").await;
        let asked: Vec<_> = asked.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert!(asked.len() >= 4, "{asked:?}");
        for url in asked.iter().filter(|url| !url.starts_with("data:")) {
            assert!(url.starts_with(&format!("{base}{prefix}/schema/")), "{url}");
        }
        // Its styles are there: nothing that it needs is refused.
        let weight = "getComputedStyle(document.querySelector('.opblock-summary-method')).fontWeight";
        assert_eq!(browser.value(weight).await, "700");
        // What a page of this policy may not do.
        let injected = "(() => {
            const script = document.createElement('script');
            script.textContent = 'window.injected = true';
            document.body.append(script);
            return window.injected === undefined;
        })()";
        assert_eq!(browser.value(injected).await, true, "a script of somebody else's ran");
        // A request from the page reaches the server, below the prefix too.
        for control in [".opblock-summary-control", ".try-out__btn", ".execute"] {
            browser.click(&format!("#operations-Tokens-token_keys {control}")).await;
        }
        browser
            .until("document.querySelector('#operations-Tokens-token_keys .live-responses-table .response-col_status')?.innerText.includes('200') || [...document.querySelectorAll('#operations-Tokens-token_keys .live-responses-table td')].some((cell) => cell.innerText.startsWith('200'))")
            .await;
    }
}
