//! Group `auth`.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde::Serialize;

use super::{Generated, Group, Route, answer};
use crate::{
    app::{Application, AuthRoutes},
    auth::{AccessToken, Credential},
    error::Error,
    json,
    model::UserModel,
    service::{LogIn, Scope},
};

pub(super) fn routes<A: Application>(paths: AuthRoutes) -> [Route<A>; 2] {
    [
        Route::public(Group::Auth, Method::POST, paths.login, "gives a credential").answered_by(log_in::<A>),
        Route::of_users(Group::Auth, Method::POST, paths.logout, "ends the credential")
            .answered_by(log_out::<A>),
    ]
}

/// The body of a login when the client asked for the token with `?response=token` (RFC 6749, section 5.1).
#[derive(Serialize)]
pub(super) struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

impl<'a> TokenResponse<'a> {
    pub(super) fn new(token: &'a AccessToken) -> Self {
        Self {
            access_token: &token.text,
            token_type: "Bearer",
            expires_in: token.expires_in,
            refresh_token: token.refresh.as_ref().map(|token| token.as_str()),
        }
    }
}

async fn log_in<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let wants_token = parts.uri.query() == Some("response=token");
    let keys = [A::User::IDENTIFIER.field, "password"];
    let flag = users.asks_to_remember().then_some("remember");
    let limit = users.body_limit();
    let ([identifier, password], remember) =
        json::texts_and_flag(&parts.headers, body, limit, keys, flag).await?;
    let login =
        LogIn { remember: remember.unwrap_or(flag.is_none()), ..LogIn::new(identifier.expose(), password) };
    let (user, credential) = answer!(generated.log_in(users, parts, login), users.log_in(&parts, &login))?;
    let response = match &credential.token {
        Some(token) if wants_token => Json(TokenResponse::new(token)).into_response(),
        _ => Json(generated.show(Group::Auth, &users, user).await?).into_response(),
    };
    Ok((StatusCode::CREATED, with_credential(response, credential)).into_response())
}

async fn log_out<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let credential = answer!(generated.log_out(users, parts, ()), users.log_out(&parts))?;
    Ok(with_credential(StatusCode::CREATED.into_response(), credential))
}

/// A response that gives a client its credential, or takes it away.
pub(super) fn with_credential(mut response: Response, credential: Credential) -> Response {
    for (name, value) in credential.headers {
        response.headers_mut().append(name, value);
    }
    response
}
