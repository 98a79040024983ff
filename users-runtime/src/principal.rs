//! A user as a request knows them: the row, the roles, and when they proved who they are.

use std::{fmt, ops::Deref, sync::Arc};

use crate::model::{RoleModel, RoleName, UserModel};

/// A user and the roles that came in the same statement. It dereferences to the user.
pub struct Principal<U: UserModel> {
    user: U,
    roles: Arc<[U::Role]>,
    authenticated_at: Option<i64>,
}

impl<U: UserModel> Principal<U> {
    pub(crate) fn new(user: U, roles: Vec<U::Role>) -> Self {
        // An empty slice needs no allocation of its own, and most users have no role.
        Self { user, roles: roles.into(), authenticated_at: None }
    }

    /// The same user, of whom a backend says when they last proved who they are, in milliseconds since 1970. A guard
    /// that asks for a recent login lets nobody pass without it.
    #[must_use]
    pub fn with_authenticated_at(self, milliseconds: i64) -> Self {
        Self { authenticated_at: Some(milliseconds), ..self }
    }

    /// When the user last proved who they are with a password, in milliseconds since 1970; `None` when the backend does
    /// not say.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<i64> {
        self.authenticated_at
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

    /// The user alone.
    #[must_use]
    pub fn into_user(self) -> U {
        self.user
    }
}

impl<U: UserModel> Deref for Principal<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

impl<U: UserModel + Clone> Clone for Principal<U> {
    fn clone(&self) -> Self {
        Self {
            user: self.user.clone(),
            roles: Arc::clone(&self.roles),
            authenticated_at: self.authenticated_at,
        }
    }
}

impl<U: UserModel + fmt::Debug> fmt::Debug for Principal<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("user", &self.user)
            .field("roles", &self.roles)
            .field("authenticated_at", &self.authenticated_at)
            .finish()
    }
}
