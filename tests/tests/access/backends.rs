//! Backends of an application's own, alone and in a list.

use axum::http::{HeaderName, HeaderValue};
use axum::{
    Router,
    routing::{get, post},
};
use serde_json::json;
use users_runtime::{
    Backend, Credential, CurrentUser, Directory, Error, Login, Parts, Recognition, Transaction, UserModel,
};
use users_tests::{Client, Database, PASSWORD, apps::User};

use crate::support::{config, registration, serve};

/// The header of the key, which is the identifier in this test.
const KEY: &str = "x-api-key";

/// Keys of an application's own, without a login.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApiKeys;

async fn recognise(directory: &Directory<User>, request: &Parts) -> Result<Recognition<User>, Error> {
    let Some(key) = request.headers.get(KEY) else { return Ok(Recognition::Absent) };
    match key.to_str().unwrap_or_default() {
        "broken" => Err(Error::unavailable("the key server at 10.0.0.7 is gone")),
        key => Ok(match directory.user_by_identifier(key).await? {
            Some(principal) => Recognition::Accepted(principal),
            None => Recognition::Refused,
        }),
    }
}

impl Backend<User> for ApiKeys {
    async fn authenticate(
        &self,
        directory: &Directory<User>,
        request: &Parts,
    ) -> Result<Recognition<User>, Error> {
        recognise(directory, request).await
    }

    fn challenge(&self) -> &'static str {
        "ApiKey"
    }

    fn is_ambient(&self, _request: &Parts) -> bool {
        false
    }
}

/// The same with a login, and with the defaults of the trait for the rest.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenKeys;

impl Backend<User> for GivenKeys {
    async fn authenticate(
        &self,
        directory: &Directory<User>,
        request: &Parts,
    ) -> Result<Recognition<User>, Error> {
        recognise(directory, request).await
    }

    async fn log_in(
        &self,
        _directory: &Directory<User>,
        _request: &Parts,
        login: &Login<'_, User>,
        _transaction: &mut Transaction,
    ) -> Result<Option<Credential>, Error> {
        let key = HeaderValue::from_str(login.user.identifier()).map_err(Error::internal)?;
        Ok(Some(Credential::default().with_header(HeaderName::from_static(KEY), key)))
    }
}

#[users_runtime::users_app(
    auth = super::ApiKeys,
    user = users_tests::apps::User,
    exclude = ["/open/{id}"],
    routes(auth, verify, current_user(delete), docs)
)]
mod keys {}

#[users_runtime::users_app(auth = super::GivenKeys, user = users_tests::apps::User, routes(auth, current_user, docs))]
mod given {}

#[users_runtime::users_app(
    auth = ["session", super::ApiKeys, "jwt"],
    user = users_tests::apps::User,
    routes(auth, current_user, docs)
)]
mod list {}

#[users_runtime::users_app(auth = ["jwt", "session"], user = users_tests::apps::User, routes(auth, current_user, docs))]
mod jwt_first {}

/// The own routes of these applications: closed and open ones.
fn routes() -> (Router, Router) {
    async fn name(user: CurrentUser<User>) -> String {
        user.email.clone()
    }
    async fn anyone(user: Option<CurrentUser<User>>) -> String {
        user.map_or_else(|| "anonymous".to_owned(), |user| user.email.clone())
    }
    let protected = Router::new().route("/private", get(name).post(name)).route("/open/{item}", get(anyone));
    (protected, Router::new().route("/feed", get(anyone)).route("/demanding", post(name).get(name)))
}

fn with_key(client: &Client, key: &str) -> Client {
    client.with_header(KEY, key)
}

#[tokio::test]
async fn a_backend_with_one_method_is_enough() {
    let database = Database::in_memory().await;
    let users = keys::Users::connect(database.url(), config()).await.expect("it starts");
    let ada = users.create_user(registration("ada@example.com")).await.expect("a user");
    let (protected, public) = routes();
    let (client, _) =
        serve(keys::router(users.clone()).protected(protected).public(public).into_router()).await;

    let anonymous = client.me().await.expect(401, "unauthenticated");
    assert_eq!(anonymous.header("www-authenticate"), "ApiKey");
    with_key(&client, "nobody@example.com").me().await.expect(401, "unauthenticated");
    let known = with_key(&client, "ada@example.com");
    assert_eq!(known.me().await.expect(200, "").json()["email"], "ada@example.com");
    assert_eq!(known.get("/private").await.expect(200, "").text, "ada@example.com");
    // It says that browsers do not add its keys, so other origins may send them.
    known.with_header("origin", "https://evil.example").post("/private", &json!({})).await.expect(200, "");

    assert_eq!(known.get("/feed").await.expect(200, "").text, "ada@example.com");
    assert_eq!(known.get("/open/1").await.expect(200, "").text, "ada@example.com");
    let bad = with_key(&client, "nobody@example.com");
    for path in ["/feed", "/open/1"] {
        assert_eq!(bad.get(path).await.expect(200, "").text, "anonymous");
    }
    bad.get("/demanding").await.expect(401, "unauthenticated");

    // What the account may do is checked behind every backend.
    users.set_verified(ada.id, false).await.expect("it is there");
    known.me().await.expect(403, "not_verified");
    known.get("/private").await.expect(403, "not_verified");
    known.get("/demanding").await.expect(403, "not_verified");
    assert_eq!(known.get("/feed").await.expect(200, "").text, "anonymous");
    users.set_verified(ada.id, true).await.expect("it is there");
    users.set_active(ada.id, false).await.expect("it is there");
    known.me().await.expect(401, "unauthenticated");
    assert_eq!(known.get("/feed").await.expect(200, "").text, "anonymous");
    users.set_active(ada.id, true).await.expect("it is there");
    known.me().await.expect(200, "");
}

#[tokio::test]
async fn a_backend_without_a_login_gives_no_credential() {
    let database = Database::in_memory().await;
    let users = keys::Users::connect(database.url(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let (client, _) = serve(keys::router(users).into_router()).await;
    let answer = client.log_in("ada@example.com", PASSWORD).await.expect(500, "internal");
    assert!(!answer.text.contains("credential"));
    // Logging out has nothing to end, and a new password needs no new key.
    let known = with_key(&client, "ada@example.com");
    known.log_out().await.expect(201, "");
    let change = json!({"password": "another long sentence", "current_password": PASSWORD});
    known.patch("/users/me", &change).await.expect(200, "");
    known.delete("/users/me", &json!({"current_password": "another long sentence"})).await.expect(204, "");
    known.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn s58_a_backend_that_cannot_tell_lets_nobody_in() {
    let database = Database::in_memory().await;
    let users = keys::Users::connect(database.url(), config()).await.expect("it starts");
    let (protected, public) = routes();
    let (client, _) = serve(keys::router(users).protected(protected).public(public).into_router()).await;
    let broken = with_key(&client, "broken");
    for path in ["/users/me", "/private", "/feed", "/open/1", "/demanding"] {
        let answer = broken.get(path).await.expect(503, "unavailable");
        assert!(!answer.text.contains("10.0.0.7"), "{path}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(client.get("/feed").await.expect(200, "").text, "anonymous");
}

#[tokio::test]
async fn a_backend_gives_the_credential_that_it_likes() {
    let database = Database::in_memory().await;
    let users = given::Users::connect(database.url(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let (client, _) = serve(given::router(users).into_router()).await;
    let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(answer.header(KEY), "ada@example.com");
    let known = with_key(&client, answer.header(KEY));
    known.me().await.expect(200, "");
    // The defaults of the trait are the safe ones.
    assert_eq!(client.me().await.header("www-authenticate"), "Bearer");
    let foreign = known.with_header("origin", "https://evil.example");
    foreign.patch("/users/me", &json!({"age": 31})).await.expect(403, "cross_origin");
    foreign.log_in("ada@example.com", PASSWORD).await.expect(403, "cross_origin");
}

#[tokio::test]
async fn the_first_backend_of_a_list_that_recognises_a_request_decides() {
    let database = Database::in_memory().await;
    let users = list::Users::connect(database.url(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    users.create_user(registration("ben@example.com")).await.expect("a user");
    let (protected, public) = routes();
    let (client, _) = serve(list::router(users).protected(protected).public(public).into_router()).await;
    let answer = client.me().await.expect(401, "unauthenticated");
    let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Session", "ApiKey", "Bearer"]);

    // The first with a login gives its credential, and it alone.
    let browser = client.fresh();
    let answer = browser.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    assert!(answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("authorization"));
    assert_eq!(browser.get("/private").await.expect(200, "").text, "ada@example.com");

    let key = with_key(&client.fresh(), "ben@example.com");
    assert_eq!(key.get("/private").await.expect(200, "").text, "ben@example.com");
    let both = with_key(&browser.snapshot(), "ben@example.com");
    assert_eq!(both.get("/private").await.expect(200, "").text, "ada@example.com");

    // A credential that is no good is not passed over in favour of a later one.
    let stale = with_key(&client.fresh(), "ben@example.com");
    stale.set_cookie("session", "junk");
    stale.get("/private").await.expect(401, "unauthenticated");
    assert_eq!(stale.get("/feed").await.expect(200, "").text, "anonymous");
    let unknown = with_key(&client.fresh(), "nobody@example.com");
    unknown.set_bearer(Some("junk"));
    unknown.get("/private").await.expect(401, "unauthenticated");

    // One backend of the list that browsers serve is enough for a page of another origin.
    let foreign = key.with_header("origin", "https://evil.example");
    foreign.post("/private", &json!({})).await.expect(403, "cross_origin");

    browser.log_out().await.expect(201, "");
    browser.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn a_list_of_two_serves_both_kinds() {
    let database = Database::in_memory().await;
    let users = jwt_first::Users::connect(database.url(), config()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let (client, _) = serve(jwt_first::router(users).into_router()).await;
    let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    assert!(!answer.headers.contains_key("set-cookie"));
    let copy = client.snapshot();
    assert!(copy.bearer().is_some());
    copy.me().await.expect(200, "");
    client.log_out().await.expect(201, "");
    copy.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn a_backend_may_be_given_as_a_value() {
    let users = users_runtime::UsersBuilder::<keys::App>::new(config(), ApiKeys, users_runtime::NoHooks);
    let database = Database::in_memory().await;
    let users = users.connect(database.url()).await.expect("it starts");
    users.create_user(registration("ada@example.com")).await.expect("a user");
    let (client, _) = serve(keys::router(users).into_router()).await;
    with_key(&client, "ada@example.com").me().await.expect(200, "");
}
