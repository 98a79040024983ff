//! Who is to be stored, and what became of it.

use std::fmt;

use crate::{
    error::Error,
    model::{ImportDto, UserModel},
    secret::Password,
};

/// A user who is to be stored without registering: as a file or a command brings it, and what is said beside it.
pub struct NewAccount<U: UserModel> {
    pub(super) import: U::Import,
    pub(super) roles: Vec<String>,
    pub(super) password: Option<Password>,
    pub(super) id: Option<U::Id>,
    pub(super) active: Option<bool>,
    pub(super) verified: Option<bool>,
}

impl<U: UserModel> fmt::Debug for NewAccount<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount").field("identifier", &self.import.identifier()).finish_non_exhaustive()
    }
}

impl<U: UserModel> NewAccount<U> {
    /// A user without roles.
    pub fn new(import: U::Import) -> Self {
        Self { import, roles: Vec::new(), password: None, id: None, active: None, verified: None }
    }

    /// With these roles, by name; those that are not there are stored.
    #[must_use]
    pub fn with_roles(self, roles: Vec<String>) -> Self {
        Self { roles, ..self }
    }

    /// With this password, whatever the import says.
    #[must_use]
    pub fn with_password(self, password: Password) -> Self {
        Self { password: Some(password), ..self }
    }

    /// With this key.
    #[must_use]
    pub fn with_id(self, id: U::Id) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Whether the account may be used; by default it may.
    #[must_use]
    pub fn with_active(self, active: bool) -> Self {
        Self { active: Some(active), ..self }
    }

    /// Whether the mailbox counts as proven; by default it does not.
    #[must_use]
    pub fn with_verified(self, verified: bool) -> Self {
        Self { verified: Some(verified), ..self }
    }
}

/// What became of users who were to be stored together.
#[derive(Debug, Default)]
pub struct Imported {
    /// How many were stored.
    pub stored: usize,
    /// Those that were not, in their order.
    pub refused: Vec<Refused>,
}

/// A user who was not stored.
#[derive(Debug)]
pub struct Refused {
    /// The place in the list, counted from 0.
    pub index: usize,
    /// Why: [`Error::Validation`], [`Error::IdentifierTaken`], or what the database says of the row.
    pub error: Error,
}
