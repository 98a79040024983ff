//! Columns in the words of `ColumnType`. What is emitted stands in a block with [`imports`].

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::Path;

use super::{
    Record,
    dialect::Dialect,
    field::{Field, Purpose},
};
use crate::report::{as_trait, reference};

/// The names that the rest of this module uses.
pub(crate) fn imports(runtime: &Path, dialect: &Dialect) -> TokenStream {
    let database = dialect.imports(runtime);
    quote! {
        use #runtime::{ColumnRole as __Role, ColumnType as __Column};
        #database
        type __Added = ::core::result::Result<(), #runtime::__private::sqlx::error::BoxDynError>;
    }
}

/// The trait of a column's type, which names no database: what is wrong with a type is said once for all of them.
pub(crate) fn column_type() -> TokenStream {
    quote!(__Column)
}

/// A field's column in the table's definition.
pub(crate) fn definition(field: &Field, name: &str, purpose: &str, dialect: &Dialect) -> TokenStream {
    let of_type = as_trait(&field.ty, &column_type());
    let purpose = Ident::new(purpose, Span::call_site());
    let nullable = field.is_optional().then(|| quote!(.nullable()));
    let sql_type = dialect.sql_type(field).map(|sql_type| quote!(.with_sql_type(#sql_type)));
    let sql_default = field.sql_default.as_ref().map(|value| quote!(.with_sql_default(#value)));
    // A flag has two values, of which an index finds half the table.
    let listed = field.purpose == Purpose::Own && (field.list.filter.is_some() || field.list.sort);
    let indexed = listed.then(|| quote!(.indexed()));
    quote!(#of_type::column::<__DB>(#name, __Role::#purpose) #nullable #sql_type #sql_default #indexed)
}

/// What the runtime calls a column with this purpose.
pub(crate) fn role(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Id => "Id",
        Purpose::Identifier => "Identifier",
        Purpose::PasswordHash => "PasswordHash",
        Purpose::Active => "Active",
        Purpose::Verified => "Verified",
        Purpose::Tenant => "Tenant",
        Purpose::Name => "RoleName",
        Purpose::Provider => "Provider",
        Purpose::Subject => "Subject",
        Purpose::Email => "Email",
        Purpose::Own => "Own",
    }
}

/// Adds the value of `self` to those of a statement.
pub(crate) fn add(field: &Field, runtime: &Path) -> TokenStream {
    let Field { ident, ty, .. } = field;
    if field.purpose == Purpose::Id {
        return quote! {
            #runtime::__private::sqlx::Arguments::add(arguments, #runtime::UserId::assigned(self.#ident))?;
        };
    }
    let of_type = as_trait(ty, &column_type());
    let value = reference("self", ident, ty);
    quote!(#of_type::add::<__DB>(#value, arguments)?;)
}

/// The function that adds whether columns change, and to what.
pub(crate) fn add_changes<'a>(
    name: &str,
    dto: &Ident,
    fields: impl Iterator<Item = &'a Field>,
) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    let changes = fields.map(|field| {
        let Field { ident, ty, .. } = field;
        let of_type = as_trait(ty, &column_type());
        let change = reference("update", ident, ty);
        quote!(#of_type::add_change::<__DB>(#change, arguments)?;)
    });
    let changes: Vec<_> = changes.collect();
    let (update, arguments) =
        if changes.is_empty() { (quote!(_), quote!(_)) } else { (quote!(update), quote!(arguments)) };
    quote! {
        fn #name(#update: &#dto, #arguments: &mut __Arguments) -> __Added {
            #( #changes )*
            ::core::result::Result::Ok(())
        }
    }
}

/// The table's definition, from which a schema is made.
pub(crate) fn columns(runtime: &Path, columns: &[TokenStream]) -> TokenStream {
    quote! {
        fn columns() -> #runtime::__private::Vec<#runtime::Column> {
            ::core::convert::From::from([ #( #columns, )* ])
        }
    }
}

/// Every field of a struct out of a row, at the index that `index` makes of its place.
pub(crate) fn values(record: &Record, index: impl Fn(usize) -> TokenStream) -> Vec<TokenStream> {
    let read = record.fields.iter().enumerate().map(|(place, field)| {
        let ident = &field.ident;
        let of_type = as_trait(&field.ty, &column_type());
        let index = index(place);
        quote!(#ident: #of_type::read::<__DB>(row, #index)?)
    });
    read.collect()
}

/// An index or count without a suffix.
pub(crate) fn number(number: usize) -> Literal {
    Literal::usize_unsuffixed(number)
}
