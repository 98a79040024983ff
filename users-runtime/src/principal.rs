//! A user as a request knows them: the row and the names of its roles.

use std::{ops::Deref, sync::Arc};

/// A user and the roles that came in the same statement. It dereferences to the user.
#[derive(Debug, Clone)]
pub struct Principal<U> {
    user: U,
    roles: RoleNames,
}

impl<U> Principal<U> {
    pub(crate) fn new(user: U, roles: RoleNames) -> Self {
        Self { user, roles }
    }

    /// The names of the user's roles.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.roles.as_slice()
    }

    /// Whether the user has a role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().iter().any(|name| name == role)
    }

    /// The user alone.
    #[must_use]
    pub fn into_user(self) -> U {
        self.user
    }
}

impl<U> Deref for Principal<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

/// Role names, in no order. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoleNames(Option<Arc<[String]>>);

/// What separates names in the one column that a statement brings them in; no name contains it.
const SEPARATOR: char = '\n';

impl RoleNames {
    /// The names in the column that a `SELECT` of the model ends with.
    pub(crate) fn from_column(column: Option<&str>) -> Self {
        Self(column.map(|names| names.split(SEPARATOR).map(str::to_owned).collect()))
    }

    fn as_slice(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }
}
