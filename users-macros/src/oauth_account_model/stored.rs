//! `impl StoredOAuthAccount<DB>`: facts about the table, in the SQL of one database.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Model;
use crate::record::{
    column::{self, add, definition, imports, number, values},
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
    let values = values(record, |place| match place {
        0 => quote!(first),
        place => {
            let place = number(place);
            quote!(first + #place)
        }
    });
    let inserted = record.fields.iter().map(|field| add(field, runtime));
    quote! {
        const _: () = {
            #imports

            impl #runtime::StoredOAuthAccount<__DB> for #name {
                const SQL: #runtime::OAuthAccountSql = #sql;

                #columns

                fn from_row(
                    row: &__Row,
                    first: ::core::primitive::usize
                ) -> ::core::result::Result<Self, #runtime::__private::sqlx::Error> {
                    ::core::result::Result::Ok(Self { #( #values, )* })
                }

                fn add_insert(&self, arguments: &mut __Arguments) -> __Added {
                    #( #inserted )*
                    ::core::result::Result::Ok(())
                }
            }
        };
    }
}

/// The names that the runtime's statements about linked accounts are put together from.
fn names(model: &Model, dialect: &Dialect) -> TokenStream {
    let (record, runtime) = (&model.record, &model.record.runtime);
    let table = dialect.name(&record.table);
    let (id, subject) = (dialect.name(&model.id.column), dialect.name(&model.subject.column));
    let email = match &model.email {
        Some(field) => {
            let email = dialect.name(&field.column);
            quote!(::core::option::Option::Some(#email))
        }
        None => quote!(::core::option::Option::None),
    };
    let width = number(record.fields.len());
    let select = dialect.select("a", &record.fields);
    let insert = dialect.insert(record.fields.iter().map(|field| field.column.as_str()));
    let values = Dialect::values(record, |_| 0);
    quote! {
        #runtime::OAuthAccountSql {
            table: #table, id: #id, subject: #subject, email: #email, width: #width,
            select: #select,
            insert: #insert, values: #values
        }
    }
}
