//! `#[derive(Roles)]`: tokens, a checked list of names, tokens.

mod check;
mod emit;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Ident, Path};

use crate::report;

/// An enum whose variants are roles, checked.
struct RoleNames {
    name: Ident,
    /// The path of `users-runtime`.
    runtime: Path,
    /// Each variant with the name by which its role is stored.
    variants: Vec<(Ident, String)>,
}

/// The expansion: the enum's traits, or every mistake and traits that keep the rest of the program quiet.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    report::expansion(check::check(input), |names| emit::emit(&names), || emit::stub(input))
}
