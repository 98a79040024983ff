//! Group `auth`.

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;
use serde::Serialize;

use crate::{
    app::{Application, AuthRoutes},
    auth::Credential,
    error::Error,
    json,
    model::UserModel,
    service::Users,
};

pub(super) fn public<A: Application>(paths: AuthRoutes) -> Router<Users<A>> {
    Router::new().route(paths.login, post(log_in::<A>))
}

pub(super) fn protected<A: Application>(paths: AuthRoutes) -> Router<Users<A>> {
    Router::new().route(paths.logout, post(log_out::<A>))
}

/// The body of a login when the client asked for the token with `?response=token` (RFC 6749, section 5.1).
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
}

async fn log_in<A: Application>(State(users): State<Users<A>>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let wants_token = parts.uri.query() == Some("response=token");
    let keys = [A::User::IDENTIFIER.field, "password"];
    let [identifier, password] = json::texts(&parts.headers, body, users.body_limit(), keys).await?;
    let (user, credential) = users.log_in(&parts, identifier.expose(), &password).await?;
    let response = match &credential.token {
        Some(token) if wants_token => Json(TokenResponse {
            access_token: &token.text,
            token_type: "Bearer",
            expires_in: token.expires_in,
        })
        .into_response(),
        _ => Json(user.to_read()).into_response(),
    };
    Ok((StatusCode::CREATED, with_credential(response, credential)).into_response())
}

async fn log_out<A: Application>(State(users): State<Users<A>>, request: Request) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let credential = users.log_out(&parts).await?;
    Ok(with_credential(StatusCode::CREATED.into_response(), credential))
}

/// A response that gives a client its credential, or takes it away.
pub(super) fn with_credential(mut response: Response, credential: Credential) -> Response {
    for (name, value) in credential.headers {
        response.headers_mut().append(name, value);
    }
    response
}
