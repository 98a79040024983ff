//! The routes of the application's own: protected, excluded and public ones.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use serde::Serialize;
use users_runtime::{Application, CurrentUser, Error, Users};

use crate::accounts::User;

/// Routes that need a login, unless `exclude` names them.
pub fn protected() -> Router {
    Router::new()
        .route("/private", get(private))
        .route("/admin-only", get(admin_only))
        .route("/files/{*path}", get(file))
        .route("/public/ping", get(ping))
}

/// Routes for everybody.
pub fn public() -> Router {
    Router::new().route("/feed", get(feed))
}

/// Routes for whoever runs the server: alive, and ready to serve.
pub fn probes<A: Application>(users: Users<A>) -> Router {
    Router::new().route("/healthz", get(ping)).route("/readyz", get(ready::<A>)).with_state(users)
}

#[derive(Serialize)]
struct Private {
    email: String,
}

async fn private(user: CurrentUser<User>) -> Json<Private> {
    Json(Private { email: user.email.clone() })
}

async fn admin_only(user: CurrentUser<User>) -> Result<Json<Private>, Error> {
    if user.has_role("administrator") { Ok(private(user).await) } else { Err(Error::Forbidden) }
}

#[derive(Serialize)]
struct File {
    path: String,
}

async fn file(_user: CurrentUser<User>, Path(path): Path<String>) -> Json<File> {
    Json(File { path })
}

#[derive(Serialize)]
struct Feed {
    anonymous: bool,
    email: Option<String>,
}

async fn feed(user: Option<CurrentUser<User>>) -> Json<Feed> {
    Json(Feed { anonymous: user.is_none(), email: user.map(|user| user.email.clone()) })
}

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

async fn ping() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

async fn ready<A: Application>(State(users): State<Users<A>>) -> Result<Json<Alive>, Error> {
    users.ping().await?;
    Ok(ping().await)
}
