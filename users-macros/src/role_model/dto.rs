//! The three DTOs of a role and what the runtime asks of them.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Model;
use crate::record::{
    dto::{Body, Presence, any_change, read, structure, validate},
    field::Field,
};

/// The structs with their traits.
pub(super) fn dtos(model: &Model) -> TokenStream {
    [read(&model.record), create(model), update(model)].into_iter().collect()
}

fn create(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let (dto, name) = (record.dto("Create"), &model.name.ident);
    let fields = record.fields.iter().filter_map(|field| Presence::in_creation(field).declare(record, field));
    let doc = format!("The body of a new `{}`.", record.name);
    let structure = structure(record, "Create", Body::Whole, &doc, fields);
    let validate = validate(record, Presence::in_creation);
    quote! {
        #structure

        impl #runtime::RoleCreateDto for #dto {
            fn name(&self) -> &::core::primitive::str {
                &self.#name
            }

            #validate
        }
    }
}

fn update(model: &Model) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let (dto, name) = (record.dto("Update"), &model.name.ident);
    let carried = |field: &Field| Presence::in_change(field.dtos.update);
    let fields = record.fields.iter().filter_map(|field| carried(field).declare(record, field));
    let doc = format!("What may change of a `{}`; what is absent stays as it is.", record.name);
    let structure = structure(record, "Update", Body::Partial, &doc, fields);
    let new_name = if model.name.dtos.update {
        quote!(self.#name.as_deref())
    } else {
        quote!(::core::option::Option::None)
    };
    let any_change = any_change(model.updatable());
    let validate = validate(record, carried);
    quote! {
        #structure

        impl #runtime::RoleUpdateDto for #dto {
            fn name(&self) -> ::core::option::Option<&::core::primitive::str> {
                #new_name
            }

            fn changes_own_fields(&self) -> ::core::primitive::bool {
                #any_change
            }

            #validate
        }
    }
}
