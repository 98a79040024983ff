//! The generated routes: one file a group, and the router that holds them and the application's own.

mod auth;
mod current_user;
mod guide;
mod password_reset;
mod register;
mod verify;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};

use crate::{
    app::Application,
    error::Error,
    extract::Marker,
    layer::{around, harden, require_login},
    service::Users,
};

/// The router of an application: the generated routes, and the application's own in two halves.
///
/// [`protected`](Self::protected) is closed by default, [`public`](Self::public) open; it becomes an
/// [`axum::Router`] with [`into_router`](Self::into_router) or `into()`.
#[must_use = "a router answers nothing until it is served"]
pub struct UsersRouter<A: Application> {
    users: Users<A>,
    protected: Router,
    public: Router,
}

impl<A: Application> std::fmt::Debug for UsersRouter<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsersRouter").finish_non_exhaustive()
    }
}

impl<A: Application> UsersRouter<A> {
    /// The generated routes over this state.
    pub fn new(users: Users<A>) -> Self {
        let mut protected = Router::new();
        let mut public = Router::new();
        if let Some(paths) = A::ROUTES.auth {
            public = public.merge(auth::public::<A>(paths));
            protected = protected.merge(auth::protected::<A>(paths));
        }
        if let Some(paths) = A::ROUTES.register {
            public = public.merge(register::public::<A>(paths));
        }
        if let Some(paths) = A::ROUTES.verify {
            public = public.merge(verify::public::<A>(paths));
        }
        if let Some(paths) = A::ROUTES.password_reset {
            public = public.merge(password_reset::public::<A>(paths));
        }
        if let Some(paths) = A::ROUTES.current_user {
            protected = protected.merge(current_user::protected::<A>(paths));
        }
        Self {
            protected: hardened(protected.with_state(users.clone())),
            public: hardened(public.with_state(users.clone())),
            users,
        }
    }

    /// Adds routes of the application's own that need a login, unless `exclude` names them.
    ///
    /// # Panics
    /// When a route is there already, as [`Router::merge`] does.
    pub fn protected(self, routes: impl Into<Router>) -> Self {
        Self { protected: self.protected.merge(routes), ..self }
    }

    /// Adds routes of the application's own that serve everybody. Their handlers may take `Option<CurrentUser>`.
    ///
    /// # Panics
    /// When a route is there already, as [`Router::merge`] does.
    pub fn public(self, routes: impl Into<Router>) -> Self {
        Self { public: self.public.merge(routes), ..self }
    }

    /// All routes as one router, to be served or nested.
    pub fn into_router(self) -> Router {
        let marker = Marker::new(self.users.clone());
        guarded(self.protected, &self.users)
            .merge(self.public)
            .layer(from_fn_with_state((self.users, marker), around::<A>))
    }
}

impl<A: Application> From<UsersRouter<A>> for Router {
    fn from(router: UsersRouter<A>) -> Self {
        router.into_router()
    }
}

/// Closes every handler, fallbacks of the application's own included. What axum itself answers to a path or a method
/// that does not exist stays as it is for everybody.
fn guarded<A: Application>(routes: Router, users: &Users<A>) -> Router {
    routes
        .layer(from_fn_with_state(users.clone(), require_login::<A>))
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .merge(Router::new())
}

fn hardened(routes: Router) -> Router {
    if routes.has_routes() { routes.route_layer(from_fn(harden)) } else { routes }
}
