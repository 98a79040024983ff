//! An application for each backend and store, and a credential of a user's for each.

use std::path::Path;

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request, StatusCode, header},
};
use tower::ServiceExt;
use users_runtime::{
    Application, Config, Password, PasswordHash, SecretKey, UserModel, Users, UsersRouter, users_app,
};
use uuid::Uuid;

use crate::Failure;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// A user.
#[derive(Clone, Debug, UserModel)]
#[user(table = "users")]
pub struct User {
    #[user(id)]
    pub id: Uuid,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active)]
    pub is_active: bool,
    #[user(verified)]
    pub is_verified: bool,
    #[user(validate = length(2, 40))]
    pub display_name: Option<String>,
}

#[users_app(auth = "session", user = super::User)]
mod session {}

#[users_app(auth = "session_cookie", user = super::User)]
mod session_cookie {}

#[users_app(auth = "jwt", user = super::User)]
mod jwt {}

#[users_app(auth = "jwt_cookie", user = super::User)]
mod jwt_cookie {}

/// What a client shows.
pub type Credential = Vec<(HeaderName, HeaderValue)>;

/// A router and who asks it.
pub struct Target {
    /// The backend and the store, as two cells of a table.
    pub name: String,
    pub router: Router,
    pub credential: Credential,
}

/// Starts every application.
pub async fn start(
    folder: &Path,
    postgres: Option<&str>,
    redis: Option<&str>,
) -> Result<Vec<Target>, Failure> {
    let sqlite = format!("sqlite://{}", folder.join("users.db").display());
    let files = format!("file:{}", folder.join("sessions").display());
    let mut places = vec![
        ("SQLite", sqlite.as_str(), "database"),
        ("memory", &sqlite, "memory"),
        ("files", &sqlite, &files),
    ];
    places.extend(redis.map(|redis| ("Redis", sqlite.as_str(), redis)));
    places.extend(postgres.map(|postgres| ("PostgreSQL", postgres, "database")));
    let mut targets = Vec::new();
    for (store, database, setting) in places {
        targets.push(target::<session::App>("session", store, database, setting).await?);
        targets.push(target::<session_cookie::App>("session_cookie", store, database, setting).await?);
        targets.push(target::<jwt::App>("jwt", store, database, setting).await?);
        targets.push(target::<jwt_cookie::App>("jwt_cookie", store, database, setting).await?);
    }
    Ok(targets)
}

async fn target<A>(name: &str, store: &str, database: &str, setting: &str) -> Result<Target, Failure>
where
    A: Application<User = User>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let config =
        Config::new(SecretKey::generate()?).with_insecure_cookies(true).with_session_store(setting)?;
    let users = Users::<A>::connect(database, config).await?;
    if users.find_user(EMAIL).await?.is_none() {
        let registration = UserRegistration {
            email: EMAIL.to_owned(),
            password: Password::new(PASSWORD),
            display_name: None,
        };
        users.create_user(registration).await?;
    }
    let router = UsersRouter::new(users).into_router();
    let body = format!("{{\"email\": \"{EMAIL}\", \"password\": \"{PASSWORD}\"}}");
    let login = Request::post("/login").header(header::CONTENT_TYPE, "application/json");
    let response = router.clone().oneshot(login.body(Body::from(body))?).await?;
    if response.status() != StatusCode::CREATED {
        return Err(format!("{name} on {store}: the login answers {}", response.status()).into());
    }
    Ok(Target { name: format!("{name} | {store}"), credential: shown(name, response.headers())?, router })
}

/// What the client shows of what it was given.
fn shown(name: &str, headers: &axum::http::HeaderMap) -> Result<Credential, Failure> {
    if name == "jwt" {
        let token = headers.get(header::AUTHORIZATION).ok_or("a token")?;
        return Ok(vec![(header::AUTHORIZATION, token.clone())]);
    }
    let mut pairs = Vec::new();
    for cookie in headers.get_all(header::SET_COOKIE) {
        pairs.extend(cookie.to_str()?.split(';').next().map(str::to_owned));
    }
    Ok(vec![(header::COOKIE, HeaderValue::try_from(pairs.join("; "))?)])
}
