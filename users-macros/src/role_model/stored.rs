//! `impl StoredRole<DB>`: facts about the table, in the SQL of one database.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::model::Model;
use crate::record::{
    column::{self, add, add_changes, definition, imports, number, values},
    dialect::Dialect,
};

/// The implementation for one database.
pub(super) fn stored(model: &Model, dialect: &Dialect) -> TokenStream {
    let (record, name, runtime) = (&model.record, &model.record.name, &model.record.runtime);
    let imports = imports(runtime, dialect);
    let sql = names(model, dialect);
    let definitions: Vec<_> = record
        .fields
        .iter()
        .map(|field| definition(field, &field.column, column::role(field.purpose), dialect))
        .collect();
    let columns = column::columns(runtime, &definitions);
    let from_row = from_row(model, runtime);
    let inserted = record.fields.iter().map(|field| add(field, runtime));
    let update = add_changes("add_update", &record.dto("Update"), model.updatable());
    quote! {
        const _: () = {
            #imports

            impl #runtime::StoredRole<__DB> for #name {
                const SQL: #runtime::RoleSql = #sql;

                #columns

                #from_row

                fn add_insert(&self, arguments: &mut __Arguments) -> __Added {
                    #( #inserted )*
                    ::core::result::Result::Ok(())
                }

                #update
            }
        };
    }
}

/// The names that the runtime's statements about roles are put together from.
fn names(model: &Model, dialect: &Dialect) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let table = dialect.name(&record.table);
    let (id, name) = (dialect.name(&model.id.column), dialect.name(&model.name.column));
    let width = number(record.fields.len());
    let select = dialect.select("r", &record.fields);
    let insert = dialect.insert(record.fields.iter().map(|field| field.column.as_str()));
    let values = Dialect::values(record, |_| 0);
    let update = match dialect.update(model.updatable()) {
        Some(update) => quote!(::core::option::Option::Some(#update)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #runtime::RoleSql {
            table: #table, id: #id, name: #name, width: #width,
            select: #select,
            insert: #insert, values: #values,
            update: #update
        }
    }
}

/// A role out of a row in which it may be missing.
fn from_row(model: &Model, runtime: &Path) -> TokenStream {
    let place = model.record.fields.iter().position(|field| field.ident == model.id.ident);
    let at = |place| match place {
        0 => quote!(first),
        place => {
            let place = number(place);
            quote!(first + #place)
        }
    };
    let id = at(place.unwrap_or_default());
    let id_type = &model.id.ty;
    let values = values(&model.record, at);
    quote! {
        fn from_row(
            row: &__Row,
            first: ::core::primitive::usize
        ) -> ::core::result::Result<::core::option::Option<Self>, #runtime::__private::sqlx::Error> {
            if <::core::option::Option<#id_type> as __Column>::read::<__DB>(row, #id)?.is_none() {
                return ::core::result::Result::Ok(::core::option::Option::None);
            }
            ::core::result::Result::Ok(::core::option::Option::Some(Self { #( #values, )* }))
        }
    }
}
