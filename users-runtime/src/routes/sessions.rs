//! Group `sessions`: what users see and end of their sessions.

use axum::{
    Json,
    extract::{FromRequestParts, RawPathParams, Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, request::Parts};
use serde::Serialize;

use super::{Generated, Group, Route, answer, auth::with_credential};
use crate::{
    app::{Application, SessionsRoutes},
    error::Error,
    extract::CurrentUser,
    model::UserModel,
    operation::{Member, Shape},
    service::{Scope, SessionInfo},
};

pub(super) fn routes<A: Application>(paths: SessionsRoutes) -> [Route<A>; 3] {
    let route = |method, path: &str, what| Route::of_users(Group::Sessions, method, path, what);
    [
        route(Method::GET, paths.path, "the own sessions")
            .named("list_sessions")
            .described(|it| {
                let items = Member::new("items", Shape::list_of::<SessionInfo>(), "The latest first.");
                it.answers(StatusCode::OK, Shape::object("Sessions", [items]), "The sessions.")
            })
            .answered_by(list::<A>),
        route(Method::DELETE, paths.path, "ends every own session")
            .named("end_sessions")
            .described(|it| {
                it.answers(StatusCode::NO_CONTENT, Shape::Nothing, "That of the request has ended too.")
                    .with_credential()
            })
            .answered_by(end_all::<A>),
        route(Method::DELETE, &format!("{}/{{id}}", paths.path), "ends an own session")
            .named("end_session")
            .described(|it| {
                it.in_path("id", Shape::Text, "The session's name in the list.").answers(
                    StatusCode::NO_CONTENT,
                    Shape::Nothing,
                    "The session has ended.",
                )
            })
            .answered_by(end::<A>),
    ]
}

/// The answer to a list.
#[derive(Serialize)]
struct Listed {
    items: Vec<SessionInfo>,
}

async fn list<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let items = answer!(generated.list_sessions(users, parts, user), users.sessions(user.principal()))?;
    Ok(Json(Listed { items }).into_response())
}

async fn end<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, _) = request.into_parts();
    let session = name_in_path(&mut parts).await.ok_or(Error::NotFound)?;
    answer!(generated.end_session(users, parts, (user, session)), users.end_session(user.id(), &session))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The session's name in the path; what is no text names nothing.
async fn name_in_path(parts: &mut Parts) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    // A prefix under which the application nests the router may have parameters too.
    parameters.iter().filter(|(name, _)| *name == "id").last().map(|(_, text)| text.to_owned())
}

async fn end_all<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let credential = answer!(generated.end_sessions(users, parts, user), async {
        users.end_sessions(user.id()).await?;
        users.log_out(&parts).await
    })?;
    Ok(with_credential(StatusCode::NO_CONTENT.into_response(), credential))
}
