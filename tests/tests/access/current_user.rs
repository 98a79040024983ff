//! Group `current_user`: the own account.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use users_tests::{App, Client, OTHER_PASSWORD, PASSWORD, apps::HOOK_HEADER, each_backend};
use uuid::Uuid;

use crate::support::secret;

each_backend!(get_answers_the_user_and_nothing_secret, |app| async move {
    let client = app.user("Ada@Example.com").await;
    let answer = client.me().await.expect(200, "");
    let expected = json!({
        "id": app.id_of("Ada@Example.com").await.to_string(),
        "email": "Ada@Example.com",
        "is_active": true,
        "is_verified": true,
        "display_name": null,
        "age": 30,
        "login_count": 1,
        "roles": [],
    });
    assert_eq!(answer.json(), expected);
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("authorization"));
});

each_backend!(nobody_reaches_it_without_a_login, |app| async move {
    let client = app.client();
    client.me().await.expect(401, "unauthenticated");
    client.patch("/users/me", &json!({"age": 31})).await.expect(401, "unauthenticated");
    client.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(401, "unauthenticated");
    // Nor does a body say more before the login does.
    client.patch("/users/me", &json!({"nonsense": 31})).await.expect(401, "unauthenticated");
});

each_backend!(patch_changes_what_is_there_and_leaves_what_is_absent, |app| async move {
    let client = app.user("ada@example.com").await;
    let patched = |body: Value| {
        let client = client.snapshot();
        async move { client.patch("/users/me", &body).await.expect(200, "").json() }
    };
    let user = patched(json!({"display_name": "Ada", "age": 36})).await;
    assert_eq!((&user["display_name"], &user["age"]), (&json!("Ada"), &json!(36)));
    let user = patched(json!({"age": 37})).await;
    assert_eq!((&user["display_name"], &user["age"]), (&json!("Ada"), &json!(37)));
    let user = patched(json!({})).await;
    assert_eq!((&user["display_name"], &user["age"]), (&json!("Ada"), &json!(37)));
    let user = patched(json!({"display_name": null})).await;
    assert_eq!((&user["display_name"], &user["age"]), (&Value::Null, &json!(37)));
    assert_eq!(app.count("SELECT COUNT(*) FROM users WHERE display_name IS NULL AND age = 37").await, 1);
    assert_eq!(client.me().await.json(), user);
    assert!(user.get("pending_identifier").is_none());
});

each_backend!(patch_touches_the_own_row_alone, |app| async move {
    let client = app.user("ada@example.com").await;
    let other = app.user("ben@example.com").await;
    let before = other.me().await.json();
    let change =
        json!({"display_name": "Ada", "age": 1, "password": OTHER_PASSWORD, "current_password": PASSWORD});
    client.patch("/users/me", &change).await.expect(200, "");
    assert_eq!(other.me().await.expect(200, "").json(), before);
});

/// A user as the table has it.
type Row = (Uuid, String, String, String, bool, bool, Option<String>, i64, i64);

/// The rows of the users, and how many mails wait.
async fn stored(app: &App) -> (Vec<Row>, i64) {
    let rows = "SELECT id, email, email_canonical, password_hash, is_active, is_verified, display_name, age, \
                login_count FROM users ORDER BY id";
    (app.query(rows).rows().await, app.count("SELECT COUNT(*) FROM users_outbox").await)
}

/// The same once no mail of before waits any more.
async fn stored_at_rest(app: &App) -> (Vec<Row>, i64) {
    let end = Instant::now() + Duration::from_secs(20);
    while app.count("SELECT COUNT(*) FROM users_outbox").await > 0 {
        assert!(Instant::now() < end, "a mail does not leave");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stored(app).await
}

async fn assert_refused(app: &App, client: &Client, body: &Value, fields: &[&str]) {
    let before = stored_at_rest(app).await;
    let answer = client.patch("/users/me", body).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), fields, "{body}");
    assert_eq!(stored(app).await, before, "{body}");
}

each_backend!(s52_patch_writes_nothing_outside_its_dto, |app| async move {
    let client = app.user("ada@example.com").await;
    for (key, value) in [
        ("id", json!("00000000-0000-0000-0000-000000000000")),
        ("is_active", json!(false)),
        ("is_verified", json!(false)),
        ("login_count", json!(99)),
        ("password_hash", json!("$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA")),
        ("email_canonical", json!("ben@example.com")),
        ("roles", json!(["administrator"])),
        ("role", json!("administrator")),
        ("is_superuser", json!(true)),
        ("pending_identifier", json!("ben@example.com")),
        ("Age", json!(1)),
        ("age ", json!(1)),
        ("__proto__", json!({})),
        ("", json!(1)),
    ] {
        let field = format!("{key}: unknown_field");
        // A valid field beside it is not written either.
        assert_refused(&app, &client, &json!({ key: value, "age": 99 }), &[&field]).await;
    }
    client.get("/administration").await.expect(403, "forbidden");
});

each_backend!(patch_checks_the_rules_of_own_fields, |app| async move {
    let client = app.user("ada@example.com").await;
    for (body, fields) in [
        (json!({"display_name": "x"}), &["display_name: too_short"][..]),
        (json!({"display_name": "x".repeat(41)}), &["display_name: too_long"]),
        (json!({"display_name": 7}), &["display_name: invalid_type"]),
        (json!({"age": -1}), &["age: out_of_range"]),
        (json!({"age": 151}), &["age: out_of_range"]),
        (json!({"age": null}), &["age: invalid_type"]),
        (json!({"age": "36"}), &["age: invalid_type"]),
        (json!({"age": 3.5}), &["age: invalid_type"]),
        (json!({"display_name": "x", "age": 151}), &["display_name: too_short", "age: out_of_range"]),
        (json!({"password": null, "current_password": PASSWORD}), &["password: invalid_type"]),
        (json!({"email": null, "current_password": PASSWORD}), &["email: invalid_type"]),
    ] {
        assert_refused(&app, &client, &body, fields).await;
    }
    for age in [0, 150] {
        client.patch("/users/me", &json!({"age": age})).await.expect(200, "");
    }
});

each_backend!(a_new_password_needs_the_current_one_and_keeps_the_policy, |app| async move {
    let client = app.user("ada@example.com").await;
    for (body, field) in [
        (json!({"password": OTHER_PASSWORD, "age": 99}), "current_password: required"),
        (
            json!({"password": "short", "current_password": PASSWORD, "age": 99}),
            "password: password_too_short",
        ),
        (json!({"password": "x".repeat(257), "current_password": PASSWORD}), "password: password_too_long"),
        (
            json!({"password": OTHER_PASSWORD, "current_password": "x".repeat(257)}),
            "current_password: password_too_long",
        ),
        (json!({"password": OTHER_PASSWORD, "current_password": null}), "current_password: invalid_type"),
    ] {
        assert_refused(&app, &client, &body, &[field]).await;
    }
    let common = json!({"password": "password123", "current_password": PASSWORD});
    client.patch("/users/me", &common).await.expect(422, "validation_failed");
    let before = stored_at_rest(&app).await;
    for wrong in [OTHER_PASSWORD, "", "correct horse battery staple "] {
        let body = json!({"password": OTHER_PASSWORD, "current_password": wrong, "age": 99});
        client.patch("/users/me", &body).await.expect(403, "current_password_wrong");
    }
    assert_eq!(stored(&app).await, before);
    client.me().await.expect(200, "");

    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD, "age": 40});
    assert_eq!(client.patch("/users/me", &body).await.expect(200, "").json()["age"], 40);
    assert!(app.mailbox.nth("ada@example.com", 2).await.text.contains("password"));
    app.client().log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
});

each_backend!(the_current_password_alone_changes_nothing, |app| async move {
    let client = app.user("ada@example.com").await;
    let credential = secret(&app, &client);
    let before = stored_at_rest(&app).await;
    let answer = client.patch("/users/me", &json!({"current_password": "anything at all"})).await;
    answer.expect(200, "");
    assert_eq!(stored(&app).await, before);
    assert_eq!(secret(&app, &client), credential);
    client.me().await.expect(200, "");
});

each_backend!(hooks_stop_a_change_of_password, |app| async move {
    let client = app.user("ada@example.com").await;
    let before = stored_at_rest(&app).await;
    for (order, status, code) in [
        ("veto:before_password_change", 403, "vetoed"),
        ("break:before_password_change", 500, "internal"),
        ("veto:after_password_change", 403, "vetoed"),
        ("break:after_password_change", 500, "internal"),
    ] {
        let steered = client.with_header(HOOK_HEADER, order);
        let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD, "age": 99});
        steered.patch("/users/me", &body).await.expect(status, code);
    }
    assert_eq!(stored(&app).await, before);
    assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes WHERE step = 'after_password_change'").await, 0);
    client.me().await.expect(200, "");
});

each_backend!(a_new_identifier_needs_the_current_password_and_a_free_one, |app| async move {
    let client = app.user("ada@example.com").await;
    app.verified("ben@example.com").await;
    assert_refused(&app, &client, &json!({"email": "new@example.com"}), &["current_password: required"])
        .await;
    assert_refused(
        &app,
        &client,
        &json!({"email": "no address", "current_password": PASSWORD}),
        &["email: invalid_email"],
    )
    .await;
    let before = stored_at_rest(&app).await;
    let body = json!({"email": "new@example.com", "current_password": OTHER_PASSWORD});
    client.patch("/users/me", &body).await.expect(403, "current_password_wrong");
    for taken in ["ben@example.com", "BEN@example.com", " ben@example.com"] {
        let body = json!({"email": taken, "current_password": PASSWORD, "age": 99});
        client.patch("/users/me", &body).await.expect(409, "identifier_taken");
    }
    assert_eq!(stored(&app).await, before);
    // The same identifier is no change and needs no proof.
    let answer =
        client.patch("/users/me", &json!({"email": "ada@example.com", "age": 41})).await.expect(200, "");
    assert!(answer.json().get("pending_identifier").is_none());
    client.me().await.expect(200, "");
});

each_backend!(patch_refuses_bodies_of_another_type, |app| async move {
    let client = app.user("ada@example.com").await;
    let form =
        client.request("PATCH", "/users/me").header("content-type", "application/x-www-form-urlencoded");
    client.send(form.body("age=31")).await.expect(415, "unsupported_media_type");
    let text =
        client.request("PATCH", "/users/me").header("content-type", "application/json").body("{\"age\"");
    client.send(text).await.expect(400, "malformed_body");
    let large = json!({"display_name": "x".repeat(17 * 1024)});
    client.patch("/users/me", &large).await.expect(413, "body_too_large");
    client.send(client.request("PUT", "/users/me")).await.expect(405, "method_not_allowed");
});

each_backend!(delete_needs_the_password_and_leaves_nothing, |app| async move {
    let client = app.user("ada@example.com").await;
    let elsewhere = app.client();
    elsewhere.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let id = app.id_of("ada@example.com").await;
    app.admin.grant(id, "keeper").await.expect("a role");
    app.client().forgot("ada@example.com").await.expect(201, "");
    let reset = app.mailbox.token("ada@example.com", 2).await;
    app.verified("ben@example.com").await;

    for (body, status, code) in [
        (json!({}), 422, "validation_failed"),
        (json!({"current_password": 1}), 422, "validation_failed"),
        (json!({"current_password": PASSWORD, "id": "x"}), 422, "validation_failed"),
        (json!({"current_password": "x".repeat(257)}), 422, "validation_failed"),
        (json!({"current_password": OTHER_PASSWORD}), 403, "current_password_wrong"),
        (json!({"current_password": ""}), 403, "current_password_wrong"),
    ] {
        client.delete("/users/me", &body).await.expect(status, code);
    }
    client.send(client.request("DELETE", "/users/me")).await.expect(415, "unsupported_media_type");
    client.me().await.expect(200, "");

    let answer = client.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
    assert!(answer.text.is_empty());
    assert!(client.cookies().is_empty(), "the cookie is cleared");
    elsewhere.me().await.expect(401, "unauthenticated");
    app.client().log_in("ada@example.com", PASSWORD).await.expect(401, "bad_credentials");
    app.client().reset(&reset, OTHER_PASSWORD).await.expect(400, "token_invalid");
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
    for count in [
        app.sessions().await,
        app.count("SELECT COUNT(*) FROM users_one_time_tokens").await,
        app.count("SELECT COUNT(*) FROM users_role_members").await,
    ] {
        assert_eq!(count, 0);
    }
    // The address is free again, for an account that has nothing of the old one.
    assert_ne!(
        app.client().register("ada@example.com", PASSWORD).await.expect(201, "").json()["id"],
        id.to_string()
    );
});
