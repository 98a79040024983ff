//! Guards: what a route asks of a user beyond being logged in.

use std::{sync::Arc, time::Duration};

use crate::{
    clock,
    config::ADMINISTRATOR,
    error::Error,
    model::{HasRoles, RoleName, UserModel},
    principal::Principal,
};

/// Who may use a route, among those who are logged in.
///
/// A role is one: a string, or a variant of an `enum` that derives `Roles`. Others are [`any_of`], [`all_of`],
/// [`verified`], [`active`], [`recently_authenticated`] and [`when`] around a predicate; [`both`] and [`either`] combine
/// two. A guard stands before a route group in `#[users_app(routes(users(guard = ...)))]`, before routes of your own as a
/// layer, and in the arguments of a handler:
///
/// ```
/// use axum::{Router, routing::get};
/// use users_runtime::{Guard, Principal, any_of, recently_authenticated, users_app, when};
///
/// #[users_app(auth = "session", routes(auth, register, users(guard = any_of(["administrator", "support"]))))]
/// mod accounts {
///     use users_runtime::{PasswordHash, UserModel, any_of};
///
///     #[derive(Clone, Debug, UserModel)]
///     pub struct User {
///         #[user(id)]
///         pub id: i64,
///         #[user(identifier)]
///         pub email: String,
///         #[user(password_hash)]
///         password_hash: PasswordHash,
///         pub age: i64,
///     }
/// }
///
/// /// A guard with a name, for the arguments of handlers.
/// #[derive(Default)]
/// struct Adult;
///
/// impl Guard<accounts::User> for Adult {
///     fn allows(&self, user: &Principal<accounts::User>) -> bool {
///         user.age >= 18
///     }
/// }
///
/// async fn vote(user: accounts::Guarded<Adult>) -> String {
///     format!("{} has voted", user.email)
/// }
///
/// let ballots = Router::new()
///     .route("/vote", get(vote))
///     .route_layer(accounts::guard(recently_authenticated()));
/// // The layers of nested routers add up: these routes ask for both.
/// let elections: Router = Router::new()
///     .nest("/ballots", ballots)
///     .route_layer(accounts::guard(when(|user: &Principal<accounts::User>| user.age >= 16)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard for `{U}`",
    label = "this does not say who may pass",
    note = "write a role, `any_of([...])` of roles, `verified()`, or `when(predicate)` with a predicate of `&Principal<{U}>`"
)]
pub trait Guard<U: UserModel>: Send + Sync + 'static {
    /// Whether this user may pass. Nobody is asked about who is not logged in.
    fn allows(&self, user: &Principal<U>) -> bool;

    /// The answer to a user who may not.
    fn refusal(&self, user: &Principal<U>) -> Error {
        let _ = user;
        Error::Forbidden
    }
}

/// Lets a user pass or says why not.
pub(crate) fn check<U: UserModel>(guard: &dyn Guard<U>, user: &Principal<U>) -> Result<(), Error> {
    if guard.allows(user) { Ok(()) } else { Err(guard.refusal(user)) }
}

/// A role by its name.
impl<U: HasRoles> Guard<U> for &'static str {
    fn allows(&self, user: &Principal<U>) -> bool {
        user.has_role(*self)
    }
}

/// Lets pass who has at least one of these roles; nobody when there are none.
pub fn any_of<R: RoleName>(roles: impl IntoIterator<Item = R>) -> AnyOf {
    AnyOf(names(roles))
}

/// Lets pass who has all of these roles; nobody when there are none.
pub fn all_of<R: RoleName>(roles: impl IntoIterator<Item = R>) -> AllOf {
    AllOf(names(roles))
}

fn names<R: RoleName>(roles: impl IntoIterator<Item = R>) -> Box<[String]> {
    roles.into_iter().map(|role| role.role_name().to_owned()).collect()
}

/// The guard that [`any_of`] makes.
#[derive(Debug, Clone)]
pub struct AnyOf(Box<[String]>);

impl<U: HasRoles> Guard<U> for AnyOf {
    fn allows(&self, user: &Principal<U>) -> bool {
        self.0.iter().any(|role| user.has_role(role))
    }
}

/// The guard that [`all_of`] makes.
#[derive(Debug, Clone)]
pub struct AllOf(Box<[String]>);

impl<U: HasRoles> Guard<U> for AllOf {
    fn allows(&self, user: &Principal<U>) -> bool {
        // A list that came out empty by mistake opens nothing.
        !self.0.is_empty() && self.0.iter().all(|role| user.has_role(role))
    }
}

/// Lets pass whom both guards let pass; the first that does not gives the answer.
pub fn both<A, B>(first: A, second: B) -> Both<A, B> {
    Both(first, second)
}

/// Lets pass whom at least one of two guards lets pass; the second gives the answer to others.
pub fn either<A, B>(first: A, second: B) -> Either<A, B> {
    Either(first, second)
}

/// The guard that [`both`] makes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Both<A, B>(A, B);

impl<U: UserModel, A: Guard<U>, B: Guard<U>> Guard<U> for Both<A, B> {
    fn allows(&self, user: &Principal<U>) -> bool {
        self.0.allows(user) && self.1.allows(user)
    }

    fn refusal(&self, user: &Principal<U>) -> Error {
        if self.0.allows(user) { self.1.refusal(user) } else { self.0.refusal(user) }
    }
}

/// The guard that [`either`] makes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Either<A, B>(A, B);

impl<U: UserModel, A: Guard<U>, B: Guard<U>> Guard<U> for Either<A, B> {
    fn allows(&self, user: &Principal<U>) -> bool {
        self.0.allows(user) || self.1.allows(user)
    }

    fn refusal(&self, user: &Principal<U>) -> Error {
        self.1.refusal(user)
    }
}

/// Lets pass whom a predicate of your own accepts.
pub fn when<U, F>(predicate: F) -> When<F>
where
    U: UserModel,
    F: Fn(&Principal<U>) -> bool + Send + Sync + 'static,
{
    When(predicate)
}

/// The guard that [`when`] makes.
#[derive(Clone, Copy)]
pub struct When<F>(F);

impl<F> std::fmt::Debug for When<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("When").finish_non_exhaustive()
    }
}

impl<U, F> Guard<U> for When<F>
where
    U: UserModel,
    F: Fn(&Principal<U>) -> bool + Send + Sync + 'static,
{
    fn allows(&self, user: &Principal<U>) -> bool {
        (self.0)(user)
    }
}

/// Lets pass whose mailbox is proven.
#[must_use]
pub const fn verified() -> Verified {
    Verified
}

/// The guard that [`verified`] makes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verified;

impl<U: UserModel> Guard<U> for Verified {
    fn allows(&self, user: &Principal<U>) -> bool {
        user.is_verified()
    }

    fn refusal(&self, _user: &Principal<U>) -> Error {
        Error::NotVerified
    }
}

/// Lets pass whose account may be used. Every credential asks for it already, a backend's of your own included.
#[must_use]
pub const fn active() -> Active {
    Active
}

/// The guard that [`active`] makes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Active;

impl<U: UserModel> Guard<U> for Active {
    fn allows(&self, user: &Principal<U>) -> bool {
        user.is_active()
    }
}

/// How long a login counts as recent unless a guard says otherwise.
const RECENT: Duration = Duration::from_mins(5);

/// Lets pass who gave a password in the last five minutes, for routes where a stolen session must not suffice.
#[must_use]
pub const fn recently_authenticated() -> RecentlyAuthenticated {
    recently_authenticated_within(RECENT)
}

/// The same with another time.
#[must_use]
pub const fn recently_authenticated_within(within: Duration) -> RecentlyAuthenticated {
    RecentlyAuthenticated(within)
}

/// The guard that [`recently_authenticated`] makes.
#[derive(Debug, Clone, Copy)]
pub struct RecentlyAuthenticated(Duration);

impl Default for RecentlyAuthenticated {
    fn default() -> Self {
        recently_authenticated()
    }
}

impl<U: UserModel> Guard<U> for RecentlyAuthenticated {
    fn allows(&self, user: &Principal<U>) -> bool {
        is_recent(user.authenticated_at(), clock::now(), self.0)
    }

    fn refusal(&self, _user: &Principal<U>) -> Error {
        Error::refused("reauthentication_required", "log in again to do this")
    }
}

/// Whether a login at `at` is recent at `now`, both in milliseconds since 1970. A login that nobody dates is not. One in
/// the near future is, since the clocks of several machines differ.
fn is_recent(at: Option<i64>, now: i64, within: Duration) -> bool {
    at.is_some_and(|at| u128::from(now.abs_diff(at)) <= within.as_millis())
}

/// Who may use the route groups that are not for every user: `users` and `roles` are for administrators by default.
pub struct Guards<U: UserModel> {
    pub(crate) current_user: Option<Arc<dyn Guard<U>>>,
    pub(crate) users: Arc<dyn Guard<U>>,
    pub(crate) roles: Arc<dyn Guard<U>>,
    pub(crate) sessions: Option<Arc<dyn Guard<U>>>,
}

impl<U: UserModel> std::fmt::Debug for Guards<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guards").finish_non_exhaustive()
    }
}

impl<U: UserModel> Default for Guards<U> {
    fn default() -> Self {
        Self {
            current_user: None,
            users: Arc::new(Administrators),
            roles: Arc::new(Administrators),
            sessions: None,
        }
    }
}

impl<U: UserModel> Guards<U> {
    /// Before the group `current_user`, beside the login that it needs.
    #[must_use]
    pub fn with_current_user(self, guard: impl Guard<U>) -> Self {
        Self { current_user: Some(Arc::new(guard)), ..self }
    }

    /// Before the group `users`.
    #[must_use]
    pub fn with_users(self, guard: impl Guard<U>) -> Self {
        Self { users: Arc::new(guard), ..self }
    }

    /// Before the group `roles`.
    #[must_use]
    pub fn with_roles(self, guard: impl Guard<U>) -> Self {
        Self { roles: Arc::new(guard), ..self }
    }

    /// Before the group `sessions`, beside the login that it needs.
    #[must_use]
    pub fn with_sessions(self, guard: impl Guard<U>) -> Self {
        Self { sessions: Some(Arc::new(guard)), ..self }
    }
}

/// Lets administrators pass: of a model without roles, nobody.
struct Administrators;

impl<U: UserModel> Guard<U> for Administrators {
    fn allows(&self, user: &Principal<U>) -> bool {
        user.has_role(ADMINISTRATOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_recent_until_its_time_is_over() {
        let within = Duration::from_mins(5);
        for (at, recent) in [
            (Some(1_000_000), true),
            (Some(700_000), true),
            (Some(699_999), false),
            (Some(1_300_001), false),
            (Some(i64::MIN), false),
            (Some(i64::MAX), false),
            (None, false),
        ] {
            assert_eq!(is_recent(at, 1_000_000, within), recent, "{at:?}");
        }
        assert!(!is_recent(Some(999_999), 1_000_000, Duration::ZERO));
        assert!(is_recent(Some(i64::MIN), i64::MAX, Duration::MAX));
    }
}
