//! Group `verify`: only `POST` redeems a token, because mail scanners open links (S34).

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};

use super::{Generated, Group, Route, answer};
use crate::{
    app::{Application, VerifyRoutes},
    error::Error,
    json,
    model::UserModel,
    operation::{Member, Shape},
    secret::Password,
    service::Scope,
    validate::Violation,
};

pub(super) fn routes<A: Application>(paths: VerifyRoutes) -> [Route<A>; 2] {
    let route = |path, what| Route::public(Group::Verify, Method::POST, path, what);
    [
        route(paths.path, "proves the mailbox with the token of a mail")
            .named("verify")
            .described(|it| {
                let token = || Member::new("token", Shape::Token, "The token of the mail.");
                it.in_query("token", Shape::Token, "The token of the mail, where there is no body.")
                    .may_take_json(Shape::object("Verify", [token()]))
                    .answers(StatusCode::CREATED, Shape::User, "The user, whose mailbox is proven.")
                    // A mail that confirms a new identifier has such a token too.
                    .fails([Error::TokenInvalid, Error::IdentifierTaken])
                    .hooked()
            })
            .answered_by(verify::<A>),
        route(paths.resend, "sends that mail again")
            .named("resend_verification")
            .described(|it| {
                let identifier = Member::new(A::User::IDENTIFIER.field, Shape::Identifier, "");
                it.takes(Shape::object("ResendVerification", [identifier])).answers(
                    StatusCode::ACCEPTED,
                    Shape::Nothing,
                    "The same whether or not there is such an account.",
                )
            })
            .answered_by(resend::<A>),
    ]
}

async fn verify<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let token = match token_of_query(&parts.uri)? {
        Some(token) => token,
        None => {
            let [token] = json::texts(&parts.headers, body, users.body_limit(), ["token"]).await?;
            token
        }
    };
    let user = answer!(generated.verify(users, parts, token), users.verify(&parts, token.expose()))?;
    Ok((StatusCode::CREATED, Json(generated.show(Group::Verify, &users, user).await?)).into_response())
}

/// The token in `?token=`; one at most.
fn token_of_query(uri: &http::Uri) -> Result<Option<Password>, Error> {
    let mut tokens = json::parameters(uri)?
        .into_iter()
        .filter(|(key, _)| key == "token")
        .map(|(_, token)| Password::new(token));
    let token = tokens.next();
    match tokens.next() {
        None => Ok(token),
        Some(_) => Err(Error::field("token", Violation::new("duplicate_field", "is there twice"))),
    }
}

async fn resend<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let key = A::User::IDENTIFIER.field;
    let [identifier] = json::texts(&parts.headers, body, users.body_limit(), [key]).await?;
    answer!(
        generated.resend_verification(users, parts, identifier.expose().to_owned()),
        users.resend_verification(&parts, identifier.expose())
    )?;
    Ok(StatusCode::ACCEPTED)
}
