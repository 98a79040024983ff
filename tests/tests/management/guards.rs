//! Guards before routes and in the arguments of handlers, over HTTP.

use std::time::Duration;

use axum::{
    Router,
    routing::{get, post},
};
use users_runtime::{
    Backend, Config, Directory, Error, Guard, Guarded, Parts, Password, Principal, Recognition, Roles,
    SecretKey, Verified, all_of, any_of, both, either, recently_authenticated, recently_authenticated_within,
    verified, when,
};
use users_tests::{Client, Database, PASSWORD, apps::User, apps::UserRegistration, now};

/// The roles that the program knows.
#[derive(Debug, Clone, Copy, Roles)]
pub enum Known {
    Accountant,
    NightWatch,
}

/// A backend that takes a request's word for who it is from, and for when they logged in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Badge;

impl Backend<User> for Badge {
    async fn authenticate(
        &self,
        directory: &Directory<User>,
        request: &Parts,
    ) -> Result<Recognition<User>, Error> {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let Some(badge) = header("x-badge") else { return Ok(Recognition::Absent) };
        let Some(user) = directory.user_by_identifier(badge).await? else { return Ok(Recognition::Refused) };
        let at = header("x-badge-at").and_then(|at| at.parse().ok());
        Ok(Recognition::Accepted(match at {
            Some(at) => user.with_authenticated_at(at),
            None => user,
        }))
    }
}

/// The application.
#[users_runtime::users_app(
    auth = super::Badge,
    user = users_tests::apps::User,
    seed = super::Known,
    exclude = ["/excluded"],
    routes(
        auth,
        current_user(guard = |user| user.age >= 18),
        users(guard = users_runtime::any_of([super::Known::NightWatch, super::Known::Accountant])),
        docs,
    )
)]
pub mod office {}

/// A guard with a name.
#[derive(Default)]
struct Adult;

impl Guard<User> for Adult {
    fn allows(&self, user: &Principal<User>) -> bool {
        user.age >= 18
    }

    fn refusal(&self, user: &Principal<User>) -> Error {
        Error::refused("too_young", format!("come back in {} years", 18 - user.age))
    }
}

/// A handler behind layers.
async fn pass() -> &'static str {
    "passed"
}

fn protected() -> Router {
    let books = Router::new()
        .route("/", get(pass).post(pass))
        .route("/ledger", get(pass))
        .route_layer(office::guard(Known::Accountant));
    let house = Router::new()
        .route("/lobby", get(pass))
        .nest("/books", books)
        .route_layer(office::guard(any_of([Known::Accountant, Known::NightWatch])));
    Router::new()
        .route("/anyone", get(pass))
        .route("/excluded", get(pass).route_layer(office::guard(Known::NightWatch)))
        .nest("/house", house)
        .route("/all", get(pass).layer(office::guard(all_of(["accountant", "night_watch"]))))
        .route("/none", get(pass).layer(office::guard(any_of::<&str>([]))))
        .route("/no-condition", get(pass).layer(office::guard(all_of::<&str>([]))))
        .route("/vault", get(pass).layer(office::guard(recently_authenticated())))
        .route(
            "/hour",
            get(pass).layer(office::guard(recently_authenticated_within(Duration::from_hours(1)))),
        )
        .route("/verified", get(pass).layer(office::guard(verified())))
        .route("/adult", get(|user: office::Guarded<Adult>| async move { user.email.clone() }))
        .route("/both", get(pass).layer(office::guard(both(Adult, Known::Accountant))))
        .route("/either", get(pass).layer(office::guard(either(Adult, Known::Accountant))))
        .route("/odd", get(pass).layer(office::guard(when(|user: &Principal<User>| user.age % 2 == 1))))
}

struct Office {
    users: office::Users,
    client: Client,
    _database: Database,
}

impl Office {
    async fn open() -> Self {
        let database = Database::new().await;
        let config = Config::new(SecretKey::generate().expect("randomness")).with_app_name("Tests");
        let users = office::Users::connect(database.url(), config).await.expect("it starts");
        let public = Router::new()
            .route("/open", get(pass))
            .route("/staff", post(pass))
            .route_layer(office::guard(Known::NightWatch))
            .route("/street", get(pass));
        let router = office::router(users.clone()).protected(protected()).public(public).into_router();
        Self { users, client: serve(router).await, _database: database }
    }

    async fn hire(&self, email: &str, age: i64, roles: &[&str]) -> User {
        let registration = UserRegistration {
            email: email.to_owned(),
            password: Password::new(PASSWORD),
            display_name: None,
            age: Some(age),
        };
        let user = self.users.create_user(registration).await.expect("a user");
        for role in roles {
            self.users.grant(user.id, role).await.expect("a role");
        }
        user
    }

    fn with_badge(&self, email: &str) -> Client {
        self.client.with_header("x-badge", email)
    }
}

async fn serve(router: Router) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("the server runs") });
    Client::new(base)
}

#[track_caller]
fn assert_passed(answer: &users_tests::Answer) {
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "passed"));
}

#[tokio::test]
async fn a_guard_never_sees_an_anonymous_request() {
    let office = Office::open().await;
    for path in [
        "/anyone",
        "/excluded",
        "/house/lobby",
        "/house/books",
        "/house/books/ledger",
        "/all",
        "/none",
        "/vault",
        "/verified",
        "/adult",
        "/both",
        "/either",
        "/odd",
        "/open",
    ] {
        let answer = office.client.get(path).await.expect(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{path}");
        office.with_badge("nobody@example.com").get(path).await.expect(401, "unauthenticated");
    }
    assert_passed(&office.client.get("/street").await);
}

#[tokio::test]
async fn conditions_of_nested_routers_add_up() {
    let office = Office::open().await;
    office.hire("plain@example.com", 40, &[]).await;
    office.hire("watch@example.com", 40, &["night_watch"]).await;
    office.hire("ada@example.com", 40, &["accountant"]).await;
    for (email, lobby, ledger) in
        [("plain@example.com", 403, 403), ("watch@example.com", 200, 403), ("ada@example.com", 200, 200)]
    {
        let client = office.with_badge(email);
        assert_passed(&client.get("/anyone").await);
        assert_eq!(client.get("/house/lobby").await.status, lobby, "{email}");
        for path in ["/house/books", "/house/books/ledger"] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, ledger, "{email} {path}");
            assert!(ledger == 200 || answer.code() == "forbidden", "{}", answer.text);
        }
        assert_eq!(client.post("/house/books", &serde_json::json!({})).await.status, ledger, "{email}");
    }
}

#[tokio::test]
async fn an_open_route_with_a_guard_is_closed_to_others() {
    let office = Office::open().await;
    office.hire("plain@example.com", 40, &[]).await;
    office.hire("watch@example.com", 40, &["night_watch"]).await;
    for path in ["/excluded", "/open"] {
        office.with_badge("plain@example.com").get(path).await.expect(403, "forbidden");
        assert_passed(&office.with_badge("watch@example.com").get(path).await);
    }
}

#[tokio::test]
async fn a_route_group_is_for_whom_its_guard_names_and_for_nobody_else() {
    let office = Office::open().await;
    office.hire("child@example.com", 9, &["night_watch"]).await;
    office.hire("chief@example.com", 41, &["administrator"]).await;
    for path in ["/users/me", "/users"] {
        office.client.get(path).await.expect(401, "unauthenticated");
    }
    let child = office.with_badge("child@example.com");
    child.get("/users/me").await.expect(403, "forbidden");
    assert_eq!(child.get("/users").await.status, 200);
    let chief = office.with_badge("chief@example.com");
    assert_eq!(chief.get("/users/me").await.status, 200);
    chief.get("/users").await.expect(403, "forbidden");
}

#[tokio::test]
async fn s25_a_role_counts_from_the_next_request_on() {
    let office = Office::open().await;
    let user = office.hire("ada@example.com", 40, &[]).await;
    let client = office.with_badge("ada@example.com");
    client.get("/house/lobby").await.expect(403, "forbidden");
    office.users.grant(user.id, Known::NightWatch).await.expect("a role");
    assert_passed(&client.get("/house/lobby").await);
    office.users.withdraw(user.id, Known::NightWatch).await.expect("no role");
    client.get("/house/lobby").await.expect(403, "forbidden");
}

#[tokio::test]
async fn lists_of_roles_ask_for_one_or_for_all_and_open_nothing_when_they_are_empty() {
    let office = Office::open().await;
    office.hire("one@example.com", 40, &["accountant"]).await;
    office.hire("two@example.com", 40, &["accountant", "night_watch"]).await;
    office.with_badge("one@example.com").get("/all").await.expect(403, "forbidden");
    let client = office.with_badge("two@example.com");
    assert_passed(&client.get("/all").await);
    client.get("/none").await.expect(403, "forbidden");
    client.get("/no-condition").await.expect(403, "forbidden");
}

#[tokio::test]
async fn a_recent_login_is_asked_for_and_a_login_without_a_date_is_not_recent() {
    let office = Office::open().await;
    office.hire("ada@example.com", 40, &[]).await;
    let client = office.with_badge("ada@example.com");
    let logged_in = |minutes: i64| {
        let at = now() - minutes * 60_000;
        client.with_header("x-badge-at", &at.to_string())
    };
    assert_passed(&logged_in(0).get("/vault").await);
    assert_passed(&logged_in(4).get("/vault").await);
    let answer = logged_in(6).get("/vault").await.expect(403, "reauthentication_required");
    assert_eq!(answer.json()["detail"], "log in again to do this");
    assert_passed(&logged_in(6).get("/hour").await);
    logged_in(-6).get("/vault").await.expect(403, "reauthentication_required");
    client.get("/vault").await.expect(403, "reauthentication_required");
    client.get("/hour").await.expect(403, "reauthentication_required");
}

#[tokio::test]
async fn a_guard_says_why_it_refuses() {
    let office = Office::open().await;
    let child = office.hire("child@example.com", 9, &[]).await;
    office.hire("clerk@example.com", 9, &["accountant"]).await;
    office.hire("ada@example.com", 41, &[]).await;
    let client = office.with_badge("child@example.com");

    office.users.set_verified(child.id, false).await.expect("the user");
    client.get("/verified").await.expect(403, "not_verified");
    let answer = client.get("/adult").await.expect(403, "too_young");
    assert_eq!(answer.json()["detail"], "come back in 9 years");
    client.get("/both").await.expect(403, "too_young");
    client.get("/either").await.expect(403, "forbidden");
    assert_passed(&client.get("/odd").await);

    let clerk = office.with_badge("clerk@example.com");
    clerk.get("/both").await.expect(403, "too_young");
    assert_passed(&clerk.get("/either").await);

    let ada = office.with_badge("ada@example.com");
    assert_eq!(ada.get("/adult").await.text, "ada@example.com");
    assert_passed(&ada.get("/verified").await);
    ada.get("/both").await.expect(403, "forbidden");
    assert_passed(&ada.get("/either").await);
}

#[tokio::test]
async fn a_guard_outside_of_the_librarys_router_lets_nobody_pass() {
    async fn handler(_: Guarded<User, Verified>) -> &'static str {
        "passed"
    }
    let router = Router::new()
        .route("/layer", get(pass))
        .route_layer(office::guard(verified()))
        .route("/argument", get(handler));
    let client = serve(router).await.with_header("x-badge", "ada@example.com");
    for path in ["/layer", "/argument"] {
        client.get(path).await.expect(500, "internal");
    }
}
