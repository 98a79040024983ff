//! What a broken derive leaves behind: the names and traits that the rest of the program asks for.

use darling::FromAttributes;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Fields, Ident, Path, Type, parse_quote};

use super::{
    attr::{StructOptions, name_of},
    check::{self, default_runtime},
    model::key,
    sql::Dialect,
    stored::Driver,
};

/// Types and traits under the right names, none of which can run.
pub(super) fn stub(input: &DeriveInput, dialects: &[Dialect]) -> TokenStream {
    let DeriveInput { ident: name, vis, generics, .. } = input;
    let options = StructOptions::from_attributes(&input.attrs).unwrap_or_default();
    let runtime = options.runtime.unwrap_or_else(default_runtime);
    let serde = quote!(#runtime::__private::serde);
    let [read, registration, update, admin_update] =
        ["Read", "Registration", "Update", "AdminUpdate"].map(|suffix| format_ident!("{name}{suffix}"));
    let id = id_type(input);
    let unreachable = quote!(::core::unreachable!());
    let str = quote!(::core::primitive::str);
    let option = quote!(::core::option::Option);
    let stored = dialects.iter().map(|dialect| stored(name, &runtime, dialect));
    let impls = generics.params.is_empty().then(|| {
        quote! {
            impl #runtime::RegistrationDto for #registration {
                fn identifier(&self) -> &#str { #unreachable }
                fn password(&self) -> &#runtime::Password { #unreachable }
                fn validate(&self, _: &mut #runtime::FieldErrors) { #unreachable }
            }
            impl #runtime::UpdateDto for #update {
                fn identifier(&self) -> #option<&#str> { #unreachable }
                fn password(&self) -> #option<&#runtime::Password> { #unreachable }
                fn current_password(&self) -> #option<&#runtime::Password> { #unreachable }
                fn changes_own_fields(&self) -> ::core::primitive::bool { #unreachable }
                fn validate(&self, _: &mut #runtime::FieldErrors) { #unreachable }
            }
            impl #runtime::UserModel for #name {
                type Model = Self;
                type Id = #id;
                type Read = #read;
                type Registration = #registration;
                type Update = #update;
                type AdminUpdate = #admin_update;
                const IDENTIFIER: #runtime::Identifier =
                    #runtime::Identifier { field: "", kind: #runtime::IdentifierKind::Email };
                fn id(&self) -> Self::Id { #unreachable }
                fn identifier(&self) -> &#str { #unreachable }
                fn mailbox(&self) -> #option<&#str> { #unreachable }
                fn password_hash(&self) -> &#runtime::PasswordHash { #unreachable }
                fn is_active(&self) -> ::core::primitive::bool { #unreachable }
                fn is_verified(&self) -> ::core::primitive::bool { #unreachable }
                fn to_read(&self) -> Self::Read { #unreachable }
                fn from_registration(_: Self::Registration, _: #runtime::NewUser<Self::Id>) -> Self { #unreachable }
                fn with_id(self, _: Self::Id) -> Self { #unreachable }
            }
            impl #runtime::HasVerified for #name {}
            impl #runtime::HasMailbox for #name {}
            #( #stored )*
        }
    });
    let serde_path = quote!(#serde).to_string().replace(' ', "");
    quote! {
        #[derive(::core::clone::Clone, ::core::fmt::Debug, #serde::Serialize)]
        #[serde(crate = #serde_path)]
        #vis struct #read {}
        #[derive(::core::clone::Clone, ::core::fmt::Debug, #serde::Deserialize)]
        #[serde(crate = #serde_path)]
        #vis struct #registration {}
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default, #serde::Deserialize)]
        #[serde(crate = #serde_path)]
        #vis struct #update {}
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default, #serde::Deserialize)]
        #[serde(crate = #serde_path)]
        #vis struct #admin_update {}
        #impls
    }
}

fn stored(name: &Ident, runtime: &Path, dialect: &Dialect) -> TokenStream {
    let Driver { database, row, result, .. } = Driver::new(runtime, dialect);
    let statements = format_ident!("{}", dialect.statements);
    let unreachable = quote!(::core::unreachable!());
    quote! {
        impl #runtime::Stored<#database> for #name {
            const SQL: #runtime::ModelSql = #runtime::__private::#statements! {
                table: "", width: 0, id: "", identifier: "", canonical: "", password_hash: "",
                active: none, verified: none, select: "", insert: "", values: "", update: none
            };
            fn columns() -> #runtime::__private::Vec<#runtime::Column> { #unreachable }
            fn from_row(_: &#row) -> ::core::result::Result<Self, #runtime::__private::sqlx::Error> {
                #unreachable
            }
            fn insert_arguments(&self, _: &::core::primitive::str) -> #result { #unreachable }
            fn update_arguments(_: Self::Id, _: &Self::Update) -> #result { #unreachable }
        }
    }
}

/// The type of the field that is, or is named, the id.
fn id_type(input: &DeriveInput) -> Type {
    let syn::Data::Struct(syn::DataStruct { fields: Fields::Named(fields), .. }) = &input.data else {
        return parse_quote!(::core::primitive::i64);
    };
    let marked = fields.named.iter().find(|field| {
        let user = field.attrs.iter().filter(|attribute| attribute.path().is_ident("user"));
        let mut words = user.filter_map(|attribute| attribute.parse_args::<syn::Path>().ok());
        words.any(|word| name_of(&word) == "id")
    });
    let named =
        || fields.named.iter().find(|field| field.ident.as_ref().is_some_and(|ident| key(ident) == "id"));
    match marked.or_else(named) {
        Some(field) if check::can_be(&field.ty, &["Uuid", "i64"]) => field.ty.clone(),
        _ => parse_quote!(::core::primitive::i64),
    }
}
