//! What a client of the generated routes needs of DTOs: to read what responses show, and to write what requests carry.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Path, Type, spanned::Spanned};

use super::{
    Record,
    dto::Presence,
    field::{Dtos, Field},
};
use crate::report::{as_trait, at, located_deeply, reference};

/// Whether this build of the crate was asked for clients.
pub(crate) fn enabled() -> bool {
    cfg!(feature = "client")
}

/// The read DTO out of a response.
pub(crate) fn response(record: &Record) -> TokenStream {
    let runtime = &record.runtime;
    let name = record.dto("Read");
    let shown: Vec<_> = record.fields.iter().filter(|field| field.dtos.read).collect();
    let mutable = (!shown.is_empty()).then(|| quote!(mut));
    let dto = if shown.is_empty() { quote!(_) } else { quote!(dto) };
    let fields = shown.iter().map(|field| {
        let (ident, key) = (&field.ident, field.key());
        // A type that no request can bring is one mistake, wherever the field is.
        let read = if is_taken(field) {
            quote!(#runtime::Acceptable::accept)
        } else {
            quote!(#runtime::client::Receivable::receive)
        };
        // As the code of serde's derives names it for requests, so that rustc sees that the message is the same.
        let taken = located_deeply(quote!(dto.take(#key, #read)?), at(&field.ty));
        quote!(#ident: #taken)
    });
    // Written out because serde's derive would report a type that cannot be read in its own words.
    quote! {
        const _: () = {
            use #runtime::__private::serde::{Deserialize as __Deserialize, Deserializer as __Deserializer};

            impl<'de> __Deserialize<'de> for #name {
                fn deserialize<D: __Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    let #mutable #dto = #runtime::client::Fields::read(deserializer)?;
                    ::core::result::Result::Ok(Self { #( #fields, )* })
                }
            }
        };
    }
}

/// Whether a request or an import carries the field.
fn is_taken(field: &Field) -> bool {
    let Dtos { create, update, admin_update, import, .. } = field.dtos;
    create || update || admin_update || import
}

/// One key of a request's body.
pub(crate) enum Sent<'a> {
    /// A value that is there.
    Always(&'a Field),
    /// An `Option` that the struct has already, which is left out where it is `None`.
    Optional(&'a Field),
    /// A value of this type in an `Option` of the DTO's, which is left out where it is `None`.
    Perhaps(&'a Field, Ident, &'a Type),
    /// A password that is there.
    Password(&'static str),
    /// A password that may not be.
    NewPassword(&'static str),
    /// A flag, which is left out where it is `false`.
    Flag(&'static str),
}

impl<'a> Sent<'a> {
    /// What a body says of a field, if it has the field.
    pub(crate) fn of(field: &'a Field, presence: Presence) -> Option<Self> {
        match presence {
            Presence::Never => None,
            Presence::Perhaps => Some(Self::Perhaps(field, field.ident.clone(), &field.ty)),
            Presence::Always if field.is_optional() => Some(Self::Optional(field)),
            Presence::Always => Some(Self::Always(field)),
        }
    }

    /// The statement that writes it.
    fn statement(&self, runtime: &Path) -> TokenStream {
        let own = |key: &str| Ident::new(key, Span::call_site());
        match self {
            Self::Always(field) => {
                let value = reference("self", &field.ident, &field.ty);
                send(runtime, field, &field.ty, &field.key(), &value)
            }
            Self::Optional(field) => {
                let ident = &field.ident;
                let value = reference("self", ident, &field.ty);
                let send = send(runtime, field, &field.ty, &field.key(), &value);
                quote!(if self.#ident.is_some() { #send })
            }
            Self::Perhaps(field, ident, ty) => {
                let key = if *ident == field.ident { field.key() } else { ident.to_string() };
                let value = Ident::new("value", Span::mixed_site().located_at(ty.span()));
                let send = send(runtime, field, ty, &key, &value.to_token_stream());
                quote!(if let ::core::option::Option::Some(#value) = &self.#ident { #send })
            }
            Self::Password(key) => {
                let ident = own(key);
                quote!(body.password(#key, &self.#ident);)
            }
            Self::NewPassword(key) => {
                let ident = own(key);
                quote!(body.password_if_some(#key, self.#ident.as_ref());)
            }
            Self::Flag(key) => {
                let ident = own(key);
                quote!(body.flag(#key, self.#ident);)
            }
        }
    }
}

/// Writes a value of this type, which is the field's or a part of it.
fn send(runtime: &Path, field: &Field, ty: &Type, key: &str, value: &TokenStream) -> TokenStream {
    // A type that cannot be written is one mistake, wherever the field is.
    let (bound, write) = if field.dtos.read {
        (quote!(#runtime::Exposable), quote!(expose))
    } else {
        (quote!(#runtime::client::Sendable), quote!(send))
    };
    let writable = as_trait(ty, &bound);
    quote!(#writable::#write(#value, #key, body)?;)
}

/// A DTO as the body of a request, with passwords as they are: whoever sends one means to.
pub(crate) fn request<'a>(
    record: &Record,
    suffix: &str,
    sent: impl IntoIterator<Item = Sent<'a>>,
) -> TokenStream {
    let runtime = &record.runtime;
    let name = record.dto(suffix);
    let sent: Vec<_> = sent.into_iter().collect();
    let body = if sent.is_empty() { quote!(_) } else { quote!(body) };
    let statements = sent.iter().map(|sent| sent.statement(runtime));
    quote! {
        impl #runtime::client::RequestBody for #name {
            fn write(
                &self,
                #body: &mut #runtime::client::Body
            ) -> ::core::result::Result<(), #runtime::__private::serde_json::Error> {
                #( #statements )*
                ::core::result::Result::Ok(())
            }
        }
    }
}

/// The same for a DTO that a broken derive leaves behind.
pub(crate) fn stub(runtime: &Path, name: &Ident) -> TokenStream {
    quote! {
        impl #runtime::client::RequestBody for #name {
            fn write(
                &self,
                _: &mut #runtime::client::Body
            ) -> ::core::result::Result<(), #runtime::__private::serde_json::Error> {
                ::core::unreachable!()
            }
        }
    }
}
