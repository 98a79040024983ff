//! Group `sessions`: what users see and end of their sessions.

use axum::{
    Json,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde::Serialize;

use super::{Generated, Group, Route, answer, auth::with_credential};
use crate::{
    app::{Application, SessionsRoutes},
    error::Error,
    extract::CurrentUser,
    model::UserModel,
    service::{Scope, SessionInfo},
};

pub(super) fn routes<A: Application>(paths: SessionsRoutes) -> [Route<A>; 3] {
    let route = |method, path: &str, what| Route::of_users(Group::Sessions, method, path, what);
    [
        route(Method::GET, paths.path, "the own sessions").answered_by(list::<A>),
        route(Method::DELETE, paths.path, "ends every own session").answered_by(end_all::<A>),
        route(Method::DELETE, &format!("{}/{{id}}", paths.path), "ends an own session").answered_by(end::<A>),
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
    Path(parameters): Path<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    // A prefix under which the application nests the router may have parameters too.
    let session = parameters.into_iter().rfind(|(name, _)| name == "id").map(|(_, text)| text);
    let session = session.ok_or(Error::NotFound)?;
    answer!(generated.end_session(users, parts, (user, session)), users.end_session(user.id(), &session))?;
    Ok(StatusCode::NO_CONTENT.into_response())
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
