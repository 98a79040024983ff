//! Group `tokens`: tokens for a form (RFC 6749), their refreshment, and the keys that verify them.

use std::collections::HashMap;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Serialize;

use super::{
    Generated, Group, Route, answer,
    auth::{TokenResponse, with_credential},
};
use crate::{
    app::{Application, TokensRoutes},
    auth::Credential,
    error::Error,
    json,
    model::UserModel,
    principal::Principal,
    secret::Password,
    service::{LogIn, Scope},
};

pub(super) fn routes<A: Application>(paths: TokensRoutes) -> [Route<A>; 3] {
    let route = |method, path, what| Route::public(Group::Tokens, method, path, what);
    [
        route(Method::POST, paths.token, "gives tokens for a form").answered_by(token::<A>),
        route(Method::POST, paths.refresh, "gives the next tokens").answered_by(refresh::<A>),
        route(Method::GET, paths.jwks, "the keys that verify tokens").answered_by(jwks::<A>),
    ]
}

/// A problem in the words of RFC 6749, section 5.2.
#[derive(Serialize)]
struct Problem {
    error: &'static str,
    error_description: String,
}

/// What is wrong with a request for tokens; what is wrong with the server is answered as everywhere.
fn refusal(error: Error) -> Response {
    let word = match &error {
        Error::BadCredentials | Error::NotVerified | Error::TokenInvalid | Error::Refused { .. } => {
            "invalid_grant"
        }
        error if error.status().is_client_error() => "invalid_request",
        _ => return error.into_response(),
    };
    let description = match &error {
        // The words for the token of a mail would send people to their mailbox.
        Error::TokenInvalid => "the refresh token is invalid or has expired; log in again".to_owned(),
        error => error.to_string(),
    };
    let problem = Problem { error: word, error_description: description };
    (StatusCode::BAD_REQUEST, Json(problem)).into_response()
}

fn wrong(error: &'static str, error_description: &str) -> Response {
    let problem = Problem { error, error_description: error_description.to_owned() };
    (StatusCode::BAD_REQUEST, Json(problem)).into_response()
}

async fn token<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut form = match json::form(&parts.headers, body, users.body_limit()).await {
        Ok(form) => form,
        Err(error) => return refusal(error),
    };
    let mut take = |name: &str| given(&mut form, name);
    match take("grant_type").as_ref().map(Password::expose) {
        Some("password") => {}
        Some("refresh_token") => {
            let Some(token) = take("refresh_token") else {
                return wrong("invalid_request", "`refresh_token` is missing");
            };
            return refreshed(&generated, users, parts, Some(token)).await;
        }
        Some(_) => return wrong("unsupported_grant_type", "`grant_type` is `password` or `refresh_token`"),
        None => return wrong("invalid_request", "`grant_type` is missing"),
    }
    let (Some(identifier), Some(password)) = (take("username"), take("password")) else {
        return wrong("invalid_request", "`username` or `password` is missing");
    };
    let login = LogIn { wants_token: true, ..LogIn::new(identifier.expose(), password) };
    let logged_in = answer!(generated.log_in(users, parts, login), users.log_in(&parts, &login));
    logged_in.map_or_else(refusal, answered)
}

/// A field of a form; one without a value is as if it were not there (RFC 6749, section 3.2).
fn given(form: &mut HashMap<String, Password>, name: &str) -> Option<Password> {
    form.remove(name).filter(|value| !value.expose().is_empty())
}

async fn refresh<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match refresh_token(&parts.headers, body, users.body_limit()).await {
        Ok(token) => refreshed(&generated, users, parts, token).await,
        Err(error) => refusal(error),
    }
}

/// The refresh token in a body, as JSON or as a form; a browser sends none, for its own is in a cookie.
async fn refresh_token(headers: &HeaderMap, body: Body, limit: usize) -> Result<Option<Password>, Error> {
    if !headers.contains_key(header::CONTENT_TYPE) {
        return Ok(None);
    }
    if json::is_form(headers) {
        return Ok(given(&mut json::form(headers, body, limit).await?, "refresh_token"));
    }
    let [token] = json::texts(headers, body, limit, ["refresh_token"]).await?;
    Ok(Some(token))
}

async fn refreshed<A: Application>(
    generated: &Generated<A>,
    users: Scope<A>,
    parts: http::request::Parts,
    token: Option<Password>,
) -> Response {
    let answer = match &generated.overrides.answers.refresh_token {
        Some(own) => own.answer(users.clone(), parts, token).await,
        None => users.refresh(&parts, token.as_ref().map(Password::expose)).await,
    };
    answer.map_or_else(refusal, answered)
}

/// Tokens in the body, or what is to be known of those in cookies.
fn answered<U: UserModel>((_, credential): (Principal<U>, Credential)) -> Response {
    let response = match &credential.token {
        Some(token) => Json(TokenResponse::new(token)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    with_credential(response, credential)
}

async fn jwks<A: Application>(users: Scope<A>) -> Response {
    let keys = users.directory().keys.jwt.jwks().to_owned();
    ([(header::CONTENT_TYPE, "application/jwk-set+json")], keys).into_response()
}
