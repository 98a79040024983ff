//! A generated route: what it answers, to whom, and what stands in its place.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use http::{Method, request::Parts};

use super::overriding::Overrides;
use crate::{
    app::Application,
    error::Error,
    guard::Guards,
    layer::GuardLayer,
    model::UserId,
    service::{Scope, Users},
};

/// The state of the generated routes.
pub(super) struct Generated<A: Application> {
    pub(super) users: Users<A>,
    pub(super) overrides: Arc<Overrides<A>>,
}

impl<A: Application> Clone for Generated<A> {
    fn clone(&self) -> Self {
        Self { users: self.users.clone(), overrides: Arc::clone(&self.overrides) }
    }
}

impl<A: Application> FromRequestParts<Generated<A>> for Scope<A> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &Generated<A>) -> Result<Self, Error> {
        Self::from_request_parts(parts, &state.users).await
    }
}

/// What the application's function answers to a route, or else the library's.
macro_rules! answer {
    ($generated:ident.$route:ident($users:ident, $parts:ident, $input:expr), $generally:expr) => {
        match &$generated.overrides.answers.$route {
            Some(own) => own.answer($users.clone(), $parts, $input).await,
            None => $generally.await,
        }
    };
}

pub(super) use answer;

/// The key in the path; what cannot be one names nothing.
pub(super) struct Key<Id>(pub(super) Id);

impl<Id: UserId, S: Send + Sync> FromRequestParts<S> for Key<Id> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // A prefix under which the application nests the router may have parameters too.
        let parameters =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| Error::NotFound)?;
        let text = parameters.iter().filter(|(name, _)| *name == "id").last().map(|(_, text)| text);
        text.and_then(|text| text.parse().ok()).map(Self).ok_or(Error::NotFound)
    }
}

/// A route that the library generates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GeneratedRoute {
    /// The method; a `GET` answers `HEAD` too.
    pub method: Method,
    /// The path, with `{id}` where a key stands.
    pub path: String,
    /// The group.
    pub group: Group,
    /// Who may use it.
    pub access: Access,
    /// What it does, in a few words.
    pub summary: &'static str,
}

/// A group of generated routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Registration.
    Register,
    /// Proof of the mailbox.
    Verify,
    /// Login and logout.
    Auth,
    /// Forgotten passwords.
    PasswordReset,
    /// The user's own account.
    CurrentUser,
    /// Management of users.
    Users,
    /// Management of roles.
    Roles,
    /// The user's own sessions.
    Sessions,
    /// Tokens for clients that are no browsers.
    Tokens,
}

/// Who may use a generated route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    Anyone,
    /// Whoever is logged in, and passes the guard of the group if there is one.
    User,
    /// Users whom the guard of the group lets pass: administrators unless `routes(...)` names another one.
    Guarded,
}

/// A route before it is part of a router.
pub(super) struct Route<A: Application> {
    pub(super) about: GeneratedRoute,
    handler: MethodRouter<Generated<A>>,
}

impl<A: Application> Route<A> {
    pub(super) fn public(group: Group, method: Method, path: &str, summary: &'static str) -> Self {
        Self::new(group, method, path.to_owned(), summary, Access::Anyone)
    }

    pub(super) fn of_users(group: Group, method: Method, path: &str, summary: &'static str) -> Self {
        Self::new(group, method, path.to_owned(), summary, Access::User)
    }

    pub(super) fn guarded(group: Group, method: Method, path: String, summary: &'static str) -> Self {
        Self::new(group, method, path, summary, Access::Guarded)
    }

    fn new(group: Group, method: Method, path: String, summary: &'static str, access: Access) -> Self {
        let about = GeneratedRoute { method, path, group, access, summary };
        Self { about, handler: MethodRouter::new() }
    }

    pub(super) fn answered_by<T: 'static, H: Handler<T, Generated<A>>>(self, handler: H) -> Self {
        // Each method that a group has is one of the nine that have a filter.
        let filter = MethodFilter::try_from(self.about.method.clone()).unwrap_or(MethodFilter::GET);
        Self { handler: on(filter, handler), ..self }
    }

    /// The handler behind the guard of its group.
    pub(super) fn behind(self, guards: &Guards<A::User>) -> MethodRouter<Generated<A>> {
        let guard = match self.about.group {
            Group::Users => Some(&guards.users),
            Group::Roles => Some(&guards.roles),
            Group::CurrentUser => guards.current_user.as_ref(),
            Group::Sessions => guards.sessions.as_ref(),
            Group::Register | Group::Verify | Group::Auth | Group::PasswordReset | Group::Tokens => None,
        };
        match guard {
            Some(guard) => self.handler.route_layer(GuardLayer::from(Arc::clone(guard))),
            None => self.handler,
        }
    }
}
