//! `impl Stored<DB>`: facts about the table, in the SQL of one database.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Ident, Path, Token, spanned::Spanned};

use super::{
    dto::number,
    model::{Field, Model, Role},
    sql::Dialect,
};
use crate::report::{as_trait, reference};

/// The implementation for one database.
pub(super) fn stored(model: &Model, dialect: &Dialect) -> TokenStream {
    let Model { name, runtime, .. } = model;
    let sqlx = quote!(#runtime::__private::sqlx);
    let Driver { database, row, arguments, result } = Driver::new(runtime, dialect);
    let update = model.dto("Update");
    let id = &model.id.ty;
    let sql = statements(model, dialect);
    let column_type = quote!(__Column<__DB>);
    let columns = model.fields.iter().flat_map(|field| columns(model, field, &column_type));
    let values = model.fields.iter().enumerate().map(|(index, field)| {
        let ident = &field.ident;
        let index = number(index);
        let column_type = as_trait(&field.ty, &column_type);
        quote!(#ident: #column_type::read(row, #index)?)
    });
    // The key's name and reference stand at its type, which is what may be wrong with them.
    let key_name = Ident::new("id", id.span());
    let (key_type, and) = (as_trait(id, &column_type), Token![&](id.span()));
    let key = quote!(#key_type::add(#and #key_name, &mut arguments)?;);
    let inserted = model.fields.iter().map(|field| insert(field, runtime, &column_type));
    let updated: Vec<_> = model.updatable().map(|field| change(field, &column_type)).collect();
    let update_parameter = if updated.is_empty() { quote!(_update) } else { quote!(update) };
    quote! {
        const _: () = {
            use #runtime::{ColumnRole as __Role, ColumnType as __Column};
            type __DB = #database;

            impl #runtime::Stored<__DB> for #name {
                const SQL: #runtime::ModelSql = #sql;

                fn columns() -> #runtime::__private::Vec<#runtime::Column> {
                    ::core::convert::From::from([ #( #columns, )* ])
                }

                fn from_row(row: &#row) -> ::core::result::Result<Self, #sqlx::Error> {
                    ::core::result::Result::Ok(Self { #( #values, )* })
                }

                fn insert_arguments(&self, canonical: &::core::primitive::str) -> #result {
                    let mut arguments: #arguments = ::core::default::Default::default();
                    #( #inserted )*
                    ::core::result::Result::Ok(arguments)
                }

                fn update_arguments(#key_name: #id, #update_parameter: &#update) -> #result {
                    let mut arguments: #arguments = ::core::default::Default::default();
                    #key
                    #( #updated )*
                    ::core::result::Result::Ok(arguments)
                }
            }
        };
    }
}

/// What sqlx calls the parts of one database.
pub(super) struct Driver {
    pub(super) database: TokenStream,
    pub(super) row: TokenStream,
    pub(super) arguments: TokenStream,
    /// The type of what may become arguments.
    pub(super) result: TokenStream,
}

impl Driver {
    pub(super) fn new(runtime: &Path, dialect: &Dialect) -> Self {
        let sqlx = quote!(#runtime::__private::sqlx);
        let module = format_ident!("{}", dialect.module);
        let database = format_ident!("{}", dialect.driver);
        let row = format_ident!("{}Row", dialect.driver);
        let arguments = format_ident!("{}Arguments", dialect.driver);
        let arguments = quote!(#sqlx::#module::#arguments);
        Self {
            database: quote!(#sqlx::#database),
            row: quote!(#sqlx::#module::#row),
            result: quote!(::core::result::Result<#arguments, #sqlx::error::BoxDynError>),
            arguments,
        }
    }
}

/// The call that puts the model's names and lists into the runtime's statements.
fn statements(model: &Model, dialect: &Dialect) -> TokenStream {
    let runtime = &model.runtime;
    let macro_name = format_ident!("{}", dialect.statements);
    let table = dialect.name(&model.table);
    let width = number(model.fields.len());
    let id = dialect.name(&model.id.column);
    let identifier = dialect.name(&model.identifier.column);
    let canonical = dialect.name(&model.canonical);
    let password_hash = dialect.name(&model.password_hash.column);
    let flag =
        |field: &Option<Field>| literal_or_none(field.as_ref().map(|field| dialect.name(&field.column)));
    let (active, verified) = (flag(&model.active), flag(&model.verified));
    let (select, insert, values) = (dialect.select(model), dialect.insert(model), dialect.values(model));
    let update = literal_or_none(dialect.update(model));
    quote! {
        #runtime::__private::#macro_name! {
            table: #table, width: #width,
            id: #id, identifier: #identifier, canonical: #canonical, password_hash: #password_hash,
            active: #active, verified: #verified,
            select: #select,
            insert: #insert, values: #values,
            update: #update
        }
    }
}

fn literal_or_none(text: Option<String>) -> TokenStream {
    text.map_or_else(|| quote!(none), |text| quote!(#text))
}

/// A field's columns: one, or for the identifier two.
fn columns(model: &Model, field: &Field, column_type: &TokenStream) -> Vec<TokenStream> {
    let Field { ty, column: name, .. } = field;
    let role = column_role(field.role);
    let nullable = field.is_optional().then(|| quote!(.nullable()));
    let sql_type = field.sql_type.as_ref().map(|sql_type| quote!(.with_sql_type(#sql_type)));
    let of_type = as_trait(ty, column_type);
    let column = |name: &str, role: &Ident| quote!(#of_type::column(#name, __Role::#role));
    let first = column(name, &role);
    let mut columns = vec![quote!(#first #nullable #sql_type)];
    if field.role == Role::Identifier {
        let second = column(&model.canonical, &Ident::new("Canonical", Span::call_site()));
        columns.push(quote!(#second #sql_type));
    }
    columns
}

fn column_role(role: Role) -> Ident {
    let name = match role {
        Role::Id => "Id",
        Role::Identifier => "Identifier",
        Role::PasswordHash => "PasswordHash",
        Role::Active => "Active",
        Role::Verified => "Verified",
        Role::Own => "Own",
    };
    Ident::new(name, Span::call_site())
}

fn insert(field: &Field, runtime: &Path, column_type: &TokenStream) -> TokenStream {
    let Field { ident, ty, .. } = field;
    let of_type = as_trait(ty, column_type);
    let value = reference("self", ident, ty);
    let add = quote!(#of_type::add(#value, &mut arguments)?;);
    match field.role {
        Role::Id => quote! {
            #runtime::__private::sqlx::Arguments::add(&mut arguments, #runtime::UserId::assigned(self.#ident))?;
        },
        Role::Identifier => quote! {
            #add
            #runtime::__private::sqlx::Arguments::add(&mut arguments, canonical)?;
        },
        _ => add,
    }
}

/// Whether a column changes, and to what.
fn change(field: &Field, column_type: &TokenStream) -> TokenStream {
    let Field { ident, ty, .. } = field;
    let of_type = as_trait(ty, column_type);
    let change = reference("update", ident, ty);
    quote!(#of_type::add_change(#change, &mut arguments)?;)
}
