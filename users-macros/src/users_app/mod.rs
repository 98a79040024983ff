//! `#[users_app]`: tokens, arguments, a checked application, tokens.

mod args;
mod check;
mod emit;
mod model;
mod pattern;
#[cfg(test)]
mod tests;

use darling::Result;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, ItemMod};

use crate::report::{self, mistake};
use model::Enabled;

/// The expansion: the module with the application in it, whatever mistakes the arguments hold.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand_with(arguments, item, Enabled::from_features())
}

fn expand_with(arguments: TokenStream, item: TokenStream, enabled: Enabled) -> TokenStream {
    let (module, items) = match module(&item) {
        Ok(parts) => parts,
        Err(error) => {
            let mut tokens = report::compile_errors(error);
            tokens.extend(item);
            return tokens;
        }
    };
    let (arguments, mistakes) = args::read(arguments);
    let items = check::with_models(&arguments, &module, items);
    match check::check(&arguments, &module, &items, enabled, mistakes) {
        Ok(application) => emit::module(&module, &items, &emit::application(&application)),
        Err(error) => {
            let stub = check::outline(&arguments, &module, &items, enabled)
                .map(|outline| emit::application(&outline));
            let mut tokens = report::compile_errors(error);
            tokens.extend(emit::module(&module, &items, &stub.unwrap_or_default()));
            tokens
        }
    }
}

fn module(item: &TokenStream) -> Result<(ItemMod, Vec<Item>)> {
    const USAGE: &str = "`#[users_app]` describes a module; write it above `mod accounts { ... }`";
    match syn::parse2::<Item>(item.clone())? {
        Item::Mod(mut module) => match module.content.take() {
            Some((_, items)) => Ok((module, items)),
            None => {
                let name = &module.ident;
                let text =
                    format!("`mod {name};` hides the module's items; write `mod {name} {{ ... }}` here");
                Err(mistake(name.span(), text))
            }
        },
        other => Err(mistake(first_span(&other), USAGE)),
    }
}

/// The first token of an item behind its attributes.
fn first_span(item: &Item) -> proc_macro2::Span {
    let mut tokens = item.to_token_stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_hash = matches!(&token, proc_macro2::TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_hash && matches!(tokens.peek(), Some(proc_macro2::TokenTree::Group(_))) {
            tokens.next();
        } else {
            return token.span();
        }
    }
    proc_macro2::Span::call_site()
}
