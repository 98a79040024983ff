//! The code of a model: facts about the struct, in the words of the runtime's traits.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use syn::spanned::Spanned;

use super::{
    dto,
    model::{Field, IdentifierKind, Model, Role},
    sql::Dialect,
    stored,
};
use crate::report::{as_trait, at, located};

/// The whole expansion.
pub(super) fn emit(model: &Model, dialects: &[Dialect]) -> TokenStream {
    let dtos = dto::dtos(model);
    let user_model = user_model(model);
    let capabilities = capabilities(model);
    let stored = dialects.iter().map(|dialect| stored::stored(model, dialect));
    quote! {
        #dtos
        #user_model
        #capabilities
        #( #stored )*
    }
}

fn user_model(model: &Model) -> TokenStream {
    let Model { name, runtime, .. } = model;
    let (read, registration) = (model.dto("Read"), model.dto("Registration"));
    let (update, admin_update) = (model.dto("Update"), model.dto("AdminUpdate"));
    let id_type = &model.id.ty;
    let id = &model.id.ident;
    let key = model.identifier.key();
    let kind = match model.identifier_kind {
        IdentifierKind::Email => quote!(Email),
        IdentifierKind::Username => quote!(Username),
    };
    let identifier = borrow(&model.identifier);
    let mailbox = mailbox(model);
    let password_hash = borrow(&model.password_hash);
    let (active, verified) = (flag(model.active.as_ref()), flag(model.verified.as_ref()));
    let shown = model.fields.iter().filter(|field| field.dtos.read).map(|field| {
        let ident = &field.ident;
        quote_spanned!(at(&field.ty)=> #ident: ::core::clone::Clone::clone(&self.#ident))
    });
    let from_registration = from_registration(model);
    quote! {
        impl #runtime::UserModel for #name {
            type Model = Self;
            type Id = #id_type;
            type Read = #read;
            type Registration = #registration;
            type Update = #update;
            type AdminUpdate = #admin_update;

            const IDENTIFIER: #runtime::Identifier =
                #runtime::Identifier { field: #key, kind: #runtime::IdentifierKind::#kind };

            fn id(&self) -> #id_type {
                self.#id
            }

            fn identifier(&self) -> &::core::primitive::str {
                #identifier
            }

            fn mailbox(&self) -> ::core::option::Option<&::core::primitive::str> {
                #mailbox
            }

            fn password_hash(&self) -> &#runtime::PasswordHash {
                #password_hash
            }

            fn is_active(&self) -> ::core::primitive::bool {
                #active
            }

            fn is_verified(&self) -> ::core::primitive::bool {
                #verified
            }

            fn to_read(&self) -> #read {
                #read { #( #shown, )* }
            }

            #from_registration

            fn with_id(self, id: #id_type) -> Self {
                Self { #id: id, ..self }
            }
        }
    }
}

fn borrow(field: &Field) -> TokenStream {
    let ident = &field.ident;
    quote_spanned!(at(&field.ty)=> &self.#ident)
}

fn flag(field: Option<&Field>) -> TokenStream {
    field.map_or_else(
        || quote!(true),
        |field| {
            let ident = &field.ident;
            quote_spanned!(at(&field.ty)=> self.#ident)
        },
    )
}

fn mailbox(model: &Model) -> TokenStream {
    let Some(field) = &model.mailbox else { return quote!(::core::option::Option::None) };
    let ident = &field.ident;
    if field.is_optional() {
        quote_spanned!(at(&field.ty)=> self.#ident.as_deref())
    } else {
        quote_spanned!(at(&field.ty)=> ::core::option::Option::Some(&self.#ident))
    }
}

fn from_registration(model: &Model) -> TokenStream {
    let runtime = &model.runtime;
    let dto = model.dto("Registration");
    let id = &model.id.ty;
    // The user's default expressions must not see these.
    let registration = Ident::new("registration", Span::mixed_site());
    let new = Ident::new("new", Span::mixed_site());
    let values = model.fields.iter().map(|field| {
        let ident = &field.ident;
        let new = |part| {
            let part = Ident::new(part, Span::call_site());
            at_type(field, &quote!(#new.#part))
        };
        let value = match field.role {
            Role::Id => new("id"),
            Role::Identifier => new("identifier"),
            Role::PasswordHash => new("password_hash"),
            Role::Active => new("active"),
            Role::Verified => new("verified"),
            Role::Own => own_value(model, field, &registration),
        };
        quote!(#ident: #value)
    });
    let parameter =
        if model.own().any(|field| field.dtos.register) { quote!(#registration) } else { quote!(_) };
    quote! {
        fn from_registration(#parameter: #dto, #new: #runtime::NewUser<#id>) -> Self {
            Self { #( #values, )* }
        }
    }
}

/// Names keep their meaning and stand at the field's type.
fn at_type(field: &Field, tokens: &TokenStream) -> TokenStream {
    located(tokens.clone(), field.ty.span())
}

/// The value at registration of a field of the application's own.
fn own_value(model: &Model, field: &Field, registration: &Ident) -> TokenStream {
    let runtime = &model.runtime;
    let ident = &field.ident;
    let default = field.default.as_ref().map(|value| match value {
        // A string literal stands for whatever the field makes of one.
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(_), .. }) => {
            quote!(::core::convert::Into::into(#value))
        }
        value => quote!(#value),
    });
    match (default, field.dtos.register) {
        (None, true) => at_type(field, &quote!(#registration.#ident)),
        (Some(default), true) => quote!(#registration.#ident.unwrap_or_else(|| #default)),
        (Some(default), false) => default,
        (None, false) => {
            let initial = as_trait(&field.ty, &quote!(#runtime::Initial));
            quote!(#initial::initial())
        }
    }
}

/// The marker traits that the application's route groups ask for.
fn capabilities(model: &Model) -> TokenStream {
    let Model { name, runtime, .. } = model;
    let verified = model.verified.as_ref().map(|_| quote! { impl #runtime::HasVerified for #name {} });
    let mailbox = model.mailbox.as_ref().map(|_| quote! { impl #runtime::HasMailbox for #name {} });
    quote! { #verified #mailbox }
}
