//! Group `verify`: only `POST` redeems a token, because mail scanners open links (S34).

use axum::{
    Json, Router,
    extract::{Query, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;

use crate::{
    app::{Application, VerifyRoutes},
    error::Error,
    json,
    model::UserModel,
    secret::Password,
    service::Users,
    validate::Violation,
};

pub(super) fn public<A: Application>(paths: VerifyRoutes) -> Router<Users<A>> {
    Router::new().route(paths.path, post(verify::<A>)).route(paths.resend, post(resend::<A>))
}

async fn verify<A: Application>(State(users): State<Users<A>>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let token = match token_of_query(&parts.uri)? {
        Some(token) => token,
        None => {
            let [token] = json::texts(&parts.headers, body, users.body_limit(), ["token"]).await?;
            token
        }
    };
    let user = users.verify(&parts, token.expose()).await?;
    Ok((StatusCode::CREATED, Json(user.to_read())).into_response())
}

/// The token in `?token=`; one at most.
fn token_of_query(uri: &http::Uri) -> Result<Option<Password>, Error> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    let mut tokens =
        pairs.into_iter().filter(|(key, _)| key == "token").map(|(_, token)| Password::new(token));
    let token = tokens.next();
    match tokens.next() {
        None => Ok(token),
        Some(_) => Err(Error::field("token", Violation::new("duplicate_field", "is there twice"))),
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
