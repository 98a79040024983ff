//! What administrators see of what happened to accounts.

use serde_json::{Value, json};
use users_tests::PASSWORD;
use uuid::Uuid;

use crate::support::Office;

/// Kind, outcome and actor of a page.
fn told(page: &Value) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let items = page["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| {
            let word = |key: &str| text(&item[key]).expect("a word");
            (word("kind"), word("outcome"), text(&item["actor"]))
        })
        .collect()
}

#[tokio::test]
async fn s59_what_administrators_do_names_them_and_outlives_the_account() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let by = Some(admin.id.to_string());
    admin.patch(&ada.path(), &json!({"is_active": false})).await.expect(200, "");
    admin.patch(&ada.path(), &json!({"is_active": true, "team": "blue"})).await.expect(200, "");
    let path = format!("{}/events", ada.path());
    let event = |kind: &str, actor: &Option<String>| (kind.to_owned(), "success".to_owned(), actor.clone());
    let program = Some("program".to_owned());
    let before = [
        event("activated", &by),
        event("account_updated", &by),
        event("deactivated", &by),
        event("login", &None),
        event("registered", &program),
    ];
    assert_eq!(told(&admin.get(&path).await.expect(200, "").json()), before);
    admin.delete(&ada.path(), &Value::Null).await.expect(200, "");
    let page = admin.get(&path).await.expect(200, "").json();
    assert_eq!(told(&page)[0], event("deleted", &by));
    assert_eq!(told(&page)[1..], before);
    assert_eq!(page["items"][0]["user_id"], ada.id.to_string());
    // Of whom nothing is known, there is nobody.
    admin.get(&format!("/users/{}/events", Uuid::new_v4())).await.expect(404, "not_found");
}

#[tokio::test]
async fn s59_roles_and_sessions_are_recorded() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let role = admin.post("/users/roles", &json!({"name": "clerk"})).await.expect(201, "").json();
    let both = json!({"user_id": ada.id, "role_id": role["id"]});
    admin.send(admin.request("PUT", "/users/roles/assign").json(&both)).await.expect(200, "");
    admin.send(admin.request("PUT", "/users/roles/revoke").json(&both)).await.expect(200, "");
    let sessions = format!("{}/sessions", ada.path());
    admin.send(admin.request("DELETE", &sessions)).await.expect(204, "");
    let page = admin.get(&format!("{}/events?limit=3", ada.path())).await.expect(200, "").json();
    let kinds: Vec<_> = told(&page).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["sessions_ended", "role_revoked", "role_assigned"]);
    assert_eq!(page["items"][1]["detail"], json!({"role": "clerk"}));
}

#[tokio::test]
async fn s59_events_are_for_administrators() {
    let office = Office::start().await;
    office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let path = format!("{}/events", ada.path());
    ada.get(&path).await.expect(403, "forbidden");
    office.client().get(&path).await.expect(401, "unauthenticated");
    office.client().log_in("ada@example.com", PASSWORD).await.expect(201, "");
}
