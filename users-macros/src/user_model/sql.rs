//! The model's names and lists in the SQL of each database; the statements around them are the runtime's.

use super::model::{Model, Role};

/// One database: how it quotes names and numbers arguments, and what the runtime calls its parts.
pub(crate) struct Dialect {
    /// The macro in the runtime that writes the statements.
    pub(crate) statements: &'static str,
    /// The module of the driver in sqlx.
    pub(crate) module: &'static str,
    /// The prefix of the driver's types.
    pub(crate) driver: &'static str,
    quote: char,
    placeholder: fn(usize) -> String,
}

/// SQLite.
pub(crate) const SQLITE: Dialect = Dialect {
    statements: "sqlite_sql",
    module: "sqlite",
    driver: "Sqlite",
    quote: '"',
    placeholder: |number| format!("?{number}"),
};

/// The databases that are switched on.
pub(crate) fn enabled() -> Vec<Dialect> {
    [(cfg!(feature = "sqlite"), SQLITE)]
        .into_iter()
        .filter_map(|(on, dialect)| on.then_some(dialect))
        .collect()
}

impl Dialect {
    /// A name in quotes; names with quotes in them were refused.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{0}{name}{0}", self.quote)
    }

    /// The columns of a `SELECT`, in the struct's order.
    pub(crate) fn select(&self, model: &Model) -> String {
        list(model.fields.iter().map(|field| format!("u.{}", self.name(&field.column))))
    }

    /// The columns of an `INSERT`, the canonical identifier behind the identifier.
    pub(crate) fn insert(&self, model: &Model) -> String {
        list(stored_columns(model).map(|column| self.name(column)))
    }

    /// The placeholders of an `INSERT`.
    pub(crate) fn values(&self, model: &Model) -> String {
        list((1..=stored_columns(model).count()).map(self.placeholder))
    }

    /// The assignments of a self-service `UPDATE`, whose first argument is the key; `None` when it may write nothing.
    pub(crate) fn update(&self, model: &Model) -> Option<String> {
        let assignments = model.updatable().enumerate().map(|(index, field)| {
            let name = self.name(&field.column);
            let changes = (self.placeholder)(2 * index + 2);
            let value = (self.placeholder)(2 * index + 3);
            format!("{name} = CASE WHEN {changes} THEN {value} ELSE {name} END")
        });
        let assignments = list(assignments);
        (!assignments.is_empty()).then_some(assignments)
    }
}

fn stored_columns(model: &Model) -> impl Iterator<Item = &str> {
    model.fields.iter().flat_map(|field| {
        let canonical = (field.role == Role::Identifier).then_some(model.canonical.as_str());
        [Some(field.column.as_str()), canonical].into_iter().flatten()
    })
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
