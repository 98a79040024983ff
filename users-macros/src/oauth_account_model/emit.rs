//! The code of a model of linked accounts: facts about the struct, in the words of the runtime's traits.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{model::Model, stored};
use crate::{
    record::{
        dialect::Dialect,
        dto::{Presence, read},
        field::Purpose,
        value::{at_type, borrow, own_value, to_read},
    },
    report::at,
};

/// The whole expansion.
pub(super) fn emit(model: &Model, dialects: &[Dialect]) -> TokenStream {
    let read = read(&model.record);
    let account_model = account_model(model);
    let stored = dialects.iter().map(|dialect| stored::stored(model, dialect));
    let (name, runtime) = (&model.record.name, &model.record.runtime);
    quote! {
        #read
        #account_model
        impl #runtime::__private::SomeOAuthAccount for #name {}
        #( #stored )*
    }
}

fn account_model(model: &Model) -> TokenStream {
    let (record, name, runtime) = (&model.record, &model.record.name, &model.record.runtime);
    let (read, id_type, id) = (record.dto("Read"), &model.id.ty, &model.id.ident);
    let (provider, subject) = (borrow(&model.provider), borrow(&model.subject));
    let email = match &model.email {
        Some(field) => {
            let ident = &field.ident;
            quote_spanned!(at(&field.ty)=> self.#ident.as_deref())
        }
        None => quote!(::core::option::Option::None),
    };
    let to_read = to_read(record);
    // The user's default expressions must not see these.
    let [new_id, new_provider, new_subject, new_email, none] =
        ["id", "provider", "subject", "email", "none"].map(|part| Ident::new(part, Span::mixed_site()));
    let linked = record.fields.iter().map(|field| {
        let ident = &field.ident;
        let value = match field.purpose {
            Purpose::Id => at_type(field, &quote!(#new_id)),
            Purpose::Provider => at_type(field, &quote!(#new_provider)),
            Purpose::Subject => at_type(field, &quote!(#new_subject)),
            Purpose::Email => at_type(field, &quote!(#new_email)),
            _ => own_value(runtime, field, Presence::Never, &none),
        };
        quote!(#ident: #value)
    });
    let email_parameter = if model.email.is_some() { quote!(#new_email) } else { quote!(_) };
    let string = quote!(#runtime::__private::String);
    quote! {
        impl #runtime::OAuthAccountModel for #name {
            type Model = Self;
            type Id = #id_type;
            type Read = #read;

            fn id(&self) -> #id_type {
                self.#id
            }

            fn provider(&self) -> &::core::primitive::str {
                #provider
            }

            fn subject(&self) -> &::core::primitive::str {
                #subject
            }

            fn email(&self) -> ::core::option::Option<&::core::primitive::str> {
                #email
            }

            #to_read

            fn linked(
                #new_id: #id_type,
                #new_provider: #string,
                #new_subject: #string,
                #email_parameter: ::core::option::Option<#string>
            ) -> Self {
                Self { #( #linked, )* }
            }

            fn with_id(self, #new_id: #id_type) -> Self {
                Self { #id: #new_id, ..self }
            }
        }
    }
}
