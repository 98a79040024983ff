//! Keys and tables of other kinds: integers, random UUIDs, names that were there before.

use serde_json::{Value, json};
use users_runtime::{Application, Password, SchemaMode, UserModel};
use users_tests::{Client, Database, On, PASSWORD};
use uuid::Uuid;

use crate::support::{Server, roles_of};

/// Integer keys for users and roles, which the database assigns.
#[users_runtime::users_app(
    auth = "session",
    routes(auth, register, current_user(delete), users, roles, docs)
)]
pub mod numbered {
    use users_runtime::{PasswordHash, RoleModel, UserModel};

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "people")]
    pub struct Person {
        #[user(id)]
        pub id: i64,
        #[user(identifier = username)]
        pub name: String,
        #[user(password_hash)]
        hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
    }

    /// A role with a column of its own.
    #[derive(Clone, Debug, RoleModel)]
    #[role(table = "groups of people")]
    pub struct Team {
        #[role(id)]
        pub id: i64,
        #[role(name)]
        pub name: String,
        #[role(default = 1, validate = range(1, 9))]
        pub level: i64,
        #[role(read_only)]
        pub notes: Option<String>,
    }
}

/// Keys of users and roles of different kinds, and a table that somebody else made.
#[users_runtime::users_app(auth = "jwt", routes(auth, register, current_user(delete), users, roles, docs))]
pub mod inherited {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "Old Accounts")]
    pub struct Account {
        #[user(id, column = "account no")]
        pub id: Uuid,
        #[user(identifier, column = "select", canonical = "select key")]
        pub email: String,
        #[user(password_hash, column = "secret")]
        hash: PasswordHash,
        #[user(active, column = "enabled")]
        pub is_active: bool,
        #[user(column = "order", default = 7, filter(range), sort)]
        pub rank: i64,
    }
}

const OLD_TABLE: On<&str> = On {
    sqlite: "CREATE TABLE \"Old Accounts\" (\"account no\" BLOB PRIMARY KEY NOT NULL, \"select\" TEXT NOT NULL, \
             \"select key\" TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, enabled BOOLEAN NOT NULL, \
             \"order\" INTEGER NOT NULL, extra TEXT)",
    postgres: "CREATE TABLE \"Old Accounts\" (\"account no\" UUID PRIMARY KEY, \"select\" TEXT NOT NULL, \
               \"select key\" TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, enabled BOOLEAN NOT NULL, \
               \"order\" BIGINT NOT NULL, extra TEXT)",
    mysql: "CREATE TABLE `Old Accounts` (`account no` BINARY(16) PRIMARY KEY, `select` VARCHAR(320) NOT NULL, \
            `select key` VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE, \
            secret VARCHAR(255) NOT NULL, enabled BOOLEAN NOT NULL, `order` BIGINT NOT NULL, extra TEXT)",
};

/// The life of two accounts and a role, whatever the keys are.
async fn live<A>(
    server: &Server<A>,
    key: &str,
    names: [&str; 2],
    register: impl Fn(&str) -> <A::User as UserModel>::Registration,
) where
    A: Application<User: UserModel<Tenant = ()>>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let login = async |name: &str| -> Client {
        let user = server.users.scope(()).create_user(register(name)).await.expect("a new account");
        if name.starts_with("admin") {
            server.users.scope(()).grant(user.id(), "administrator").await.expect("a role");
        }
        let client = server.client();
        client.post("/login", &json!({key: name, "password": PASSWORD})).await.expect(201, "");
        client
    };
    let (admin, ada) = (login(names[0]).await, login(names[1]).await);
    let me = ada.me().await.expect(200, "").json();
    let path = format!("/users/{}", me["id"].as_str().map_or_else(|| me["id"].to_string(), str::to_owned));
    assert_eq!(admin.get(&path).await.expect(200, "").json(), me);
    let role = admin.post("/users/roles", &json!({"name": "Clerk"})).await.expect(201, "").json();
    let body = json!({"user_id": me["id"], "role_id": role["id"]});
    let put = async |what: &str| {
        admin.send(admin.request("PUT", &format!("/users/roles/{what}")).json(&body)).await
    };
    assert_eq!(roles_of(&put("assign").await.expect(200, "").json()), ["clerk"]);
    put("assign").await.expect(409, "role_already_assigned");
    let list = admin.get(&format!("/users?sort=-{key}&limit=1")).await.expect(200, "").json();
    let next = list["next"].as_str().expect("another page");
    let rest = admin.get(&format!("/users?sort=-{key}&limit=1&after={next}")).await.expect(200, "").json();
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&me["id"], &Value::Null));
    let by_key = admin.get("/users?limit=1").await.expect(200, "").json();
    let next = by_key["next"].as_str().expect("another page");
    let rest = admin.get(&format!("/users?after={next}")).await.expect(200, "").json();
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&me["id"], &Value::Null));
    put("revoke").await.expect(200, "");
    let role_path =
        format!("/users/roles/{}", role["id"].as_str().map_or_else(|| role["id"].to_string(), str::to_owned));
    admin.patch(&role_path, &json!({"name": "filer"})).await.expect(200, "");
    admin.send(admin.request("DELETE", &role_path)).await.expect(200, "");
    admin.patch(&path, &json!({"is_active": false})).await.expect(200, "");
    ada.me().await.expect(401, "unauthenticated");
    admin.send(admin.request("DELETE", &path)).await.expect(200, "");
    for path in
        ["/users/0", "/users/9223372036854775807", "/users/9223372036854775808", "/users/-1", "/users/x"]
    {
        admin.get(path).await.expect(404, "not_found");
    }
}

#[tokio::test]
async fn keys_are_integers_that_the_database_assigns() {
    let server = Server::<numbered::App>::start().await;
    live(&server, "name", ["admin", "ada"], |name| numbered::PersonRegistration {
        name: name.to_owned(),
        password: Password::new(PASSWORD),
    })
    .await;
}

#[tokio::test]
async fn a_role_has_columns_of_its_own() {
    let server = Server::<numbered::App>::start().await;
    let registration =
        numbered::PersonRegistration { name: "admin".to_owned(), password: Password::new(PASSWORD) };
    let user = server.users.create_user(registration).await.expect("a new account");
    server.users.grant(user.id, "administrator").await.expect("a role");
    let admin = server.client();
    admin.post("/login", &json!({"name": "admin", "password": PASSWORD})).await.expect(201, "");
    let made = admin.post("/users/roles", &json!({"name": "boss", "level": 5})).await.expect(201, "").json();
    assert_eq!((&made["level"], &made["notes"]), (&json!(5), &Value::Null));
    let path = format!("/users/roles/{}", made["id"]);
    let changed = admin.patch(&path, &json!({"level": 6})).await.expect(200, "").json();
    assert_eq!((&changed["level"], &changed["name"]), (&json!(6), &json!("boss")));
    for (body, field) in [
        (json!({"level": 10}), "level: out_of_range"),
        (json!({"notes": "x"}), "notes: unknown_field"),
        (json!({"id": 9}), "id: unknown_field"),
    ] {
        assert_eq!(admin.patch(&path, &body).await.expect(422, "validation_failed").fields(), [field]);
    }
    // The roles of a user carry them too, those that were made by name their defaults.
    let me = admin.me().await.json();
    assert_eq!(
        me["roles"],
        json!([{"id": me["roles"][0]["id"], "name": "administrator", "level": 1, "notes": null}])
    );
}

#[tokio::test]
async fn a_table_of_somebody_elses_is_used_and_left_alone() {
    let database = Database::new().await;
    let store = database.store().await;
    store.execute(OLD_TABLE.chosen()).await;
    let quote = On { sqlite: '"', postgres: '"', mysql: '`' }.chosen();
    let server = Server::<inherited::App>::over(
        database,
        |config| config.with_schema_mode(SchemaMode::External),
        |router| router,
    )
    .await;
    let before: Vec<_> =
        server.store.definitions().await.into_iter().filter(|line| line.contains("Old Accounts")).collect();
    assert!(!before.is_empty());
    live(&server, "email", ["admin@example.com", "ada@example.com"], |email| {
        inherited::AccountRegistration {
            email: email.to_owned(),
            password: Password::new(PASSWORD),
            rank: None,
        }
    })
    .await;
    let after: Vec<_> =
        server.store.definitions().await.into_iter().filter(|line| line.contains("Old Accounts")).collect();
    assert_eq!(before, after);
    let count = format!("SELECT COUNT(*) FROM {quote}Old Accounts{quote} WHERE {quote}order{quote} = 7");
    assert_eq!(server.store.count(&count).await, 1);
}

#[tokio::test]
async fn random_keys_of_rows_that_were_there_are_as_good_as_new_ones() {
    let database = Database::new().await;
    let store = database.store().await;
    store.execute(OLD_TABLE.chosen()).await;
    let server = Server::<inherited::App>::over(database, |config| config, |router| router).await;
    let registration = |email: &str| inherited::AccountRegistration {
        email: email.to_owned(),
        password: Password::new(PASSWORD),
        rank: Some(3),
    };
    let user = server.users.create_user(registration("new@example.com")).await.expect("a new account");
    assert_eq!(user.id.get_version_num(), 7);
    let old = Uuid::new_v4();
    let table =
        On { sqlite: "\"Old Accounts\"", postgres: "\"Old Accounts\"", mysql: "`Old Accounts`" }.chosen();
    let key = On { sqlite: "\"account no\"", postgres: "\"account no\"", mysql: "`account no`" }.chosen();
    let change = format!("UPDATE {table} SET {key} = ?");
    server.store.query(&change).bind(old).execute().await;
    let client = server.client();
    let me = client.log_in("new@example.com", PASSWORD).await.expect(201, "").json();
    assert_eq!(me["id"], old.to_string());
    client.me().await.expect(200, "");
    server.users.grant(old, "administrator").await.expect("a role");
    let list = client.get("/users?sort=-rank&age_min=1").await;
    assert_eq!(list.expect(422, "validation_failed").fields(), ["age_min: unknown_field"]);
    let list = client.get("/users?sort=-rank&rank_min=3").await.expect(200, "").json();
    assert_eq!(list["items"][0]["id"], old.to_string());
}
