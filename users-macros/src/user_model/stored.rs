//! `impl Stored<DB>`: facts about the table, in the SQL of one database.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;

use super::{
    dto::{filter_ident, filter_keys},
    emit::Named,
    model::Model,
};
use crate::{
    record::{
        column::{self, add, add_changes, column_type, definition, imports, number, values},
        dialect::Dialect,
        field::{Field, Purpose},
    },
    report::{as_trait, at, located},
};

/// The implementation for one database.
pub(super) fn stored(model: &Model, dialect: &Dialect) -> TokenStream {
    let (name, runtime) = (&model.record.name, &model.record.runtime);
    let imports = imports(runtime, dialect);
    let sql = statements(model, dialect);
    let definitions: Vec<_> =
        model.record.fields.iter().flat_map(|field| definitions(model, field, dialect)).collect();
    let columns = column::columns(runtime, &definitions);
    let values = values(&model.record, |index| number(index).into_token_stream());
    let inserted = model.record.fields.iter().map(|field| insert(field, runtime));
    let update = add_changes("add_update", &model.record.dto("Update"), model.updatable());
    let admin_update =
        add_changes("add_admin_update", &model.record.dto("AdminUpdate"), model.admin_updatable());
    let filter = filter(model, dialect);
    let sort_value = add_sort_value(model);
    let tenant = model.tenant.as_ref().map(add_tenant);
    quote! {
        const _: () = {
            #imports

            impl #runtime::Stored<__DB> for #name {
                const SQL: #runtime::ModelSql = #sql;

                #columns

                fn from_row(row: &__Row) -> ::core::result::Result<Self, #runtime::__private::sqlx::Error> {
                    ::core::result::Result::Ok(Self { #( #values, )* })
                }

                fn add_insert(
                    &self,
                    canonical: &::core::primitive::str,
                    arguments: &mut __Arguments
                ) -> __Added {
                    #( #inserted )*
                    ::core::result::Result::Ok(())
                }

                #update

                #admin_update

                #filter

                #sort_value

                #tenant
            }
        };
    }
}

/// The call that puts the model's names and lists into the runtime's statements.
fn statements(model: &Model, dialect: &Dialect) -> TokenStream {
    let runtime = &model.record.runtime;
    let syntax = format_ident!("{}", dialect.syntax);
    let Named { role, oauth_account } = model.named();
    let table = dialect.name(&model.record.table);
    let width = number(model.record.fields.len());
    let id = dialect.name(&model.id.column);
    let identifier = dialect.name(&model.identifier.column);
    let canonical = dialect.name(&model.canonical);
    let password_hash = dialect.name(&model.password_hash.column);
    let column =
        |field: &Option<Field>| literal_or_none(field.as_ref().map(|field| dialect.name(&field.column)));
    let (active, verified, tenant) = (column(&model.active), column(&model.verified), column(&model.tenant));
    let select = dialect.select("u", &model.record.fields);
    let (insert, values) = (dialect.insert(model.columns()), Dialect::values(&model.record, canonicals));
    let update = literal_or_none(dialect.update(model.updatable()));
    let admin_update = literal_or_none(dialect.update(model.admin_updatable()));
    let sorts = model.sorted().map(|field| {
        let (key, column) = (field.key(), dialect.column_of("u", &field.column));
        quote!((#key, #column))
    });
    quote! {
        #runtime::__private::model_sql! {
            syntax: #syntax, database: __DB, role: #role, oauth_account: #oauth_account,
            table: #table, width: #width,
            id: #id, identifier: #identifier, canonical: #canonical, password_hash: #password_hash,
            active: #active, verified: #verified, tenant: #tenant,
            select: #select,
            insert: #insert, values: #values,
            update: #update,
            admin_update: #admin_update,
            sorts: [ #( #sorts ),* ]
        }
    }
}

/// How many columns follow a field's own: behind the identifier its canonical form.
fn canonicals(field: &Field) -> usize {
    usize::from(field.purpose == Purpose::Identifier)
}

fn literal_or_none(text: Option<String>) -> TokenStream {
    text.map_or_else(|| quote!(none), |text| quote!(#text))
}

/// A field's columns: one, or for the identifier two.
fn definitions(model: &Model, field: &Field, dialect: &Dialect) -> Vec<TokenStream> {
    let mut columns = vec![definition(field, &field.column, column::role(field.purpose), dialect)];
    if field.purpose == Purpose::Identifier {
        columns.push(definition(field, &model.canonical, "Canonical", dialect));
    }
    columns
}

fn insert(field: &Field, runtime: &Path) -> TokenStream {
    let add = add(field, runtime);
    let canonical = (field.purpose == Purpose::Identifier)
        .then(|| quote!(#runtime::__private::sqlx::Arguments::add(arguments, canonical)?;));
    quote!(#add #canonical)
}

/// The conditions that a filter comes to.
fn filter(model: &Model, dialect: &Dialect) -> TokenStream {
    let runtime = &model.record.runtime;
    let dto = model.record.dto("Filter");
    let conditions: Vec<_> = model
        .filtered()
        .flat_map(|field| {
            let column = dialect.column_of("u", &field.column);
            filter_keys(field).into_iter().map(move |(key, operator)| {
                let ident = filter_ident(field, &key);
                let compare = quote_spanned!(at(&field.ty)=> conditions.compare(#column, #operator, value)?);
                quote! {
                    if let ::core::option::Option::Some(value) = &filter.#ident {
                        #compare;
                    }
                }
            })
        })
        .collect();
    let (filter, parameter) =
        if conditions.is_empty() { (quote!(_), quote!(_)) } else { (quote!(filter), quote!(conditions)) };
    quote! {
        fn filter(#filter: &#dto, #parameter: &mut #runtime::Conditions<__DB>) -> __Added {
            #( #conditions )*
            ::core::result::Result::Ok(())
        }
    }
}

/// The function that adds a value which came out of a cursor.
fn add_sort_value(model: &Model) -> TokenStream {
    let json = {
        let runtime = &model.record.runtime;
        quote!(#runtime::__private::serde_json)
    };
    let arms: Vec<_> = model
        .sorted()
        .map(|field| {
            let (key, ty) = (field.key(), &field.ty);
            let of_type = as_trait(ty, &column_type());
            let value = located(quote!(&#json::from_value::<#ty>(value)?), at(ty));
            quote!(#key => #of_type::add::<__DB>(#value, arguments))
        })
        .collect();
    let parameter = |name: &str| {
        let name = Ident::new(name, proc_macro2::Span::call_site());
        if arms.is_empty() { quote!(_) } else { quote!(#name) }
    };
    let (key, value, arguments) = (parameter("key"), parameter("value"), parameter("arguments"));
    let body = if arms.is_empty() {
        quote!(::core::result::Result::Ok(()))
    } else {
        quote!(match key { #( #arms, )* _ => ::core::result::Result::Ok(()) })
    };
    quote! {
        fn add_sort_value(
            #key: &::core::primitive::str,
            #value: #json::Value,
            #arguments: &mut __Arguments
        ) -> __Added {
            #body
        }
    }
}

fn add_tenant(field: &Field) -> TokenStream {
    let ty = &field.ty;
    let of_type = as_trait(ty, &column_type());
    quote! {
        fn add_tenant(tenant: &#ty, arguments: &mut __Arguments) -> __Added {
            #of_type::add::<__DB>(tenant, arguments)
        }
    }
}
