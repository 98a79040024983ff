//! Models of other shapes: integer keys, usernames, renamed columns, fewer fields; a pool and a state of one's own.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::get,
};
use serde_json::{Value, json};
use users_runtime::Password;
use users_tests::{Client, Database, Engine, Mailbox, OTHER_PASSWORD, On, PASSWORD, Store};

use crate::support::{config, serve};

/// Integer keys, a username and an address beside it.
#[users_runtime::users_app(
    auth = "session",
    routes(auth, register, verify, password_reset, current_user(delete), docs)
)]
mod members {
    use users_runtime::{PasswordHash, UserModel};

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "club members")]
    pub struct Member {
        #[user(id, column = "number")]
        pub id: i64,
        #[user(identifier = username, canonical = "folded name")]
        pub name: String,
        #[user(mailbox, validate = email)]
        pub mail: String,
        #[user(password_hash, column = "secret")]
        hash: PasswordHash,
        #[user(active)]
        pub enabled: bool,
        #[user(verified)]
        pub confirmed: bool,
        #[user(column = "select")]
        pub motto: Option<String>,
    }
}

/// The least that a user can be.
#[users_runtime::users_app(
    auth = "jwt",
    routes(auth(login = "/in", logout = "/out"), register(path = "/join"), current_user(path = "/me"), docs)
)]
mod least {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, UserModel)]
    pub struct Account {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier = username)]
        pub login: String,
        #[user(password_hash)]
        hash: PasswordHash,
    }
}

/// The members over a pool of the test's own.
async fn members() -> (Database, Store, Mailbox, Client) {
    let (database, mailbox) = (Database::in_memory().await, Mailbox::default());
    let store = database.store().await;
    let users = members::Users::with_pool(store.clone(), config().with_mail_transport(mailbox.clone()));
    let users = users.await.expect("it starts");
    let (client, _) = serve(members::router(users).into_router()).await;
    (database, store, mailbox, client)
}

async fn join(client: &Client, name: &str, mail: &str) -> Value {
    let body = json!({"name": name, "mail": mail, "password": PASSWORD});
    client.post("/register", &body).await.expect(201, "").json()
}

async fn log_in(client: &Client, name: &str, password: &str) -> users_tests::Answer {
    client.post("/login", &json!({"name": name, "password": password})).await
}

#[tokio::test]
async fn integer_keys_and_usernames_live_a_whole_life() {
    let (_database, store, mailbox, client) = members().await;
    let ada = join(&client, "Ada", "ada@example.com").await;
    let expected = json!({"id": 1, "name": "Ada", "mail": "ada@example.com", "enabled": true, "confirmed": false, "motto": null, "roles": []});
    assert_eq!(ada, expected);
    log_in(&client, "ada", PASSWORD).await.expect(403, "not_verified");
    let token = mailbox.token("ada@example.com", 1).await;
    assert_eq!(client.verify(&token).await.expect(201, "").json()["confirmed"], true);
    log_in(&client, "ADA", PASSWORD).await.expect(201, "");
    assert_eq!(client.me().await.expect(200, "").json()["id"], 1);

    let same = json!({"name": "aDa", "mail": "other@example.com", "password": PASSWORD});
    client.post("/register", &same).await.expect(409, "identifier_taken");
    let address = json!({"name": "ada@example.com", "mail": "other@example.com", "password": PASSWORD});
    assert_eq!(
        client.post("/register", &address).await.expect(422, "validation_failed").fields(),
        ["name: invalid_username"]
    );
    let body = json!({"email": "x@example.com", "name": "ben", "mail": "no address", "password": PASSWORD});
    assert_eq!(
        client.post("/register", &body).await.expect(422, "validation_failed").fields(),
        ["email: unknown_field"]
    );
    let body = json!({"name": "ben", "mail": "no address", "password": PASSWORD});
    assert_eq!(
        client.post("/register", &body).await.expect(422, "validation_failed").fields(),
        ["mail: invalid_email"]
    );

    // A column whose name is a word of SQL is a column.
    assert_eq!(
        client.patch("/users/me", &json!({"motto": "\"; DROP"})).await.expect(200, "").json()["motto"],
        "\"; DROP"
    );
    client.patch("/users/me", &json!({"motto": null})).await.expect(200, "");
    // Only administrators change the address.
    let answer = client
        .patch("/users/me", &json!({"mail": "evil@example.com"}))
        .await
        .expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["mail: unknown_field"]);

    client.post("/forgot-password", &json!({"name": " ada"})).await.expect(201, "");
    let token = mailbox.token("ada@example.com", 2).await;
    client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    client.me().await.expect(401, "unauthenticated");
    log_in(&client, "Ada", OTHER_PASSWORD).await.expect(201, "");
    client.delete("/users/me", &json!({"current_password": OTHER_PASSWORD})).await.expect(204, "");
    // The key of a deleted user is not given to the next one. A registration that failed may have taken one too.
    assert!(join(&client, "Ada", "ada@example.com").await["id"].as_i64() > Some(1));
    assert_eq!(store.count("SELECT COUNT(*) FROM users_sessions").await, 0);
}

#[tokio::test]
async fn s22_a_new_username_is_there_at_once_and_ends_every_other_credential() {
    let (_database, _, mailbox, client) = members().await;
    join(&client, "Ada", "ada@example.com").await;
    client.verify(&mailbox.token("ada@example.com", 1).await).await.expect(201, "");
    log_in(&client, "Ada", PASSWORD).await.expect(201, "");
    let (before, elsewhere) = (client.snapshot(), client.fresh());
    log_in(&elsewhere, "Ada", PASSWORD).await.expect(201, "");
    join(&client.fresh(), "Ben", "ben@example.com").await;

    client.patch("/users/me", &json!({"name": "Lovelace"})).await.expect(422, "validation_failed");
    let wrong = json!({"name": "Lovelace", "current_password": OTHER_PASSWORD});
    client.patch("/users/me", &wrong).await.expect(403, "current_password_wrong");
    let taken = json!({"name": "BEN", "current_password": PASSWORD});
    client.patch("/users/me", &taken).await.expect(409, "identifier_taken");
    elsewhere.me().await.expect(200, "");

    let change = json!({"name": "Lovelace", "current_password": PASSWORD});
    let answer = client.patch("/users/me", &change).await.expect(200, "");
    assert_eq!(answer.json()["name"], "Lovelace");
    assert!(answer.json().get("pending_identifier").is_none());
    client.me().await.expect(200, "");
    before.me().await.expect(401, "unauthenticated");
    elsewhere.me().await.expect(401, "unauthenticated");
    log_in(&client.fresh(), "Ada", PASSWORD).await.expect(401, "bad_credentials");
    log_in(&client.fresh(), "lovelace", PASSWORD).await.expect(201, "");
    assert!(mailbox.nth("ada@example.com", 2).await.text.contains("Lovelace"));
}

#[tokio::test]
async fn the_least_model_works_at_paths_of_its_own() {
    let database = Database::in_memory().await;
    let users = least::Users::connect(database.url(), config()).await.expect("it starts");
    let (client, _) = serve(least::router(users).into_router()).await;
    let body = json!({"login": "ada", "password": PASSWORD});
    let account = client.post("/join", &body).await.expect(201, "").json();
    assert_eq!(account["login"], "ada");
    client.post("/in", &body).await.expect(201, "");
    assert_eq!(client.get("/me").await.expect(200, "").json(), account);
    // Without own fields a change is of the name or the password.
    let change = json!({"login": "lovelace", "current_password": PASSWORD});
    assert_eq!(client.patch("/me", &change).await.expect(200, "").json()["login"], "lovelace");
    client.delete("/me", &json!({"current_password": PASSWORD})).await.expect(405, "method_not_allowed");
    client.post("/out", &Value::Null).await.expect(201, "");
    client.get("/me").await.expect(401, "unauthenticated");
    for path in
        ["/login", "/logout", "/register", "/users/me", "/verify", "/forgot-password", "/reset-password"]
    {
        client.post(path, &body).await.expect(404, "not_found");
    }
}

#[tokio::test]
async fn a_pool_of_the_applications_own_needs_no_setting_of_the_librarys() {
    let database = Database::in_memory().await;
    let store = database.store().await;
    if Engine::chosen() == Engine::Sqlite {
        // As other libraries open it; in memory there is one connection alone.
        store.execute("PRAGMA foreign_keys = FALSE").await;
    }
    store.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
    let users = members::Users::with_pool(store.clone(), config()).await.expect("it starts");
    let member = members::MemberRegistration {
        name: "Ada".to_owned(),
        mail: "ada@example.com".to_owned(),
        password: Password::new(PASSWORD),
        motto: None,
    };
    let member = users.create_user(member).await.expect("a user");
    users.grant(member.id, "keeper").await.expect("a role");
    let (client, _) = serve(members::router(users).into_router()).await;
    log_in(&client, "Ada", PASSWORD).await.expect(201, "");
    client.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
    let table =
        On { sqlite: "\"club members\"", postgres: "\"club members\"", mysql: "`club members`" }.chosen();
    for table in ["users_sessions", "users_role_members", table] {
        assert_eq!(store.count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
}

/// An application's own state, which holds more than the users.
#[derive(Clone)]
struct Shop {
    users: members::Users,
    greeting: &'static str,
}

impl FromRef<Shop> for members::Users {
    fn from_ref(shop: &Shop) -> Self {
        shop.users.clone()
    }
}

async fn greet(State(shop): State<Shop>, user: members::CurrentUser) -> String {
    format!("{} {}", shop.greeting, user.name)
}

async fn status(State(users): State<members::Users>, visitor: members::Visitor) -> Json<Value> {
    let answers = users.ping().await.is_ok();
    Json(json!({"answers": answers, "visitor": visitor.id(), "anonymous": visitor.is_anonymous()}))
}

#[tokio::test]
async fn handlers_take_the_users_out_of_a_state_of_their_own() {
    let database = Database::in_memory().await;
    let config = config().with_required_verification(false);
    let users = members::Users::with_pool(database.store().await, config).await.expect("it starts");
    let shop = Shop { users: users.clone(), greeting: "welcome" };
    let closed = Router::new().route("/greet", get(greet)).with_state(shop.clone());
    let open = Router::new().route("/status", get(status)).with_state(shop);
    let alone = Router::new().route("/alone", get(status)).with_state(users.clone());
    let router = members::router(users).protected(closed).public(open).public(alone);
    let (client, _) = serve(Router::from(router)).await;
    join(&client, "Ada", "ada@example.com").await;
    client.get("/greet").await.expect(401, "unauthenticated");
    for path in ["/status", "/alone"] {
        let nobody = json!({"answers": true, "visitor": null, "anonymous": true});
        assert_eq!(client.get(path).await.expect(200, "").json(), nobody);
    }
    log_in(&client, "Ada", PASSWORD).await.expect(201, "");
    assert_eq!(client.get("/greet").await.expect(200, "").text, "welcome Ada");
    assert_eq!(
        client.get("/status").await.json(),
        json!({"answers": true, "visitor": 1, "anonymous": false})
    );
}

#[tokio::test]
async fn verification_that_is_not_required_stops_nobody() {
    let database = Database::in_memory().await;
    let config = config().with_required_verification(false);
    let users = members::Users::with_pool(database.store().await, config).await.expect("it starts");
    let (client, _) = serve(members::router(users.clone()).into_router()).await;
    let ada = join(&client, "Ada", "ada@example.com").await;
    log_in(&client, "Ada", PASSWORD).await.expect(201, "");
    assert_eq!(client.me().await.expect(200, "").json()["confirmed"], false);
    users.set_active(ada["id"].as_i64().expect("a number"), false).await.expect("it is there");
    client.me().await.expect(401, "unauthenticated");
}
