//! The routes, and what stands around them.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    accounts::{Accounts, Client, Kind, User},
    error::Error,
    keys::TokenHash,
};

type App = State<Arc<Accounts>>;

/// More than any of these bodies needs.
const BODY_LIMIT: usize = 64 * 1024;

/// How many characters of a client's description are kept.
const AGENT_CHARACTERS: usize = 200;

pub(crate) fn router(accounts: Arc<Accounts>) -> Router {
    Router::new()
        .route("/register", post(register))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/users/me", get(me).patch(update))
        .route("/forgot-password", post(forgot_password))
        .route("/reset-password", post(reset_password))
        .route("/verify", post(verify))
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .fallback(async || Error::NotFound)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(around))
        .with_state(accounts)
}

#[derive(Deserialize)]
struct Registration {
    email: String,
    password: String,
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct LogIn {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Update {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Forgotten {
    email: String,
}

#[derive(Deserialize)]
struct Reset {
    token: String,
    password: String,
}

#[derive(Deserialize)]
struct Verification {
    token: String,
}

async fn register(
    State(app): App,
    client: Client,
    Body(Registration { email, password, display_name }): Body<Registration>,
) -> Result<(StatusCode, Json<User>), Error> {
    let user = app.register(&client, &email, password, display_name).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

async fn log_in(
    State(app): App,
    client: Client,
    headers: HeaderMap,
    Body(LogIn { email, password }): Body<LogIn>,
) -> Result<Response, Error> {
    let (user, value) = app.log_in(&client, &email, password, credential(app.kind, &headers)).await?;
    let cookie = cookie(app.kind, &value, app.kind.lifetime() / 1000)?;
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(user)).into_response())
}

async fn log_out(State(app): App, client: Client, current: CurrentUser) -> Result<Response, Error> {
    app.log_out(&client, current.user.id, current.session).await?;
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie(app.kind, "", 0)?)]).into_response())
}

async fn me(CurrentUser { user, .. }: CurrentUser) -> Json<User> {
    Json(user)
}

async fn update(
    State(app): App,
    CurrentUser { user, .. }: CurrentUser,
    Body(Update { display_name }): Body<Update>,
) -> Result<Json<User>, Error> {
    Ok(Json(app.rename(user, display_name.as_deref()).await?))
}

async fn forgot_password(
    State(app): App,
    client: Client,
    Body(Forgotten { email }): Body<Forgotten>,
) -> Result<StatusCode, Error> {
    app.forgot_password(&client, &email).await?;
    Ok(StatusCode::CREATED)
}

async fn reset_password(
    State(app): App,
    client: Client,
    Body(Reset { token, password }): Body<Reset>,
) -> Result<StatusCode, Error> {
    app.reset_password(&client, &token, password).await?;
    Ok(StatusCode::CREATED)
}

async fn verify(
    State(app): App,
    client: Client,
    Body(Verification { token }): Body<Verification>,
) -> Result<(StatusCode, Json<User>), Error> {
    Ok((StatusCode::CREATED, Json(app.verify(&client, &token).await?)))
}

/// A body of JSON whose faults are problem documents like all others.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// Whoever is logged in.
struct CurrentUser {
    user: User,
    session: TokenHash,
}

impl FromRequestParts<Arc<Accounts>> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<Accounts>) -> Result<Self, Error> {
        let credential = credential(app.kind, &parts.headers).ok_or(Error::Unauthenticated)?;
        let (user, session) = app.authenticate(credential).await?;
        Ok(Self { user, session })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let ConnectInfo(address) =
            ConnectInfo::<SocketAddr>::from_request_parts(parts, state).await.map_err(Error::internal)?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self {
            address: address.ip().to_string(),
            agent: agent.map(|agent| agent.chars().take(AGENT_CHARACTERS).collect()),
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A JWT in the header `Authorization` counts before one in a cookie.
fn credential(kind: Kind, headers: &HeaderMap) -> Option<&str> {
    let in_cookie = || {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find_map(|(name, value)| (name == kind.cookie()).then_some(value))
    };
    let in_header = if kind == Kind::JwtCookie { bearer(headers) } else { None };
    in_header.or_else(in_cookie)
}

/// Without `Secure` and the prefix `__Host-`, for the comparison runs over plain HTTP.
fn cookie(kind: Kind, value: &str, seconds: i64) -> Result<HeaderValue, Error> {
    let name = kind.cookie();
    HeaderValue::try_from(format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}"))
        .map_err(Error::internal)
}

/// Refuses what a page of another origin sent, and keeps answers out of caches and browsers from guessing at types.
async fn around(request: Request, next: Next) -> Response {
    let mut response =
        if is_cross_origin(&request) { Error::CrossOrigin.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Cross-site request forgery. Browsers say where an unsafe request comes from; a client that does not is no browser
/// and has no cookies of a victim's, and nobody else's page can set the header `Authorization`.
fn is_cross_origin(request: &Request) -> bool {
    let headers = request.headers();
    if request.method().is_safe() || bearer(headers).is_some() {
        return false;
    }
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => false,
        Some(_) => true,
        None => headers.get(header::ORIGIN).is_some_and(|origin| !is_own(origin, headers)),
    }
}

fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let (Some(origin), Some(host)) = (text(origin), headers.get(header::HOST).and_then(text)) else {
        return false;
    };
    let Ok(origin) = Url::parse(&origin) else { return false };
    Url::parse(&format!("{}://{host}", origin.scheme())).is_ok_and(|own| own.origin() == origin.origin())
}
