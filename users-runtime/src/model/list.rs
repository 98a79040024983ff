//! What a list of users may be filtered and sorted by.

use serde::de::DeserializeOwned;
use sqlx::{Arguments, error::BoxDynError};

use super::field::{ColumnType, Driver};

/// What a list of users may be filtered by, generated as `UserFilter`: each field of it is one parameter of the query.
pub trait FilterDto: DeserializeOwned + Default + Send + Sync {}

/// A column that a list may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortColumn {
    /// The field's name, as clients write it.
    pub key: &'static str,
    /// The column, as `u.name`.
    pub column: &'static str,
}

/// The conditions of a list, and their values. Text comes from the program alone; what a client sends is a value.
pub struct Conditions<DB: sqlx::Database> {
    /// Joined by `AND`, with a `?` for each value.
    pub(crate) sql: String,
    pub(crate) arguments: DB::Arguments,
}

impl<DB: sqlx::Database> std::fmt::Debug for Conditions<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conditions").field("sql", &self.sql).finish_non_exhaustive()
    }
}

impl<DB: sqlx::Database> Default for Conditions<DB> {
    fn default() -> Self {
        Self { sql: String::new(), arguments: DB::Arguments::default() }
    }
}

impl<DB: Driver> Conditions<DB> {
    /// Adds that a column compares with a value as `operator` says: `=`, `>=` or `<=`.
    pub fn compare<T: ColumnType>(
        &mut self,
        column: &'static str,
        operator: &'static str,
        value: &T,
    ) -> Result<(), BoxDynError> {
        self.and(column);
        self.sql.push(' ');
        self.sql.push_str(operator);
        self.sql.push_str(" ?");
        value.add::<DB>(&mut self.arguments)
    }
}

impl<DB: sqlx::Database> Conditions<DB> {
    /// Starts another condition.
    pub(crate) fn and(&mut self, text: &'static str) {
        self.sql.push_str(if self.sql.is_empty() { "" } else { " AND " });
        self.sql.push_str(text);
    }

    /// Adds a value for a `?` of the text.
    pub(crate) fn bind<'q, T>(&mut self, value: T) -> Result<(), BoxDynError>
    where
        T: sqlx::Encode<'q, DB> + sqlx::Type<DB> + 'q,
    {
        self.arguments.add(value)
    }
}
