//! `#[derive(OAuthAccountModel)]`: tokens, attributes, a checked model, tokens.

mod attr;
mod check;
mod emit;
mod model;
mod stored;
mod stub;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::{
    record::{
        Noun,
        dialect::{Dialect, enabled},
    },
    report,
};

/// What is derived: the words in messages, and the attribute.
const NOUN: Noun = Noun { words: "linked account", attribute: "oauth_account" };

/// The expansion: the model's code, or every mistake and a stub that keeps the rest of the program quiet.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    expand_for(input, &enabled())
}

fn expand_for(input: &DeriveInput, dialects: &[Dialect]) -> TokenStream {
    report::expansion(understand(input), |model| emit::emit(&model, dialects), || stub::stub(input, dialects))
}

fn understand(input: &DeriveInput) -> darling::Result<model::Model> {
    let (attributes, mistakes) = attr::AccountAttributes::read(input, NOUN)?;
    check::check(attributes, mistakes)
}
