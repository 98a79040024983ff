//! Group `register`.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};

use super::{Generated, Group, Route, answer};
use crate::{
    app::{Application, RegisterRoutes},
    error::Error,
    json,
    model::UserModel,
    operation::Shape,
    service::Scope,
};

pub(super) fn routes<A: Application>(paths: RegisterRoutes) -> [Route<A>; 1] {
    [Route::public(Group::Register, Method::POST, paths.path, "a new account")
        .named("register")
        .described(|it| {
            it.takes(Shape::of::<<A::User as UserModel>::Registration>())
                .answers(StatusCode::CREATED, Shape::User, "The user that is stored.")
                .fails([Error::IdentifierTaken, Error::Overloaded])
                .hooked()
        })
        .answered_by(register::<A>)]
}

async fn register<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let registration = json::dto(&parts.headers, body, users.body_limit()).await?;
    let user = answer!(generated.register(users, parts, registration), users.register(&parts, registration))?;
    Ok((StatusCode::CREATED, Json(generated.show(Group::Register, &users, user).await?)).into_response())
}
