//! An application's own word on who a request is from, and what backends say beside the row.

use axum::{Router, routing::get};
use users_runtime::{
    Backend, CurrentUser, Directory, Error, Guard, Hooks, Parts, Principal, Recognition, Users, UsersRouter,
};
use users_tests::{Client, Database, PASSWORD, apps::User};

use crate::support::{config, registration, serve};

/// The header by which requests tell the hook what to do.
const ORDER: &str = "x-order";

/// What the hook says of a user.
#[derive(Debug, PartialEq)]
struct Reach(String);

/// Hooks that refuse, replace or describe the user whom a backend found.
#[derive(Default)]
pub struct Lookup;

impl Hooks<User> for Lookup {
    async fn retrieve_user(
        &self,
        request: &Parts,
        found: Principal<User>,
    ) -> Result<Option<Principal<User>>, Error> {
        let order = request.headers.get(ORDER).and_then(|order| order.to_str().ok()).unwrap_or_default();
        match order {
            "refuse" => Ok(None),
            "veto" => Err(Error::refused("closed_today", "come back tomorrow")),
            "break" => Err(Error::unavailable("the directory at 10.0.0.7 is gone")),
            "deactivate" => Ok(Some(changed(found, |user| user.is_active = false))),
            "unverify" => Ok(Some(changed(found, |user| user.is_verified = false))),
            "rename" => Ok(Some(changed(found, |user| "replaced@example.com".clone_into(&mut user.email)))),
            reach => Ok(Some(found.with_claims(Reach(reach.to_owned())))),
        }
    }
}

fn changed(found: Principal<User>, change: impl FnOnce(&mut User)) -> Principal<User> {
    let roles = found.roles().to_vec();
    let mut user = found.into_user();
    change(&mut user);
    Principal::new(user, roles)
}

/// Lets pass whom the hook has found to be near.
struct Near;

impl Guard<User> for Near {
    fn allows(&self, user: &Principal<User>) -> bool {
        user.claims() == Some(&Reach("near".to_owned()))
    }
}

#[users_runtime::users_app(
    auth = "session",
    user = users_tests::apps::User,
    hooks = super::Lookup,
    routes(auth, verify, current_user, docs)
)]
mod session {}

#[users_runtime::users_app(
    auth = "jwt",
    user = users_tests::apps::User,
    hooks = super::Lookup,
    routes(auth, verify, current_user, docs)
)]
mod jwt {}

#[users_runtime::users_app(
    auth = "jwt_cookie",
    user = users_tests::apps::User,
    hooks = super::Lookup,
    routes(auth, verify, current_user, docs)
)]
mod jwt_cookie {}

async fn name(user: CurrentUser<User>) -> String {
    format!("{} {}", user.email, user.claims::<Reach>().map_or("nowhere", |Reach(reach)| reach))
}

async fn maybe(user: Option<CurrentUser<User>>) -> String {
    user.map_or_else(|| "anonymous".to_owned(), |user| user.email.clone())
}

/// A client of Ada's, who is logged in.
async fn ada<A>(database: &Database) -> Client
where
    A: users_runtime::Application<User = User>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let users = Users::<A>::connect(database.url(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let near = Router::new()
        .route("/near", get(|| async { "near" }))
        .route_layer(users_runtime::GuardLayer::<User>::new(Near));
    let router = UsersRouter::new(users)
        .protected(Router::new().route("/name", get(name)).merge(near))
        .public(Router::new().route("/feed", get(maybe)));
    let (client, _) = serve(router.into_router()).await;
    client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    client
}

async fn the_application_has_its_word(client: Client) {
    let ordering = |order| client.with_header(ORDER, order);
    client.me().await.expect(200, "");
    assert_eq!(client.get("/name").await.expect(200, "").text, "ada@example.com ");
    assert_eq!(ordering("far").get("/name").await.expect(200, "").text, "ada@example.com far");
    ordering("far").get("/near").await.expect(403, "forbidden");
    ordering("near").get("/near").await.expect(200, "");

    for path in ["/users/me", "/name", "/near"] {
        let refused = ordering("refuse").get(path).await.expect(401, "unauthenticated");
        assert!(refused.headers.contains_key("www-authenticate"));
        ordering("veto").get(path).await.expect(403, "closed_today");
        let broken = ordering("break").get(path).await.expect(503, "unavailable");
        assert!(!broken.text.contains("10.0.0.7"));
        // Whoever it is, the flags are looked at.
        ordering("deactivate").get(path).await.expect(401, "unauthenticated");
        ordering("unverify").get(path).await.expect(403, "not_verified");
    }
    assert_eq!(ordering("rename").get("/name").await.expect(200, "").text, "replaced@example.com nowhere");
    assert_eq!(ordering("rename").get("/feed").await.expect(200, "").text, "replaced@example.com");
    assert_eq!(ordering("refuse").get("/feed").await.expect(200, "").text, "anonymous");
    ordering("break").get("/feed").await.expect(503, "unavailable");
    // Nobody is asked about where there is no credential, or one that is no good.
    client.fresh().with_header(ORDER, "veto").me().await.expect(401, "unauthenticated");
    assert_eq!(
        client.fresh().with_header(ORDER, "break").get("/feed").await.expect(200, "").text,
        "anonymous"
    );
}

#[tokio::test]
async fn s58_an_application_refuses_or_replaces_the_user_of_each_backend() {
    let database = Database::in_memory().await;
    the_application_has_its_word(ada::<session::App>(&database).await).await;
    let database = Database::in_memory().await;
    the_application_has_its_word(ada::<jwt::App>(&database).await).await;
    let database = Database::in_memory().await;
    the_application_has_its_word(ada::<jwt_cookie::App>(&database).await).await;
}

/// Says of users how far they may look and what they may do.
#[derive(Default)]
pub struct Saying;

/// Another type of what a backend says.
struct Scopes(Vec<&'static str>);

impl Backend<User> for Saying {
    async fn authenticate(&self, directory: &Directory<User>, _: &Parts) -> Result<Recognition<User>, Error> {
        Ok(match directory.user_by_identifier("ada@example.com").await? {
            Some(user) => Recognition::Accepted(
                user.with_claims(Reach("first".to_owned()))
                    .with_claims(Scopes(vec!["read", "write"]))
                    .with_claims(Reach("second".to_owned())),
            ),
            None => Recognition::Absent,
        })
    }
}

#[users_runtime::users_app(auth = super::Saying, user = users_tests::apps::User, routes(auth, docs))]
mod saying {}

#[tokio::test]
async fn a_backend_says_one_thing_of_a_type() {
    async fn what(user: saying::CurrentUser) -> String {
        let scopes = user.claims::<Scopes>().expect("scopes").0.join(" ");
        let nothing = user.claims::<Vec<&'static str>>().is_none();
        let shown = format!("{:?}", user.principal());
        assert!(nothing && !shown.contains("second"), "{shown}");
        format!("{} {scopes}", user.claims::<Reach>().expect("a reach").0)
    }
    let database = Database::in_memory().await;
    let users = saying::Users::connect(database.url(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let router = saying::router(users).protected(Router::new().route("/what", get(what)));
    let (client, _) = serve(router.into_router()).await;
    assert_eq!(client.get("/what").await.expect(200, "").text, "second read write");
}
