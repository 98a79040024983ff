//! What a broken derive leaves behind: the names and traits that the rest of the program asks for.

use darling::FromAttributes;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Ident, Path};

use super::{NOUN, attr::StructOptions};
use crate::record::{
    column::imports,
    default_runtime,
    dialect::Dialect,
    stub::{dto, id_type},
};

/// Types and traits under the right names, none of which can run.
pub(super) fn stub(input: &DeriveInput, dialects: &[Dialect]) -> TokenStream {
    let name = &input.ident;
    let runtime = StructOptions::from_attributes(&input.attrs)
        .unwrap_or_default()
        .runtime
        .unwrap_or_else(default_runtime);
    let dto = dto(input, &runtime, "Read");
    let impls = input.generics.params.is_empty().then(|| {
        let model = account_model(input, &runtime);
        let stored = dialects.iter().map(|dialect| stored(name, &runtime, dialect));
        quote!(#model #( #stored )*)
    });
    quote!(#dto #impls)
}

fn account_model(input: &DeriveInput, runtime: &Path) -> TokenStream {
    let (name, id) = (&input.ident, id_type(input, NOUN.attribute));
    let read = format_ident!("{name}Read");
    let unreachable = quote!(::core::unreachable!());
    let (option, str) = (quote!(::core::option::Option), quote!(::core::primitive::str));
    let string = quote!(#runtime::__private::String);
    quote! {
        impl #runtime::OAuthAccountModel for #name {
            type Model = Self;
            type Id = #id;
            type Read = #read;
            fn id(&self) -> Self::Id { #unreachable }
            fn provider(&self) -> &#str { #unreachable }
            fn subject(&self) -> &#str { #unreachable }
            fn email(&self) -> #option<&#str> { #unreachable }
            fn to_read(&self) -> Self::Read { #unreachable }
            fn linked(_: Self::Id, _: #string, _: #string, _: #option<#string>) -> Self { #unreachable }
            fn with_id(self, _: Self::Id) -> Self { #unreachable }
        }
        impl #runtime::__private::SomeOAuthAccount for #name {}
    }
}

fn stored(name: &Ident, runtime: &Path, dialect: &Dialect) -> TokenStream {
    let imports = imports(runtime, dialect);
    let unreachable = quote!(::core::unreachable!());
    quote! {
        #[allow(unused_imports)]
        const _: () = {
            #imports
            impl #runtime::StoredOAuthAccount<__DB> for #name {
                const SQL: #runtime::OAuthAccountSql = #runtime::OAuthAccountSql {
                    table: "", id: "", subject: "", email: ::core::option::Option::None, width: 0, select: "",
                    insert: "", values: ""
                };
                fn columns() -> #runtime::__private::Vec<#runtime::Column> { #unreachable }
                fn from_row(_: &__Row, _: ::core::primitive::usize) -> ::core::result::Result<
                    Self, #runtime::__private::sqlx::Error
                > {
                    #unreachable
                }
                fn add_insert(&self, _: &mut __Arguments) -> __Added { #unreachable }
            }
        };
    }
}
