//! `#[derive(UserModel)]`: tokens, attributes, a checked model, tokens.

mod attr;
mod check;
mod dto;
mod emit;
mod model;
mod sql;
mod stored;
mod stub;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::report;
use sql::Dialect;

/// The expansion: the model's code, or every mistake and a stub that keeps the rest of the program quiet.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    expand_for(input, &sql::enabled())
}

fn expand_for(input: &DeriveInput, dialects: &[Dialect]) -> TokenStream {
    match understand(input) {
        Ok(model) => emit::emit(&model, dialects),
        Err(error) => {
            let mut tokens = report::compile_errors(error);
            tokens.extend(stub::stub(input, dialects));
            tokens
        }
    }
}

fn understand(input: &DeriveInput) -> darling::Result<model::Model> {
    let (attributes, mistakes) = attr::read(input)?;
    check::check(attributes, mistakes)
}
