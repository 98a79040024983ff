//! The routes for keys, and those that keys are for.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{delete, get, post},
};
use serde::{Deserialize, Serialize};
use users_runtime::{Error, FieldErrors, Violation};
use uuid::Uuid;

use crate::{
    accounts::{self, CurrentUser},
    guards::{LoggedIn, SCOPES, requires_scope},
    key::Key,
    store::{Keys, ListedKey},
};

/// What only people do who are logged in.
pub fn with_login(keys: Keys) -> Router {
    Router::new()
        .route("/keys", get(list).post(create))
        .route("/keys/{id}", delete(revoke))
        .route_layer(accounts::guard(LoggedIn))
        .with_state(keys)
}

/// What keys may do, too, each with its scope.
pub fn with_key() -> Router {
    let reading = Router::new()
        .route("/reports", get(|user: CurrentUser| async move { format!("reports for {}\n", user.email) }))
        .route_layer(accounts::guard(requires_scope("reports:read")));
    let writing = Router::new()
        .route("/reports", post(|user: CurrentUser| async move { format!("a report by {}\n", user.email) }))
        .route_layer(accounts::guard(requires_scope("reports:write")));
    reading.merge(writing)
}

/// The body of a request for a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    name: String,
    scopes: Vec<String>,
}

impl NewKey {
    fn check(&self) -> Result<(), Error> {
        let mut errors = FieldErrors::default();
        if !(1..=60).contains(&self.name.chars().count()) {
            errors.push("name", Violation::new("length", "write 1 to 60 characters"));
        }
        if self.scopes.is_empty() || !self.scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())) {
            let known = format!("write at least one of {}", SCOPES.join(", "));
            errors.push("scopes", Violation::new("unknown_scope", known));
        }
        errors.into_result().map_err(Error::Validation)
    }
}

/// The answer to it, the only one that ever shows the key.
#[derive(Serialize)]
struct MadeKey {
    key: String,
    id: Uuid,
}

async fn create(
    State(keys): State<Keys>,
    user: CurrentUser,
    Json(new): Json<NewKey>,
) -> Result<impl IntoResponse, Error> {
    new.check()?;
    let key = Key::random()?;
    keys.insert(&key, user.id, &new.name, &new.scopes.join(" ")).await?;
    let made = MadeKey { key: key.expose(), id: key.id };
    // Nobody on the way keeps it.
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(made)))
}

async fn list(State(keys): State<Keys>, user: CurrentUser) -> Result<Json<Vec<ListedKey>>, Error> {
    Ok(Json(keys.of_user(user.id).await?))
}

async fn revoke(
    State(keys): State<Keys>,
    user: CurrentUser,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Error> {
    if keys.revoke(id, user.id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Error::NotFound) }
}
