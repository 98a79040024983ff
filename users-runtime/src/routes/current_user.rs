//! Group `current_user`.

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde::Serialize;

use super::auth::with_credential;
use crate::{
    app::{Application, CurrentUserRoutes},
    error::Error,
    extract::CurrentUser,
    json,
    model::UserModel,
    service::Users,
};

pub(super) fn protected<A: Application>(paths: CurrentUserRoutes) -> Router<Users<A>> {
    let mut methods = get(read::<A>).patch(update::<A>);
    if paths.delete {
        methods = methods.delete(delete::<A>);
    }
    Router::new().route(paths.path, methods)
}

async fn read<A: Application>(user: CurrentUser<A::User>) -> Response {
    Json(user.to_read()).into_response()
}

/// The answer to a change: the user, and the identifier that waits for its confirmation.
#[derive(Serialize)]
struct UpdateResponse<R> {
    #[serde(flatten)]
    user: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_identifier: Option<String>,
}

async fn update<A: Application>(
    State(users): State<Users<A>>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let update = json::dto(&parts.headers, body, users.body_limit()).await?;
    let updated = users.update_account(&parts, user.principal(), &update).await?;
    let body =
        UpdateResponse { user: updated.user.to_read(), pending_identifier: updated.pending_identifier };
    Ok(with_credential(Json(body).into_response(), updated.credential.unwrap_or_default()))
}

async fn delete<A: Application>(
    State(users): State<Users<A>>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let [current] = json::texts(&parts.headers, body, users.body_limit(), ["current_password"]).await?;
    let credential = users.delete_account(&parts, user.principal(), &current).await?;
    Ok(with_credential(StatusCode::NO_CONTENT.into_response(), credential))
}
