//! Who a handler serves: `CurrentUser`, `Option<CurrentUser>` and `Visitor`, and `Heartbeat` for as long as it does.

mod live;

mod session_data;

use std::{any::Any, fmt, marker::PhantomData, ops::Deref, sync::Arc};

pub(crate) use session_data::Carried;
pub use session_data::SessionData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Extensions, request::Parts};

pub use live::Heartbeat;
pub(crate) use live::remember_guard;

use crate::{
    app::Application,
    error::Error,
    future::BoxFuture,
    guard::{Guard, check},
    model::{RoleName, UserModel},
    principal::Principal,
    service::{Scope, Users},
};

/// The user that a request's credential stands for. It dereferences to the model, so `user.email` works; a handler
/// that takes it demands a login, and `Option<CurrentUser>` serves others too.
pub struct CurrentUser<U: UserModel>(Arc<Principal<U>>);

impl<U: UserModel> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: UserModel> CurrentUser<U> {
    /// The user's roles, as they are now.
    #[must_use]
    pub fn roles(&self) -> &[U::Role] {
        self.0.roles()
    }

    /// Whether the user has a role now: a variant of an `enum` that derives `Roles`, or a name.
    #[must_use]
    pub fn has_role(&self, role: impl RoleName) -> bool {
        self.0.has_role(role)
    }

    /// What the backend that accepted the request's credential says of the user beside the row, if anything of this
    /// type: see [`Principal::with_claims`].
    #[must_use]
    pub fn claims<T: Any>(&self) -> Option<&T> {
        self.0.claims()
    }

    pub(crate) fn shared(&self) -> Arc<Principal<U>> {
        Arc::clone(&self.0)
    }

    /// The user with what the request's credential says of them.
    #[must_use]
    pub fn principal(&self) -> &Principal<U> {
        &self.0
    }
}

impl<U: UserModel + fmt::Debug> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentUser").field(&self.0).finish()
    }
}

impl<U: UserModel> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

/// Whoever sent a request, somebody or nobody: it answers for anonymous callers too, with answers that open nothing.
pub enum Visitor<U: UserModel> {
    /// Nobody, as far as the application can tell.
    Anonymous,
    /// A user of the application.
    User(CurrentUser<U>),
}

impl<U: UserModel> Clone for Visitor<U> {
    fn clone(&self) -> Self {
        match self {
            Self::Anonymous => Self::Anonymous,
            Self::User(user) => Self::User(user.clone()),
        }
    }
}

impl<U: UserModel + fmt::Debug> fmt::Debug for Visitor<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::User(user) => f.debug_tuple("User").field(user).finish(),
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

    /// The user's roles; none for anonymous callers.
    #[must_use]
    pub fn roles(&self) -> &[U::Role] {
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
trait Authenticate<U: UserModel>: Send + Sync {
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

/// The same for routes that demand a login.
pub(crate) async fn require<U: UserModel>(parts: &mut Parts) -> Result<CurrentUser<U>, Error> {
    find(parts).await?.ok_or(Error::Unauthenticated)
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
        require(parts).await
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

/// The user that a request's credential stands for, whom the guard `G` lets pass. It dereferences to [`CurrentUser`];
/// others are answered 401 without a login and 403 with one.
pub struct Guarded<U: UserModel, G>(CurrentUser<U>, PhantomData<fn() -> G>);

impl<U: UserModel, G> Guarded<U, G> {
    /// The user without the guard's name.
    #[must_use]
    pub fn into_inner(self) -> CurrentUser<U> {
        self.0
    }
}

impl<U: UserModel, G> Clone for Guarded<U, G> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<U: UserModel + fmt::Debug, G> fmt::Debug for Guarded<U, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").field(&self.0).finish()
    }
}

impl<U: UserModel, G> Deref for Guarded<U, G> {
    type Target = CurrentUser<U>;

    fn deref(&self) -> &CurrentUser<U> {
        &self.0
    }
}

impl<U: UserModel, G: Guard<U> + Default, S: Send + Sync> FromRequestParts<S> for Guarded<U, G> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let user = require::<U>(parts).await?;
        check(&G::default(), user.principal())?;
        Ok(Self(user, PhantomData))
    }
}

/// The users of the tenant that a request belongs to, for the routes of the library.
impl<A: Application> FromRequestParts<Users<A>> for Scope<A> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, users: &Users<A>) -> Result<Self, Error> {
        let actor = parts.extensions.get::<CurrentUser<A::User>>().map(|user| Arc::clone(&user.0));
        Ok(users.scope_of(parts).await?.on_behalf_of(actor))
    }
}
