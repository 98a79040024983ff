//! The six DTOs of a user and what the runtime asks of them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::Model;
use crate::record::{
    describe::Member,
    dto::{
        self, Body, Presence, any_change, declare_optional, optional_password, password, read, structure,
        validate,
    },
    field::{Field, Filter, Purpose},
};

/// What the names of the DTOs end with.
pub(super) const DTOS: [&str; 6] = ["Read", "Registration", "Update", "AdminUpdate", "Filter", "Import"];

/// The structs with their traits.
pub(super) fn dtos(model: &Model) -> TokenStream {
    [
        read(&model.record),
        registration(model),
        update(model),
        admin_update(model),
        filter(model),
        import(model),
    ]
    .into_iter()
    .collect()
}

fn registration(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let name = record.dto("Registration");
    let identifier = &model.identifier.ident;
    let fields = record.fields.iter().flat_map(|field| {
        let password = (field.purpose == Purpose::Identifier).then(|| password(record));
        [Presence::in_creation(field).declare(record, field), password].into_iter().flatten()
    });
    let doc = format!("The body of a registration as `{}`.", record.name);
    let dto = structure(record, "Registration", Body::Whole, &doc, fields);
    let validate = validate(record, Presence::in_creation);
    quote! {
        #dto

        impl #runtime::RegistrationDto for #name {
            fn identifier(&self) -> &::core::primitive::str {
                &self.#identifier
            }

            fn password(&self) -> &#runtime::Password {
                &self.password
            }

            #validate
        }
    }
}

fn update(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let name = record.dto("Update");
    let current_password = optional_password(
        record,
        "The password as it is, which a new identifier or password needs.",
        "current_password",
    );
    let carried = |field: &Field| Presence::in_change(field.dtos.update);
    let doc = format!("What self-service may change of `{}`; what is absent stays as it is.", record.name);
    let fields = changes(model, [new_password(model), current_password], carried);
    let dto = structure(record, "Update", Body::Partial, &doc, fields);
    let new_identifier = new_identifier(model, model.identifier.dtos.update);
    let any_change = any_change(model.updatable());
    let validate = validate(record, carried);
    quote! {
        #dto

        impl #runtime::UpdateDto for #name {
            #new_identifier

            fn password(&self) -> ::core::option::Option<&#runtime::Password> {
                self.password.as_ref()
            }

            fn current_password(&self) -> ::core::option::Option<&#runtime::Password> {
                self.current_password.as_ref()
            }

            fn changes_own_fields(&self) -> ::core::primitive::bool {
                #any_change
            }

            #validate
        }
    }
}

fn admin_update(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let name = record.dto("AdminUpdate");
    let what = "Whether the user is sent a mail to choose a password.";
    let reset = model.mailbox.as_ref().map(|_| dto::flag(record, what, "send_password_reset"));
    let sends_reset = if reset.is_some() { quote!(self.send_password_reset) } else { quote!(false) };
    let carried = |field: &Field| Presence::in_change(field.dtos.admin_update);
    let doc =
        format!("What an administrator may change of `{}`; what is absent stays as it is.", record.name);
    let fields = changes(model, [Some(new_password(model)), reset].into_iter().flatten(), carried);
    let dto = structure(record, "AdminUpdate", Body::Partial, &doc, fields);
    let new_identifier = new_identifier(model, model.identifier.dtos.admin_update);
    let active = flag(model.active.as_ref().filter(|field| field.dtos.admin_update));
    let verified = flag(model.verified.as_ref().filter(|field| field.dtos.admin_update));
    let any_change = any_change(model.admin_updatable());
    let validate = validate(record, carried);
    quote! {
        #dto

        impl #runtime::AdminUpdateDto for #name {
            #new_identifier

            fn password(&self) -> ::core::option::Option<&#runtime::Password> {
                self.password.as_ref()
            }

            fn active(&self) -> ::core::option::Option<::core::primitive::bool> {
                #active
            }

            fn verified(&self) -> ::core::option::Option<::core::primitive::bool> {
                #verified
            }

            fn send_password_reset(&self) -> ::core::primitive::bool {
                #sends_reset
            }

            fn changes_own_fields(&self) -> ::core::primitive::bool {
                #any_change
            }

            #validate
        }
    }
}

/// The keys by which a list is filtered, each with the comparison that it stands for.
pub(super) fn filter_keys(field: &Field) -> Vec<(String, &'static str)> {
    let key = field.key();
    match field.list.filter {
        None => Vec::new(),
        Some(Filter::Equal) => vec![(key, "=")],
        Some(Filter::Range) => vec![(format!("{key}_min"), ">="), (format!("{key}_max"), "<=")],
    }
}

/// The parameter's field; one that stands for the whole field is called like it, `r#type` included.
pub(super) fn filter_ident(field: &Field, key: &str) -> proc_macro2::Ident {
    if key == field.key() { field.ident.clone() } else { format_ident!("{key}", span = field.ident.span()) }
}

fn filter(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let name = record.dto("Filter");
    let fields = model.filtered().flat_map(|field| {
        filter_keys(field).into_iter().map(|(key, _)| {
            let parameter = Field { ident: filter_ident(field, &key), ..field.clone() };
            declare_optional(record, &parameter, field.content(), false)
        })
    });
    let doc =
        format!("What lists of `{}` may be filtered by; what is absent leaves nothing out.", record.name);
    let dto = structure(record, "Filter", Body::Partial, &doc, fields);
    quote! {
        #dto

        impl #runtime::FilterDto for #name {}
    }
}

fn import(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let name = record.dto("Import");
    let (id_type, identifier) = (&model.id.ty, &model.identifier.ident);
    let hash = model.password_hash.dtos.import;
    let secrets = || {
        let password = optional_password(record, "The password, of which a hash is to be made.", "password");
        let text = "The hash that is stored already, as secret as a password.";
        let hash = hash.then(|| optional_password(record, text, "password_hash"));
        std::iter::once(password).chain(hash)
    };
    let fields = record.fields.iter().flat_map(|field| -> Vec<Member> {
        match field.purpose {
            Purpose::PasswordHash | Purpose::Tenant => Vec::new(),
            Purpose::Id | Purpose::Active | Purpose::Verified => {
                Presence::in_change(field.dtos.import).declare(record, field).into_iter().collect()
            }
            Purpose::Identifier => {
                Presence::Always.declare(record, field).into_iter().chain(secrets()).collect()
            }
            _ => Presence::in_import(field).declare(record, field).into_iter().collect(),
        }
    });
    let doc = format!("A `{}` as an import or a command brings it.", record.name);
    let dto = structure(record, "Import", Body::Import, &doc, fields);
    let id = flag(Some(&model.id).filter(|field| field.dtos.import));
    let active = flag(model.active.as_ref().filter(|field| field.dtos.import));
    let verified = flag(model.verified.as_ref().filter(|field| field.dtos.import));
    let password_hash = if hash {
        quote!(self.password_hash.as_ref().map(#runtime::Password::expose))
    } else {
        quote!(::core::option::Option::None)
    };
    let validate = validate(record, Presence::in_import);
    quote! {
        #dto

        impl #runtime::ImportDto for #name {
            type Id = #id_type;

            fn id(&self) -> ::core::option::Option<#id_type> {
                #id
            }

            fn identifier(&self) -> &::core::primitive::str {
                &self.#identifier
            }

            fn password(&self) -> ::core::option::Option<&#runtime::Password> {
                self.password.as_ref()
            }

            fn password_hash(&self) -> ::core::option::Option<&::core::primitive::str> {
                #password_hash
            }

            fn active(&self) -> ::core::option::Option<::core::primitive::bool> {
                #active
            }

            fn verified(&self) -> ::core::option::Option<::core::primitive::bool> {
                #verified
            }

            #validate
        }
    }
}

/// The fields of a change: the identifier, what the library adds, and what else may change.
fn changes(
    model: &Model,
    added: impl IntoIterator<Item = Member>,
    presence: impl Fn(&Field) -> Presence,
) -> impl Iterator<Item = Member> {
    let declare = |field: &Field| presence(field).declare(&model.record, field);
    let (first, rest): (Vec<_>, Vec<_>) =
        model.record.fields.iter().partition(|field| field.purpose == Purpose::Identifier);
    let first: Vec<_> = first.into_iter().filter_map(declare).collect();
    let rest: Vec<_> = rest.into_iter().filter_map(declare).collect();
    first.into_iter().chain(added).chain(rest)
}

fn new_password(model: &Model) -> Member {
    optional_password(&model.record, "The new password.", "password")
}

fn new_identifier(model: &Model, carried: bool) -> TokenStream {
    let identifier = &model.identifier.ident;
    let identifier =
        if carried { quote!(self.#identifier.as_deref()) } else { quote!(::core::option::Option::None) };
    quote! {
        fn identifier(&self) -> ::core::option::Option<&::core::primitive::str> {
            #identifier
        }
    }
}

/// The value of an optional field of a DTO that has it.
fn flag(field: Option<&Field>) -> TokenStream {
    field.map_or_else(
        || quote!(::core::option::Option::None),
        |field| {
            let ident = &field.ident;
            quote!(self.#ident)
        },
    )
}
