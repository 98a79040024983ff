//! Group `register`.

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;

use crate::{
    app::{Application, RegisterRoutes},
    error::Error,
    json,
    model::UserModel,
    service::Users,
};

pub(super) fn public<A: Application>(paths: RegisterRoutes) -> Router<Users<A>> {
    Router::new().route(paths.path, post(register::<A>))
}

async fn register<A: Application>(
    State(users): State<Users<A>>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let registration = json::dto(&parts.headers, body, users.body_limit()).await?;
    let user = users.register(&parts, registration).await?;
    Ok((StatusCode::CREATED, Json(user.to_read())).into_response())
}
