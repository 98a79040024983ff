//! What structs that are rows have in common, users, roles and linked accounts alike: attributes, rules, columns and DTOs.

pub(crate) mod attr;
pub(crate) mod check;
pub(crate) mod claim;
pub(crate) mod client;
pub(crate) mod column;
pub(crate) mod describe;
pub(crate) mod dialect;
pub(crate) mod dto;
pub(crate) mod field;
pub(crate) mod names;
pub(crate) mod stub;
pub(crate) mod types;
pub(crate) mod value;

use quote::format_ident;
use syn::{Ident, Path, Visibility, parse_quote};

use self::field::{Field, Purpose};

/// What a struct is a row of.
#[derive(Clone, Copy)]
pub(crate) struct Noun {
    /// How messages call a row.
    pub(crate) words: &'static str,
    /// The name of the attribute.
    pub(crate) attribute: &'static str,
}

/// A struct that is a row, checked.
pub(crate) struct Record {
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// The path of `users-runtime`.
    pub(crate) runtime: Path,
    pub(crate) table: String,
    /// Every field, in the struct's order, those with a purpose included.
    pub(crate) fields: Vec<Field>,
}

impl Record {
    /// The name of a DTO, such as `UserRead`.
    pub(crate) fn dto(&self, suffix: &str) -> Ident {
        format_ident!("{}{suffix}", self.name)
    }

    /// The application's own fields.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.purpose == Purpose::Own)
    }
}

/// Where `users-runtime` is unless `crate = ...` says otherwise.
pub(crate) fn default_runtime() -> Path {
    parse_quote!(::users_runtime)
}
