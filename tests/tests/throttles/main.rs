//! Throttles: of accounts, of clients, and of mail; where the counts are is what `TEST_DATABASE` and `TEST_STORE` say.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::json;
use users_runtime::{Config, Throttle};
use users_tests::{Answer, App, Client, Kind, OTHER_PASSWORD, Options, PASSWORD};

const EMAIL: &str = "ada@example.com";
const UNKNOWN: &str = "eve@example.com";
const WRONG: &str = "a wrong sentence";

/// An application with these limits, whose clients say by a header where they are.
async fn app(throttle: Throttle) -> App {
    with(throttle, |config| config).await
}

async fn with(throttle: Throttle, change: impl FnOnce(Config) -> Config + Send + 'static) -> App {
    let config = move |config: Config| {
        let config = config.with_throttle(throttle).with_trusted_proxies("127.0.0.0/8");
        change(config.expect("a network"))
    };
    App::start_with(Kind::JwtCookie, Options { config: Box::new(config), ..Options::default() }).await
}

/// A client at an address that no other one has.
fn client(app: &App) -> Client {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    at(app, &format!("203.0.{}.{}", number / 250, number % 250))
}

fn at(app: &App, address: &str) -> Client {
    app.client().with_header("x-forwarded-for", address)
}

#[track_caller]
fn assert_throttled(answer: Answer) -> u64 {
    let answer = answer.expect(429, "too_many_requests");
    answer.header("retry-after").parse().expect("seconds")
}

/// Only what is said of accounts.
fn of_accounts() -> Throttle {
    Throttle::off().with_account_limit(5, Duration::from_mins(5))
}

#[tokio::test]
async fn s13_five_failures_lock_an_account_for_everybody_and_the_right_password_too() {
    let app = app(Throttle::default()).await;
    app.verified(EMAIL).await;
    for _ in 0..5 {
        client(&app).log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    }
    let wait = assert_throttled(client(&app).log_in(EMAIL, PASSWORD).await);
    assert!((55..=60).contains(&wait), "{wait}");
    assert_throttled(client(&app).log_in("  ADA@Example.com ", PASSWORD).await);
    // Others are not concerned, and an account that was opened before is not closed.
    app.verified("bob@example.com").await;
    client(&app).log_in("bob@example.com", PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s13_who_is_logged_in_stays_so_while_the_account_is_locked() {
    let app = app(Throttle::default()).await;
    app.verified(EMAIL).await;
    let inside = client(&app);
    inside.log_in(EMAIL, PASSWORD).await.expect(201, "");
    for _ in 0..5 {
        client(&app).log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    }
    inside.me().await.expect(200, "");
}

#[tokio::test]
async fn s13_a_lock_ends_by_itself_and_the_next_one_is_longer() {
    let throttle = of_accounts().with_locks(Duration::from_secs(2), Duration::from_mins(15));
    let app = app(throttle).await;
    app.verified(EMAIL).await;
    for _ in 0..5 {
        client(&app).log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    }
    let wait = assert_throttled(client(&app).log_in(EMAIL, PASSWORD).await);
    assert!(wait <= 2, "{wait}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    // One more failure locks again, for twice as long.
    client(&app).log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    let wait = assert_throttled(client(&app).log_in(EMAIL, PASSWORD).await);
    assert!((3..=4).contains(&wait), "{wait}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    client(&app).log_in(EMAIL, PASSWORD).await.expect(201, "");
    // What was right ends what was counted.
    for _ in 0..4 {
        client(&app).log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    }
    client(&app).log_in(EMAIL, PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s13_s14_known_and_unknown_accounts_are_locked_alike() {
    let app = app(of_accounts()).await;
    app.verified(EMAIL).await;
    let mut answers = Vec::new();
    for email in [EMAIL, UNKNOWN, "no address at all"] {
        for _ in 0..5 {
            client(&app).log_in(email, WRONG).await.expect(401, "bad_credentials");
        }
        let answer = client(&app).log_in(email, WRONG).await.expect(429, "too_many_requests");
        let mut headers = answer.stable_headers();
        headers.remove("retry-after");
        answers.push((answer.text, headers));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s14_of_64_guesses_side_by_side_five_are_checked() {
    let app = app(of_accounts()).await;
    app.verified(EMAIL).await;
    let before = app.admin.password_computations();
    let guesses: Vec<_> = (0..64)
        .map(|_| {
            let client = client(&app);
            tokio::spawn(async move { client.log_in(EMAIL, WRONG).await.status.as_u16() })
        })
        .collect();
    let mut wrong = 0;
    for guess in guesses {
        match guess.await.expect("an answer") {
            401 => wrong += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(wrong, 5);
    assert_eq!(app.admin.password_computations() - before, 5);
}

#[tokio::test]
async fn s13_the_current_password_is_no_way_around_the_lock() {
    let app = app(of_accounts()).await;
    app.verified(EMAIL).await;
    let client = client(&app);
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
    let change = |current: &str| json!({"password": OTHER_PASSWORD, "current_password": current});
    for _ in 0..5 {
        client.patch("/users/me", &change(WRONG)).await.expect(403, "current_password_wrong");
    }
    assert_throttled(client.patch("/users/me", &change(PASSWORD)).await);
    assert_throttled(client.log_in(EMAIL, PASSWORD).await);
    client.me().await.expect(200, "");
}

#[tokio::test]
async fn s13_a_password_reset_ends_the_lock() {
    let app = app(of_accounts()).await;
    app.verified(EMAIL).await;
    for _ in 0..5 {
        client(&app).log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    }
    client(&app).forgot(EMAIL).await.expect(201, "");
    let token = app.mailbox.token(EMAIL, 2).await;
    client(&app).reset(&token, OTHER_PASSWORD).await.expect(201, "");
    client(&app).log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
}

/// Fails to log in to accounts that there are not, from one address.
async fn fail(client: &Client, times: usize) {
    for number in 0..times {
        client.log_in(&format!("nobody{number}@example.com"), WRONG).await.expect(401, "bad_credentials");
    }
}

#[tokio::test]
async fn s15_ten_failures_a_minute_stop_a_client_and_no_other_one() {
    let app = app(Throttle::default()).await;
    app.verified(EMAIL).await;
    let client = at(&app, "198.51.100.1");
    fail(&client, 6).await;
    // A success clears nothing, and is no failure itself.
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
    fail(&client, 4).await;
    let wait = assert_throttled(client.log_in(EMAIL, PASSWORD).await);
    assert!((1..=60).contains(&wait), "{wait}");
    at(&app, "198.51.100.2").log_in(EMAIL, PASSWORD).await.expect(201, "");
    // What the client may write itself stands further left than what the proxy says.
    assert_throttled(at(&app, "198.51.100.3, 198.51.100.1").log_in(EMAIL, PASSWORD).await);
}

#[tokio::test]
async fn s15_a_network_of_ipv6_is_one_client() {
    let app = app(Throttle::off().with_client_limit(10, Duration::from_mins(1))).await;
    app.verified(EMAIL).await;
    for host in 0..10 {
        fail(&at(&app, &format!("2001:db8::{host:x}")), 1).await;
    }
    assert_throttled(at(&app, "2001:db8::ffff:1").log_in(EMAIL, PASSWORD).await);
    at(&app, "2001:db8:0:1::1").log_in(EMAIL, PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s15_without_trusted_proxies_a_header_makes_nobody_another_client() {
    let throttle = Throttle::off().with_client_limit(10, Duration::from_mins(1));
    let config = move |config: Config| config.with_throttle(throttle);
    let options = Options { config: Box::new(config), ..Options::default() };
    let app = App::start_with(Kind::JwtCookie, options).await;
    app.verified(EMAIL).await;
    for number in 0..10 {
        fail(&at(&app, &format!("198.51.100.{number}")), 1).await;
    }
    assert_throttled(at(&app, "198.51.100.99").log_in(EMAIL, PASSWORD).await);
}

#[tokio::test]
async fn s15_tokens_of_mails_and_taken_identifiers_are_not_guessed_either() {
    let app = app(Throttle::default()).await;
    app.verified(EMAIL).await;
    let client = client(&app);
    for _ in 0..10 {
        client.verify(&"A".repeat(43)).await.expect(400, "token_invalid");
        client.reset(&"A".repeat(43), OTHER_PASSWORD).await.expect(400, "token_invalid");
        client.register(EMAIL, PASSWORD).await.expect(409, "identifier_taken");
    }
    assert_throttled(client.verify(&"A".repeat(43)).await);
    assert_throttled(client.reset(&"A".repeat(43), OTHER_PASSWORD).await);
    assert_throttled(client.register("new@example.com", PASSWORD).await);
    // S16: each route counts for itself.
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s16_the_path_as_it_is_written_makes_no_other_limit() {
    let app = app(Throttle::default().with_route_limit("log_in", 3, Duration::from_mins(1))).await;
    app.verified(EMAIL).await;
    let client = client(&app);
    let right = json!({"email": EMAIL, "password": PASSWORD});
    fail(&client, 3).await;
    for path in ["/login", "/login?response=token", "/login?x=1", "/l%6fgin"] {
        let status = client.post(path, &right).await.status.as_u16();
        assert!(matches!(status, 404 | 429), "{path}: {status}");
    }
    // Tokens for a form are a login too.
    let form = format!("grant_type=password&username={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
    let request = client.request("POST", "/token").body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_throttled(client.send(request).await);
}

#[tokio::test]
async fn s17_one_mail_in_three_minutes_goes_to_an_address_and_nobody_is_told() {
    let app = app(Throttle::default()).await;
    app.verified(EMAIL).await;
    app.verified("bob@example.com").await;
    app.client().register("new@example.com", PASSWORD).await.expect(201, "");
    app.mailbox.token("new@example.com", 1).await;
    for (path, status, email) in
        [("/forgot-password", 201, EMAIL), ("/verify/resend", 202, "new@example.com")]
    {
        for spelling in [email, &email.to_uppercase(), email] {
            let known = client(&app).post(path, &json!({ "email": spelling })).await.expect(status, "");
            let unknown = client(&app).post(path, &json!({ "email": UNKNOWN })).await.expect(status, "");
            assert_eq!((known.text, known.headers.len()), (unknown.text, unknown.headers.len()));
        }
        // The first of it, and the one of the registration.
        assert_eq!(app.mailbox.settled(email).await, 2, "{path}");
    }
    client(&app).forgot("bob@example.com").await.expect(201, "");
    app.mailbox.token("bob@example.com", 2).await;
}

#[tokio::test]
async fn s17_after_the_pause_the_next_mail_leaves() {
    let app = app(Throttle::off().with_mail_every(Duration::from_secs(1))).await;
    app.verified(EMAIL).await;
    client(&app).forgot(EMAIL).await.expect(201, "");
    client(&app).forgot(EMAIL).await.expect(201, "");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    client(&app).forgot(EMAIL).await.expect(201, "");
    app.mailbox.token(EMAIL, 3).await;
    assert_eq!(app.mailbox.settled(EMAIL).await, 3);
}

#[tokio::test]
async fn s17_all_mails_together_have_a_cap() {
    let app = app(Throttle::off().with_mail_cap(4, Duration::from_mins(1))).await;
    app.verified(EMAIL).await;
    for email in [EMAIL, UNKNOWN, "zoe@example.com"] {
        client(&app).forgot(email).await.expect(201, "");
    }
    assert_throttled(client(&app).forgot("yan@example.com").await);
    assert_throttled(client(&app).register("xia@example.com", PASSWORD).await);
    assert_throttled(client(&app).post("/verify/resend", &json!({ "email": EMAIL })).await);
}

#[tokio::test]
async fn s17_a_new_address_is_asked_to_confirm_once_in_three_minutes() {
    let app = app(Throttle::off().with_mail_every(Duration::from_mins(3))).await;
    app.verified(EMAIL).await;
    let client = client(&app);
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
    let change = json!({"email": "victim@example.com", "current_password": PASSWORD});
    let answer = client.patch("/users/me", &change).await.expect(200, "").json();
    assert_eq!(
        (&answer["email"], &answer["pending_identifier"]),
        (&json!(EMAIL), &json!("victim@example.com"))
    );
    assert_throttled(client.patch("/users/me", &change).await);
    assert_eq!(app.mailbox.settled("victim@example.com").await, 1);
}

#[tokio::test]
async fn s13_the_application_may_ask_for_a_captcha() {
    let app = app(Throttle::default()).await;
    app.verified(EMAIL).await;
    let (robot, person) = (client(&app), client(&app));
    let robot = robot.with_header("x-test-hook", "captcha");
    let person = person.with_header("x-test-hook", "captcha").with_header("x-captcha", "solved");
    robot.log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    robot.log_in(EMAIL, WRONG).await.expect(401, "bad_credentials");
    // Refused before the password is looked at, and so no failure.
    let before = app.admin.password_computations();
    for _ in 0..20 {
        robot.log_in(EMAIL, PASSWORD).await.expect(403, "captcha_required");
    }
    assert_eq!(app.admin.password_computations(), before);
    person.log_in(EMAIL, PASSWORD).await.expect(201, "");
}
