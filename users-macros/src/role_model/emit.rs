//! The code of a role model: facts about the struct, in the words of the runtime's traits.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{dto, model::Model, stored};
use crate::record::{
    dialect::Dialect,
    dto::Presence,
    field::{Field, Purpose},
    value::{at_type, borrow, own_value, to_read},
};

/// The whole expansion.
pub(super) fn emit(model: &Model, dialects: &[Dialect]) -> TokenStream {
    let dtos = dto::dtos(model);
    let role_model = role_model(model);
    let stored = dialects.iter().map(|dialect| stored::stored(model, dialect));
    let (name, runtime) = (&model.record.name, &model.record.runtime);
    quote! {
        #dtos
        #role_model
        impl #runtime::__private::SomeRole for #name {}
        #( #stored )*
    }
}

fn role_model(model: &Model) -> TokenStream {
    let (record, struct_name, runtime) = (&model.record, &model.record.name, &model.record.runtime);
    let [read, create, update] = ["Read", "Create", "Update"].map(|suffix| record.dto(suffix));
    let (id_type, id, name) = (&model.id.ty, &model.id.ident, borrow(&model.name));
    let to_read = to_read(record);
    // The user's default expressions must not see these.
    let given = Ident::new("create", Span::mixed_site());
    let [new_id, new_name] = ["id", "name"].map(|part| Ident::new(part, Span::mixed_site()));
    let used = record.own().any(|field| Presence::in_creation(field) != Presence::Never);
    let parameter = if used { quote!(#given) } else { quote!(_) };
    let value = |field: &Field, presence: Presence| match field.purpose {
        Purpose::Id => at_type(field, &quote!(#new_id)),
        Purpose::Name => at_type(field, &quote!(#new_name)),
        _ => own_value(runtime, field, presence, &given),
    };
    let created = record.fields.iter().map(|field| {
        let (ident, value) = (&field.ident, value(field, Presence::in_creation(field)));
        quote!(#ident: #value)
    });
    let named = record.fields.iter().map(|field| {
        let (ident, value) = (&field.ident, value(field, Presence::Never));
        quote!(#ident: #value)
    });
    let string = quote!(#runtime::__private::String);
    quote! {
        impl #runtime::RoleModel for #struct_name {
            type Model = Self;
            type Id = #id_type;
            type Read = #read;
            type Create = #create;
            type Update = #update;

            fn id(&self) -> #id_type {
                self.#id
            }

            fn name(&self) -> &::core::primitive::str {
                #name
            }

            #to_read

            fn from_create(#parameter: #create, #new_id: #id_type, #new_name: #string) -> Self {
                Self { #( #created, )* }
            }

            fn named(#new_id: #id_type, #new_name: #string) -> Self {
                Self { #( #named, )* }
            }

            fn with_id(self, #new_id: #id_type) -> Self {
                Self { #id: #new_id, ..self }
            }
        }
    }
}
