//! Two tenants in one database: nothing of one is anything to the other, on whichever route.

use serde_json::{Value, json};
use users_runtime::{Error, Hooks, ListQuery, Parts, Password, ResolveTenant, UserModel};
use users_tests::{Answer, Client, OTHER_PASSWORD, PASSWORD};
use uuid::Uuid;

use crate::support::{Server, id_of, roles_of};

/// Reads the tenant from the header that a proxy would set.
#[derive(Debug, Default)]
pub struct ByHeader;

impl<U: UserModel> Hooks<U> for ByHeader {}

impl ResolveTenant<String> for ByHeader {
    async fn tenant(&self, request: &Parts) -> Result<String, Error> {
        let header = request.headers.get("x-tenant").and_then(|value| value.to_str().ok());
        header.filter(|tenant| ["north", "south"].contains(tenant)).map(str::to_owned).ok_or(Error::NotFound)
    }
}

macro_rules! application {
    ($module:ident, $auth:literal) => {
        /// Tenants behind one backend.
        #[users_runtime::users_app(
                            auth = $auth,
                            user = super::Member,
                            hooks = super::ByHeader,
                            routes(auth, register, verify, password_reset, current_user(delete), users, roles, docs)
                        )]
        pub mod $module {}
    };
}

mod model {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    /// A member of one of several clubs.
    #[derive(Clone, Debug, UserModel)]
    #[user(table = "members")]
    pub struct Member {
        #[user(id)]
        pub id: Uuid,
        #[user(tenant)]
        pub club: String,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        #[user(default = 30, filter(range), sort)]
        pub age: i64,
    }
}
pub use model::*;

application!(clubs, "session");
application!(tokens, "jwt");

type Clubs = Server<clubs::App>;

fn of(client: &Client, club: &str) -> Client {
    client.with_header("x-tenant", club)
}

async fn person<A>(server: &Server<A>, club: &str, email: &str, roles: &[&str]) -> (Uuid, Client)
where
    A: users_runtime::Application<User = Member>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let scope = server.users.scope(club.to_owned());
    let registration =
        MemberRegistration { email: email.to_owned(), password: Password::new(PASSWORD), age: None };
    let user = scope.create_user(registration).await.expect("a new account");
    for role in roles {
        scope.grant(user.id, role).await.expect("a role");
    }
    let client = of(&server.client(), club);
    client.log_in(email, PASSWORD).await.expect(201, "");
    (user.id, client)
}

#[tokio::test]
async fn one_address_is_one_account_in_each_tenant() {
    let clubs = Clubs::start().await;
    let (north, south) = (of(&clubs.client(), "north"), of(&clubs.client(), "south"));
    let first = north.register("ada@example.com", PASSWORD).await.expect(201, "").json();
    assert_eq!(first["club"], "north");
    north.register("ADA@example.com", PASSWORD).await.expect(409, "identifier_taken");
    let token = clubs.mailbox.token("ada@example.com", 1).await;
    let second = south.register("ada@example.com", OTHER_PASSWORD).await.expect(201, "").json();
    assert_ne!(first["id"], second["id"]);
    let other_token = clubs.mailbox.token("ada@example.com", 2).await;
    // A token of a mail is good in its own tenant alone.
    south.verify(&token).await.expect(400, "token_invalid");
    north.verify(&other_token).await.expect(400, "token_invalid");
    assert_eq!(north.verify(&token).await.expect(201, "").json()["id"], first["id"]);
    assert_eq!(south.verify(&other_token).await.expect(201, "").json()["id"], second["id"]);
    north.log_in("ada@example.com", OTHER_PASSWORD).await.expect(401, "bad_credentials");
    south.log_in("ada@example.com", PASSWORD).await.expect(401, "bad_credentials");
    north.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    // Nobody chooses their own tenant, and one that does not exist is not there.
    let chosen = json!({"email": "ben@example.com", "password": PASSWORD, "club": "south"});
    assert_eq!(
        north.post("/register", &chosen).await.expect(422, "validation_failed").fields(),
        ["club: unknown_field"]
    );
    let nowhere = of(&clubs.client(), "west");
    nowhere.register("ada@example.com", PASSWORD).await.expect(404, "not_found");
    nowhere.get("/users/me").await.expect(404, "not_found");
    clubs.client().get("/users/me").await.expect(404, "not_found");
    let moved = north.patch("/users/me", &json!({"club": "south"})).await;
    moved.expect(422, "validation_failed");
}

async fn put(client: &Client, what: &str, user: Uuid, role: Uuid) -> Answer {
    let body = json!({"user_id": user, "role_id": role});
    client.send(client.request("PUT", &format!("/users/roles/{what}")).json(&body)).await
}

/// The rows of a tenant, in text.
async fn rows(clubs: &Clubs, club: &str) -> Vec<(String, String, i64)> {
    let sql = "SELECT email, password_hash, age FROM members WHERE club = ? ORDER BY email";
    clubs.store.query(sql).bind(club).rows().await
}

#[tokio::test]
async fn nothing_of_one_tenant_is_there_for_the_administrators_of_another() {
    let clubs = Clubs::start().await;
    let (_, north) = person(&clubs, "north", "admin@example.com", &["administrator"]).await;
    let (south_admin, south) = person(&clubs, "south", "admin@example.com", &["administrator"]).await;
    let (ada, ada_client) = person(&clubs, "south", "ada@example.com", &["clerk"]).await;
    let north_role =
        id_of(&north.post("/users/roles", &json!({"name": "Clerk"})).await.expect(201, "").json());
    let roles = south.get("/users/roles").await.expect(200, "").json();
    let south_role = id_of(
        roles.as_array().expect("roles").iter().find(|role| role["name"] == "clerk").expect("it is there"),
    );
    let before = rows(&clubs, "south").await;
    for path in
        [format!("/users/{ada}"), format!("/users/{south_admin}"), format!("/users/roles/{south_role}")]
    {
        if !path.contains("roles") {
            north.get(&path).await.expect(404, "not_found");
        }
        north.patch(&path, &json!({})).await.expect(404, "not_found");
        north.send(north.request("DELETE", &path)).await.expect(404, "not_found");
    }
    north
        .patch(&format!("/users/{ada}"), &json!({"is_active": false, "age": 99}))
        .await
        .expect(404, "not_found");
    north
        .patch(&format!("/users/roles/{south_role}"), &json!({"name": "thief"}))
        .await
        .expect(404, "not_found");
    // Neither my user and their role, nor their user and my role, nor both of theirs.
    let me = id_of(&north.me().await.json());
    for what in ["assign", "revoke"] {
        for (user, role) in [(me, south_role), (ada, north_role), (ada, south_role)] {
            put(&north, what, user, role).await.expect(404, "not_found");
        }
    }
    // Programs are held to the same.
    let scope = clubs.users.scope("north".to_owned());
    assert!(scope.user(ada).await.expect("an answer").is_none());
    assert!(matches!(scope.grant(ada, "administrator").await, Err(Error::NotFound)));
    assert!(matches!(scope.withdraw(ada, "clerk").await, Err(Error::NotFound)));
    assert!(matches!(scope.set_active(ada, false).await, Err(Error::NotFound)));
    assert!(matches!(scope.delete_user(ada).await, Err(Error::NotFound)));
    assert_eq!(rows(&clubs, "south").await, before);
    assert_eq!(roles_of(&ada_client.me().await.expect(200, "").json()), ["clerk"]);
    // The last administrator is that of a tenant.
    let (path, body) = (format!("/users/{south_admin}"), json!({"is_active": false}));
    south.patch(&path, &body).await.expect(409, "last_administrator");
}

#[tokio::test]
async fn lists_searches_totals_and_cursors_are_of_one_tenant() {
    let clubs = Clubs::start().await;
    let (_, north) = person(&clubs, "north", "admin@example.com", &["administrator"]).await;
    let (_, south) = person(&clubs, "south", "admin@example.com", &["administrator"]).await;
    for number in 0..6 {
        let insert = "INSERT INTO members (id, club, email, email_canonical, password_hash, is_active, is_verified, age) \
                      VALUES (?, ?, ?, ?, 'x', TRUE, TRUE, ?)";
        let club = ["north", "south"][number % 2];
        let email = format!("member{number}@example.com");
        let statement = clubs.store.query(insert).bind(Uuid::new_v4()).bind(club).bind(email.as_str());
        statement.bind(email.as_str()).bind(i64::try_from(number).expect("small")).execute().await;
    }
    let clubs_of = |list: &Value| -> Vec<Value> {
        list["items"].as_array().expect("items").iter().map(|user| user["club"].clone()).collect()
    };
    for query in [
        "",
        "sort=-age",
        "sort=email",
        "search=m",
        "search=admin",
        "age_min=0",
        "age_max=100&sort=age",
        "is_active=true",
    ] {
        let list = north.get(&format!("/users?total=true&{query}")).await.expect(200, "").json();
        let members = clubs_of(&list);
        assert!(members.iter().all(|club| club == "north"), "{query}: {members:?}");
        assert_eq!(list["total"], members.len(), "{query}");
        assert!((1..=4).contains(&members.len()), "{query}");
    }
    for sort in ["id", "email", "-age"] {
        let page = south.get(&format!("/users?sort={sort}&limit=2")).await.expect(200, "").json();
        let cursor = page["next"].as_str().expect("another page");
        let path = format!("/users?sort={sort}&limit=2&after={cursor}");
        let answer = north.get(&path).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["after: invalid_cursor"]);
        assert_eq!(clubs_of(&south.get(&path).await.expect(200, "").json()), ["south", "south"]);
    }
    let page = clubs.users.scope("south".to_owned()).list_users(ListQuery::new()).await.expect("a page");
    assert_eq!(page.items.len(), 4);
}

async fn credentials_are_of_one_tenant<A>()
where
    A: users_runtime::Application<User = Member>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let server = Server::<A>::start().await;
    let (_, north) = person(&server, "north", "ada@example.com", &["administrator"]).await;
    person(&server, "south", "ada@example.com", &["administrator"]).await;
    // The header comes later than the one that the client has already, and the first counts.
    let moved = server.client();
    for (name, value) in north.cookies() {
        moved.set_cookie(&name, &value);
    }
    moved.set_bearer(north.bearer().as_deref());
    of(&moved, "north").me().await.expect(200, "");
    let moved = of(&moved, "south");
    for (method, path) in [
        ("GET", "/users/me"),
        ("PATCH", "/users/me"),
        ("DELETE", "/users/me"),
        ("GET", "/users"),
        ("GET", "/users/roles"),
        ("POST", "/users/roles"),
        ("PUT", "/users/roles/assign"),
        ("GET", "/private"),
        ("POST", "/logout"),
    ] {
        let request = moved.request(method, path).json(&json!({}));
        moved.send(request).await.expect(401, "unauthenticated");
    }
    north.me().await.expect(200, "");
}

#[tokio::test]
async fn a_session_is_of_one_tenant() {
    credentials_are_of_one_tenant::<clubs::App>().await;
}

#[tokio::test]
async fn a_token_is_of_one_tenant() {
    credentials_are_of_one_tenant::<tokens::App>().await;
}

#[tokio::test]
async fn mails_to_one_address_reach_the_account_of_their_tenant() {
    let clubs = Clubs::start().await;
    let (_, north) = person(&clubs, "north", "ada@example.com", &[]).await;
    let (_, south) = person(&clubs, "south", "ada@example.com", &[]).await;
    north.forgot("ada@example.com").await.expect(201, "");
    let token = clubs.mailbox.token("ada@example.com", 1).await;
    south.reset(&token, OTHER_PASSWORD).await.expect(400, "token_invalid");
    north.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    south.me().await.expect(200, "");
    north.me().await.expect(401, "unauthenticated");
    south.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    north.log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
    // An address that one tenant has is free in the other, also by a change.
    let (_, ben) = person(&clubs, "south", "ben@example.com", &[]).await;
    let change = json!({"email": "ada@example.com", "current_password": PASSWORD});
    ben.patch("/users/me", &change).await.expect(409, "identifier_taken");
    let (_, eve) = person(&clubs, "north", "eve@example.com", &[]).await;
    let change = json!({"email": "ben@example.com", "current_password": PASSWORD});
    eve.patch("/users/me", &change).await.expect(200, "");
    let token = clubs.mailbox.token("ben@example.com", 1).await;
    south.verify(&token).await.expect(400, "token_invalid");
    north.verify(&token).await.expect(201, "");
    assert_eq!(rows(&clubs, "north").await.len() + rows(&clubs, "south").await.len(), 4);
}

#[tokio::test]
async fn an_account_that_goes_leaves_the_other_tenant_alone() {
    let clubs = Clubs::start().await;
    let (_, north) = person(&clubs, "north", "admin@example.com", &["administrator", "clerk"]).await;
    let (_, south) = person(&clubs, "south", "admin@example.com", &["administrator", "clerk"]).await;
    let roles = north.get("/users/roles").await.json();
    let clerk =
        id_of(roles.as_array().expect("roles").iter().find(|role| role["name"] == "clerk").expect("one"));
    north.send(north.request("DELETE", &format!("/users/roles/{clerk}"))).await.expect(200, "");
    assert_eq!(roles_of(&north.me().await.json()), ["administrator"]);
    assert_eq!(roles_of(&south.me().await.json()), ["administrator", "clerk"]);
    let refused = north.delete("/users/me", &json!({"current_password": PASSWORD})).await;
    refused.expect(409, "last_administrator");
    assert_eq!(clubs.users.scope("south".to_owned()).roles().await.expect("roles").len(), 2);
}
