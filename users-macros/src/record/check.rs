//! The rules of one field: its column, its rules and what would show it.

use darling::{Error, Result, error::Accumulator};
use syn::{Ident, spanned::Spanned};

use super::{
    Noun,
    attr::FieldArguments,
    claim::right_type,
    field::{Dtos, Field, List, Purpose, Rule},
    names::{column, sql_default, sql_types},
    types::secret,
};
use crate::report::mistake;

/// What the rules of a user, a role or a linked account come to for a field.
pub(crate) struct Use {
    pub(crate) dtos: Dtos,
    pub(crate) list: List,
    /// The rules that the field's purpose brings with it.
    pub(crate) rules: Vec<Rule>,
}

/// A struct's name and what it is.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) noun: Noun,
    pub(crate) name: &'a Ident,
    /// Whether the hash of its rows' passwords is marked, if there is to be one.
    pub(crate) has_hash: bool,
}

/// Checks one field; `usage` has the rules that are not the same for users, roles and linked accounts.
pub(crate) fn check_field<F: FieldArguments>(
    subject: Subject<'_>,
    field: &F,
    purpose: Purpose,
    usage: impl FnOnce(&F, &Ident, &mut Accumulator) -> Option<Use>,
) -> Result<Field> {
    let mut mistakes = Error::accumulator();
    let arguments = field.column();
    let ident = field.ident().ok_or_else(|| mistake(field.ty().span(), "a field needs a name"))?;
    let usage = usage(field, ident, &mut mistakes);
    let column = mistakes.handle(column(arguments, ident));
    let sql_types = mistakes.handle(sql_types(arguments)).unwrap_or_default();
    let sql_default = mistakes.handle(sql_default(arguments)).flatten();
    mistakes.handle(fits(field, purpose));
    mistakes.handle(right_type(field, purpose));
    if let Some(usage) = &usage {
        mistakes.handle(reached(field, ident, purpose, usage.dtos));
        mistakes.handle(no_secret(subject, field, ident, purpose, usage.dtos));
    }
    mistakes = mistakes.checkpoint()?;
    let parts = column.zip(usage);
    let Some(((column, column_span), usage)) = parts else {
        return Err(Error::multiple(mistakes.into_inner()));
    };
    let docs = field.attributes().iter().filter(|attribute| attribute.path().is_ident("doc"));
    mistakes.finish_with(Field {
        ident: ident.clone(),
        ty: field.ty().clone(),
        docs: docs.cloned().collect(),
        purpose,
        column,
        column_span,
        sql_types,
        sql_default,
        rules: arguments.validate.iter().cloned().chain(usage.rules).collect(),
        default: arguments.default.as_ref().map(|default| default.value.clone()),
        dtos: usage.dtos,
        list: usage.list,
    })
}

/// Refuses arguments that mean nothing on a field with this purpose.
fn fits(field: &impl FieldArguments, purpose: Purpose) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let word = purpose.word();
    let arguments = field.column();
    if !matches!(purpose, Purpose::Own | Purpose::Identifier | Purpose::Name) {
        for rule in &arguments.validate {
            mistakes.push(mistake(rule.span, format!("nobody types the `{word}`; remove the rule")));
        }
    }
    if let (Some(default), true) = (&arguments.default, purpose != Purpose::Own) {
        let text = format!("the library sets the `{word}` itself; remove `default`");
        mistakes.push(mistake(default.span, text));
    }
    if let (Some(default), true) = (&arguments.sql_default, purpose != Purpose::Own) {
        let text = match purpose {
            Purpose::Email => format!("a row without an `{word}` says `NULL`; remove `sql_default`"),
            _ => format!("no row is without the `{word}`; remove `sql_default`"),
        };
        mistakes.push(mistake(default.span(), text));
    }
    mistakes.finish()
}

/// Refuses rules that no value is held against.
fn reached(field: &impl FieldArguments, ident: &Ident, purpose: Purpose, dtos: Dtos) -> Result<()> {
    let written = dtos.create || dtos.update || dtos.admin_update || dtos.import;
    match field.column().validate.first() {
        Some(rule) if purpose == Purpose::Own && !written => {
            Err(mistake(rule.span, format!("no DTO writes `{ident}`; remove the rule")))
        }
        _ => Ok(()),
    }
}

/// Refuses to show what is certainly a secret.
fn no_secret(
    Subject { noun: Noun { attribute, .. }, name, has_hash }: Subject<'_>,
    field: &impl FieldArguments,
    ident: &Ident,
    purpose: Purpose,
    dtos: Dtos,
) -> Result<()> {
    match secret(field.ty()) {
        // An unmarked hash in a model without one is the hash that lacks its mark, which has a message of its own.
        Some(secret) if purpose == Purpose::Own && dtos.read && (has_hash || secret == "Password") => {
            let text = format!(
                "`{secret}` is a secret and `{name}Read` would show it; write `#[{attribute}(exclude(read))]` above `{ident}`"
            );
            Err(mistake(field.ty().span(), text))
        }
        _ => Ok(()),
    }
}
