//! Group `users` over HTTP: one account at a time.

use serde_json::{Value, json};
use users_runtime::{Config, Throttle};
use users_tests::{OTHER_PASSWORD, PASSWORD};
use uuid::Uuid;

use crate::support::{Office, roles_of};

#[tokio::test]
async fn an_administrator_reads_an_account_with_its_roles_and_nothing_secret() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("Ada@Example.com", &["accountant", "clerk"]).await;
    let answer = admin.get(&ada.path()).await.expect(200, "");
    let user = answer.json();
    let mut keys: Vec<_> = user.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["age", "email", "grade", "id", "is_active", "is_verified", "roles", "team"]);
    assert_eq!((&user["email"], &user["age"]), (&json!("Ada@Example.com"), &json!(30)));
    assert_eq!(roles_of(&user), ["accountant", "clerk"]);
    assert_eq!(
        (answer.header("cache-control"), answer.header("x-content-type-options")),
        ("no-store", "nosniff")
    );
    assert!(!answer.text.contains("argon2"), "{}", answer.text);
}

#[tokio::test]
async fn an_unknown_or_malformed_key_is_not_found() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    for key in [&Uuid::nil().to_string(), "1", "not-a-key", "%00", "me2", "%ff", "..%2fme"] {
        let path = format!("/users/{key}");
        admin.get(&path).await.expect(404, "not_found");
        admin.patch(&path, &json!({"age": 31})).await.expect(404, "not_found");
        admin.send(admin.request("DELETE", &path)).await.expect(404, "not_found");
    }
    // The own account and the roles win over the key.
    assert_eq!(admin.get("/users/me").await.expect(200, "").json()["email"], "admin@example.com");
    assert!(admin.get("/users/roles").await.expect(200, "").json().is_array());
}

#[tokio::test]
async fn patch_changes_what_is_there_and_leaves_what_is_absent() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &["clerk"]).await;
    let user = admin.patch(&ada.path(), &json!({"age": 36, "team": "blue"})).await.expect(200, "").json();
    assert_eq!((&user["age"], &user["team"]), (&json!(36), &json!("blue")));
    assert_eq!(roles_of(&user), ["clerk"]);
    let user = admin.patch(&ada.path(), &json!({"team": null})).await.expect(200, "").json();
    assert_eq!((&user["age"], &user["team"]), (&json!(36), &Value::Null));
    let same = admin.patch(&ada.path(), &json!({})).await.expect(200, "").json();
    assert_eq!(same, user);
    // No credential of Ada's stood for what has changed.
    assert_eq!(ada.me().await.expect(200, "").json()["age"], 36);
    assert_eq!(office.mailbox.settled("ada@example.com").await, 0);
}

#[tokio::test]
async fn s52_patch_writes_nothing_outside_its_dto() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    for (key, value) in [
        ("id", json!(Uuid::nil())),
        ("password_hash", json!("x")),
        ("email_canonical", json!("x@example.com")),
        ("roles", json!(["administrator"])),
        ("grade", json!("a")),
        ("current_password", json!(PASSWORD)),
    ] {
        let answer = admin.patch(&ada.path(), &json!({key: value, "age": 99})).await;
        assert_eq!(answer.expect(422, "validation_failed").fields(), [format!("{key}: unknown_field")]);
    }
    assert_eq!(office.store.count("SELECT COUNT(*) FROM staff WHERE age = 99").await, 0);
    for (body, field) in [
        (json!({"age": 151}), "age: out_of_range"),
        (json!({"age": "x"}), "age: invalid_type"),
        (json!({"is_active": "yes"}), "is_active: invalid_type"),
        (json!({"email": "nobody"}), "email: invalid_email"),
    ] {
        assert_eq!(admin.patch(&ada.path(), &body).await.expect(422, "validation_failed").fields(), [field]);
    }
    admin.send(admin.request("PATCH", &ada.path()).body("{}")).await.expect(415, "unsupported_media_type");
    admin.patch(&ada.path(), &json!([])).await.expect(422, "validation_failed");
}

#[tokio::test]
async fn s23_a_deactivated_account_is_refused_at_the_next_request() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let user = admin.patch(&ada.path(), &json!({"is_active": false})).await.expect(200, "").json();
    assert_eq!(user["is_active"], false);
    ada.get("/private").await.expect(401, "unauthenticated");
    ada.client.log_in("ada@example.com", PASSWORD).await.expect(401, "bad_credentials");
    admin.patch(&ada.path(), &json!({"is_active": true})).await.expect(200, "");
    // The session has ended for good.
    ada.get("/private").await.expect(401, "unauthenticated");
    ada.client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let user = admin.patch(&ada.path(), &json!({"is_verified": false})).await.expect(200, "").json();
    assert_eq!(user["is_verified"], false);
    assert!([401, 403].contains(&ada.get("/private").await.status.as_u16()));
}

#[tokio::test]
async fn s23_a_deleted_account_is_refused_at_the_next_request() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &["clerk"]).await;
    let user = admin.send(admin.request("DELETE", &ada.path())).await.expect(200, "").json();
    assert_eq!((&user["email"], roles_of(&user)), (&json!("ada@example.com"), vec!["clerk".to_owned()]));
    ada.get("/private").await.expect(401, "unauthenticated");
    admin.get(&ada.path()).await.expect(404, "not_found");
    admin.send(admin.request("DELETE", &ada.path())).await.expect(404, "not_found");
    assert_eq!(office.store.count("SELECT COUNT(*) FROM users_role_members").await, 1);
    assert_eq!(office.store.count("SELECT COUNT(*) FROM users_sessions").await, 1);
    // The address is free again.
    admin.client.fresh().register("ada@example.com", PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn a_new_identifier_ends_credentials_asks_for_proof_and_tells_the_old_address() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let ben = office.person("ben@example.com", &[]).await;
    admin.patch(&ada.path(), &json!({"email": "BEN@example.com"})).await.expect(409, "identifier_taken");
    ada.get("/private").await.expect(200, "");
    let user =
        admin.patch(&ada.path(), &json!({"email": "countess@example.com"})).await.expect(200, "").json();
    assert_eq!((&user["email"], &user["is_verified"]), (&json!("countess@example.com"), &json!(false)));
    ada.get("/private").await.expect(401, "unauthenticated");
    office.mailbox.nth("ada@example.com", 1).await;
    let token = office.mailbox.token("countess@example.com", 1).await;
    ada.client.verify(&token).await.expect(201, "");
    // An administrator may vouch for an address.
    let vouched = json!({"email": "ben@example.org", "is_verified": true});
    let user = admin.patch(&ben.path(), &vouched).await.expect(200, "").json();
    assert_eq!(user["is_verified"], true);
    ben.client.log_in("ben@example.org", PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn administrators_send_the_mail_by_which_a_password_is_chosen() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let answer = admin.patch(&ada.path(), &json!({"password": OTHER_PASSWORD})).await;
    assert_eq!(answer.expect(422, "validation_failed").fields(), ["password: not_allowed"]);
    admin.patch(&ada.path(), &json!({"send_password_reset": true})).await.expect(200, "");
    let token = office.mailbox.token("ada@example.com", 1).await;
    ada.client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    ada.client.log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s04_a_password_that_an_administrator_sets_is_held_to_the_rules() {
    let office =
        Office::start_with(|config| config.with_passwords_set_by_administrators(true), |router| router).await;
    let admin = office.administrator().await;
    let ada = office.person("countess@example.com", &[]).await;
    // S04, S01 and S05.
    for password in ["password1", "short", "I am the countess"] {
        let answer = admin.patch(&ada.path(), &json!({ "password": password })).await;
        let fields = answer.expect(422, "validation_failed").fields();
        assert!(fields[0].starts_with("password: ") && fields.len() == 1, "{password}: {fields:?}");
    }
    ada.get("/private").await.expect(200, "");
    // S22: it ends what the old one gave, and S60: it tells the user.
    admin.patch(&ada.path(), &json!({"password": OTHER_PASSWORD})).await.expect(200, "");
    ada.get("/private").await.expect(401, "unauthenticated");
    ada.client.log_in("countess@example.com", PASSWORD).await.expect(401, "bad_credentials");
    ada.client.log_in("countess@example.com", OTHER_PASSWORD).await.expect(201, "");
    office.mailbox.nth("countess@example.com", 1).await;
}

#[tokio::test]
async fn head_and_options_reveal_nothing() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let nobody = office.client();
    for path in ["/users", "/users/roles", ada.path().as_str(), "/users/00000000-0000-0000-0000-000000000000"]
    {
        for method in ["HEAD", "OPTIONS", "TRACE", "PUT"] {
            let answer = nobody.send(nobody.request(method, path)).await;
            assert!([401, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
            let other =
                nobody.send(nobody.request(method, "/users/11111111-0000-0000-0000-000000000000")).await;
            if path.len() > 30 {
                assert_eq!(answer.status, other.status, "{method} {path}");
            }
            assert!(!answer.text.contains("example.com"));
        }
        assert_eq!(ada.send(ada.request("HEAD", path)).await.status, 403, "{path}");
    }
    assert_eq!(admin.send(admin.request("HEAD", &ada.path())).await.text, "");
    assert_eq!(admin.send(admin.request("HEAD", &ada.path())).await.status, 200);
}

#[tokio::test]
async fn s13_administrators_see_a_lock_and_lift_it() {
    let throttled = |config: Config| config.with_throttle(Throttle::default());
    let office = Office::start_with(throttled, |router| router).await;
    let ada = office.person("ada@example.com", &[]).await;
    let admin = office.administrator().await;
    let path = format!("{}/lock", ada.path());
    let unlocked = json!({"failures": 0, "locked_until": null});
    assert_eq!(admin.get(&path).await.expect(200, "").json(), unlocked);
    for _ in 0..5 {
        office.client().log_in("ada@example.com", "a wrong sentence").await.expect(401, "bad_credentials");
    }
    let lock = admin.get(&path).await.expect(200, "").json();
    assert_eq!(lock["failures"], 5);
    assert!(lock["locked_until"].as_str().is_some_and(|moment| moment.contains('T')), "{lock}");
    office.client().log_in("ada@example.com", PASSWORD).await.expect(429, "too_many_requests");
    admin.delete(&path, &Value::Null).await.expect(204, "");
    assert_eq!(admin.get(&path).await.expect(200, "").json(), unlocked);
    office.client().log_in("ada@example.com", PASSWORD).await.expect(201, "");
    // Both are in the record.
    let kinds = ["locked", "lock_lifted"];
    for kind in kinds {
        let events = admin.get(&format!("{}/events?kind={kind}", ada.path())).await.expect(200, "").json();
        assert_eq!(events["items"].as_array().map(Vec::len), Some(1), "{kind}: {events}");
    }
    admin.get("/users/00000000-0000-0000-0000-000000000000/lock").await.expect(404, "not_found");
}
