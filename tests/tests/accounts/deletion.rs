//! `DELETE /users/me` with a grace in which its owner may come back.

use std::time::Duration;

use serde_json::json;
use users_tests::{App, Client, Kind, OTHER_PASSWORD, PASSWORD, Statement};

use crate::help::{app_with, until};

const EMAIL: &str = "ada@example.com";
const DAY: Duration = Duration::from_hours(24);

async fn app(kind: Kind) -> App {
    app_with(kind, |config| config.with_deletion_grace(DAY)).await
}

async fn ask_for_deletion(client: &Client) {
    client.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
}

fn count<'a>(app: &'a App, kind: &str) -> Statement<'a> {
    app.query("SELECT COUNT(*) FROM users_events WHERE kind = ?").bind(kind)
}

async fn make_due(app: &App) {
    app.execute("UPDATE users_deletions SET due_at = 1").await;
}

#[tokio::test]
async fn s23_an_account_that_waits_for_its_deletion_is_refused_everywhere() {
    for kind in Kind::ALL {
        let app = app(kind).await;
        let (one, two) = (app.user(EMAIL).await, app.client());
        two.log_in(EMAIL, PASSWORD).await.expect(201, "");
        let before = one.snapshot();
        let body = json!({"current_password": OTHER_PASSWORD});
        one.delete("/users/me", &body).await.expect(403, "current_password_wrong");
        ask_for_deletion(&one).await;
        for client in [&one, &two, &before] {
            client.me().await.expect(401, "unauthenticated");
        }
        assert_eq!(app.sessions().await, 0);
        app.client().log_in(EMAIL, OTHER_PASSWORD).await.expect(401, "bad_credentials");
        // Nobody else gets the address meanwhile, and no mail lets anybody in.
        app.client().register(EMAIL, PASSWORD).await.expect(409, "identifier_taken");
        app.client().forgot(EMAIL).await.expect(201, "");
        let mail = app.mailbox.nth(EMAIL, 2).await;
        assert!(mail.subject.contains("will be deleted") && mail.text.contains(" UTC"), "{}", mail.text);
        assert_eq!(app.mailbox.settled(EMAIL).await, 2);
    }
}

#[tokio::test]
async fn a_login_within_the_grace_brings_the_account_back() {
    let app = app(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    ask_for_deletion(&ada).await;
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
    ada.me().await.expect(200, "");
    let mail = app.mailbox.nth(EMAIL, 3).await;
    assert!(mail.subject.contains("stays"), "{}", mail.subject);
    assert_eq!(count(&app, "deletion_requested").count().await, 1);
    assert_eq!(count(&app, "deletion_cancelled").count().await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_deletions").await, 0);
    // It can be asked for again.
    ask_for_deletion(&ada).await;
    ada.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn what_is_due_is_deleted_once_by_several_nodes() {
    let app = app(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    app.user("grace@example.com").await;
    ask_for_deletion(&ada).await;
    make_due(&app).await;
    // It is too late, though nobody has deleted it yet.
    app.client().log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    let _nodes = tokio::join!(app.another_node(), app.another_node(), app.another_node());
    until(app.query("SELECT COUNT(*) FROM users"), 1).await;
    until(count(&app, "deleted"), 1).await;
    app.client().log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    app.client().register(EMAIL, PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn an_account_that_is_not_due_stays() {
    let app = app(Kind::Session).await;
    let (ada, grace) = (app.user(EMAIL).await, app.user("grace@example.com").await);
    ask_for_deletion(&ada).await;
    ask_for_deletion(&grace).await;
    let id = app.id_of("grace@example.com").await;
    app.query("UPDATE users_deletions SET due_at = 1 WHERE user_id = ?").bind(id).execute().await;
    let _node = app.another_node().await;
    until(app.query("SELECT COUNT(*) FROM users"), 1).await;
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn who_is_deactivated_meanwhile_does_not_come_back_alone() {
    let app = app(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    let id = app.id_of(EMAIL).await;
    ask_for_deletion(&ada).await;
    app.admin.set_active(id, false).await.expect("it is deactivated");
    ada.log_in(EMAIL, PASSWORD).await.expect(401, "bad_credentials");
    // An administrator's word keeps the account.
    app.admin.set_active(id, true).await.expect("it is activated");
    assert_eq!(app.count("SELECT COUNT(*) FROM users_deletions").await, 0);
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s56_the_last_administrator_cannot_ask_for_deletion() {
    let app = app(Kind::Session).await;
    let ada = app.user(EMAIL).await;
    app.admin.grant(app.id_of(EMAIL).await, "administrator").await.expect("a role");
    let body = json!({"current_password": PASSWORD});
    ada.delete("/users/me", &body).await.expect(409, "last_administrator");
    ada.me().await.expect(200, "");
    assert_eq!(count(&app, "deletion_requested").count().await, 0);
    // With another one there, it may go.
    app.verified("grace@example.com").await;
    app.admin.grant(app.id_of("grace@example.com").await, "administrator").await.expect("a role");
    ask_for_deletion(&ada).await;
}
