//! One field: its column, its rules and the DTOs that carry it.

use darling::{Error, Result};
use syn::{Ident, Type, spanned::Spanned};

use super::{
    names::{column, sql_type},
    roles::right_type,
};
use crate::{
    report::mistake,
    user_model::{
        attr::{Dto, FieldAttributes},
        model::{Dtos, Field, Role, Rule, RuleKind, key},
    },
};

pub(super) fn check_field(
    name: &Ident,
    field: &FieldAttributes,
    role: Role,
    has_hash: bool,
) -> Result<Field> {
    let mut mistakes = Error::accumulator();
    let ident = field.ident.clone().ok_or_else(|| mistake(field.ty.span(), "a field needs a name"))?;
    if role != Role::PasswordHash && ["password", "current_password"].contains(&key(&ident).as_str()) {
        let text = format!(
            "`{ident}` is a key of the generated DTOs; rename the field and write `#[user(column = \"{ident}\")]`"
        );
        mistakes.push(mistake(ident.span(), text));
    }
    let column = mistakes.handle(column(field, &ident));
    let sql_type = mistakes.handle(sql_type(field)).flatten();
    let dtos = mistakes.handle(dtos(name, field, role, &ident));
    mistakes.handle(fits_role(field, role));
    mistakes.handle(right_type(field, role));
    let mut rules = field.validate.clone();
    let written = dtos.is_none_or(|dtos| dtos.register || dtos.update || dtos.admin_update);
    if let (Role::Own, false, Some(rule)) = (role, written, rules.first()) {
        mistakes.push(mistake(rule.span, format!("no DTO writes `{ident}`; remove the rule")));
    }
    if let Some(word) = &field.mailbox
        && !rules.iter().any(|rule| matches!(rule.kind, RuleKind::Email))
    {
        rules.push(Rule { span: word.0, kind: RuleKind::Email });
    }
    let shown = role == Role::Own && dtos.is_some_and(|dtos| dtos.read);
    // A hash in a model without one is the hash that lacks its mark, which has a message of its own.
    if let Some(secret) = secret(&field.ty).filter(|secret| shown && (has_hash || secret == "Password")) {
        let text = format!(
            "`{secret}` is a secret and `{name}Read` would show it; write `#[user(exclude(read))]` above `{ident}`"
        );
        mistakes.push(mistake(field.ty.span(), text));
    }
    mistakes = mistakes.checkpoint()?;
    let parts = column.zip(dtos);
    let Some((column, dtos)) = parts else { return Err(Error::multiple(mistakes.into_inner())) };
    mistakes.finish_with(Field {
        ident,
        ty: field.ty.clone(),
        docs: field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
        role,
        column,
        sql_type,
        rules,
        default: field.default.as_ref().map(|default| default.value.clone()),
        dtos,
    })
}

/// The runtime's secret type that a field holds, if it is written as one.
///
/// Any other type without `Serialize` is found by the compiler; these two get a message of their own.
fn secret(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?.ident.to_string();
    ["Password", "PasswordHash"].contains(&last.as_str()).then_some(last)
}

/// Refuses arguments that mean nothing on a field with this role.
fn fits_role(field: &FieldAttributes, role: Role) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let word = role.word();
    if let (Some(canonical), true) = (&field.canonical, role != Role::Identifier) {
        mistakes.push(mistake(
            canonical.span(),
            "only the identifier has a canonical form; write `canonical` beside `identifier`",
        ));
    }
    if let (Some(mailbox), true) = (&field.mailbox, !matches!(role, Role::Own | Role::Identifier)) {
        mistakes.push(mistake(
            mailbox.0,
            format!("the `{word}` is no mail address; write `mailbox` on the field that holds it"),
        ));
    }
    if !matches!(role, Role::Own | Role::Identifier) {
        for rule in &field.validate {
            mistakes.push(mistake(rule.span, format!("nobody types the `{word}`; remove the rule")));
        }
    }
    if let (Some(default), true) = (&field.default, role != Role::Own) {
        mistakes
            .push(mistake(default.span, format!("registration sets the `{word}` itself; remove `default`")));
    }
    mistakes.finish()
}

/// Which DTOs carry a field.
fn dtos(name: &Ident, field: &FieldAttributes, role: Role, ident: &Ident) -> Result<Dtos> {
    let mut mistakes = Error::accumulator();
    let mailbox = field.mailbox.is_some();
    // A mailbox that a stolen session could change would be a way to a new password.
    let all = match role {
        Role::Id => Dtos { read: true, register: false, update: false, admin_update: false },
        Role::PasswordHash => Dtos { read: false, register: false, update: false, admin_update: false },
        Role::Active | Role::Verified => {
            Dtos { read: true, register: false, update: false, admin_update: true }
        }
        Role::Identifier => Dtos { read: true, register: true, update: true, admin_update: true },
        Role::Own => Dtos { read: true, register: true, update: !mailbox, admin_update: true },
    };
    let mut dtos = all;
    for (dto, span) in field.exclude.iter().flat_map(|exclude| &exclude.0) {
        let (carried, suffix) = match dto {
            Dto::Read => (&mut dtos.read, "Read"),
            Dto::Register => (&mut dtos.register, "Registration"),
            Dto::Update => (&mut dtos.update, "Update"),
            Dto::AdminUpdate => (&mut dtos.admin_update, "AdminUpdate"),
        };
        if !*carried {
            mistakes.push(mistake(*span, format!("`{ident}` is never in `{name}{suffix}`; remove this")));
        } else if role == Role::Identifier && *dto == Dto::Register {
            mistakes.push(mistake(*span, "nobody could register without the identifier; remove this"));
        }
        *carried = false;
    }
    if let Some(word) = &field.read_only {
        match role {
            Role::Identifier => {
                let text =
                    "nobody could register without the identifier; write `exclude(update, admin_update)`";
                mistakes.push(mistake(word.0, text));
            }
            Role::Id | Role::PasswordHash => {
                mistakes.push(mistake(
                    word.0,
                    format!("no DTO writes the `{}`; remove `read_only`", role.word()),
                ));
            }
            Role::Active | Role::Verified | Role::Own => {
                dtos = Dtos { register: false, update: false, admin_update: false, ..dtos };
            }
        }
    }
    mistakes.finish_with(dtos)
}
