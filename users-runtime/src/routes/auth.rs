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
    auth::{AccessToken, Backend, Credential},
    error::Error,
    json,
    model::UserModel,
    operation::{Facts, Member, Shape},
    service::{LogIn, Scope},
};

pub(super) fn routes<A: Application>(paths: AuthRoutes, remember: bool) -> [Route<A>; 2] {
    [
        Route::public(Group::Auth, Method::POST, paths.login, "gives a credential")
            .named("log_in")
            .described(|it| log_in_facts::<A>(it, remember))
            .answered_by(log_in::<A>),
        Route::of_users(Group::Auth, Method::POST, paths.logout, "ends the credential")
            .named("log_out")
            .described(|it| {
                it.answers(StatusCode::CREATED, Shape::Nothing, "The credential has ended.").with_credential()
            })
            .answered_by(log_out::<A>),
    ]
}

/// What a login takes and answers; `remember` is whether users are asked to be remembered.
fn log_in_facts<A: Application>(facts: Facts, remember: bool) -> Facts {
    let mut body = vec![
        Member::new(A::User::IDENTIFIER.field, Shape::Identifier, ""),
        Member::new("password", Shape::Password, "The password."),
    ];
    if remember {
        let what = "Whether the login lasts longer than the browser is open.";
        body.push(Member::new("remember", Shape::Flag, what).optional());
    }
    let facts = facts
        .takes(Shape::Object("LogIn", body))
        .answers(StatusCode::CREATED, Shape::User, "The user, and the credential in the headers.")
        .with_credential()
        .fails([Error::BadCredentials, Error::NotVerified, Error::Overloaded])
        .hooked();
    if !A::Auth::GIVES_TOKENS {
        return facts;
    }
    facts
        .in_query("response", Shape::Word(&["token"]), "`token` asks for the token in the body.")
        .answers(StatusCode::CREATED, Shape::of::<TokenResponse<'_>>(), "The token, for `?response=token`.")
        .with_credential()
}

/// Tokens for a client that keeps them itself (RFC 6749, section 5.1).
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(super) struct TokenResponse<'a> {
    /// What requests carry in the header `Authorization: Bearer`.
    access_token: &'a str,
    /// `Bearer`.
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    /// What the next tokens are given for, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
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
