//! What a broken derive leaves behind: the names that the rest of the program asks for.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DataStruct, DeriveInput, Fields, Ident, Path, Type, parse_quote};

use super::{attr::name_of, describe::described, field::key, types::can_be};

/// An empty DTO that can be read and written.
pub(crate) fn dto(input: &DeriveInput, runtime: &Path, suffix: &str) -> TokenStream {
    let (name, visibility) = (format_ident!("{}{suffix}", input.ident), &input.vis);
    let serde = quote!(#runtime::__private::serde);
    let serde_path = serde.to_token_stream().to_string().replace(' ', "");
    let described = described(runtime, &name, "", false, std::iter::empty());
    quote! {
        #[derive(
            ::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default, #serde::Serialize,
            #serde::Deserialize
        )]
        #[serde(crate = #serde_path)]
        #visibility struct #name {}
        #described
    }
}

/// The type of the field that is, or is named, the id.
pub(crate) fn id_type(input: &DeriveInput, attribute: &str) -> Type {
    let named = |field: &&syn::Field| field.ident.as_ref().is_some_and(|ident: &Ident| key(ident) == "id");
    let id = field(input, attribute, "id").or_else(|| fields(input).into_iter().find(named));
    match id {
        Some(field) if can_be(&field.ty, &["Uuid", "i64"]) => field.ty.clone(),
        _ => parse_quote!(::core::primitive::i64),
    }
}

/// The field that is marked with a word.
pub(crate) fn field<'a>(input: &'a DeriveInput, attribute: &str, word: &str) -> Option<&'a syn::Field> {
    fields(input).into_iter().find(|field| {
        let attributes = field.attrs.iter().filter(|found| found.path().is_ident(attribute));
        let mut words = attributes.filter_map(|found| found.parse_args::<Path>().ok());
        words.any(|found| name_of(&found) == word)
    })
}

fn fields(input: &DeriveInput) -> Vec<&syn::Field> {
    match &input.data {
        Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) => fields.named.iter().collect(),
        _ => Vec::new(),
    }
}
