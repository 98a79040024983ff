//! What a broken derive leaves behind: the names and traits that the rest of the program asks for.

use darling::FromAttributes;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{DeriveInput, Ident, Path, Type};

use super::{
    NOUN,
    attr::StructOptions,
    dto::DTOS,
    emit::{Named, types},
};
use crate::record::{
    client,
    column::imports,
    default_runtime,
    dialect::Dialect,
    stub::{dto, field, id_type},
    types::can_be,
};

/// Types and traits under the right names, none of which can run.
pub(super) fn stub(input: &DeriveInput, dialects: &[Dialect], has_client: bool) -> TokenStream {
    let name = &input.ident;
    let options = StructOptions::from_attributes(&input.attrs).unwrap_or_default();
    let runtime = options.runtime.unwrap_or_else(default_runtime);
    let named = Named::new(&runtime, options.role.as_ref(), options.oauth_account.as_ref());
    let dtos = DTOS.map(|suffix| dto(input, &runtime, suffix));
    let impls = input.generics.params.is_empty().then(|| {
        let id = id_type(input, NOUN.attribute);
        let bodies = bodies(name, &runtime, &id);
        let model = user_model(input, &runtime, &id, &named);
        let stored = dialects.iter().map(|dialect| stored(name, &runtime, &named, dialect));
        let requests = has_client.then(|| {
            let sent = DTOS.into_iter().filter(|suffix| !["Read", "Import"].contains(suffix));
            sent.map(|suffix| client::stub(&runtime, &format_ident!("{name}{suffix}")))
                .collect::<TokenStream>()
        });
        quote!(#bodies #model #( #stored )* #requests)
    });
    quote!(#( #dtos )* #impls)
}

/// The traits of the DTOs.
fn bodies(name: &Ident, runtime: &Path, id: &Type) -> TokenStream {
    let unreachable = quote!(::core::unreachable!());
    let [_, registration, update, admin_update, filter, import] =
        DTOS.map(|suffix| format_ident!("{name}{suffix}"));
    let (option, bool, str) =
        (quote!(::core::option::Option), quote!(::core::primitive::bool), quote!(::core::primitive::str));
    let validate = quote!(fn validate(&self, _: &mut #runtime::FieldErrors) { #unreachable });
    let changes = quote! {
        fn identifier(&self) -> #option<&#str> { #unreachable }
        fn password(&self) -> #option<&#runtime::Password> { #unreachable }
        fn changes_own_fields(&self) -> #bool { #unreachable }
        #validate
    };
    let flags = quote! {
        fn active(&self) -> #option<#bool> { #unreachable }
        fn verified(&self) -> #option<#bool> { #unreachable }
    };
    quote! {
        impl #runtime::RegistrationDto for #registration {
            fn identifier(&self) -> &#str { #unreachable }
            fn password(&self) -> &#runtime::Password { #unreachable }
            #validate
        }
        impl #runtime::UpdateDto for #update {
            fn current_password(&self) -> #option<&#runtime::Password> { #unreachable }
            #changes
        }
        impl #runtime::AdminUpdateDto for #admin_update {
            fn send_password_reset(&self) -> #bool { #unreachable }
            #flags
            #changes
        }
        impl #runtime::FilterDto for #filter {}
        impl #runtime::ImportDto for #import {
            type Id = #id;
            fn id(&self) -> #option<#id> { #unreachable }
            fn identifier(&self) -> &#str { #unreachable }
            fn password(&self) -> #option<&#runtime::Password> { #unreachable }
            fn password_hash(&self) -> #option<&#str> { #unreachable }
            #flags
            #validate
        }
    }
}

fn user_model(input: &DeriveInput, runtime: &Path, id: &Type, named: &Named) -> TokenStream {
    let name = &input.ident;
    let tenant = field(input, NOUN.attribute, "tenant").map(|field| &field.ty);
    let tenant = tenant.filter(|ty| can_be(ty, &["Uuid", "i64", "String"]));
    let tenant = tenant.map_or_else(|| quote!(()), ToTokens::to_token_stream);
    let unreachable = quote!(::core::unreachable!());
    let (option, bool, str) =
        (quote!(::core::option::Option), quote!(::core::primitive::bool), quote!(::core::primitive::str));
    let types = types(name, id, &tenant, named);
    let json = quote!(#runtime::__private::serde_json);
    quote! {
        impl #runtime::UserModel for #name {
            #types
            const IDENTIFIER: #runtime::Identifier =
                #runtime::Identifier { field: "", kind: #runtime::IdentifierKind::Email };
            fn id(&self) -> Self::Id { #unreachable }
            fn identifier(&self) -> &#str { #unreachable }
            fn mailbox(&self) -> #option<&#str> { #unreachable }
            fn password_hash(&self) -> &#runtime::PasswordHash { #unreachable }
            fn is_active(&self) -> #bool { #unreachable }
            fn is_verified(&self) -> #bool { #unreachable }
            fn tenant(&self) -> Self::Tenant { #unreachable }
            fn to_read(&self) -> Self::Read { #unreachable }
            fn from_registration(_: Self::Registration, _: #runtime::NewUser<Self::Id, Self::Tenant>) -> Self {
                #unreachable
            }
            fn from_import(_: Self::Import, _: #runtime::NewUser<Self::Id, Self::Tenant>) -> Self { #unreachable }
            fn with_id(self, _: Self::Id) -> Self { #unreachable }
            fn sort_value(&self, _: &#str) -> #option<::core::result::Result<#json::Value, #json::Error>> {
                #unreachable
            }
        }
        impl #runtime::HasVerified for #name {}
        impl #runtime::HasMailbox for #name {}
    }
}

fn stored(name: &Ident, runtime: &Path, named: &Named, dialect: &Dialect) -> TokenStream {
    let Named { role, oauth_account } = named;
    let imports = imports(runtime, dialect);
    let syntax = format_ident!("{}", dialect.syntax);
    let unreachable = quote!(::core::unreachable!());
    quote! {
        #[allow(unused_imports)]
        const _: () = {
            #imports
            impl #runtime::Stored<__DB> for #name {
                const SQL: #runtime::ModelSql = #runtime::__private::model_sql! {
                    syntax: #syntax, database: __DB, role: #role, oauth_account: #oauth_account, table: "", width: 0,
                    id: "", identifier: "", canonical: "", password_hash: "", active: none, verified: none, tenant: none, select: "",
                    insert: "", values: "", update: none, admin_update: none, sorts: []
                };
                fn columns() -> #runtime::__private::Vec<#runtime::Column> { #unreachable }
                fn from_row(_: &__Row) -> ::core::result::Result<Self, #runtime::__private::sqlx::Error> {
                    #unreachable
                }
                fn add_insert(&self, _: &::core::primitive::str, _: &mut __Arguments) -> __Added { #unreachable }
                fn add_update(_: &Self::Update, _: &mut __Arguments) -> __Added { #unreachable }
                fn add_admin_update(_: &Self::AdminUpdate, _: &mut __Arguments) -> __Added { #unreachable }
                fn filter(_: &Self::Filter, _: &mut #runtime::Conditions<__DB>) -> __Added { #unreachable }
                fn add_sort_value(
                    _: &::core::primitive::str,
                    _: #runtime::__private::serde_json::Value,
                    _: &mut __Arguments
                ) -> __Added {
                    #unreachable
                }
            }
        };
    }
}
