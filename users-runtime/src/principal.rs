//! A user as a request knows them: the row, the roles, and what the credential says of them.

use std::{any::Any, fmt, ops::Deref, sync::Arc};

use crate::{
    model::{RoleModel, RoleName, UserModel},
    token::TokenHash,
};

/// A user and the roles that came in the same statement. It dereferences to the user.
pub struct Principal<U: UserModel> {
    user: Arc<U>,
    roles: Arc<[U::Role]>,
    authenticated_at: Option<i64>,
    session: Option<CurrentSession>,
    /// One value of a type, and seldom more than one type.
    claims: Vec<Arc<dyn Any + Send + Sync>>,
}

/// The session by which a request was recognised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CurrentSession {
    pub(crate) id: TokenHash,
    /// Whether the client forgets it with its window.
    pub(crate) transient: bool,
}

impl<U: UserModel> Principal<U> {
    /// A user whom an application knows by a way of its own. Those that `Directory` and `Users` find come with their roles.
    pub fn new(user: U, roles: Vec<U::Role>) -> Self {
        // An empty slice needs no allocation of its own, and most users have no role.
        Self {
            user: Arc::new(user),
            roles: roles.into(),
            authenticated_at: None,
            session: None,
            claims: Vec::new(),
        }
    }

    /// The same user, of whom a backend says when they last proved who they are, in milliseconds since 1970. A guard
    /// that asks for a recent login lets nobody pass without it.
    #[must_use]
    pub fn with_authenticated_at(self, milliseconds: i64) -> Self {
        Self { authenticated_at: Some(milliseconds), ..self }
    }

    /// The same user, of whom a backend says by which session they were recognised.
    #[must_use]
    pub(crate) fn with_session(self, id: TokenHash, transient: bool) -> Self {
        Self { session: Some(CurrentSession { id, transient }), ..self }
    }

    /// The session by which the request was recognised, if it was by one.
    pub(crate) fn session(&self) -> Option<CurrentSession> {
        self.session
    }

    /// When the user last proved who they are with a password, in milliseconds since 1970; `None` when the backend does
    /// not say.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<i64> {
        self.authenticated_at
    }

    /// The same user, of whom a backend says more than the row does: the scopes of a key, the claims of a token. Another
    /// value of the same type takes the place of the one before.
    #[must_use]
    pub fn with_claims<T: Any + Send + Sync>(mut self, claims: T) -> Self {
        self.claims.retain(|other| !other.is::<T>());
        self.claims.push(Arc::new(claims));
        self
    }

    /// What the backend that accepted the request's credential says of the user, if it says anything of this type.
    ///
    /// A guard asks for it before routes:
    ///
    /// ```
    /// use users_runtime::{Guard, Principal, UserModel};
    ///
    /// struct Scopes(Vec<String>);
    ///
    /// /// Lets pass whose key may read reports.
    /// struct ReadsReports;
    ///
    /// impl<U: UserModel> Guard<U> for ReadsReports {
    ///     fn allows(&self, user: &Principal<U>) -> bool {
    ///         user.claims::<Scopes>().is_some_and(|Scopes(scopes)| scopes.iter().any(|scope| scope == "reports:read"))
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn claims<T: Any>(&self) -> Option<&T> {
        self.claims.iter().find_map(|claims| claims.downcast_ref())
    }

    /// The user's roles.
    #[must_use]
    pub fn roles(&self) -> &[U::Role] {
        &self.roles
    }

    /// Whether the user has a role: a variant of an `enum` that derives `Roles`, or a name.
    #[must_use]
    pub fn has_role(&self, role: impl RoleName) -> bool {
        self.roles.iter().any(|own| own.name() == role.role_name())
    }

    /// Whether the user has at least one of these roles.
    #[must_use]
    pub fn has_any_role<R: RoleName>(&self, roles: impl IntoIterator<Item = R>) -> bool {
        roles.into_iter().any(|role| self.has_role(role))
    }

    /// Whether the user has all of these roles.
    #[must_use]
    pub fn has_all_roles<R: RoleName>(&self, roles: impl IntoIterator<Item = R>) -> bool {
        roles.into_iter().all(|role| self.has_role(role))
    }

    /// The user alone. It is copied where something else holds it too, such as a cache.
    #[must_use]
    pub fn into_user(self) -> U
    where
        U: Clone,
    {
        Arc::unwrap_or_clone(self.user)
    }
}

impl<U: UserModel> Deref for Principal<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

impl<U: UserModel> Clone for Principal<U> {
    fn clone(&self) -> Self {
        Self {
            user: Arc::clone(&self.user),
            roles: Arc::clone(&self.roles),
            authenticated_at: self.authenticated_at,
            session: self.session,
            claims: self.claims.clone(),
        }
    }
}

impl<U: UserModel + fmt::Debug> fmt::Debug for Principal<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("user", &self.user)
            .field("roles", &self.roles)
            .field("authenticated_at", &self.authenticated_at)
            // What a credential says may be as secret as the credential.
            .finish_non_exhaustive()
    }
}
