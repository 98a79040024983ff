//! What a broken derive leaves behind: the names and traits that the rest of the program asks for.

use darling::FromAttributes;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Ident, Path};

use super::{NOUN, attr::StructOptions};
use crate::record::{
    client,
    column::imports,
    default_runtime,
    dialect::Dialect,
    stub::{dto, id_type},
};

const DTOS: [&str; 3] = ["Read", "Create", "Update"];

/// Types and traits under the right names, none of which can run.
pub(super) fn stub(input: &DeriveInput, dialects: &[Dialect], has_client: bool) -> TokenStream {
    let name = &input.ident;
    let runtime = StructOptions::from_attributes(&input.attrs)
        .unwrap_or_default()
        .runtime
        .unwrap_or_else(default_runtime);
    let dtos = DTOS.map(|suffix| dto(input, &runtime, suffix));
    let impls = input.generics.params.is_empty().then(|| {
        let model = role_model(input, &runtime);
        let stored = dialects.iter().map(|dialect| stored(name, &runtime, dialect));
        let requests = has_client.then(|| {
            let sent = DTOS.into_iter().filter(|suffix| *suffix != "Read");
            sent.map(|suffix| client::stub(&runtime, &format_ident!("{name}{suffix}")))
                .collect::<TokenStream>()
        });
        quote!(#model #( #stored )* #requests)
    });
    quote!(#( #dtos )* #impls)
}

fn role_model(input: &DeriveInput, runtime: &Path) -> TokenStream {
    let (name, id) = (&input.ident, id_type(input, NOUN.attribute));
    let [read, create, update] = DTOS.map(|suffix| format_ident!("{name}{suffix}"));
    let unreachable = quote!(::core::unreachable!());
    let str = quote!(::core::primitive::str);
    let string = quote!(#runtime::__private::String);
    let validate = quote!(fn validate(&self, _: &mut #runtime::FieldErrors) { #unreachable });
    quote! {
        impl #runtime::RoleCreateDto for #create {
            fn name(&self) -> &#str { #unreachable }
            #validate
        }
        impl #runtime::RoleUpdateDto for #update {
            fn name(&self) -> ::core::option::Option<&#str> { #unreachable }
            fn changes_own_fields(&self) -> ::core::primitive::bool { #unreachable }
            #validate
        }
        impl #runtime::RoleModel for #name {
            type Model = Self;
            type Id = #id;
            type Read = #read;
            type Create = #create;
            type Update = #update;
            fn id(&self) -> Self::Id { #unreachable }
            fn name(&self) -> &#str { #unreachable }
            fn to_read(&self) -> Self::Read { #unreachable }
            fn from_create(_: Self::Create, _: Self::Id, _: #string) -> Self { #unreachable }
            fn named(_: Self::Id, _: #string) -> Self { #unreachable }
            fn with_id(self, _: Self::Id) -> Self { #unreachable }
        }
        impl #runtime::__private::SomeRole for #name {}
    }
}

fn stored(name: &Ident, runtime: &Path, dialect: &Dialect) -> TokenStream {
    let imports = imports(runtime, dialect);
    let unreachable = quote!(::core::unreachable!());
    quote! {
        #[allow(unused_imports)]
        const _: () = {
            #imports
            impl #runtime::StoredRole<__DB> for #name {
                const SQL: #runtime::RoleSql = #runtime::RoleSql {
                    table: "", id: "", name: "", width: 0, select: "", insert: "", values: "",
                    update: ::core::option::Option::None
                };
                fn columns() -> #runtime::__private::Vec<#runtime::Column> { #unreachable }
                fn from_row(_: &__Row, _: ::core::primitive::usize) -> ::core::result::Result<
                    ::core::option::Option<Self>, #runtime::__private::sqlx::Error
                > {
                    #unreachable
                }
                fn add_insert(&self, _: &mut __Arguments) -> __Added { #unreachable }
                fn add_update(_: &Self::Update, _: &mut __Arguments) -> __Added { #unreachable }
            }
        };
    }
}
