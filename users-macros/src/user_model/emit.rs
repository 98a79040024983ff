//! The code of a model: facts about the struct, in the words of the runtime's traits.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Path, Type, spanned::Spanned};

use super::{
    dto::{self, DTOS},
    model::{IdentifierKind, Model},
    stored,
};
use crate::{
    record::{
        dialect::Dialect,
        dto::Presence,
        field::{Field, Purpose},
        value::{at_type, borrow, copy, own_value, to_read},
    },
    report::{at, located},
};

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

/// The models that a user model names.
pub(super) struct Named {
    /// The role model: the user's, or the one for those who need no columns of their own.
    pub(super) role: TokenStream,
    /// The model of linked accounts: the user's, or the one that goes with the cargo features.
    pub(super) oauth_account: TokenStream,
}

impl Named {
    pub(super) fn new(runtime: &Path, role: Option<&Path>, oauth_account: Option<&Path>) -> Self {
        let of_model = |path: &Path, model: TokenStream| {
            let path_here = located(path.to_token_stream(), path.span());
            quote!(<#path_here as #runtime::#model>::Model)
        };
        Self {
            role: role.map_or_else(|| quote!(#runtime::Role), |role| of_model(role, quote!(RoleModel))),
            oauth_account: oauth_account.map_or_else(
                || quote!(#runtime::__private::DefaultOAuthAccount),
                |account| of_model(account, quote!(OAuthAccountModel)),
            ),
        }
    }
}

impl Model {
    /// The models that this one names.
    pub(super) fn named(&self) -> Named {
        Named::new(&self.record.runtime, self.role.as_ref(), self.oauth_account.as_ref())
    }
}

/// What a model of this name names.
pub(super) fn types(name: &Ident, id: &Type, tenant: &TokenStream, named: &Named) -> TokenStream {
    let Named { role, oauth_account } = named;
    let [read, registration, update, admin_update, filter, import] =
        DTOS.map(|suffix| format_ident!("{name}{suffix}"));
    quote! {
        type Model = Self;
        type Id = #id;
        type Tenant = #tenant;
        type Role = #role;
        type OAuthAccount = #oauth_account;
        type Read = #read;
        type Registration = #registration;
        type Update = #update;
        type AdminUpdate = #admin_update;
        type Filter = #filter;
        type Import = #import;
    }
}

fn user_model(model: &Model) -> TokenStream {
    let (record, name, runtime) = (&model.record, &model.record.name, &model.record.runtime);
    let (id_type, id) = (&model.id.ty, &model.id.ident);
    let key = model.identifier.key();
    let kind = match model.identifier_kind {
        IdentifierKind::Email => quote!(Email),
        IdentifierKind::Username => quote!(Username),
    };
    let identifier = borrow(&model.identifier);
    let mailbox = mailbox(model);
    let password_hash = borrow(&model.password_hash);
    let (active, verified) = (flag(model.active.as_ref()), flag(model.verified.as_ref()));
    let (tenant_type, tenant) = match &model.tenant {
        Some(field) => (field.ty.to_token_stream(), copy(field)),
        None => (quote!(()), quote!()),
    };
    let types = types(name, id_type, &tenant_type, &model.named());
    let to_read = to_read(record);
    let from_registration = constructor(model, "registration", Presence::in_creation);
    let from_import = constructor(model, "import", Presence::in_import);
    let sort_value = sort_value(model);
    quote! {
        impl #runtime::UserModel for #name {
            #types

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

            fn tenant(&self) -> #tenant_type {
                #tenant
            }

            #to_read

            #from_registration

            #from_import

            fn with_id(self, id: #id_type) -> Self {
                Self { #id: id, ..self }
            }

            #sort_value
        }
    }
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

/// `from_registration` or `from_import`: what the library decides and what the DTO says, as a user.
fn constructor(model: &Model, from: &str, presence: fn(&Field) -> Presence) -> TokenStream {
    let runtime = &model.record.runtime;
    let method = Ident::new(&format!("from_{from}"), Span::call_site());
    let dto = model.record.dto(if from == "import" { "Import" } else { "Registration" });
    let id = &model.id.ty;
    let tenant = model.tenant.as_ref().map(|field| &field.ty).map(|ty| quote!(, #ty));
    // The user's default expressions must not see these.
    let given = Ident::new(from, Span::mixed_site());
    let new = Ident::new("new", Span::mixed_site());
    let values = model.record.fields.iter().map(|field| {
        let ident = &field.ident;
        let new = |part| {
            let part = Ident::new(part, Span::call_site());
            at_type(field, &quote!(#new.#part))
        };
        let value = match field.purpose {
            Purpose::Id => new("id"),
            Purpose::Identifier => new("identifier"),
            Purpose::PasswordHash => new("password_hash"),
            Purpose::Active => new("active"),
            Purpose::Verified => new("verified"),
            Purpose::Tenant => new("tenant"),
            _ => own_value(runtime, field, presence(field), &given),
        };
        quote!(#ident: #value)
    });
    let used = model.record.own().any(|field| presence(field) != Presence::Never);
    let parameter = if used { quote!(#given) } else { quote!(_) };
    quote! {
        fn #method(#parameter: #dto, #new: #runtime::NewUser<#id #tenant>) -> Self {
            Self { #( #values, )* }
        }
    }
}

/// The function that puts a value into a cursor.
fn sort_value(model: &Model) -> TokenStream {
    let runtime = &model.record.runtime;
    let json = quote!(#runtime::__private::serde_json);
    let arms = model.sorted().map(|field| {
        let (key, ident) = (field.key(), &field.ident);
        let value = quote_spanned!(at(&field.ty)=> #json::to_value(&self.#ident));
        quote!(#key => ::core::option::Option::Some(#value))
    });
    let arms: Vec<_> = arms.collect();
    let (key, value) = if arms.is_empty() {
        (quote!(_), quote!(::core::option::Option::None))
    } else {
        (quote!(key), quote!(match key { #( #arms, )* _ => ::core::option::Option::None }))
    };
    quote! {
        fn sort_value(
            &self,
            #key: &::core::primitive::str
        ) -> ::core::option::Option<::core::result::Result<#json::Value, #json::Error>> {
            #value
        }
    }
}

/// The marker traits that the application's route groups ask for.
fn capabilities(model: &Model) -> TokenStream {
    let (name, runtime) = (&model.record.name, &model.record.runtime);
    let verified = model.verified.as_ref().map(|_| quote! { impl #runtime::HasVerified for #name {} });
    let mailbox = model.mailbox.as_ref().map(|_| quote! { impl #runtime::HasMailbox for #name {} });
    quote! { #verified #mailbox }
}
