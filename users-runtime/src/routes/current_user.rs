//! Group `current_user`.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header::CONTENT_DISPOSITION};
use serde::Serialize;

use super::{Generated, Group, Route, answer, auth::with_credential, events, show::View};
use crate::{
    app::{Application, CurrentUserRoutes},
    error::Error,
    event::OwnEvent,
    extract::CurrentUser,
    json,
    model::UserModel,
    operation::{Member, Shape},
    service::Scope,
};

pub(super) fn routes<A: Application>(paths: CurrentUserRoutes) -> Vec<Route<A>> {
    let route = |method, what| Route::of_users(Group::CurrentUser, method, paths.path, what);
    let below = |end| format!("{}{end}", paths.path.trim_end_matches('/'));
    let route_below = |end, what| Route::of_users(Group::CurrentUser, Method::GET, &below(end), what);
    let mut routes = vec![
        route(Method::GET, "the own account")
            .named("read_account")
            .described(|it| it.answers(StatusCode::OK, Shape::User, "The user."))
            .answered_by(read::<A>),
        route(Method::PATCH, "changes the own account")
            .named("update_account")
            .described(|it| {
                it.takes(Shape::of::<<A::User as UserModel>::Update>())
                    .answers(StatusCode::OK, Shape::UpdatedUser, "The user as it is now.")
                    .with_credential()
                    .fails([Error::CurrentPasswordWrong, Error::IdentifierTaken, Error::Overloaded])
                    .hooked()
            })
            .answered_by(update::<A>),
        route_below("/events", "what happened to the own account")
            .named("list_events")
            .described(|it| events::facts::<OwnEvent>(it, "OwnEvents"))
            .answered_by(list_events::<A>),
    ];
    if paths.delete {
        let delete_account = route(Method::DELETE, "deletes the own account")
            .named("delete_account")
            .described(|it| {
                let password =
                    Member::new("current_password", Shape::Password, "The password, to confirm it.");
                it.takes(Shape::object("DeleteAccount", [password]))
                    .answers(
                        StatusCode::NO_CONTENT,
                        Shape::Nothing,
                        "The account is gone, or will be when the grace is over.",
                    )
                    .with_credential()
                    .fails([Error::CurrentPasswordWrong, Error::LastAdministrator, Error::Overloaded])
            })
            .answered_by(delete::<A>);
        routes.push(delete_account);
    }
    if paths.export {
        let export_account = route_below("/export", "everything that is known of the user")
            .named("export_account")
            .described(|it| {
                it.answers(StatusCode::OK, Shape::AnyObject, "The account and all that belongs to it.")
                    .with_header("Content-Disposition", "It is a file to keep.")
                    .fails([Error::ReauthenticationRequired])
            })
            .answered_by(export::<A>);
        routes.push(export_account);
    }
    routes
}

async fn read<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let user = match &generated.overrides.answers.read_account {
        Some(own) => own.answer(users.clone(), parts, user).await?.into(),
        None => user.shared(),
    };
    Ok(Json(generated.show(Group::CurrentUser, &users, user).await?).into_response())
}

/// The answer to a change: the user, and the identifier that waits for its confirmation.
#[derive(Serialize)]
#[serde(bound = "")]
struct UpdateResponse<U: UserModel> {
    #[serde(flatten)]
    user: View<U>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_identifier: Option<String>,
}

async fn update<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let update = json::dto(&parts.headers, body, users.body_limit()).await?;
    let updated = answer!(
        generated.update_account(users, parts, (user, update)),
        users.update_account(&parts, user.principal(), &update)
    )?;
    let user = generated.show(Group::CurrentUser, &users, updated.user).await?;
    let body = UpdateResponse { user, pending_identifier: updated.pending_identifier };
    Ok(with_credential(Json(body).into_response(), updated.credential.unwrap_or_default()))
}

async fn delete<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let [current] = json::texts(&parts.headers, body, users.body_limit(), ["current_password"]).await?;
    let credential = answer!(
        generated.delete_account(users, parts, (user, current)),
        users.delete_account(&parts, user.principal(), &current)
    )?;
    Ok(with_credential(StatusCode::NO_CONTENT.into_response(), credential))
}

async fn list_events<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let (id, query) = (user.id(), events::query(&parts)?);
    let page = answer!(generated.list_events(users, parts, (user, query)), users.events_of(id, &query))?;
    Ok(events::listed::<OwnEvent>(page))
}

async fn export<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let shown = user.shared();
    let mut export = answer!(generated.export_account(users, parts, user), users.export(user.principal()))?;
    let account = generated.show(Group::CurrentUser, &users, shown).await?;
    export.insert("account".to_owned(), serde_json::to_value(account).map_err(Error::internal)?);
    let file = [(CONTENT_DISPOSITION, "attachment; filename=\"account.json\"")];
    Ok((file, Json(export)).into_response())
}
