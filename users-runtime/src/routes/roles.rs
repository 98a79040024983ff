//! Group `roles`: which roles there are, and who has which.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{Generated, Group, Key, Route, answer};
use crate::{
    app::{Application, RolesRoutes},
    error::Error,
    json,
    model::{RoleModel, UserModel},
    operation::{Facts, Member, Shape},
    service::Scope,
};

type Role<A> = <<A as Application>::User as UserModel>::Role;
type RoleKey<A> = Key<<Role<A> as RoleModel>::Id>;
type Read<A> = <Role<A> as RoleModel>::Read;

pub(super) fn routes<A: Application>(paths: RolesRoutes) -> [Route<A>; 6] {
    let route = |method, path, what| Route::guarded(Group::Roles, method, path, what);
    let (all, one) = (paths.path.to_owned(), format!("{}/{{id}}", paths.path));
    [
        route(Method::GET, all.clone(), "every role")
            .named("list_roles")
            .described(|it| it.answers(StatusCode::OK, Shape::list_of::<Read<A>>(), "The roles, by name."))
            .answered_by(list::<A>),
        route(Method::POST, all, "a new role")
            .named("create_role")
            .described(|it| {
                it.takes(Shape::of::<<Role<A> as RoleModel>::Create>())
                    .answers(StatusCode::CREATED, Shape::of::<Read<A>>(), "The role that is stored.")
                    .fails([Error::RoleNameTaken])
            })
            .answered_by(create::<A>),
        route(Method::PATCH, one.clone(), "changes a role")
            .named("update_role")
            .described(|it| {
                keyed::<A>(it)
                    .takes(Shape::of::<<Role<A> as RoleModel>::Update>())
                    .answers(StatusCode::OK, Shape::of::<Read<A>>(), "The role as it is now.")
                    .fails([Error::RoleNameTaken, Error::LastAdministrator])
            })
            .answered_by(update::<A>),
        route(Method::DELETE, one, "deletes a role")
            .named("delete_role")
            .described(|it| {
                keyed::<A>(it)
                    .answers(StatusCode::OK, Shape::of::<Read<A>>(), "The role as it was.")
                    .fails([Error::LastAdministrator])
            })
            .answered_by(delete::<A>),
        route(Method::PUT, paths.assign.to_owned(), "gives a user a role")
            .named("assign_role")
            .described(|it| {
                it.takes(membership::<A>())
                    .answers(StatusCode::OK, Shape::User, "The user with the role.")
                    .fails([Error::NotFound, Error::RoleAlreadyAssigned])
            })
            .answered_by(assign::<A>),
        route(Method::PUT, paths.revoke.to_owned(), "takes a role from a user")
            .named("revoke_role")
            .described(|it| {
                it.takes(membership::<A>())
                    .answers(StatusCode::OK, Shape::User, "The user without the role.")
                    .fails([Error::NotFound, Error::RoleNotAssigned, Error::LastAdministrator])
            })
            .answered_by(revoke::<A>),
    ]
}

fn keyed<A: Application>(facts: Facts) -> Facts {
    facts.keyed_by::<<Role<A> as RoleModel>::Id>("The role's key.")
}

fn membership<A: Application>() -> Shape {
    let user = Member::new("user_id", Shape::key::<<A::User as UserModel>::Id>(), "The user's key.");
    let role = Member::new("role_id", Shape::key::<<Role<A> as RoleModel>::Id>(), "The role's key.");
    Shape::object("RoleMembership", [user, role])
}

/// Who, and which role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
struct Membership<U: UserModel> {
    user_id: U::Id,
    role_id: <U::Role as RoleModel>::Id,
}

async fn list<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let roles = answer!(generated.list_roles(users, parts, ()), users.roles())?;
    Ok(Json(roles.iter().map(RoleModel::to_read).collect::<Vec<_>>()).into_response())
}

async fn create<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let create = json::dto(&parts.headers, body, users.body_limit()).await?;
    let role = answer!(generated.create_role(users, parts, create), users.create_role(create))?;
    Ok((StatusCode::CREATED, Json(role.to_read())).into_response())
}

async fn update<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): RoleKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let update = json::dto(&parts.headers, body, users.body_limit()).await?;
    let role = answer!(generated.update_role(users, parts, (id, update)), users.update_role(id, &update))?;
    Ok(Json(role.to_read()).into_response())
}

async fn delete<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): RoleKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let role = answer!(generated.delete_role(users, parts, id), users.delete_role(id))?;
    Ok(Json(role.to_read()).into_response())
}

async fn assign<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let Membership::<A::User> { user_id, role_id } =
        json::dto(&parts.headers, body, users.body_limit()).await?;
    let user = answer!(
        generated.assign_role(users, parts, (user_id, role_id)),
        users.assign_role(user_id, role_id)
    )?;
    Ok(Json(generated.show(Group::Roles, &users, user).await?).into_response())
}

async fn revoke<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let Membership::<A::User> { user_id, role_id } =
        json::dto(&parts.headers, body, users.body_limit()).await?;
    let user = answer!(
        generated.revoke_role(users, parts, (user_id, role_id)),
        users.revoke_role(user_id, role_id)
    )?;
    Ok(Json(generated.show(Group::Roles, &users, user).await?).into_response())
}
