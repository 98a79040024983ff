//! The client in Rust: what it sends and reads, and servers that it does not trust. The whole life of a user through it is
//! among the tests of the reference application.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use users_runtime::{
    Config, Error as ServerError, EventKind, EventOutcome, EventQuery, ListQuery, Parts, Password, Principal,
    ProblemCode, Registration, Scope, SecretKey, UsersRouter,
    client::{Error, RequestBody},
};
use users_tests::{
    App, Kind, Mailbox, PASSWORD,
    commands::plain::{
        App as Plain, Client, User, UserAdminUpdate, UserFilter, UserRead, UserRegistration, UserUpdate,
        Users,
    },
};

async fn serve(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    origin
}

fn registration(email: &str, age: Option<i64>) -> UserRegistration {
    UserRegistration { email: email.to_owned(), password: Password::new(PASSWORD), display_name: None, age }
}

async fn users() -> Users {
    users_with(|config| config).await
}

async fn users_with(change: impl FnOnce(Config) -> Config) -> Users {
    let config = Config::new(SecretKey::generate().expect("randomness"))
        .with_insecure_cookies(true)
        .with_mail_transport(Mailbox::default());
    let users = Users::connect("sqlite::memory:", change(config)).await.expect("it starts");
    for (email, age) in
        [("root@example.com", None), ("ada@example.com", Some(36)), ("bob@example.com", Some(7))]
    {
        let user = users.create_user(registration(email, age)).await.expect("a user");
        if email.starts_with("root") {
            users.grant(user.id, "administrator").await.expect("the role");
        }
    }
    users
}

async fn logged_in(origin: &str) -> Client {
    let client = Client::new(origin).expect("an address");
    client.log_in("root@example.com", &Password::new(PASSWORD)).await.expect("a login");
    client
}

#[test]
fn a_body_has_the_password_and_nothing_that_was_not_said() {
    let json = |body: &dyn Fn() -> Result<Value, serde_json::Error>| body().expect("JSON");
    let ada = registration("ada@example.com", None);
    assert_eq!(json(&|| ada.to_json()), json!({ "email": "ada@example.com", "password": PASSWORD }));
    assert!(!format!("{ada:?}").contains(PASSWORD));
    assert_eq!(json(&|| UserUpdate::default().to_json()), json!({}));
    let update = UserUpdate {
        display_name: Some(None),
        age: Some(8),
        current_password: Some(Password::new("x")),
        ..UserUpdate::default()
    };
    assert_eq!(
        json(&|| update.to_json()),
        json!({ "display_name": null, "age": 8, "current_password": "x" })
    );
    let reset =
        UserAdminUpdate { send_password_reset: true, is_active: Some(false), ..UserAdminUpdate::default() };
    assert_eq!(json(&|| reset.to_json()), json!({ "send_password_reset": true, "is_active": false }));
    assert_eq!(json(&|| UserFilter { age: Some(7), ..UserFilter::default() }.to_json()), json!({ "age": 7 }));
}

#[test]
fn a_newer_server_may_show_more_and_none_may_show_less() {
    let user = json!({ "id": "01900000-0000-7000-8000-000000000000", "email": "ada@example.com", "is_active": true,
        "is_verified": false, "age": 36, "score": 0.5, "planet": "earth" });
    let read: UserRead = serde_json::from_value(user.clone()).expect("a user");
    assert_eq!((read.age, read.display_name), (36, None));
    for (key, reason) in [("age", "missing field `age`"), ("is_active", "missing field `is_active`")] {
        let mut less = user.clone();
        less.as_object_mut().expect("an object").remove(key);
        let error = serde_json::from_value::<UserRead>(less).expect_err("something is missing");
        assert_eq!(error.to_string(), reason);
    }
    let mut wrong = user;
    wrong["age"] = "old".into();
    let error = serde_json::from_value::<UserRead>(wrong).expect_err("that is no number");
    assert!(error.to_string().starts_with("`age`: invalid type: string"), "{error}");
}

#[tokio::test]
async fn lists_are_asked_for_with_a_typed_filter() {
    let client = logged_in(&serve(UsersRouter::new(users().await).into_router()).await).await;
    let emails = async |query: ListQuery<User>| {
        let page = client.list_users(&query).await.expect("a page");
        page.items.iter().map(|user| user.email.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        emails(ListQuery::new().with_filter(UserFilter { age: Some(7), ..UserFilter::default() })).await,
        ["bob@example.com"]
    );
    let oldest = ListQuery::new().with_sort("-age").with_limit(2);
    assert_eq!(emails(oldest).await, ["ada@example.com", "root@example.com"]);
    assert_eq!(emails(ListQuery::new().with_search("a&b=c #?é")).await, [""; 0]);
    let refused =
        client.list_users(&ListQuery::new().with_sort("password_hash")).await.expect_err("no such order");
    assert_eq!(refused.code(), Some(&ProblemCode::ValidationFailed));
}

#[tokio::test]
async fn events_come_page_by_page_to_their_owner_and_to_administrators() {
    let users = users().await;
    let bob = users.find_user("bob@example.com").await.expect("an answer").expect("a user").id;
    let root = logged_in(&serve(UsersRouter::new(users).into_router()).await).await;
    root.update_user(bob, &UserAdminUpdate { is_active: Some(false), ..UserAdminUpdate::default() })
        .await
        .expect("a change");
    let own = root.events(&EventQuery::new().with_kind(EventKind::Login)).await.expect("a page");
    assert_eq!((own.items[0].kind, own.items[0].outcome), (EventKind::Login, EventOutcome::Success));
    let first = root.events_of(bob, &EventQuery::new().with_limit(1)).await.expect("a page");
    assert_eq!((first.items.len(), first.items[0].kind), (1, EventKind::Deactivated));
    assert_eq!(first.items[0].user_id.as_deref(), Some(bob.to_string().as_str()));
    let next = first.next.expect("he was registered before that");
    let rest = root.events_of(bob, &EventQuery::new().with_after(next)).await.expect("a page");
    assert!(rest.items.iter().all(|event| event.id < first.items[0].id), "{rest:?}");
    assert!(rest.items.iter().any(|event| event.kind == EventKind::Registered), "{rest:?}");
    let refused = root.events(&EventQuery::new().with_after("x")).await.expect_err("no such page");
    assert_eq!(refused.code(), Some(&ProblemCode::ValidationFailed));
}

#[tokio::test]
async fn an_administrator_sees_a_lock_lifts_it_and_ends_sessions() {
    let users = users().await;
    let ada = users.find_user("ada@example.com").await.expect("an answer").expect("a user").id;
    let origin = serve(UsersRouter::new(users).into_router()).await;
    let root = logged_in(&origin).await;
    let client = Client::new(&origin).expect("an address");
    client.log_in("ada@example.com", &Password::new(PASSWORD)).await.expect("a login");
    assert_eq!(root.account_lock(ada).await.expect("a lock").failures, 0);
    let guesser = Client::new(&origin).expect("an address");
    for _ in 0..5 {
        let wrong = guesser.log_in("ada@example.com", &Password::new("not the password")).await;
        assert_eq!(wrong.expect_err("wrong").code(), Some(&ProblemCode::BadCredentials));
    }
    let lock = root.account_lock(ada).await.expect("a lock");
    assert_eq!((lock.failures, lock.locked_until.is_some()), (5, true));
    let right = async || guesser.log_in("ada@example.com", &Password::new(PASSWORD)).await;
    assert_eq!(right().await.expect_err("locked").code(), Some(&ProblemCode::TooManyRequests));
    root.lift_account_lock(ada).await.expect("no lock");
    assert_eq!(root.account_lock(ada).await.expect("a lock").locked_until, None);
    right().await.expect("a login");
    client.me().await.expect("the other login is as it was");
    root.end_sessions_of(ada).await.expect("an end");
    assert_eq!(client.me().await.expect_err("out").code(), Some(&ProblemCode::Unauthenticated));
}

#[tokio::test]
async fn a_user_is_invited_and_registers_with_the_invitation() {
    let mailbox = Mailbox::default();
    let (transport, role) = (mailbox.clone(), "administrator");
    let users = users_with(|config| {
        config.with_mail_transport(transport).with_registration(Registration::InviteOnly)
    });
    let origin = serve(UsersRouter::new(users.await).into_router()).await;
    let root = logged_in(&origin).await;
    let stranger = Client::new(&origin).expect("an address");
    let grace = registration("grace@example.com", Some(40));
    stranger.register(&grace).await.expect_err("nobody has invited her");
    root.invite_user("grace@example.com", &[role]).await.expect("an invitation");
    let invitation = Password::new(mailbox.token("grace@example.com", 1).await);
    let registered = stranger.register_invited(&grace, &invitation).await.expect("a user");
    assert_eq!((registered.email.as_str(), registered.age), ("grace@example.com", 40));
    let again = stranger.register_invited(&registration("alan@example.com", None), &invitation).await;
    again.expect_err("it is for one");
    stranger.log_in("grace@example.com", &Password::new(PASSWORD)).await.expect("a login");
    assert_eq!(stranger.me().await.expect("a user").roles[0].name, role);
}

#[tokio::test]
async fn a_private_registration_is_answered_without_a_user() {
    let origin = serve(
        UsersRouter::new(users_with(|config| config.with_registration(Registration::Private)).await)
            .into_router(),
    );
    let client = Client::new(&origin.await).expect("an address");
    for email in ["grace@example.com", "ada@example.com"] {
        client.register_privately(&registration(email, None)).await.expect("the same for both");
    }
}

#[tokio::test]
async fn users_export_and_delete_their_own_account() {
    let app = App::start(Kind::Session).await;
    app.verified("ada@example.com").await;
    let client = users_tests::apps::session::Client::new(&app.base).expect("an address");
    client.log_in("ada@example.com", &Password::new(PASSWORD)).await.expect("a login");
    let export = client.export_me().await.expect("what is known");
    assert!(Value::Object(export).to_string().contains("ada@example.com"));
    client.delete_me(&Password::new("not the password")).await.expect_err("that is not the password");
    client.delete_me(&Password::new(PASSWORD)).await.expect("a deletion");
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
    assert_eq!(client.me().await.expect_err("out").code(), Some(&ProblemCode::Unauthenticated));
}

/// What the application shows instead.
#[derive(Debug, Serialize, Deserialize)]
struct Card {
    name: String,
}

async fn cards(_users: Scope<Plain>, shown: Vec<Arc<Principal<User>>>) -> Result<Vec<Card>, ServerError> {
    Ok(shown.iter().map(|user| Card { name: user.email.clone() }).collect())
}

async fn refuse(
    _: Scope<Plain>,
    request: Parts,
    _: UserRegistration,
) -> Result<Principal<User>, ServerError> {
    let said = request.headers.get("x-team").is_some_and(|team| team == "red");
    Err(ServerError::refused(if said { "red" } else { "nobody" }, "register elsewhere"))
}

#[tokio::test]
async fn an_application_shows_users_in_its_own_form_and_refuses_with_codes_of_its_own() {
    let router = UsersRouter::new(users().await).with_read(cards).with_register(refuse);
    let origin = serve(router.into_router()).await;
    let client = Client::new(&origin).expect("an address");
    let cards = client.showing::<Card>();
    let card = cards.log_in("ada@example.com", &Password::new(PASSWORD)).await.expect("a login");
    assert_eq!(card.name, "ada@example.com");
    assert_eq!(cards.me().await.expect("a card").name, "ada@example.com");
    // The credential is that of both.
    assert!(matches!(client.me().await, Err(Error::Unexpected { status: StatusCode::OK, .. })));
    let update = UserUpdate { age: Some(8), ..UserUpdate::default() }.to_json().expect("JSON");
    let changed: Card = client.call(reqwest::Method::PATCH, "/users/me", &update).await.expect("a card");
    assert_eq!(changed.name, "ada@example.com");

    let ada = registration("grace@example.com", None);
    let refused = cards.register(&ada).await.expect_err("a refusal");
    assert_eq!(refused.code(), Some(&ProblemCode::Other("nobody".into())));
    let red = cards.clone().with_header("x-team", "red").expect("a header");
    assert_eq!(red.register(&ada).await.expect_err("a refusal").code().map(ProblemCode::as_str), Some("red"));
    assert!(matches!(client.with_header("x\ny", "z"), Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_crooked_server_gets_little() {
    let (seen, elsewhere) = (Arc::new(AtomicUsize::new(0)), serve(Router::new()).await);
    let counted = Arc::clone(&seen);
    let trap = serve(Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "{}" }
    }))
    .await;
    let routes = Router::new()
        .route("/login", post(move || async move { Redirect::temporary(&trap) }))
        .route("/users/me", get(|| async { vec![b' '; 5 * 1024 * 1024] }))
        .route("/slow", get(std::future::pending::<()>))
        .route("/page", get(|| async { (StatusCode::BAD_GATEWAY, "<html>") }))
        .route(
            "/busy",
            get(|| async {
                let body = json!({ "code": "overloaded", "detail": "later" }).to_string();
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "7")], body).into_response()
            }),
        );
    let client = Client::new(&serve(routes).await).expect("an address");
    let login = client.log_in("ada@example.com", &Password::new(PASSWORD)).await;
    assert!(
        matches!(login, Err(Error::Unexpected { status: StatusCode::TEMPORARY_REDIRECT, .. })),
        "{login:?}"
    );
    assert_eq!(seen.load(Ordering::Relaxed), 0, "the password went elsewhere");
    assert!(matches!(client.me().await, Err(Error::TooLarge(_))));
    assert!(matches!(
        client.clone().with_answer_limit(6 * 1024 * 1024).me().await,
        Err(Error::Unexpected { .. })
    ));
    let slow = client.clone().with_timeout(Duration::from_millis(50)).get::<Value>("/slow").await;
    assert!(matches!(&slow, Err(Error::Http(error)) if error.is_timeout()), "{slow:?}");
    let page = client.get::<Value>("/page").await;
    assert!(matches!(page, Err(Error::Unexpected { status: StatusCode::BAD_GATEWAY, .. })), "{page:?}");
    match client.get::<Value>("/busy").await {
        Err(Error::Problem(problem)) => {
            assert_eq!(problem.code, ProblemCode::Overloaded);
            assert_eq!(problem.retry_after, Some(Duration::from_secs(7)));
        }
        other => panic!("{other:?}"),
    }
    let nobody = Client::new(&elsewhere).expect("an address").with_bearer(Password::new("a\nb"));
    assert!(matches!(nobody.me().await, Err(Error::Invalid(_))));
    assert!(matches!(nobody.without_credential().me().await, Err(Error::Unexpected { .. })));
}
