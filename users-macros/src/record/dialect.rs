//! The names and lists of a struct in the SQL of each database; the statements around them are the runtime's.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Path;

use super::{
    Record,
    field::{Field, SqlTypes},
};

/// One database: how it quotes names, and what the runtime and sqlx call its parts.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// The runtime's constant for its syntax.
    pub(crate) syntax: &'static str,
    /// The module of the driver in sqlx, and the database's name in arguments.
    module: &'static str,
    /// The driver's type.
    database: &'static str,
    /// The prefix of the driver's other types.
    prefix: &'static str,
    quote: char,
    sql_type: fn(&SqlTypes) -> Option<&String>,
}

/// SQLite.
pub(crate) const SQLITE: Dialect = Dialect {
    syntax: "SQLITE",
    module: "sqlite",
    database: "Sqlite",
    prefix: "Sqlite",
    quote: '"',
    sql_type: |types| types.sqlite.as_ref(),
};

/// PostgreSQL.
pub(crate) const POSTGRES: Dialect = Dialect {
    syntax: "POSTGRES",
    module: "postgres",
    database: "Postgres",
    prefix: "Pg",
    quote: '"',
    sql_type: |types| types.postgres.as_ref(),
};

/// MySQL and MariaDB.
pub(crate) const MYSQL: Dialect = Dialect {
    syntax: "MYSQL",
    module: "mysql",
    database: "MySql",
    prefix: "MySql",
    quote: '`',
    sql_type: |types| types.mysql.as_ref(),
};

/// The databases that are switched on.
pub(crate) fn enabled() -> Vec<Dialect> {
    let databases = [
        (cfg!(feature = "sqlite"), SQLITE),
        (cfg!(feature = "postgres"), POSTGRES),
        (cfg!(feature = "mysql"), MYSQL),
    ];
    databases.into_iter().filter_map(|(on, dialect)| on.then_some(dialect)).collect()
}

impl Dialect {
    /// A name in quotes; names with quotes in them were refused.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{0}{name}{0}", self.quote)
    }

    /// A column of the table that a statement calls `alias`.
    pub(crate) fn column_of(&self, alias: &str, column: &str) -> String {
        format!("{alias}.{}", self.name(column))
    }

    /// The columns of a `SELECT`.
    pub(crate) fn select<'a>(&self, alias: &str, fields: impl IntoIterator<Item = &'a Field>) -> String {
        list(fields.into_iter().map(|field| self.column_of(alias, &field.column)))
    }

    /// The columns of an `INSERT`.
    pub(crate) fn insert<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> String {
        list(columns.into_iter().map(|column| self.name(column)))
    }

    /// The values of an `INSERT`, each with one argument, of which `also` follow a field.
    pub(crate) fn values(record: &Record, also: impl Fn(&Field) -> usize) -> String {
        let arguments = record.fields.iter().map(|field| 1 + also(field)).sum();
        list(std::iter::repeat_n("?".to_owned(), arguments))
    }

    /// The assignments of an `UPDATE`, each with two arguments: whether the column changes, and to what. `None` when
    /// nothing can.
    pub(crate) fn update<'a>(&self, fields: impl IntoIterator<Item = &'a Field>) -> Option<String> {
        let assignments = list(fields.into_iter().map(|field| {
            let name = self.name(&field.column);
            format!("{name} = CASE WHEN ? THEN ? ELSE {name} END")
        }));
        (!assignments.is_empty()).then_some(assignments)
    }

    /// The type that the user chose for a column.
    pub(crate) fn sql_type<'a>(&self, field: &'a Field) -> Option<&'a String> {
        (self.sql_type)(&field.sql_types)
    }

    /// What the implementation of a trait of one database imports: its parts as sqlx has them, under names that
    /// cannot be the user's.
    pub(crate) fn imports(&self, runtime: &Path) -> TokenStream {
        let module = format_ident!("{}", self.module);
        let database = format_ident!("{}", self.database);
        let arguments = format_ident!("{}Arguments", self.prefix);
        let row = format_ident!("{}Row", self.prefix);
        quote! {
            use #runtime::__private::sqlx::{
                #database as __DB, #module::#arguments as __Arguments, #module::#row as __Row,
            };
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
