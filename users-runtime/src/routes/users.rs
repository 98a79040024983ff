//! Group `users`: what administrators do with accounts.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde::Serialize;

use super::{Generated, Group, Key, Route, answer, events, show::View};
use crate::{
    app::{Application, UsersRoutes},
    error::Error,
    event::Event,
    json,
    model::UserModel,
    operation::{Facts, Shape},
    query::{DEFAULT_LIMIT, ListQuery, MAX_LIMIT},
    service::{AccountLock, Scope},
};

type UserKey<A> = Key<<<A as Application>::User as UserModel>::Id>;

pub(super) fn routes<A: Application>(paths: UsersRoutes) -> [Route<A>; 8] {
    let route = |method, path, what| Route::guarded(Group::Users, method, path, what);
    let one = format!("{}/{{id}}", paths.path);
    [
        route(Method::GET, paths.path.to_owned(), "lists users")
            .named("list_users")
            .described(list_facts::<A>)
            .answered_by(list::<A>),
        route(Method::GET, one.clone(), "a user")
            .named("read_user")
            .described(|it| keyed::<A>(it).answers(StatusCode::OK, Shape::User, "The user."))
            .answered_by(read::<A>),
        route(Method::PATCH, one.clone(), "changes a user")
            .named("update_user")
            .described(|it| {
                keyed::<A>(it)
                    .takes(Shape::of::<<A::User as UserModel>::AdminUpdate>())
                    .answers(StatusCode::OK, Shape::User, "The user as it is now.")
                    .fails([Error::IdentifierTaken, Error::LastAdministrator, Error::ChangedMeanwhile])
                    .fails([Error::Overloaded])
                    .hooked()
            })
            .answered_by(update::<A>),
        route(Method::DELETE, one.clone(), "deletes a user")
            .named("delete_user")
            .described(|it| {
                keyed::<A>(it)
                    .answers(StatusCode::OK, Shape::User, "The user as it was.")
                    .fails([Error::LastAdministrator])
            })
            .answered_by(delete::<A>),
        route(Method::DELETE, format!("{one}/sessions"), "ends every session of a user")
            .named("end_sessions_of")
            .described(|it| {
                keyed::<A>(it).answers(StatusCode::NO_CONTENT, Shape::Nothing, "The sessions have ended.")
            })
            .answered_by(end_sessions::<A>),
        route(Method::GET, format!("{one}/lock"), "whether an account is locked")
            .named("read_lock")
            .described(|it| {
                let what = "The failures that are counted, and the lock.";
                keyed::<A>(it).answers(StatusCode::OK, Shape::of::<AccountLock>(), what)
            })
            .answered_by(read_lock::<A>),
        route(Method::DELETE, format!("{one}/lock"), "lifts the lock of an account")
            .named("lift_lock")
            .described(|it| {
                let what = "The password is taken again.";
                keyed::<A>(it).answers(StatusCode::NO_CONTENT, Shape::Nothing, what)
            })
            .answered_by(lift_lock::<A>),
        route(Method::GET, format!("{one}/events"), "what happened to a user's account")
            .named("list_events_of")
            .described(|it| events::facts::<Event>(keyed::<A>(it), "AccountEvents"))
            .answered_by(list_events::<A>),
    ]
}

fn keyed<A: Application>(facts: Facts) -> Facts {
    facts.keyed_by::<<A::User as UserModel>::Id>("The user's key.")
}

fn list_facts<A: Application>(facts: Facts) -> Facts {
    let limit = Shape::Between(1, MAX_LIMIT, Some(DEFAULT_LIMIT));
    facts
        .in_query("search", Shape::Text, "How the identifier begins, in whichever case it is written.")
        .in_query("sort", Shape::Order, "What the list is sorted by; a `-` in front turns the order round.")
        .in_query("limit", limit, "How many at most.")
        .in_query("after", Shape::Text, "The `next` of the page before.")
        .in_query("total", Shape::Flag, "Whether to count all pages.")
        .queried_by::<<A::User as UserModel>::Filter>()
        .answers(StatusCode::OK, Shape::UserPage, "A page of users.")
}

/// The answer to a list.
#[derive(Serialize)]
#[serde(bound = "")]
struct Listed<U: UserModel> {
    items: Vec<View<U>>,
    /// What `after` takes for the page behind this one.
    next: Option<String>,
    limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

async fn list<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let query = ListQuery::parse(&json::parameters(&parts.uri)?).map_err(Error::Validation)?;
    let page = answer!(generated.list_users(users, parts, query), users.list_users(query))?;
    let items = page.items.into_iter().map(Into::into).collect();
    let items = generated.show_all(Group::Users, &users, items).await?;
    Ok(Json(Listed { items, next: page.next, limit: page.limit, total: page.total }).into_response())
}

async fn read<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let found = async { users.user(id).await?.ok_or(Error::NotFound) };
    let user = answer!(generated.read_user(users, parts, id), found)?;
    Ok(Json(generated.show(Group::Users, &users, user).await?).into_response())
}

async fn update<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let update = json::dto(&parts.headers, body, users.body_limit()).await?;
    let user = answer!(
        generated.update_user(users, parts, (id, update)),
        users.update_user_for(&parts, id, &update)
    )?;
    Ok(Json(generated.show(Group::Users, &users, user).await?).into_response())
}

async fn delete<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let user = answer!(generated.delete_user(users, parts, id), users.delete_user(id))?;
    Ok(Json(generated.show(Group::Users, &users, user).await?).into_response())
}

async fn end_sessions<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    answer!(generated.end_sessions_of(users, parts, id), users.end_sessions(id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list_events<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let query = events::query(&parts)?;
    let page =
        answer!(generated.list_events_of(users, parts, (id, query)), users.events_shown_of(id, &query))?;
    Ok(events::listed::<Event>(page))
}

async fn read_lock<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let lock = answer!(generated.read_lock(users, parts, id), users.account_lock(id))?;
    Ok(Json(lock).into_response())
}

async fn lift_lock<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    Key(id): UserKey<A>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    answer!(generated.lift_lock(users, parts, id), users.lift_account_lock(id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
