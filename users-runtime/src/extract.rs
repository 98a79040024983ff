//! Who a handler serves: `CurrentUser`, `Option<CurrentUser>` and `Visitor`.

use std::{ops::Deref, sync::Arc};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Extensions, request::Parts};

use crate::{
    app::Application, error::Error, future::BoxFuture, model::UserModel, principal::Principal, service::Users,
};

/// The user that a request's credential stands for. It dereferences to the model, so `user.email` works; a handler
/// that takes it demands a login, and `Option<CurrentUser>` serves others too.
#[derive(Debug)]
pub struct CurrentUser<U>(Arc<Principal<U>>);

impl<U> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U> CurrentUser<U> {
    /// The names of the user's roles, as they are now.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.0.roles()
    }

    /// Whether the user has a role now.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.0.has_role(role)
    }

    pub(crate) fn principal(&self) -> &Principal<U> {
        &self.0
    }
}

impl<U> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

/// Whoever sent a request, somebody or nobody: it answers for anonymous callers too, with answers that open nothing.
#[derive(Debug)]
pub enum Visitor<U> {
    /// Nobody, as far as the application can tell.
    Anonymous,
    /// A user of the application.
    User(CurrentUser<U>),
}

impl<U> Clone for Visitor<U> {
    fn clone(&self) -> Self {
        match self {
            Self::Anonymous => Self::Anonymous,
            Self::User(user) => Self::User(user.clone()),
        }
    }
}

impl<U: UserModel> Visitor<U> {
    /// The user's key; `None` for anonymous callers.
    #[must_use]
    pub fn id(&self) -> Option<U::Id> {
        self.user().map(|user| user.id())
    }

    /// Whether the account may be used; `false` for anonymous callers.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.user().is_some_and(|user| user.is_active())
    }

    /// Whether the mailbox is proven; `false` for anonymous callers.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.user().is_some_and(|user| user.is_verified())
    }

    /// The names of the user's roles; none for anonymous callers.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.user().map(CurrentUser::roles).unwrap_or_default()
    }

    /// Whether nobody is logged in.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.user().is_none()
    }

    /// The user, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<&CurrentUser<U>> {
        match self {
            Self::Anonymous => None,
            Self::User(user) => Some(user),
        }
    }
}

/// Finds out who a request is from; in the extensions of every request that passes the library's router.
trait Authenticate<U>: Send + Sync {
    fn authenticate<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Option<Principal<U>>, Error>>;
}

impl<A: Application> Authenticate<A::User> for Users<A> {
    fn authenticate<'a>(
        &'a self,
        request: &'a Parts,
    ) -> BoxFuture<'a, Result<Option<Principal<A::User>>, Error>> {
        Box::pin(Users::authenticate(self, request))
    }
}

struct Handle<U>(Arc<dyn Authenticate<U>>);

impl<U> Clone for Handle<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What lets extractors find out who a request is from, made once for a router.
pub(crate) struct Marker<U>(Handle<U>);

impl<U> Clone for Marker<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<U: UserModel> Marker<U> {
    pub(crate) fn new<A: Application<User = U>>(users: Users<A>) -> Self {
        Self(Handle(Arc::new(users)))
    }

    pub(crate) fn mark(&self, extensions: &mut Extensions) {
        extensions.insert(self.0.clone());
    }
}

/// Notes who a request is from, for the extractors behind.
pub(crate) fn remember<U: UserModel>(extensions: &mut Extensions, principal: Principal<U>) {
    extensions.insert(CurrentUser(Arc::new(principal)));
}

/// Who a request is from: asked once, remembered for the extractors that follow.
async fn find<U: UserModel>(parts: &mut Parts) -> Result<Option<CurrentUser<U>>, Error> {
    if let Some(user) = parts.extensions.get::<CurrentUser<U>>() {
        return Ok(Some(user.clone()));
    }
    let Some(handle) = parts.extensions.get::<Handle<U>>().cloned() else {
        // Failing closed: outside the library's router nobody knows who a request is from.
        return Err(Error::internal(
            "`CurrentUser` in a handler outside `router(users)`; add its router with `.protected(..)` or `.public(..)`",
        ));
    };
    let Some(principal) = handle.0.authenticate(parts).await? else { return Ok(None) };
    remember(&mut parts.extensions, principal);
    Ok(parts.extensions.get::<CurrentUser<U>>().cloned())
}

/// The same for routes that serve everybody: a credential that is no good counts as none, an error stays one.
async fn find_or_nobody<U: UserModel>(parts: &mut Parts) -> Result<Option<CurrentUser<U>>, Error> {
    match find(parts).await {
        Err(Error::Unauthenticated | Error::NotVerified) => Ok(None),
        other => other,
    }
}

impl<U: UserModel, S: Send + Sync> FromRequestParts<S> for CurrentUser<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        find(parts).await?.ok_or(Error::Unauthenticated)
    }
}

impl<U: UserModel, S: Send + Sync> OptionalFromRequestParts<S> for CurrentUser<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        find_or_nobody(parts).await
    }
}

impl<U: UserModel, S: Send + Sync> FromRequestParts<S> for Visitor<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Ok(find_or_nobody(parts).await?.map_or(Self::Anonymous, Self::User))
    }
}
