//! Names in SQL: tables, columns, their types and defaults.

use darling::{Error, Result};
use proc_macro2::Span;
use syn::{Ident, LitStr};

use super::{
    attr::{ColumnArguments, SqlTypeArgument},
    field::{Field, SqlTypes, key},
};
use crate::report::mistake;

/// The library's tables, which stand beside the user's.
const OWN_TABLES: [&str; 12] = [
    "users_deletions",
    "users_entries",
    "users_events",
    "users_imports",
    "users_invitations",
    "users_migrations",
    "users_oauth_accounts",
    "users_one_time_tokens",
    "users_outbox",
    "users_role_members",
    "users_roles",
    "users_sessions",
];

/// The table of a struct: the one that it names, the `usual` one, or several of the struct.
pub(crate) fn table(name: &Ident, literal: Option<&LitStr>, usual: Option<&str>) -> Result<String> {
    let table = match (literal, usual) {
        (Some(literal), _) => sql_name(literal, "table")?,
        (None, Some(usual)) => usual.to_owned(),
        (None, None) => plural(&snake_case(&key(name))),
    };
    // Databases compare the names of tables without regard to case.
    let lower = table.to_lowercase();
    if OWN_TABLES.contains(&lower.as_str()) && usual != Some(lower.as_str()) {
        let span = literal.map_or_else(|| name.span(), LitStr::span);
        let text =
            format!("`{table}` is a table of the library's own; write another one with `table = \"...\"`");
        return Err(mistake(span, text));
    }
    Ok(table)
}

fn plural(noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match stem {
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        None => format!("{noun}s"),
    }
}

/// The column of a field, and where it got its name.
pub(crate) fn column(arguments: &ColumnArguments, ident: &Ident) -> Result<(String, Span)> {
    match (&arguments.column, &arguments.renamed) {
        (Some(_), Some(renamed)) => Err(mistake(
            renamed.span(),
            format!("`column` names the column of `{ident}` already; remove one of the two"),
        )),
        (Some(name), None) | (None, Some(name)) => Ok((sql_name(name, "column")?, name.span())),
        (None, None) => Ok((key(ident), ident.span())),
    }
}

pub(crate) fn sql_types(arguments: &ColumnArguments) -> Result<SqlTypes> {
    match &arguments.sql_type {
        None => Ok(SqlTypes::default()),
        Some(SqlTypeArgument::All(literal)) => {
            let all = Some(sql_type(literal)?);
            Ok(SqlTypes { sqlite: all.clone(), postgres: all.clone(), mysql: all })
        }
        Some(SqlTypeArgument::Each(each)) => {
            let mut mistakes = Error::accumulator();
            let [sqlite, postgres, mysql] = [&each.sqlite, &each.postgres, &each.mysql]
                .map(|literal| literal.as_ref().and_then(|literal| mistakes.handle(sql_type(literal))));
            mistakes.finish_with(SqlTypes { sqlite, postgres, mysql })
        }
    }
}

fn sql_type(literal: &LitStr) -> Result<String> {
    let value = literal.value();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " _(),[]".contains(letter);
    if value.trim().is_empty() || !value.chars().all(plain) {
        return Err(mistake(
            literal.span(),
            format!("`{value}` is no type of a column; write one such as `\"TEXT\"`"),
        ));
    }
    Ok(value)
}

/// The value, in SQL, of rows that were there before the column.
pub(crate) fn sql_default(arguments: &ColumnArguments) -> Result<Option<String>> {
    let Some(literal) = &arguments.sql_default else { return Ok(None) };
    let value = literal.value();
    if value.trim().is_empty() || value.contains(|letter: char| letter == ';' || letter.is_control()) {
        let shown = value.escape_debug();
        let text = format!("`{shown}` is no value in SQL; write one such as `\"0\"` or `\"'free'\"`");
        return Err(mistake(literal.span(), text));
    }
    Ok(Some(value))
}

/// A table's or column's name, which will stand between quotes in SQL.
pub(crate) fn sql_name(literal: &LitStr, what: &str) -> Result<String> {
    let name = literal.value();
    let plain = |letter: char| letter.is_alphanumeric() || "_- $".contains(letter);
    if name.is_empty() || name.trim() != name || !name.chars().all(plain) {
        let shown = name.escape_debug();
        let text = format!("`{shown}` is no name of a {what}; write one of letters, digits and `_`");
        return Err(mistake(literal.span(), text));
    }
    Ok(name)
}

pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before_is_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && before_is_lower {
            snake.push('_');
        }
        before_is_lower = !letter.is_uppercase();
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Refuses a column that two fields share, or that is among those `taken` by what stands beside the name.
///
/// Databases compare the names of columns without regard to case.
pub(crate) fn distinct_columns(fields: &[Field], taken: &[(&str, &str)]) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let taken = taken.iter().map(|(name, owner)| (name.to_lowercase(), (*owner).to_owned()));
    let mut seen: Vec<(String, String)> = taken.collect();
    for field in fields {
        let lower = field.column.to_lowercase();
        if let Some((_, owner)) = seen.iter().find(|(name, _)| *name == lower) {
            let text = format!(
                "the column `{}` belongs to {owner} already; write another one with `column = \"...\"`",
                field.column
            );
            mistakes.push(mistake(field.column_span, text));
        } else {
            seen.push((lower, format!("`{}`", field.ident)));
        }
    }
    mistakes.finish()
}
