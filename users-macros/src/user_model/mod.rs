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

/// The expansion: the model's code, or every mistake and a stub that keeps the rest of the program quiet.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    match understand(input) {
        Ok(model) => emit::emit(&model),
        Err(error) => {
            let mut tokens = report::compile_errors(error);
            tokens.extend(stub::stub(input));
            tokens
        }
    }
}

fn understand(input: &DeriveInput) -> darling::Result<model::Model> {
    let (attributes, mistakes) = attr::read(input)?;
    check::check(attributes, mistakes)
}
