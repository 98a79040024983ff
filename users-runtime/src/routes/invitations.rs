//! The route of the group `users` by which administrators invite somebody, where registration is by invitation.

use axum::extract::{Request, State};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{Generated, Group, Route, answer};
use crate::{
    app::{Application, UsersRoutes},
    error::Error,
    guard, json,
    model::{RoleModel, UserModel},
    operation::{Facts, Member, Shape},
    service::{NewInvitation, Scope},
};

pub(super) fn routes<A: Application>(paths: UsersRoutes) -> [Route<A>; 1] {
    let path = format!("{}/invitations", paths.path);
    [Route::guarded(Group::Users, Method::POST, path, "invites somebody to register")
        .named("invite_user")
        .described(facts::<A>)
        .answered_by(invite::<A>)]
}

fn facts<A: Application>(facts: Facts) -> Facts {
    let mut body = vec![Member::new(A::User::IDENTIFIER.field, Shape::Identifier, "")];
    if <A::User as UserModel>::Role::PRESENT {
        let what = "The roles that the account gets; only who may give them may write them here.";
        body.push(Member::new("roles", Shape::Many(Box::new(Shape::Text)), what).optional());
    }
    facts
        .takes(Shape::Object("NewInvitation", body))
        .answers(StatusCode::ACCEPTED, Shape::Nothing, "The invitation leaves by mail.")
        .fails([Error::IdentifierTaken])
}

/// What an invitation says beside the identifier.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    #[serde(default)]
    roles: Vec<String>,
}

async fn invite<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let key = A::User::IDENTIFIER.field;
    let (Beside { roles }, identifier) =
        json::dto_beside(&parts.headers, body, users.body_limit(), key).await?;
    if !roles.is_empty() {
        // A role in an invitation is a role that is given, so it takes who may give one.
        let actor = users.actor().ok_or(Error::Unauthenticated)?;
        guard::check(&*A::guards().roles, actor)?;
    }
    let new = NewInvitation::new(identifier.expose()).with_roles(roles);
    answer!(generated.invite_user(users, parts, new), users.send_invitation(new))?;
    Ok(StatusCode::ACCEPTED)
}
