//! `GET /users/me/export`: everything that is known of a user.

use serde_json::Value;
use users_tests::{App, Kind, PASSWORD, each_backend};

const EMAIL: &str = "ada@example.com";

each_backend!(an_export_holds_what_is_known_of_the_user_and_no_secret, |app| async move {
    let ada = app.user(EMAIL).await;
    app.user("grace@example.com").await;
    let answer = ada.get("/users/me/export").await.expect(200, "");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"account.json\"");
    let export = answer.json();
    assert_eq!(export["account"]["email"], EMAIL);
    assert_eq!(export["sessions"].as_array().map(Vec::len), Some(1));
    let kinds: Vec<_> =
        export["events"].as_array().expect("a list").iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, ["exported", "login", "verified", "registered"]);
    assert_eq!(export["linked_accounts"], Value::Array(Vec::new()));
    assert_eq!(export["application"]["login_count"], 1);
    for secret in [PASSWORD, "$argon2", "grace@example.com"] {
        assert!(!answer.text.contains(secret), "{secret}");
    }
});

#[tokio::test]
async fn an_export_needs_a_login_of_a_short_while_ago() {
    let app = App::in_database(Kind::Session).await;
    app.client().get("/users/me/export").await.expect(401, "unauthenticated");
    let ada = app.user(EMAIL).await;
    app.execute("UPDATE users_sessions SET created_at = created_at - 6 * 60000").await;
    ada.get("/users/me/export").await.expect(403, "reauthentication_required");
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
    ada.get("/users/me/export").await.expect(200, "");
}
