//! S56: somebody who may administer is always left.

use serde_json::{Value, json};
use users_runtime::{Config, MemoryStore};
use users_tests::{Answer, Client, PASSWORD};

use crate::support::{Office, Person, id_of};

async fn administrator_role(admin: &Person) -> String {
    let roles = admin.get("/users/roles").await.expect(200, "").json();
    let role = roles.as_array().expect("roles").iter().find(|role| role["name"] == "administrator");
    id_of(role.expect("it is there")).to_string()
}

async fn demote(admin: &Client, target: &Person, role: &str) -> Answer {
    let body = json!({"user_id": target.id, "role_id": role});
    admin.send(admin.request("PUT", "/users/roles/revoke").json(&body)).await
}

#[tokio::test]
async fn s56_the_last_administrator_stays() {
    the_last_administrator_stays(Office::start().await).await;
}

/// A store beside the database cannot be rolled back: what is refused must not have ended a session in it.
#[tokio::test]
async fn s56_the_last_administrator_stays_logged_in_whatever_the_store() {
    let in_memory = |config: Config| config.with_store(MemoryStore::default());
    the_last_administrator_stays(Office::start_with(in_memory, |router| router).await).await;
}

async fn the_last_administrator_stays(office: Office) {
    let admin = office.administrator().await;
    // Neither counts: one has another role, and one may not log in.
    office.person("clerk@example.com", &["clerk"]).await;
    let asleep = office.person("asleep@example.com", &["administrator"]).await;
    office.users.set_active(asleep.id, false).await.expect("there is another one");
    let role = administrator_role(&admin).await;
    let role_path = format!("/users/roles/{role}");
    for answer in [
        demote(&admin, &admin, &role).await,
        admin.send(admin.request("DELETE", &admin.path())).await,
        admin.patch(&admin.path(), &json!({"is_active": false})).await,
        admin.patch(&admin.path(), &json!({"is_verified": false})).await,
        admin.delete("/users/me", &json!({"current_password": PASSWORD})).await,
        admin.send(admin.request("DELETE", &role_path)).await,
        admin.patch(&role_path, &json!({"name": "boss"})).await,
    ] {
        answer.expect(409, "last_administrator");
    }
    let user = admin.get("/users").await.expect(200, "").json();
    assert_eq!(user["items"].as_array().map(Vec::len), Some(3));
    // Once somebody else may administer, everything of it may happen.
    admin.patch(&asleep.path(), &json!({"is_active": true})).await.expect(200, "");
    admin.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
    asleep.client.log_in("asleep@example.com", PASSWORD).await.expect(201, "");
    asleep.get("/users").await.expect(200, "");
}

/// How many may administer.
async fn left(office: &Office) -> usize {
    let query = users_runtime::ListQuery::new();
    let page = office.users.list_users(query).await.expect("a page");
    page.items.iter().filter(|user| user.is_active && user.has_role("administrator")).count()
}

async fn two(office: &Office, round: usize) -> (Person, Person) {
    let roles = &["administrator"][..];
    let one = office.person(&format!("one{round}@example.com"), roles).await;
    (one, office.person(&format!("other{round}@example.com"), roles).await)
}

/// Leaves nobody with the role, behind the library's back.
async fn clear(office: &Office) {
    office.store.execute("DELETE FROM users_role_members").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s56_of_two_administrators_who_demote_each_other_one_is_left() {
    let office = Office::start().await;
    let (one, other) = two(&office, 0).await;
    let role = administrator_role(&one).await;
    for round in 0..20 {
        let (first, second) = tokio::join!(demote(&one, &other, &role), demote(&other, &one, &role));
        assert_eq!(left(&office).await, 1, "round {round}: {} {}", first.text, second.text);
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        // The one who comes second is no administrator any more, or is the last.
        assert!(statuses[0] == 200 && [403, 409].contains(&statuses[1]), "round {round}: {statuses:?}");
        for person in [&one, &other] {
            office.users.grant(person.id, "administrator").await.expect("both again");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s56_of_two_administrators_who_leave_at_once_one_is_left() {
    let office = Office::start().await;
    for round in 0..8 {
        clear(&office).await;
        let (one, other) = two(&office, round).await;
        let role = administrator_role(&one).await;
        let (first, second): (Answer, Answer) = match round % 4 {
            0 => {
                let body = json!({"current_password": PASSWORD});
                tokio::join!(one.delete("/users/me", &body), other.delete("/users/me", &body))
            }
            1 => {
                let body = json!({"is_active": false});
                let (first, second) = (other.path(), one.path());
                tokio::join!(one.patch(&first, &body), other.patch(&second, &body))
            }
            2 => {
                let delete =
                    async |by: &Person, target: &Person| by.send(by.request("DELETE", &target.path())).await;
                tokio::join!(delete(&one, &other), delete(&other, &one))
            }
            _ => {
                let body: Value = json!({"is_active": false});
                let path = one.path();
                tokio::join!(demote(&one, &other, &role), other.patch(&path, &body))
            }
        };
        assert_eq!(left(&office).await, 1, "round {round}: {} {}", first.text, second.text);
    }
}
