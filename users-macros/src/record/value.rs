//! The values of a struct that is about to be stored.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

use super::{Record, dto::Presence, field::Field};
use crate::report::{as_trait, at, located};

/// The value of a field of the application's own, from the DTO that may have it.
pub(crate) fn own_value(runtime: &Path, field: &Field, presence: Presence, dto: &Ident) -> TokenStream {
    let ident = &field.ident;
    let default = || match &field.default {
        Some(value) => default_value(value),
        None => {
            let initial = as_trait(&field.ty, &quote!(#runtime::Initial));
            quote!(#initial::initial())
        }
    };
    match presence {
        Presence::Always => at_type(field, &quote!(#dto.#ident)),
        Presence::Perhaps => {
            let default = default();
            quote!(#dto.#ident.unwrap_or_else(|| #default))
        }
        Presence::Never => default(),
    }
}

fn default_value(value: &syn::Expr) -> TokenStream {
    match value {
        // A string literal stands for whatever the field makes of one.
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(_), .. }) => {
            quote!(::core::convert::Into::into(#value))
        }
        value => value.to_token_stream(),
    }
}

/// Names keep their meaning and stand at the field's type.
pub(crate) fn at_type(field: &Field, tokens: &TokenStream) -> TokenStream {
    located(tokens.clone(), syn::spanned::Spanned::span(&field.ty))
}

/// A reference to a field of `self`.
pub(crate) fn borrow(field: &Field) -> TokenStream {
    let ident = &field.ident;
    quote_spanned!(at(&field.ty)=> &self.#ident)
}

/// A clone of a field of `self`.
pub(crate) fn copy(field: &Field) -> TokenStream {
    let ident = &field.ident;
    quote_spanned!(at(&field.ty)=> ::core::clone::Clone::clone(&self.#ident))
}

/// The function that shows a row.
pub(crate) fn to_read(record: &Record) -> TokenStream {
    let read = record.dto("Read");
    let shown = record.fields.iter().filter(|field| field.dtos.read).map(|field| {
        let (ident, value) = (&field.ident, copy(field));
        quote!(#ident: #value)
    });
    quote! {
        fn to_read(&self) -> #read {
            #read { #( #shown, )* }
        }
    }
}
