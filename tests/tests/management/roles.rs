//! Group `roles` over HTTP.

use serde_json::{Value, json};
use users_tests::Answer;
use uuid::Uuid;

use crate::support::{Office, Person, id_of, roles_of};

async fn role(admin: &Person, name: &str) -> Uuid {
    id_of(&admin.post("/users/roles", &json!({"name": name})).await.expect(201, "").json())
}

async fn put(admin: &Person, what: &str, user: impl serde::Serialize, role: impl serde::Serialize) -> Answer {
    let body = json!({"user_id": user, "role_id": role});
    admin.send(admin.request("PUT", &format!("/users/roles/{what}")).json(&body)).await
}

#[tokio::test]
async fn roles_are_made_listed_changed_and_deleted() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let made = admin.post("/users/roles", &json!({"name": " Clerk ", "description": "files"})).await;
    let clerk = made.expect(201, "").json();
    assert_eq!((&clerk["name"], &clerk["description"]), (&json!("clerk"), &json!("files")));
    let path = format!("/users/roles/{}", id_of(&clerk));
    let all = admin.get("/users/roles").await.expect(200, "").json();
    let names: Vec<_> = all.as_array().expect("a list").iter().map(|role| &role["name"]).collect();
    assert_eq!(names, ["administrator", "clerk"]);
    let changed = admin.patch(&path, &json!({"description": null})).await.expect(200, "").json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("clerk"), &Value::Null));
    let changed = admin.patch(&path, &json!({"name": "FILER"})).await.expect(200, "").json();
    assert_eq!(changed["name"], "filer");
    let deleted = admin.send(admin.request("DELETE", &path)).await.expect(200, "").json();
    assert_eq!(deleted, changed);
    admin.send(admin.request("DELETE", &path)).await.expect(404, "not_found");
    admin.patch(&path, &json!({"name": "x"})).await.expect(404, "not_found");
}

#[tokio::test]
async fn names_are_canonical_and_unique() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    role(&admin, "Night Watch").await;
    for name in ["night watch", " NIGHT WATCH ", "Ｎight watch"] {
        admin.post("/users/roles", &json!({ "name": name })).await.expect(409, "role_name_taken");
    }
    let other = role(&admin, "other").await;
    let taken = admin.patch(&format!("/users/roles/{other}"), &json!({"name": "Night watch"})).await;
    taken.expect(409, "role_name_taken");
    for name in ["", " ", "a\u{200b}b", "two  spaces", "a,b", "a\nb", &"x".repeat(65), "аdmin"] {
        let answer =
            admin.post("/users/roles", &json!({ "name": name })).await.expect(422, "validation_failed");
        assert!(answer.fields()[0].starts_with("name: "), "{name:?}: {:?}", answer.fields());
    }
    for (body, field) in [
        (json!({}), "name: required"),
        (json!({"name": 1}), "name: invalid_type"),
        (json!({"name": "x", "id": other}), "id: unknown_field"),
        (json!({"name": "x", "tenant": "y"}), "tenant: unknown_field"),
    ] {
        let answer = admin.post("/users/roles", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{body}");
    }
}

#[tokio::test]
async fn roles_are_assigned_and_revoked_once() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &["clerk"]).await;
    let boss = role(&admin, "boss").await;
    let user = put(&admin, "assign", ada.id, boss).await.expect(200, "").json();
    assert_eq!((id_of(&user), roles_of(&user)), (ada.id, vec!["boss".to_owned(), "clerk".to_owned()]));
    put(&admin, "assign", ada.id, boss).await.expect(409, "role_already_assigned");
    // S25: it is there at the next request of a session that is older.
    assert_eq!(roles_of(&ada.me().await.json()), ["boss", "clerk"]);
    let user = put(&admin, "revoke", ada.id, boss).await.expect(200, "").json();
    assert_eq!(roles_of(&user), ["clerk"]);
    put(&admin, "revoke", ada.id, boss).await.expect(409, "role_not_assigned");
    for what in ["assign", "revoke"] {
        put(&admin, what, Uuid::nil(), boss).await.expect(404, "not_found");
        put(&admin, what, ada.id, Uuid::nil()).await.expect(404, "not_found");
        let answer = put(&admin, what, "x", boss).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["user_id: invalid_type"]);
        let path = format!("/users/roles/{what}");
        let body = json!({"user_id": ada.id});
        let answer = admin.send(admin.request("PUT", &path).json(&body)).await;
        assert_eq!(answer.expect(422, "validation_failed").fields(), ["role_id: required"]);
    }
}

#[tokio::test]
async fn s25_what_changes_of_a_role_bites_at_the_next_request() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let deputy = office.person("deputy@example.com", &["administrator"]).await;
    let ada = office.person("ada@example.com", &["clerk"]).await;
    ada.get("/users").await.expect(403, "forbidden");
    let roles = admin.get("/users/roles").await.json();
    let administrator = roles.as_array().expect("roles").iter().find(|role| role["name"] == "administrator");
    let administrator = id_of(administrator.expect("it is there"));
    put(&admin, "assign", ada.id, administrator).await.expect(200, "");
    ada.get("/users").await.expect(200, "");
    put(&admin, "revoke", deputy.id, administrator).await.expect(200, "");
    deputy.get("/users").await.expect(403, "forbidden");
    let clerk = roles.as_array().expect("roles").iter().find(|role| role["name"] == "clerk").map(id_of);
    let path = format!("/users/roles/{}", clerk.expect("it is there"));
    admin.patch(&path, &json!({"name": "scribe"})).await.expect(200, "");
    assert_eq!(roles_of(&ada.me().await.json()), ["administrator", "scribe"]);
    // A role that somebody has goes, and takes nobody with it.
    admin.send(admin.request("DELETE", &path)).await.expect(200, "");
    assert_eq!(roles_of(&ada.me().await.json()), ["administrator"]);
    assert_eq!(office.store.count("SELECT COUNT(*) FROM staff").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_parallel_assignments_one_succeeds() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    for round in 0..10 {
        let boss = role(&admin, &format!("boss {round}")).await;
        let (one, other) =
            tokio::join!(put(&admin, "assign", admin.id, boss), put(&admin, "assign", admin.id, boss));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text, other.text);
        let count = "SELECT COUNT(*) FROM users_role_members WHERE role_id = ?";
        assert_eq!(office.store.query(count).bind(boss).value::<i64>().await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_parallel_creations_of_a_role_one_succeeds() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let mut attempts = tokio::task::JoinSet::new();
    for number in 0..20 {
        let client = admin.client.snapshot();
        let name = if number % 2 == 0 { "boss" } else { " BOSS " };
        attempts.spawn(async move { client.post("/users/roles", &json!({ "name": name })).await });
    }
    let mut statuses: Vec<_> =
        attempts.join_all().await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
}
