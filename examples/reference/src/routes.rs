//! The routes of the application's own: protected, excluded and public ones.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use reference::accounts::User;
use serde::Serialize;
use users_runtime::{
    Application, CurrentUser, Error, Users,
    utoipa::{self, ToSchema},
};

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
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready::<A>)).with_state(users)
}

#[derive(Serialize, ToSchema)]
struct Private {
    email: String,
}

/// Any user
#[utoipa::path(
    get,
    path = "/private",
    tag = "Application",
    operation_id = "private",
    responses(
        (status = 200, description = "Who the user is.", body = Private),
        (status = 401, description = "Without a login.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json"),
        (status = 403, description = "Not verified.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json")
    )
)]
async fn private(user: CurrentUser<User>) -> Json<Private> {
    Json(Private { email: user.email.clone() })
}

/// Administrators
#[utoipa::path(
    get,
    path = "/admin-only",
    tag = "Application",
    operation_id = "admin_only",
    responses(
        (status = 200, description = "Who the administrator is.", body = Private),
        (status = 401, description = "Without a login.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json"),
        (status = 403, description = "Not an administrator, or not verified.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json")
    )
)]
async fn admin_only(user: CurrentUser<User>) -> Result<Json<Private>, Error> {
    if user.has_role("administrator") { Ok(private(user).await) } else { Err(Error::Forbidden) }
}

#[derive(Serialize, ToSchema)]
struct File {
    path: String,
}

/// Any user, for any path
///
/// The path may have several segments, which OpenAPI has no words for: a client that writes `/` as `%2F` is answered alike.
#[utoipa::path(
    get,
    path = "/files/{path}",
    tag = "Application",
    operation_id = "file",
    params(("path" = String, Path, description = "The rest of the path.")),
    responses(
        (status = 200, description = "The path.", body = File),
        (status = 400, description = "The path is no UTF-8.", body = String, content_type = "text/plain"),
        (status = 401, description = "Without a login.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json"),
        (status = 403, description = "Not verified.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json")
    )
)]
async fn file(_user: CurrentUser<User>, Path(path): Path<String>) -> Json<File> {
    Json(File { path })
}

#[derive(Serialize, ToSchema)]
struct Feed {
    anonymous: bool,
    #[schema(required)]
    email: Option<String>,
}

/// Everybody, and who they are
#[utoipa::path(
    get,
    path = "/feed",
    tag = "Application",
    operation_id = "feed",
    responses(
        (status = 200, description = "Who asks.", body = Feed),
        (status = 503, description = "The database does not answer.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json")
    )
)]
async fn feed(user: Option<CurrentUser<User>>) -> Json<Feed> {
    Json(Feed { anonymous: user.is_none(), email: user.map(|user| user.email.clone()) })
}

#[derive(Serialize, ToSchema)]
struct Alive {
    status: &'static str,
}

/// Everybody, among the routes that need a login
#[utoipa::path(
    get,
    path = "/public/ping",
    tag = "Application",
    operation_id = "ping",
    responses((status = 200, description = "It serves.", body = Alive))
)]
async fn ping() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Whether the process lives
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Application",
    operation_id = "alive",
    responses((status = 200, description = "It does.", body = Alive))
)]
async fn alive() -> Json<Alive> {
    ping().await
}

/// Whether the database and the store of sessions answer
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Application",
    operation_id = "ready",
    responses(
        (status = 200, description = "They do.", body = Alive),
        (status = 503, description = "One does not.", body = ref("#/components/schemas/Problem"), content_type = "application/problem+json")
    )
)]
async fn ready<A: Application>(State(users): State<Users<A>>) -> Result<Json<Alive>, Error> {
    users.ping().await?;
    Ok(ping().await)
}
