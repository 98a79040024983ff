//! Group `password_reset`.

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use http::StatusCode;

use crate::{
    app::{Application, PasswordResetRoutes},
    error::Error,
    json,
    model::UserModel,
    service::Users,
};

pub(super) fn public<A: Application>(paths: PasswordResetRoutes) -> Router<Users<A>> {
    Router::new().route(paths.forgot, post(forgot::<A>)).route(paths.reset, post(reset::<A>))
}

async fn forgot<A: Application>(
    State(users): State<Users<A>>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let key = A::User::IDENTIFIER.field;
    let [identifier] = json::texts(&parts.headers, body, users.body_limit(), [key]).await?;
    users.forgot_password(identifier.expose()).await?;
    Ok(StatusCode::CREATED)
}

async fn reset<A: Application>(State(users): State<Users<A>>, request: Request) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let keys = ["token", "password"];
    let [token, password] = json::texts(&parts.headers, body, users.body_limit(), keys).await?;
    users.reset_password(&parts, token.expose(), &password).await?;
    Ok(StatusCode::CREATED)
}
