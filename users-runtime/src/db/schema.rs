//! What the tables of a model and of the library look like in each database, and what sets a table that is there apart
//! from its struct. Nothing here talks to a database but [`steps`], through the [`Catalog`](steps::Catalog) that each
//! database has.

mod compare;
mod define;
mod library;
mod names;
mod oauth_accounts;
mod postgres_types;
#[cfg(feature = "postgres")]
pub(in crate::db) use postgres_types::is_plain_name;
pub(in crate::db) mod steps;
#[cfg(test)]
mod tests;
mod types;

use std::fmt::{self, Display};

use self::library::Key;
use crate::{
    model::{Column, ColumnRole, OAuthAccountModel, RoleModel, Stored, StoredOAuthAccount, StoredRole},
    validate::IdentifierKind,
};

/// The databases, as far as their definitions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "a database that is switched off is asked for nothing")
)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

/// What the library does with the tables of the application's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SchemaMode {
    /// A table that is absent is created, and `users migrate` applies the differences that need no decision.
    #[default]
    Managed,
    /// The tables belong to somebody else: they are compared with the structs and never touched. The library's own
    /// tables, `users_roles` and `users_oauth_accounts` of the default models among them, are still created.
    External,
}

/// One difference between a struct and its table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The unquoted name of the table.
    pub table: String,
    /// The column, what was expected and what was found.
    pub problem: String,
    /// The statement that ends it, if one does.
    pub fix: Option<String>,
    /// What else ends it, or what to know before the statement is run.
    pub advice: Option<String>,
    /// Whether the statement can be run without a decision: it adds a column that may be `NULL` or has a default, an
    /// index or a table.
    pub safe: bool,
    /// Whether the library works wrongly with it; without, it works slowly.
    pub required: bool,
}

impl Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(formatter, "; run: {fix}"))
    }
}

/// A table as a struct asks for it.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The name, unquoted.
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// How many characters the longest identifier has.
    pub(crate) identifier_length: u32,
    /// What `user_id` of a linked account refers to; `None` for another table.
    owner: Option<Key>,
}

/// The tables that a user model asks for.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) users: Table,
    /// `None` for a model without roles.
    pub(crate) roles: Option<Table>,
    /// `None` for a model without linked accounts.
    pub(crate) oauth_accounts: Option<Table>,
}

/// A table as the database has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) columns: Vec<Existing>,
    /// Indexes of whole rows over plain columns.
    pub(crate) indexes: Vec<Index>,
    /// Whether statements on it can be taken back.
    pub(crate) transactional: bool,
}

/// A column as the database has it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalogue")]
pub(crate) struct Existing {
    pub(crate) name: String,
    pub(crate) sql_type: String,
    /// The collation, where the database tells it.
    pub(crate) collation: Option<String>,
    /// Whether values that differ in a byte are different.
    pub(crate) exact: bool,
    pub(crate) not_null: bool,
    /// Whether a row that says nothing of it gets a value.
    pub(crate) has_default: bool,
    pub(crate) key: bool,
}

/// An index, as the database has it or as a table asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) columns: Vec<String>,
}

impl Table {
    pub(crate) fn column(&self, role: ColumnRole) -> Option<&Column> {
        self.columns.iter().find(|column| column.role == role)
    }

    /// The name of the column that separates tenants, if there is one.
    fn tenant(&self) -> Option<&'static str> {
        self.column(ColumnRole::Tenant).map(|column| column.name)
    }
}

impl Index {
    /// Indexes out of their columns, one row each, in order. One that is over more than plain columns, which have a
    /// name, is of no use here.
    pub(crate) fn collect(rows: impl IntoIterator<Item = (Self, Option<String>)>) -> Vec<Self> {
        let mut indexes: Vec<(Self, bool)> = Vec::new();
        for (row, column) in rows {
            if indexes.last().is_none_or(|(index, _)| index.name != row.name) {
                indexes.push((row, true));
            }
            let Some((index, plain)) = indexes.last_mut() else { continue };
            *plain &= column.is_some();
            index.columns.extend(column);
        }
        indexes.into_iter().filter(|(_, plain)| *plain).map(|(index, _)| index).collect()
    }
}

impl Found {
    fn column(&self, name: &str) -> Option<&Existing> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl Tables {
    pub(crate) fn of<DB: sqlx::Database, U: Stored<DB>>(dialect: Dialect) -> Self {
        let users = Table {
            name: dialect.unquoted(U::SQL.table),
            columns: U::columns(),
            identifier_length: match U::IDENTIFIER.kind {
                IdentifierKind::Email => 254,
                IdentifierKind::Username => 64,
            },
            owner: None,
        };
        // Statements about roles and linked accounts name the column so, whatever the user's table calls it.
        let tenant = users.column(ColumnRole::Tenant).cloned();
        let tenant = tenant.map(|tenant| Column { name: "tenant", sql_default: None, ..tenant });
        let roles = <U::Role as RoleModel>::PRESENT.then(|| Table {
            name: dialect.unquoted(<U::Role as StoredRole<DB>>::SQL.table),
            columns: <U::Role as StoredRole<DB>>::columns().into_iter().chain(tenant.clone()).collect(),
            identifier_length: 0,
            owner: None,
        });
        let oauth_accounts = <U::OAuthAccount as OAuthAccountModel>::PRESENT.then(|| Table {
            name: dialect.unquoted(<U::OAuthAccount as StoredOAuthAccount<DB>>::SQL.table),
            columns: <U::OAuthAccount as StoredOAuthAccount<DB>>::columns()
                .into_iter()
                .chain(dialect.of_linked_accounts())
                .chain(tenant)
                .collect(),
            identifier_length: 0,
            owner: None,
        });
        Self { users, roles, oauth_accounts }
    }
}
