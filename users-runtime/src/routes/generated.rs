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
    app::{Application, Group},
    error::Error,
    guard::Guards,
    layer::GuardLayer,
    model::UserId,
    operation::{Access, Facts, GeneratedRoute},
    service::{Scope, Users},
};

/// The state of the generated routes.
pub(super) struct Generated<A: Application> {
    pub(super) users: Users<A>,
    pub(super) overrides: Arc<Overrides<A>>,
    #[cfg(feature = "openapi")]
    pub(super) document: Arc<super::docs::Document>,
}

impl<A: Application> Clone for Generated<A> {
    fn clone(&self) -> Self {
        Self {
            users: self.users.clone(),
            overrides: Arc::clone(&self.overrides),
            #[cfg(feature = "openapi")]
            document: Arc::clone(&self.document),
        }
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
            None => {
                // In a box, so that the type of a handler's future does not hold that of everything which it does.
                let work: $crate::future::BoxFuture<'_, _> = Box::pin($generally);
                work.await
            }
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

/// A route before it is part of a router.
pub(super) struct Route<A: Application> {
    pub(super) about: GeneratedRoute,
    #[cfg(feature = "openapi")]
    pub(super) facts: Facts,
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
        let about = GeneratedRoute { method, path, group, access, summary, operation: "" };
        Self {
            about,
            #[cfg(feature = "openapi")]
            facts: Facts::default(),
            handler: MethodRouter::new(),
        }
    }

    /// The name of the operation, which is that of the method which overrides it where there is one.
    pub(super) fn named(mut self, operation: &'static str) -> Self {
        self.about.operation = operation;
        self
    }

    /// What it takes and answers, beyond what follows from its path, its body and who may use it.
    #[cfg(feature = "openapi")]
    pub(super) fn described(self, describe: impl FnOnce(Facts) -> Facts) -> Self {
        Self { facts: describe(self.facts), ..self }
    }

    /// What it takes and answers, which nobody asks for.
    #[cfg(not(feature = "openapi"))]
    pub(super) fn described(self, _describe: impl FnOnce(Facts) -> Facts) -> Self {
        self
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
            Group::Register
            | Group::Verify
            | Group::Auth
            | Group::PasswordReset
            | Group::Tokens
            | Group::OAuth2
            | Group::Docs => None,
        };
        match guard {
            Some(guard) => self.handler.route_layer(GuardLayer::from(Arc::clone(guard))),
            None => self.handler,
        }
    }
}
