//! Passwords that are known from a breach, and those that are guessed too soon, on every path that sets one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Path, http::HeaderMap, response::IntoResponse, routing::get};
use serde_json::json;
use users_runtime::{Config, FailMode, PasswordPolicy, PwnedPasswords};
use users_tests::{App, Kind, PASSWORD};

use crate::help::app_with;

const EMAIL: &str = "ada@example.com";

/// A password that keeps every other rule.
const BREACHED: &str = "an entirely different sentence";

/// The SHA-1 of [`BREACHED`], in two parts.
const DIGITS: (&str, &str) = ("571F3", "638D14448589B08C91608BFC323A6AE0D4E");

/// How a range is answered.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Lists,
    Pads,
    Fails,
    TalksOfSomethingElse,
    Redirects,
    Sleeps,
}

/// A server of ranges, and what it was asked.
struct Ranges {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Ranges {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ranges {
    async fn start(mood: Mood) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let answer = move |Path(prefix): Path<String>, headers: HeaderMap| {
            assert_eq!(headers["add-padding"], "true");
            noted.lock().expect("not poisoned").push(prefix.clone());
            let listed = if prefix == DIGITS.0 { DIGITS.1 } else { "00000000000000000000000000000000000" };
            async move {
                let other = "11111111111111111111111111111111111:7\r\n";
                match mood {
                    Mood::Lists => format!("{other}{listed}:12\r\n").into_response(),
                    Mood::Pads => format!("{other}{listed}:0\r\n").into_response(),
                    Mood::Fails => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, other).into_response(),
                    Mood::TalksOfSomethingElse => "<html>log in first</html>".into_response(),
                    Mood::Redirects => axum::response::Redirect::temporary("/elsewhere").into_response(),
                    Mood::Sleeps => {
                        tokio::time::sleep(Duration::from_secs(30)).await;
                        other.into_response()
                    }
                }
            }
        };
        let elsewhere = get(|| async { format!("{}:12", DIGITS.1) });
        let router = Router::new().route("/range/{prefix}", get(answer)).route("/elsewhere", elsewhere);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/range", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it runs") });
        Self { url, asked, task }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Settings that ask this server.
    fn settings(&self) -> impl Fn(Config) -> Config + Send + 'static {
        let check = PwnedPasswords::at(&self.url).expect("an address");
        move |config| config.with_breach_check(check.clone())
    }
}

/// Tries a password on the three paths of the account's owner; each has to refuse it with this code.
async fn assert_refused(app: &App, password: &str, code: &str) {
    let ada = app.user(EMAIL).await;
    ada.forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 2).await;
    let change = json!({"password": password, "current_password": PASSWORD});
    for answer in [
        app.client().register("eve@example.com", password).await,
        ada.patch("/users/me", &change).await,
        app.client().reset(&token, password).await,
    ] {
        let answer = answer.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("password: {code}")]);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
    // The token is left for another try.
    app.client().reset(&token, "a sentence that nobody else says").await.expect(201, "");
}

#[tokio::test]
async fn s06_a_breached_password_is_refused_on_every_path_and_five_digits_leave() {
    assert_ne!(PASSWORD, BREACHED, "the account's own password has to pass");
    let ranges = Ranges::start(Mood::Lists).await;
    let app = app_with(Kind::Session, ranges.settings()).await;
    assert_refused(&app, BREACHED, "password_breached").await;
    let asked = ranges.asked();
    assert_eq!(asked.iter().filter(|prefix| *prefix == DIGITS.0).count(), 3);
    assert!(asked.iter().all(|prefix| prefix.len() == 5), "{asked:?}");
    // What breaks another rule is not asked about.
    app.client().register("eve@example.com", "password1").await.expect(422, "validation_failed");
    assert_eq!(ranges.asked().len(), asked.len());
}

#[tokio::test]
async fn s06_padding_does_not_count() {
    let ranges = Ranges::start(Mood::Pads).await;
    let app = app_with(Kind::Session, ranges.settings()).await;
    app.client().register(EMAIL, BREACHED).await.expect(201, "");
    assert_eq!(ranges.asked(), [DIGITS.0]);
}

#[tokio::test]
async fn s06_what_is_no_answer_is_dealt_with_by_the_mode() {
    for mood in [Mood::Fails, Mood::TalksOfSomethingElse, Mood::Redirects, Mood::Sleeps] {
        let ranges = Ranges::start(mood).await;
        for (mode, status, code) in [(FailMode::Open, 201, ""), (FailMode::Closed, 503, "unavailable")] {
            let settings = ranges.settings();
            let app = app_with(Kind::Session, move |config| {
                let timeout = if mood == Mood::Sleeps { 200 } else { 5000 };
                settings(config)
                    .with_breach_fail_mode(mode)
                    .with_breach_timeout(Duration::from_millis(timeout))
            })
            .await;
            app.client().register(EMAIL, BREACHED).await.expect(status, code);
            let stored = i64::from(mode == FailMode::Open);
            assert_eq!(app.count("SELECT COUNT(*) FROM users").await, stored);
        }
    }
}

#[tokio::test]
async fn what_is_guessed_too_soon_is_refused_on_every_path() {
    let app = app_with(Kind::Session, |config| {
        config.with_password_policy(PasswordPolicy::default().with_min_strength(3).expect("a strength"))
    })
    .await;
    assert_refused(&app, "abcdefghij1", "password_too_weak").await;
}
