//! An application's own functions, DTOs and routes in the place of generated ones and beside them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::Path,
    routing::{delete, get},
};
use serde::Serialize;
use serde_json::json;
use users_runtime::{
    CurrentUser, Error, Group, ListQuery, LogIn, Page, Parts, Principal, Scope, UsersRouter,
};
use users_tests::PASSWORD;
use uuid::Uuid;

use crate::support::{
    Office, Server,
    office::{App, Worker, WorkerAdminUpdate, WorkerRegistration},
    roles_of,
};

async fn company_only(
    users: Scope<App>,
    request: Parts,
    mut registration: WorkerRegistration,
) -> Result<Principal<Worker>, Error> {
    if !registration.email.ends_with("@example.com") {
        return Err(Error::refused("company_only", "register with your company address"));
    }
    registration.team = request.headers.get("x-team").and_then(|team| team.to_str().ok()).map(str::to_owned);
    users.register(&request, registration).await
}

#[tokio::test]
async fn a_function_of_the_applications_own_takes_the_place_of_a_route() {
    let office = Office::start_with(|config| config, |router| router.with_register(company_only)).await;
    let client = office.client().with_header("x-team", "blue");
    let answer = client.register("ada@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(answer.json()["team"], "blue");
    assert_eq!((answer.header("cache-control"), answer.json().get("password_hash")), ("no-store", None));
    office.mailbox.token("ada@example.com", 1).await;
    client.register("ada@example.org", PASSWORD).await.expect(403, "company_only");
    // What the route does before and behind stays the library's.
    client.register("ada@example.com", PASSWORD).await.expect(409, "identifier_taken");
    client.register("ben@example.com", "short").await.expect(422, "validation_failed");
    let unknown = json!({"email": "ben@example.com", "password": PASSWORD, "is_active": true});
    client.post("/register", &unknown).await.expect(422, "validation_failed");
    client.send(client.request("POST", "/register").body("{}")).await.expect(415, "unsupported_media_type");
}

fn every_route_refused(router: UsersRouter<App>) -> UsersRouter<App> {
    macro_rules! refuse {
        ($($name:ident($input:ty) -> $output:ty;)*) => {
            $(
                async fn $name(_users: Scope<App>, _request: Parts, _input: $input) -> Result<$output, Error> {
                    Err(Error::refused(stringify!($name), "not here"))
                }
            )*
        };
    }
    type Id = Uuid;
    refuse! {
        list(ListQuery<Worker>) -> Page<Worker>;
        read(Id) -> Principal<Worker>;
        update((Id, WorkerAdminUpdate)) -> Principal<Worker>;
        remove(Id) -> Principal<Worker>;
        roles(()) -> Vec<users_runtime::Role>;
        create_role(users_runtime::RoleCreate) -> users_runtime::Role;
        update_role((Id, users_runtime::RoleUpdate)) -> users_runtime::Role;
        delete_role(Id) -> users_runtime::Role;
        assign((Id, Id)) -> Principal<Worker>;
        revoke((Id, Id)) -> Principal<Worker>;
        me(CurrentUser<Worker>) -> Principal<Worker>;
    }
    router
        .with_list_users(list)
        .with_read_user(read)
        .with_update_user(update)
        .with_delete_user(remove)
        .with_list_roles(roles)
        .with_create_role(create_role)
        .with_update_role(update_role)
        .with_delete_role(delete_role)
        .with_assign_role(assign)
        .with_revoke_role(revoke)
        .with_read_account(me)
}

#[tokio::test]
async fn guards_and_bodies_stay_the_librarys() {
    let office = Office::start_with(|config| config, every_route_refused).await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &[]).await;
    let nobody = office.client();
    let key = Uuid::nil();
    let membership = json!({"user_id": key, "role_id": key});
    for (method, path, body, code) in [
        ("GET", "/users".to_owned(), None, "list"),
        ("GET", format!("/users/{key}"), None, "read"),
        ("PATCH", format!("/users/{key}"), Some(json!({})), "update"),
        ("DELETE", format!("/users/{key}"), None, "remove"),
        ("GET", "/users/roles".to_owned(), None, "roles"),
        ("POST", "/users/roles".to_owned(), Some(json!({"name": "x"})), "create_role"),
        ("PATCH", format!("/users/roles/{key}"), Some(json!({})), "update_role"),
        ("DELETE", format!("/users/roles/{key}"), None, "delete_role"),
        ("PUT", "/users/roles/assign".to_owned(), Some(membership.clone()), "assign"),
        ("PUT", "/users/roles/revoke".to_owned(), Some(membership), "revoke"),
    ] {
        let send = async |client: &users_tests::Client| {
            let request = client.request(method, &path);
            client.send(if let Some(body) = &body { request.json(body) } else { request }).await
        };
        send(&nobody).await.expect(401, "unauthenticated");
        send(&ada).await.expect(403, "forbidden");
        let answer = send(&admin).await.expect(403, code);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        if body.is_some() {
            let request = admin.request(method, &path).json(&json!({"unknown": 1}));
            admin.send(request).await.expect(422, "validation_failed");
        }
    }
    ada.me().await.expect(403, "me");
    assert_eq!(ada.me().await.header("cache-control"), "no-store");
}

async fn at_night(
    users: Scope<App>,
    request: Parts,
    given: LogIn,
) -> Result<(Principal<Worker>, users_runtime::Credential), Error> {
    let (user, credential) = users.log_in(&request, &given).await?;
    if user.age < 18 {
        return Err(Error::refused("too_young", "come back with your parents"));
    }
    Ok((user, credential.with_header("x-shift".parse().expect("a name"), "night".parse().expect("a value"))))
}

#[tokio::test]
async fn a_login_of_the_applications_own_gives_the_librarys_credential() {
    let office = Office::start_with(|config| config, |router| router.with_log_in(at_night)).await;
    let ada = office.person("ada@example.com", &[]).await;
    let answer = ada.client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(answer.header("x-shift"), "night");
    ada.get("/private").await.expect(200, "");
    office.store.execute("UPDATE staff SET age = 17").await;
    let fresh = office.client();
    fresh.log_in("ada@example.com", PASSWORD).await.expect(403, "too_young");
    assert!(fresh.cookies().is_empty());
}

/// What this application shows of a worker.
#[derive(Serialize)]
struct Card {
    name: String,
    orders: usize,
    roles: usize,
}

static QUERIES: AtomicUsize = AtomicUsize::new(0);

async fn cards(users: Scope<App>, shown: Vec<Arc<Principal<Worker>>>) -> Result<Vec<Card>, Error> {
    // One query for all of a response, as one over a table of orders would be.
    QUERIES.fetch_add(1, Ordering::SeqCst);
    let everybody = users.list_users(ListQuery::new()).await?.items.len();
    let card = |user: &Arc<Principal<Worker>>| Card {
        name: user.email.clone(),
        orders: everybody,
        roles: user.roles().len(),
    };
    Ok(shown.iter().map(card).collect())
}

async fn names(_users: Scope<App>, shown: Vec<Arc<Principal<Worker>>>) -> Result<Vec<String>, Error> {
    Ok(shown.iter().map(|user| user.email.clone()).collect())
}

#[tokio::test]
async fn a_dto_of_the_applications_own_is_shown_everywhere() {
    let office = Office::start_with(|config| config, |router| router.with_read(cards)).await;
    let admin = office.administrator().await;
    let ada = office.person("ada@example.com", &["clerk"]).await;
    let card = json!({"name": "ada@example.com", "orders": 2, "roles": 1});
    assert_eq!(ada.me().await.expect(200, "").json(), card);
    assert_eq!(ada.client.log_in("ada@example.com", PASSWORD).await.expect(201, "").json(), card);
    assert_eq!(admin.get(&ada.path()).await.expect(200, "").json(), card);
    assert_eq!(admin.patch(&ada.path(), &json!({"age": 31})).await.expect(200, "").json(), card);
    let changed =
        ada.patch("/users/me", &json!({"email": "a@example.com", "current_password": PASSWORD})).await;
    let mut pending = card.clone();
    pending["pending_identifier"] = json!("a@example.com");
    assert_eq!(changed.expect(200, "").json(), pending);
    let before = QUERIES.load(Ordering::SeqCst);
    let list = admin.get("/users?sort=email").await.expect(200, "").json();
    assert_eq!((&list["items"][0], list["items"][1]["name"].as_str()), (&card, Some("admin@example.com")));
    assert_eq!(QUERIES.load(Ordering::SeqCst), before + 1);
    let registered = office.client().register("ben@example.com", PASSWORD).await.expect(201, "").json();
    assert_eq!(registered, json!({"name": "ben@example.com", "orders": 3, "roles": 0}));
}

#[tokio::test]
async fn a_group_has_a_dto_of_its_own() {
    let routes = |router: UsersRouter<App>| router.with_read_in(Group::Users, names).with_read(cards);
    let office = Office::start_with(|config| config, routes).await;
    let admin = office.administrator().await;
    assert_eq!(admin.get("/users").await.expect(200, "").json()["items"], json!(["admin@example.com"]));
    assert_eq!(admin.get(&admin.path()).await.expect(200, "").json(), json!("admin@example.com"));
    assert_eq!(admin.me().await.expect(200, "").json()["orders"], 1);
    let only_users = |router: UsersRouter<App>| router.with_read_in(Group::Users, names);
    let office = Office::start_with(|config| config, only_users).await;
    let admin = office.administrator().await;
    assert_eq!(roles_of(&admin.me().await.expect(200, "").json()), ["administrator"]);
    assert_eq!(admin.get(&admin.path()).await.expect(200, "").json(), json!("admin@example.com"));
}

async fn one_short(_users: Scope<App>, mut shown: Vec<Arc<Principal<Worker>>>) -> Result<Vec<String>, Error> {
    shown.pop();
    Ok(shown.iter().map(|user| user.email.clone()).collect())
}

async fn broken(_users: Scope<App>, _shown: Vec<Arc<Principal<Worker>>>) -> Result<Vec<String>, Error> {
    Err(Error::unavailable("no answer from 10.0.0.7"))
}

#[tokio::test]
async fn a_dto_that_cannot_be_made_is_an_error_without_a_word_of_its_cause() {
    let routes = |router: UsersRouter<App>| {
        router.with_read_in(Group::Users, one_short).with_read_in(Group::Roles, broken)
    };
    let office = Office::start_with(|config| config, routes).await;
    let admin = office.administrator().await;
    let answer = admin.get("/users").await.expect(500, "internal");
    assert!(!answer.text.contains("with_read"), "{}", answer.text);
    admin.get(&admin.path()).await.expect(500, "internal");
    let role = admin.post("/users/roles", &json!({"name": "boss"})).await.expect(201, "").json();
    let body = json!({"user_id": admin.id, "role_id": role["id"]});
    let answer = admin.send(admin.request("PUT", "/users/roles/assign").json(&body)).await;
    assert!(!answer.expect(503, "unavailable").text.contains("10.0.0.7"));
}

async fn own_orders(user: CurrentUser<Worker>) -> Json<serde_json::Value> {
    Json(json!({ "of": user.email }))
}

async fn orders_of(Path(id): Path<String>, user: CurrentUser<Worker>) -> Json<serde_json::Value> {
    Json(json!({ "of": id, "for": user.email }))
}

#[tokio::test]
async fn own_routes_lie_beside_the_generated_ones() {
    let own = Router::new()
        .route("/users/me/orders", get(own_orders))
        .route("/users/{id}/orders", get(orders_of))
        .route("/users/{id}/orders/{order}", delete(|| async { "gone" }))
        .route("/users/export", get(|| async { "everybody" }));
    let office: Server<App> = Office::start_with(|config| config, |router| router.protected(own)).await;
    let ada = office.person("ada@example.com", &[]).await;
    let admin = office.administrator().await;
    assert_eq!(ada.get("/users/me/orders").await.expect(200, "").json(), json!({"of": "ada@example.com"}));
    let orders = ada.get("/users/7/orders").await.expect(200, "").json();
    assert_eq!(orders, json!({"of": "7", "for": "ada@example.com"}));
    assert_eq!(ada.send(ada.request("DELETE", "/users/7/orders/8")).await.text, "gone");
    // The guard of the group is before its own routes alone.
    assert_eq!(ada.undocumented().get("/users/export").await.text, "everybody");
    ada.get(&ada.path()).await.expect(403, "forbidden");
    admin.get(&ada.path()).await.expect(200, "");
    ada.me().await.expect(200, "");
    office.client().get("/users/me/orders").await.expect(401, "unauthenticated");
    office.client().get("/users/7/orders").await.expect(401, "unauthenticated");
}

#[tokio::test]
#[should_panic(expected = "/users/me")]
async fn a_route_that_is_generated_too_is_a_mistake() {
    let own = Router::new().route("/users/me", get(|| async { "me" }));
    Office::start_with(|config| config, |router| router.protected(own)).await;
}
