//! What a struct says about its users, checked: nothing in here can be wrong any more.

use syn::Path;

use crate::record::{
    Record,
    field::{Field, Purpose},
};

/// A user model.
pub(crate) struct Model {
    pub(crate) record: Record,
    /// The role model, if the struct names one.
    pub(crate) role: Option<Path>,
    /// The model of linked accounts, if the struct names one.
    pub(crate) oauth_account: Option<Path>,
    pub(crate) id: Field,
    pub(crate) identifier: Field,
    pub(crate) identifier_kind: IdentifierKind,
    /// The column of the identifier's canonical form.
    pub(crate) canonical: String,
    pub(crate) password_hash: Field,
    pub(crate) active: Option<Field>,
    pub(crate) verified: Option<Field>,
    pub(crate) tenant: Option<Field>,
    /// The field with the mail address; the identifier itself when that is one.
    pub(crate) mailbox: Option<Field>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdentifierKind {
    Email,
    Username,
}

impl Model {
    /// The columns of the application's own that self-service may change.
    pub(crate) fn updatable(&self) -> impl Iterator<Item = &Field> {
        self.record.own().filter(|field| field.dtos.update)
    }

    /// The columns of the application's own that an administrator may change.
    pub(crate) fn admin_updatable(&self) -> impl Iterator<Item = &Field> {
        self.record.own().filter(|field| field.dtos.admin_update)
    }

    /// The fields that lists are filtered by.
    pub(crate) fn filtered(&self) -> impl Iterator<Item = &Field> {
        self.record.fields.iter().filter(|field| field.list.filter.is_some())
    }

    /// The fields of the application's own that lists are sorted by.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = &Field> {
        self.record.fields.iter().filter(|field| field.list.sort)
    }

    /// The columns of a row, the canonical identifier behind the identifier.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.record.fields.iter().flat_map(|field| {
            let canonical = (field.purpose == Purpose::Identifier).then_some(self.canonical.as_str());
            [Some(field.column.as_str()), canonical].into_iter().flatten()
        })
    }
}
