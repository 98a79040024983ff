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
    error::{Error, ProblemCode},
    json,
    model::UserModel,
    operation::{Facts, Member, Shape},
    principal::Principal,
    secret::Password,
    service::{LogIn, Scope},
};

pub(super) fn routes<A: Application>(paths: TokensRoutes) -> [Route<A>; 3] {
    let route = |method, path, what| Route::public(Group::Tokens, method, path, what);
    [
        route(Method::POST, paths.token, "gives tokens for a form")
            .named("issue_token")
            .described(token_facts)
            .answered_by(token::<A>),
        route(Method::POST, paths.refresh, "gives the next tokens")
            .named("refresh_token")
            .described(refresh_facts)
            .answered_by(refresh::<A>),
        route(Method::GET, paths.jwks, "the keys that verify tokens")
            .named("token_keys")
            .described(|it| {
                it.answers(StatusCode::OK, Shape::of::<Keys>(), "The public keys (RFC 7517).").typed(JWK_SET)
            })
            .answered_by(jwks::<A>),
    ]
}

/// The media type of public keys (RFC 7517, section 8.5).
const JWK_SET: &str = "application/jwk-set+json";

fn token_facts(facts: Facts) -> Facts {
    let grant = |words| Member::new("grant_type", Shape::Word(words), "What the tokens are given for.");
    let password = [
        grant(&["password"]),
        Member::new("username", Shape::given(Shape::Identifier), "The identifier."),
        Member::new("password", Shape::given(Shape::Password), "The password."),
    ];
    let refresh =
        [grant(&["refresh_token"]), Member::new("refresh_token", Shape::Token, "The refresh token.")];
    let grants = [Shape::form("PasswordGrant", password), Shape::form("RefreshTokenGrant", refresh)];
    problems(facts.takes_form(Shape::OneOf(grants.into())))
        .answers(StatusCode::OK, Shape::of::<TokenResponse<'_>>(), "The tokens.")
        .with_credential()
        .fails([Error::Overloaded])
}

fn refresh_facts(facts: Facts) -> Facts {
    let token = Member::new("refresh_token", Shape::Token, "The refresh token, which is good once.");
    problems(facts.may_take(Shape::object("RefreshToken", [token])))
        .answers(StatusCode::OK, Shape::of::<TokenResponse<'_>>(), "The next tokens.")
        .with_credential()
        .answers(StatusCode::NO_CONTENT, Shape::Nothing, "The next tokens, in cookies as the last ones were.")
        .with_credential()
        .fails([Error::Overloaded])
}

fn problems(facts: Facts) -> Facts {
    facts.answers(
        StatusCode::BAD_REQUEST,
        Shape::of::<Problem<'_>>(),
        "What is wrong (RFC 6749, section 5.2).",
    )
}

/// The public keys that tokens verify with (RFC 7517, section 5); none where tokens are signed with a secret.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = TokenKeys))]
#[allow(dead_code, reason = "the form alone; the keys are written once at start-up")]
struct Keys {
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    keys: Vec<()>,
}

/// What is wrong with a request for tokens (RFC 6749, section 5.2).
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TokenProblem))]
struct Problem<'a> {
    /// What went wrong, for programs.
    #[cfg_attr(feature = "openapi", schema(schema_with = words))]
    error: &'a str,
    /// What to do about it, for people.
    error_description: String,
}

/// The words that say what is wrong.
#[cfg(feature = "openapi")]
fn words() -> utoipa::openapi::schema::Object {
    use utoipa::openapi::schema::{ObjectBuilder, Type};

    let words = [ProblemCode::InvalidGrant, ProblemCode::InvalidRequest, ProblemCode::UnsupportedGrantType];
    let words = words.iter().map(|word| word.as_str().to_owned());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// What is wrong with a request for tokens; what is wrong with the server is answered as everywhere.
fn refusal(error: Error) -> Response {
    let word = match &error {
        Error::BadCredentials | Error::NotVerified | Error::TokenInvalid | Error::Refused { .. } => {
            ProblemCode::InvalidGrant
        }
        // There is no word for it (RFC 6749, section 5.2).
        Error::TooManyRequests(_) => return error.into_response(),
        error if error.status().is_client_error() => ProblemCode::InvalidRequest,
        _ => return error.into_response(),
    };
    let description = match &error {
        // The words for the token of a mail would send people to their mailbox.
        Error::TokenInvalid => "the refresh token is invalid or has expired; log in again".to_owned(),
        error => error.to_string(),
    };
    let problem = Problem { error: word.as_str(), error_description: description };
    (StatusCode::BAD_REQUEST, Json(problem)).into_response()
}

fn wrong(error: &ProblemCode, error_description: &str) -> Response {
    let problem = Problem { error: error.as_str(), error_description: error_description.to_owned() };
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
                return wrong(&ProblemCode::InvalidRequest, "`refresh_token` is missing");
            };
            return refreshed(&generated, users, parts, Some(token)).await;
        }
        Some(_) => {
            return wrong(
                &ProblemCode::UnsupportedGrantType,
                "`grant_type` is `password` or `refresh_token`",
            );
        }
        None => return wrong(&ProblemCode::InvalidRequest, "`grant_type` is missing"),
    }
    let (Some(identifier), Some(password)) = (take("username"), take("password")) else {
        return wrong(&ProblemCode::InvalidRequest, "`username` or `password` is missing");
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
    ([(header::CONTENT_TYPE, JWK_SET)], keys).into_response()
}
