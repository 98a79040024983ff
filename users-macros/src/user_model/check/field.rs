//! What is true of a user's field alone: the DTOs that carry it, and what lists may do with it.

use darling::{Error, Result, error::Accumulator};
use syn::Ident;

use super::{list::list, mailbox};
use crate::{
    record::{
        check::{Subject, Use},
        field::{Dtos, Purpose, Rule, RuleKind, key},
        types::secret,
    },
    report::mistake,
    user_model::attr::{Dto, FieldAttributes},
};

/// Keys that the generated DTOs have already.
const KEYS: [&str; 4] = ["password", "current_password", "password_hash", "send_password_reset"];

/// Checks what only a user's field has.
pub(super) fn usage(
    Subject { name, has_hash, .. }: Subject<'_>,
    field: &FieldAttributes,
    ident: &Ident,
    purpose: Purpose,
    mistakes: &mut Accumulator,
) -> Option<Use> {
    mistakes.handle(free_key(ident, purpose, has_hash));
    mistakes.handle(fits(field, purpose));
    if purpose == Purpose::Own {
        mistakes.handle(mailbox::right_type(field));
    }
    let dtos = mistakes.handle(dtos(name, field, purpose, ident))?;
    if dtos.read && key(ident) == "roles" {
        let text = "`roles` is the key under which responses show a user's roles; rename the field, or write `#[user(exclude(read))]` above it";
        mistakes.push(mistake(ident.span(), text));
    }
    let list = mistakes.handle(list(field, purpose, dtos))?;
    let checked = field.column.validate.iter().any(|rule| matches!(rule.kind, RuleKind::Email));
    let mailbox = field.mailbox.as_ref().filter(|_| !checked);
    let rules = mailbox.map(|word| Rule { span: word.0, kind: RuleKind::Email }).into_iter().collect();
    Some(Use { dtos, list, rules })
}

fn free_key(ident: &Ident, purpose: Purpose, has_hash: bool) -> Result<()> {
    let key = key(ident);
    // Where no field is marked as the hash, the one of this name is meant.
    let is_hash = purpose == Purpose::PasswordHash || (key == "password_hash" && !has_hash);
    if is_hash || !KEYS.contains(&key.as_str()) {
        return Ok(());
    }
    let text = format!(
        "`{ident}` is a key of the generated DTOs; rename the field and write `#[user(column = \"{ident}\")]`"
    );
    Err(mistake(ident.span(), text))
}

/// Refuses arguments that mean nothing on a field with this purpose.
fn fits(field: &FieldAttributes, purpose: Purpose) -> Result<()> {
    let mut mistakes = Error::accumulator();
    if let (Some(canonical), true) = (&field.canonical, purpose != Purpose::Identifier) {
        mistakes.push(mistake(
            canonical.span(),
            "only the identifier has a canonical form; write `canonical` beside `identifier`",
        ));
    }
    if let (Some(mailbox), true) = (&field.mailbox, !matches!(purpose, Purpose::Own | Purpose::Identifier)) {
        let word = purpose.word();
        mistakes.push(mistake(
            mailbox.0,
            format!("the `{word}` is no mail address; write `mailbox` on the field that holds it"),
        ));
    }
    mistakes.finish()
}

/// Which DTOs carry a field unless it says otherwise.
fn usual_dtos(field: &FieldAttributes, purpose: Purpose) -> Dtos {
    let all = Dtos { read: true, create: true, update: true, admin_update: true, import: true };
    match purpose {
        Purpose::Id => Dtos { read: true, import: true, ..Dtos::default() },
        Purpose::PasswordHash => Dtos { import: true, ..Dtos::default() },
        Purpose::Tenant => Dtos { read: true, ..Dtos::default() },
        Purpose::Active | Purpose::Verified => Dtos { create: false, update: false, ..all },
        Purpose::Identifier => all,
        // A mailbox that a stolen session could change would be a way to a new password. A secret has no way in.
        _ => Dtos { update: field.mailbox.is_none(), import: secret(&field.ty).is_none(), ..all },
    }
}

/// Which DTOs carry a field.
fn dtos(name: &Ident, field: &FieldAttributes, purpose: Purpose, ident: &Ident) -> Result<Dtos> {
    let mut mistakes = Error::accumulator();
    let mut dtos = usual_dtos(field, purpose);
    for (dto, span) in field.exclude.iter().flat_map(|exclude| &exclude.0) {
        let (carried, suffix) = match dto {
            Dto::Read => (&mut dtos.read, "Read"),
            Dto::Register => (&mut dtos.create, "Registration"),
            Dto::Update => (&mut dtos.update, "Update"),
            Dto::AdminUpdate => (&mut dtos.admin_update, "AdminUpdate"),
            Dto::Import => (&mut dtos.import, "Import"),
        };
        if !*carried {
            mistakes.push(mistake(*span, format!("`{ident}` is never in `{name}{suffix}`; remove this")));
        } else if purpose == Purpose::Identifier && matches!(dto, Dto::Register | Dto::Import) {
            let what = if *dto == Dto::Register { "register" } else { "be imported" };
            let text = format!("nobody could {what} without the identifier; remove this");
            mistakes.push(mistake(*span, text));
        }
        *carried = false;
    }
    if let Some(word) = &field.column.read_only {
        match purpose {
            Purpose::Identifier => {
                let text =
                    "nobody could register without the identifier; write `exclude(update, admin_update)`";
                mistakes.push(mistake(word.0, text));
            }
            Purpose::Id | Purpose::PasswordHash | Purpose::Tenant => {
                mistakes.push(mistake(
                    word.0,
                    format!("no DTO writes the `{}`; remove `read_only`", purpose.word()),
                ));
            }
            _ => {
                dtos = Dtos { create: false, update: false, admin_update: false, ..dtos };
            }
        }
    }
    mistakes.finish_with(dtos)
}
