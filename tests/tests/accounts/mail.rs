//! The outbox: what mails say, what the database knows of them, and what becomes of those that do not leave.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use users_runtime::RenderedMail;
use users_tests::{App, Kind, OTHER_PASSWORD, On, PASSWORD, now};

use crate::help::{app_with, until};

const EMAIL: &str = "ada@example.com";
const NEW_EMAIL: &str = "countess@example.com";

/// The token in a mail.
fn token_in(mail: &RenderedMail) -> &str {
    mail.text.lines().find_map(|line| line.strip_prefix("token=")).expect("a token")
}

/// Waits until every mail has left.
async fn until_empty(app: &App) {
    until(app.query("SELECT COUNT(*) FROM users_outbox"), 0).await;
}

#[tokio::test]
async fn s35_links_carry_the_token_in_the_fragment_of_a_configured_page() {
    let app = app_with(Kind::Session, |config| {
        config
            .with_insecure_cookies(false)
            .with_base_url("https://app.example.com/base/")
            .and_then(|config| config.with_reset_url("https://www.example.com/new-password?lang=en"))
            .expect("addresses")
    })
    .await;
    let client = app
        .client()
        .with_header("host", "evil.example")
        .with_header("x-forwarded-host", "evil.example")
        .with_header("x-forwarded-proto", "http")
        .with_header("forwarded", "host=evil.example;proto=http");
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    app.mailbox.nth(EMAIL, 1).await;
    client.post("/verify/resend", &json!({"email": EMAIL})).await.expect(202, "");
    app.mailbox.nth(EMAIL, 2).await;
    client.forgot(EMAIL).await.expect(201, "");
    app.mailbox.nth(EMAIL, 3).await;
    let pages = [
        "https://app.example.com/base/verify",
        "https://app.example.com/base/verify",
        "https://www.example.com/new-password?lang=en",
    ];
    for (mail, page) in app.mailbox.mails().iter().zip(pages) {
        let link = format!("{page}#token={}", token_in(mail));
        assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
        assert!(mail.html.contains(&format!("href=\"{}\"", link.replace('/', "&#x2f;"))), "{}", mail.html);
        let all = format!("{}{}{}{}", mail.subject, mail.text, mail.html, mail.message_id);
        assert!(!all.contains("evil.example") && !all.contains("?token="), "{all}");
        assert!(!mail.message_id.contains(token_in(mail)) && !mail.subject.contains(token_in(mail)));
    }
}

#[tokio::test]
async fn s35_the_page_of_a_confirmation_is_configured_too() {
    let app = app_with(Kind::Session, |config| {
        config.with_verify_url("https://www.example.com/welcome").expect("an address")
    })
    .await;
    let ada = app.user(EMAIL).await.with_header("host", "evil.example");
    let change = json!({"email": NEW_EMAIL, "current_password": PASSWORD});
    ada.patch("/users/me", &change).await.expect(200, "");
    let mail = app.mailbox.nth(NEW_EMAIL, 1).await;
    let link = format!("https://www.example.com/welcome#token={}", token_in(&mail));
    assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
    assert!(!mail.text.contains("evil.example") && !mail.html.contains("evil.example"));
}

/// Neither the tables nor, where they can be read, the files below them have a token in any form.
#[tokio::test]
async fn s32_the_database_never_holds_a_token() {
    let app = App::start(Kind::Session).await;
    // The mails stay in the outbox, with their tokens issued.
    app.mailbox.delay(Duration::from_millis(600));
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    until(app.query("SELECT COUNT(*) FROM users_one_time_tokens"), 1).await;
    let mut stored = app.contents().await;
    app.mailbox.delay(Duration::ZERO);
    let verify = app.mailbox.token(EMAIL, 1).await;
    app.client().verify(&verify).await.expect(201, "");
    let ada = app.client();
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
    ada.forgot(EMAIL).await.expect(201, "");
    let reset = app.mailbox.token(EMAIL, 2).await;
    let change = json!({"email": NEW_EMAIL, "current_password": PASSWORD});
    ada.patch("/users/me", &change).await.expect(200, "");
    let confirm = app.mailbox.token(NEW_EMAIL, 1).await;
    until_empty(&app).await;
    stored.extend(app.contents().await);
    app.client().reset(&reset, OTHER_PASSWORD).await.expect(201, "");
    stored.extend(app.contents().await);

    assert!(holds(&stored, EMAIL.as_bytes()), "the bytes have to be those of the database");
    for token in [verify, reset, confirm] {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).expect("base64url");
        let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(bytes.len(), 32);
        for form in [token.as_bytes(), &bytes, hex.as_bytes(), hex.to_uppercase().as_bytes()] {
            assert!(!holds(&stored, form), "a token is stored");
        }
    }
    assert!(!holds(&stored, PASSWORD.as_bytes()) && !holds(&stored, OTHER_PASSWORD.as_bytes()));
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn a_mail_that_fails_is_sent_again_later_and_later() {
    let app = App::start(Kind::Session).await;
    app.mailbox.fail(3);
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    // In milliseconds.
    for (made, pause) in [(1, 2000), (2, 4000), (3, 8000)] {
        let end = Instant::now() + Duration::from_secs(10);
        let left = loop {
            // While a mail is under way, its longer lease counts.
            let state = app.query("SELECT due_at FROM users_outbox WHERE attempts = ? AND due_at < ?");
            let due = state.bind(made).bind(now() + 10_000).values::<i64>().await;
            if let Some(due) = due.first() {
                break due - now();
            }
            assert!(Instant::now() < end, "attempt {made} never came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!((pause - 700..=pause).contains(&left), "attempt {made}: {left} ms left of {pause}");
        app.execute("UPDATE users_outbox SET due_at = 0").await;
    }
    let token = app.mailbox.token(EMAIL, 1).await;
    until_empty(&app).await;
    assert_eq!(app.mailbox.mails().len(), 1);
    app.client().verify(&token).await.expect(201, "");
}

#[tokio::test]
async fn a_mail_that_failed_leaves_by_itself_after_its_pause() {
    let app = App::start(Kind::Session).await;
    app.mailbox.fail(1);
    let start = Instant::now();
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    app.mailbox.nth(EMAIL, 1).await;
    let taken = start.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(6)).contains(&taken), "{taken:?}");
}

#[tokio::test]
async fn no_mail_is_lost_when_the_transport_fails() {
    let app = App::start(Kind::Session).await;
    app.mailbox.fail(12);
    for number in 0..6 {
        app.client().register(&format!("user{number}@example.com"), PASSWORD).await.expect(201, "");
    }
    until(app.query("SELECT COUNT(*) FROM users_outbox WHERE attempts >= 1"), 6).await;
    assert!(app.mailbox.mails().is_empty());
    for number in 0..6 {
        let email = format!("user{number}@example.com");
        while !app.mailbox.mails().iter().any(|mail| mail.to == email) {
            app.execute("UPDATE users_outbox SET due_at = 0").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        app.client().verify(&app.mailbox.token(&email, 1).await).await.expect(201, "");
    }
    until_empty(&app).await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_not_tried_again() {
    let app = App::start(Kind::Session).await;
    app.mailbox.refuse(1);
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    until_empty(&app).await;
    assert_eq!(app.mailbox.settled(EMAIL).await, 0);
    // The user asks for another one.
    app.client().post("/verify/resend", &json!({"email": EMAIL})).await.expect(202, "");
    app.client().verify(&app.mailbox.token(EMAIL, 1).await).await.expect(201, "");
}

#[tokio::test]
async fn a_mail_that_is_worthless_by_now_is_not_sent() {
    let app = App::start(Kind::Session).await;
    app.mailbox.fail(1);
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    let failed = app.query("SELECT COUNT(*) FROM users_outbox WHERE attempts = 1 AND due_at < ?");
    until(failed.bind(now() + 10_000), 1).await;
    // Not even for want of a newer token.
    app.execute("DELETE FROM users_one_time_tokens").await;
    app.execute("UPDATE users_outbox SET due_at = 0, created_at = created_at - 24 * 3600 * 1000").await;
    until_empty(&app).await;
    assert_eq!(app.mailbox.settled(EMAIL).await, 0);
}

/// Keeps a copy of every mail that leaves the outbox, as one that a process could not delete before it died.
async fn keep_copies(app: &App) {
    app.execute("CREATE TABLE copies AS SELECT * FROM users_outbox").await;
    let trigger = On {
        sqlite: "CREATE TRIGGER copy_mail BEFORE DELETE ON users_outbox \
                 BEGIN INSERT INTO copies SELECT * FROM users_outbox WHERE id = OLD.id; END",
        postgres: "CREATE OR REPLACE FUNCTION copy_mail() RETURNS trigger LANGUAGE plpgsql AS \
                   'BEGIN INSERT INTO copies SELECT OLD.*; RETURN OLD; END'; \
                   CREATE TRIGGER copy_mail BEFORE DELETE ON users_outbox FOR EACH ROW EXECUTE FUNCTION copy_mail()",
        mysql: "CREATE TRIGGER copy_mail BEFORE DELETE ON users_outbox \
                FOR EACH ROW INSERT INTO copies SELECT * FROM users_outbox WHERE id = OLD.id",
    };
    app.execute(trigger.chosen()).await;
}

/// Puts the copies back, due at once, and waits until the outbox is done with them.
async fn send_copies_again(app: &App) {
    let drop = On {
        sqlite: "DROP TRIGGER copy_mail",
        postgres: "DROP TRIGGER copy_mail ON users_outbox",
        mysql: "DROP TRIGGER copy_mail",
    };
    app.execute(drop.chosen()).await;
    app.execute("UPDATE copies SET due_at = 0").await;
    app.execute("INSERT INTO users_outbox SELECT * FROM copies").await;
    app.execute("DELETE FROM copies").await;
    until_empty(app).await;
}

#[tokio::test]
async fn a_mail_that_is_sent_twice_is_the_same_mail_and_works_once() {
    let app = App::start(Kind::Session).await;
    keep_copies(&app).await;
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    app.mailbox.nth(EMAIL, 1).await;
    until_empty(&app).await;
    send_copies_again(&app).await;
    let (first, second) = (app.mailbox.nth(EMAIL, 1).await, app.mailbox.nth(EMAIL, 2).await);
    assert_eq!(first.message_id, second.message_id);
    assert_eq!(token_in(&first), token_in(&second));
    app.client().verify(token_in(&second)).await.expect(201, "");
    app.client().verify(token_in(&first)).await.expect(400, "token_invalid");
}

#[tokio::test]
async fn s32_a_mail_that_is_sent_again_after_use_brings_no_token_back() {
    let app = App::start(Kind::Session).await;
    keep_copies(&app).await;
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    let verify = app.mailbox.token(EMAIL, 1).await;
    app.client().verify(&verify).await.expect(201, "");
    until_empty(&app).await;
    send_copies_again(&app).await;
    app.client().verify(&verify).await.expect(400, "token_invalid");

    app.execute("DROP TABLE copies").await;
    keep_copies(&app).await;
    app.client().forgot(EMAIL).await.expect(201, "");
    let reset = app.mailbox.token(EMAIL, 2).await;
    app.client().reset(&reset, OTHER_PASSWORD).await.expect(201, "");
    until_empty(&app).await;
    // The notice of the new password has no token and may come twice.
    app.execute("DELETE FROM copies WHERE message NOT LIKE '%canonical%'").await;
    app.mailbox.nth(EMAIL, 3).await;
    send_copies_again(&app).await;
    app.client().reset(&reset, PASSWORD).await.expect(400, "token_invalid");

    app.execute("DROP TABLE copies").await;
    keep_copies(&app).await;
    let ada = app.client();
    ada.log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
    let change = json!({"email": NEW_EMAIL, "current_password": OTHER_PASSWORD});
    ada.patch("/users/me", &change).await.expect(200, "");
    let confirm = app.mailbox.token(NEW_EMAIL, 1).await;
    app.client().verify(&confirm).await.expect(201, "");
    until_empty(&app).await;
    app.execute("DELETE FROM copies WHERE message NOT LIKE '%confirm_identifier%'").await;
    send_copies_again(&app).await;
    app.client().verify(&confirm).await.expect(400, "token_invalid");

    // Nobody was sent a link that does not work.
    let links = app.mailbox.mails().iter().filter(|mail| mail.text.contains("token=")).count();
    assert_eq!(links, 3);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_one_time_tokens").await, 0);
}

#[tokio::test]
async fn s33_an_older_mail_that_is_sent_after_a_newer_one_does_not_replace_its_token() {
    let app = App::start(Kind::Session).await;
    keep_copies(&app).await;
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
    let older = app.mailbox.token(EMAIL, 1).await;
    until_empty(&app).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    app.client().post("/verify/resend", &json!({"email": EMAIL})).await.expect(202, "");
    let newer = app.mailbox.token(EMAIL, 2).await;
    until_empty(&app).await;
    let newest = app.count("SELECT MAX(id) FROM copies").await;
    app.query("DELETE FROM copies WHERE id = ?").bind(newest).execute().await;
    send_copies_again(&app).await;
    app.client().verify(&older).await.expect(400, "token_invalid");
    app.client().verify(&newer).await.expect(201, "");
}

#[tokio::test]
async fn what_a_user_chooses_is_escaped_in_the_html_of_a_mail() {
    let app = App::start(Kind::Session).await;
    // An address may hold these characters; in HTML they would begin an entity.
    let email = "o'brien&copy@example.com";
    app.client().register(email, PASSWORD).await.expect(201, "");
    let mail = app.mailbox.nth(email, 1).await;
    assert!(mail.text.contains(email), "{}", mail.text);
    assert!(!mail.html.contains("&copy@"), "{}", mail.html);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_takes_longer_than_its_lease_is_sent_once() {
    let app = App::start(Kind::Session).await;
    // The lease is 15 seconds; the worker that holds it renews it while it sends.
    app.mailbox.delay(Duration::from_secs(18));
    app.client().register("ada@example.com", PASSWORD).await.expect(201, "");
    tokio::time::sleep(Duration::from_secs(17)).await;
    assert_eq!(app.count("SELECT attempts FROM users_outbox").await, 1);
    app.mailbox.nth("ada@example.com", 1).await;
    assert_eq!(app.mailbox.settled("ada@example.com").await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_outbox").await, 0);
}
