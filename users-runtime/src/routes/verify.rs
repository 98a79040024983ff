//! Group `verify`: only `POST` redeems a token, because mail scanners open links (S34).

use axum::{
    Json, Router,
    extract::{Query, RawQuery, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;

use crate::{
    app::{Application, VerifyRoutes},
    error::Error,
    json,
    model::UserModel,
    service::Users,
    validate::Violation,
};

pub(super) fn public<A: Application>(paths: VerifyRoutes) -> Router<Users<A>> {
    Router::new().route(paths.path, post(verify::<A>)).route(paths.resend, post(resend::<A>))
}

async fn verify<A: Application>(
    State(users): State<Users<A>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let token = match query {
        Some(_) => token_of_query(&parts.uri)?,
        None => {
            let [token] = json::texts(&parts.headers, body, users.body_limit(), ["token"]).await?;
            token.expose().to_owned()
        }
    };
    let user = users.verify(&parts, &token).await?;
    Ok((StatusCode::CREATED, Json(user.to_read())).into_response())
}

fn token_of_query(uri: &http::Uri) -> Result<String, Error> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    match <[_; 1]>::try_from(pairs) {
        Ok([(key, token)]) if key == "token" => Ok(token),
        _ => Err(Error::field(
            "token",
            Violation::new("required", "send `?token=` alone, or the token in the body"),
        )),
    }
}

async fn resend<A: Application>(
    State(users): State<Users<A>>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let key = A::User::IDENTIFIER.field;
    let [identifier] = json::texts(&parts.headers, body, users.body_limit(), [key]).await?;
    users.resend_verification(identifier.expose()).await?;
    Ok(StatusCode::ACCEPTED)
}
