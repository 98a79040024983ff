//! Group `password_reset`.

use axum::extract::{Request, State};
use http::{Method, StatusCode};

use super::{Generated, Group, ResetPassword, Route, answer};

use crate::{
    app::{Application, PasswordResetRoutes},
    error::Error,
    json,
    model::UserModel,
    operation::{Member, Shape},
    service::Scope,
};

pub(super) fn routes<A: Application>(paths: PasswordResetRoutes) -> [Route<A>; 2] {
    let route = |path, what| Route::public(Group::PasswordReset, Method::POST, path, what);
    [
        route(paths.forgot, "mails a token for a new password")
            .named("forgot_password")
            .described(|it| {
                let identifier = Member::new(A::User::IDENTIFIER.field, Shape::Identifier, "");
                it.takes(Shape::object("ForgotPassword", [identifier])).answers(
                    StatusCode::CREATED,
                    Shape::Nothing,
                    "The same whether or not there is such an account.",
                )
            })
            .answered_by(forgot::<A>),
        route(paths.reset, "sets a new password with that token")
            .named("reset_password")
            .described(|it| {
                let token = Member::new("token", Shape::Token, "The token of the mail.");
                let password = Member::new("password", Shape::NewPassword, "The new password.");
                it.takes(Shape::object("ResetPassword", [token, password]))
                    .answers(StatusCode::CREATED, Shape::Nothing, "Every session of the user has ended.")
                    .fails([Error::TokenInvalid, Error::Overloaded])
                    .hooked()
            })
            .answered_by(reset::<A>),
    ]
}

async fn forgot<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let key = A::User::IDENTIFIER.field;
    let [identifier] = json::texts(&parts.headers, body, users.body_limit(), [key]).await?;
    answer!(
        generated.forgot_password(users, parts, identifier.expose().to_owned()),
        users.forgot_password(&parts, identifier.expose())
    )?;
    Ok(StatusCode::CREATED)
}

async fn reset<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let keys = ["token", "password"];
    let [token, password] = json::texts(&parts.headers, body, users.body_limit(), keys).await?;
    answer!(
        generated.reset_password(users, parts, ResetPassword { token, password }),
        users.reset_password(&parts, token.expose(), &password)
    )?;
    Ok(StatusCode::CREATED)
}
