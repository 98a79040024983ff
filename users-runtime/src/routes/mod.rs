//! The generated routes: one file a group, and the router that holds them and the application's own.

mod auth;
mod current_user;
#[cfg(feature = "openapi")]
mod docs;
#[cfg(feature = "openapi")]
mod document;
mod events;
mod generated;
mod guide;
mod invitations;
#[cfg(feature = "oauth2")]
mod oauth2;
mod overriding;
mod password_reset;
mod register;
mod roles;
mod sessions;
mod show;
#[cfg(feature = "jwt")]
mod tokens;
mod users;
mod verify;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::connect_info::IntoMakeServiceWithConnectInfo,
    middleware::{from_fn, from_fn_with_state},
};

pub use self::overriding::{Answer, Read, ResetPassword};
use self::{
    generated::{Generated, Key, Route, answer},
    overriding::Overrides,
};
use crate::{
    app::{Application, Group},
    config::Config,
    error::Error,
    layer::{Around, around, harden, require_login},
    operation::{Access, GeneratedRoute},
    registration::Registration,
    service::{Users, is_address},
};

/// The router of an application: the generated routes, and the application's own in two halves.
///
/// [`protected`](Self::protected) is closed by default, [`public`](Self::public) open; it becomes an
/// [`axum::Router`] with [`into_router`](Self::into_router) or `into()`. The `with_*` methods put functions of the
/// application's own in the place of generated routes and DTOs.
#[must_use = "a router answers nothing until it is served"]
pub struct UsersRouter<A: Application> {
    users: Users<A>,
    overrides: Overrides<A>,
    #[cfg(feature = "openapi")]
    said: document::Said,
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
        Self {
            users,
            overrides: Overrides::default(),
            #[cfg(feature = "openapi")]
            said: document::Said::default(),
            protected: Router::new(),
            public: Router::new(),
        }
    }

    /// Adds routes of the application's own that need a login, unless `exclude` names them. They may lie below the
    /// generated ones, as `/users/{id}/orders` does.
    ///
    /// # Panics
    /// When two routers have the same route, as [`Router::merge`] does; for one that is generated, in
    /// [`into_router`](Self::into_router).
    pub fn protected(self, routes: impl Into<Router>) -> Self {
        Self { protected: self.protected.merge(routes), ..self }
    }

    /// Adds routes of the application's own that serve everybody. Their handlers may take `Option<CurrentUser>`.
    ///
    /// # Panics
    /// As [`protected`](Self::protected).
    pub fn public(self, routes: impl Into<Router>) -> Self {
        Self { public: self.public.merge(routes), ..self }
    }

    /// What the library generates, and who may use it.
    #[must_use]
    pub fn routes(&self) -> Vec<GeneratedRoute> {
        all::<A>(self.users.config()).into_iter().map(|route| route.about).collect()
    }

    /// The users behind the routes.
    #[cfg(feature = "conformance")]
    pub(crate) fn users(&self) -> &Users<A> {
        &self.users
    }

    /// All routes, to be served over TCP: `axum::serve(listener, app.into_make_service())`. Each request knows the address
    /// that it comes from, which limits of clients and the record of events need.
    ///
    /// # Panics
    /// As [`into_router`](Self::into_router).
    #[must_use]
    pub fn into_make_service(self) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
        self.into_router().into_make_service_with_connect_info()
    }

    /// All routes as one router, to be nested, or served another way. Serve the router that it becomes part of by
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// # Panics
    /// When a route of the application's own is generated too.
    pub fn into_router(self) -> Router {
        #[cfg(feature = "openapi")]
        let document = Arc::new(docs::Document::new(self.openapi()));
        let Self { users, overrides, protected, public, .. } = self;
        let state = Generated {
            users: users.clone(),
            overrides: Arc::new(overrides),
            #[cfg(feature = "openapi")]
            document,
        };
        let guards = A::guards();
        let (mut closed, mut open) = (Router::new(), Router::new());
        for route in all::<A>(users.config()) {
            let half = if route.about.access == Access::Anyone { &mut open } else { &mut closed };
            let path = route.about.path.clone();
            *half = std::mem::take(half).route(&path, route.behind(&guards));
        }
        let protected = hardened(closed.with_state(state.clone())).merge(protected);
        let public = hardened(open.with_state(state)).merge(public);
        #[cfg(feature = "swagger-ui")]
        let public = A::ROUTES.docs.into_iter().map(docs::files).fold(public, Router::merge);
        let around_all = from_fn_with_state(Around::new(users.clone()), around::<A>);
        guarded(protected, &users).merge(public).layer(around_all)
    }
}

/// Every generated route, in the order in which people meet them. Some exist for some settings alone.
fn all<A: Application>(config: &Config) -> Vec<Route<A>> {
    let groups = A::ROUTES;
    let mut all = Vec::new();
    let mode = config.registration;
    all.extend(groups.register.into_iter().flat_map(|paths| register::routes::<A>(paths, mode)));
    all.extend(groups.verify.into_iter().flat_map(verify::routes::<A>));
    let remember = config.session_unremembered.is_some();
    all.extend(groups.auth.into_iter().flat_map(|paths| auth::routes::<A>(paths, remember)));
    all.extend(groups.password_reset.into_iter().flat_map(password_reset::routes::<A>));
    all.extend(groups.current_user.into_iter().flat_map(current_user::routes::<A>));
    all.extend(groups.sessions.into_iter().flat_map(sessions::routes::<A>));
    #[cfg(feature = "jwt")]
    all.extend(groups.tokens.into_iter().flat_map(tokens::routes::<A>));
    #[cfg(feature = "oauth2")]
    if !config.oauth_providers.is_empty() {
        all.extend(groups.oauth2.into_iter().flat_map(oauth2::routes::<A>));
    }
    all.extend(groups.users.into_iter().flat_map(users::routes::<A>));
    if mode == Registration::InviteOnly && is_address::<A>() {
        all.extend(groups.users.into_iter().flat_map(invitations::routes::<A>));
    }
    all.extend(groups.roles.into_iter().flat_map(roles::routes::<A>));
    #[cfg(feature = "openapi")]
    all.extend(groups.docs.into_iter().flat_map(docs::routes::<A>));
    all
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
