//! `#[derive(UserModel)]`: tokens, attributes, a checked model, tokens.

mod attr;
mod check;
mod client;
mod dto;
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
        Noun, client as clients,
        dialect::{Dialect, enabled},
    },
    report,
};

/// What is derived: the word in messages, and the attribute.
const NOUN: Noun = Noun { words: "user", attribute: "user" };

/// The expansion: the model's code, or every mistake and a stub that keeps the rest of the program quiet.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    expand_for(input, &enabled(), clients::enabled())
}

fn expand_for(input: &DeriveInput, dialects: &[Dialect], has_client: bool) -> TokenStream {
    report::expansion(
        understand(input),
        |model| {
            let mut tokens = emit::emit(&model, dialects);
            tokens.extend(has_client.then(|| client::client(&model)));
            tokens
        },
        || stub::stub(input, dialects, has_client),
    )
}

fn understand(input: &DeriveInput) -> darling::Result<model::Model> {
    let (attributes, mistakes) = attr::UserAttributes::read(input, NOUN)?;
    check::check(attributes, mistakes)
}
