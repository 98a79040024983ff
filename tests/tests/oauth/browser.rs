//! The dance in a real browser, between two sites.

use axum::{Router, response::Html, routing::get};
use users_tests::{App, Kind, Options, browser::Browser, provider::Provider};

use crate::support::oidc;

/// A page of the application's that begins a sign-in, as one of a single-page application would.
const START: &str = "<!doctype html><title>start</title><button id=sign-in>Sign in</button><script>
document.getElementById('sign-in').onclick = async () => {
    const query = new URLSearchParams({redirect_url: location.origin + '/welcome'});
    const answer = await fetch('/oauth2/oidc/authorize?' + query);
    location.href = (await answer.json()).authorization_url;
};
</script>";

/// The page that people end at.
const WELCOME: &str = "<!doctype html><title>welcome</title><p id=who></p><script>
fetch('/users/me').then(async (answer) => {
    document.getElementById('who').textContent = answer.ok ? (await answer.json()).email : answer.status;
});
</script>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s43_a_browser_dances_from_page_to_page() {
    let Some(mut browser) = Browser::start().await else { return };
    for kind in [Kind::JwtCookie, Kind::Session, Kind::SessionCookie] {
        let provider = Provider::start().await;
        // Another site than the application's, so that cookies are those of a browser that comes from elsewhere.
        let oidc = oidc(&provider);
        let pages = Router::new()
            .route("/start", get(|| async { Html(START) }))
            .route("/welcome", get(|| async { Html(WELCOME) }));
        let options = Options {
            config: Box::new(move |config| config.with_oauth_provider(oidc)),
            public: pages,
            at_home: true,
            ..Options::default()
        };
        let app = App::start_with(kind, options).await;
        browser.go(&format!("{}/start", app.base)).await;
        browser.click("#sign-in").await;
        // The provider asks.
        browser.until("document.querySelector('button[value=ada-1815]') !== null").await;
        assert!(
            browser.value("location.href").await.as_str().is_some_and(|url| url.starts_with(provider.base()))
        );
        browser.click("button[value=ada-1815]").await;
        browser.until("document.getElementById('who')?.textContent === 'ada@example.com'").await;
        assert_eq!(browser.value("location.pathname + location.search").await, "/welcome");
        assert_eq!(browser.value("document.cookie").await, "", "no script reads a cookie");
    }
}
