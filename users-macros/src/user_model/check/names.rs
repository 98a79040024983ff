//! Names in SQL: tables, columns and their types.

use darling::{Error, Result};
use proc_macro2::Span;
use syn::{Ident, LitStr};

use crate::{
    report::mistake,
    user_model::{
        attr::FieldAttributes,
        model::{Field, key},
    },
};

/// The library's tables, which stand beside the user's.
const OWN_TABLES: [&str; 7] = [
    "users_migrations",
    "users_one_time_tokens",
    "users_outbox",
    "users_revoked_tokens",
    "users_role_members",
    "users_roles",
    "users_sessions",
];

pub(super) fn table(name: &Ident, literal: Option<&LitStr>) -> Result<String> {
    let table =
        literal.map_or_else(|| Ok(plural(&snake_case(&key(name)))), |literal| sql_name(literal, "table"))?;
    // Databases compare the names of tables without regard to case.
    if OWN_TABLES.contains(&table.to_lowercase().as_str()) {
        let span = literal.map_or_else(|| name.span(), LitStr::span);
        let text =
            format!("`{table}` is a table of the library's own; write another one with `table = \"...\"`");
        return Err(mistake(span, text));
    }
    Ok(table)
}

pub(super) fn column(field: &FieldAttributes, ident: &Ident) -> Result<String> {
    match (&field.column, &field.renamed) {
        (Some(_), Some(renamed)) => Err(mistake(
            renamed.span(),
            format!("`column` names the column of `{ident}` already; remove one of the two"),
        )),
        (Some(name), None) | (None, Some(name)) => sql_name(name, "column"),
        (None, None) => Ok(key(ident)),
    }
}

pub(super) fn sql_type(field: &FieldAttributes) -> Result<Option<String>> {
    let Some(literal) = &field.sql_type else { return Ok(None) };
    let value = literal.value();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " _(),[]".contains(letter);
    if value.trim().is_empty() || !value.chars().all(plain) {
        return Err(mistake(
            literal.span(),
            format!("`{value}` is no type of a column; write one such as `\"TEXT\"`"),
        ));
    }
    Ok(Some(value))
}

/// A table's or column's name, which will stand between quotes in SQL.
fn sql_name(literal: &LitStr, what: &str) -> Result<String> {
    let name = literal.value();
    let plain = |letter: char| letter.is_alphanumeric() || "_- $".contains(letter);
    if name.is_empty() || name.trim() != name || !name.chars().all(plain) {
        let shown = name.escape_debug();
        let text = format!("`{shown}` is no name of a {what}; write one of letters, digits and `_`");
        return Err(mistake(literal.span(), text));
    }
    Ok(name)
}

fn snake_case(name: &str) -> String {
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

fn plural(noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match stem {
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        None => format!("{noun}s"),
    }
}

/// The column of the canonical identifier, and where its name comes from.
pub(super) fn canonical(identifier: &Field, read: &[FieldAttributes]) -> Result<(String, Span)> {
    let literal =
        read.iter().filter(|field| field.identifier.is_some()).find_map(|field| field.canonical.as_ref());
    match literal {
        Some(literal) => Ok((sql_name(literal, "column")?, literal.span())),
        None => Ok((format!("{}_canonical", identifier.column), identifier.ident.span())),
    }
}

/// Databases compare the names of columns without regard to case.
pub(super) fn distinct_columns(
    read: &[FieldAttributes],
    fields: &[Field],
    canonical: Option<&(String, Span)>,
) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let mut seen: Vec<(String, String)> = Vec::new();
    if let Some((name, _)) = canonical {
        seen.push((name.to_lowercase(), "the identifier's canonical form".to_owned()));
    }
    for field in fields {
        let lower = field.column.to_lowercase();
        let source = read.iter().find(|read| read.ident.as_ref() == Some(&field.ident));
        let literal = source.and_then(|source| source.column.as_ref().or(source.renamed.as_ref()));
        let span = literal.map_or_else(|| field.ident.span(), LitStr::span);
        if let Some((_, owner)) = seen.iter().find(|(name, _)| *name == lower) {
            let text = format!(
                "the column `{}` belongs to {owner} already; write another one with `column = \"...\"`",
                field.column
            );
            mistakes.push(mistake(span, text));
        } else {
            seen.push((lower, format!("`{}`", field.ident)));
        }
    }
    mistakes.finish()
}
