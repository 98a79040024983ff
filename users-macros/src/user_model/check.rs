//! The rules of a user model: from attributes as written to a model that is right.

mod field;
mod list;
mod mailbox;

use darling::{Error, Result, error::Accumulator};

use self::{field::usage, list::distinct_parameters, mailbox::marked_mailbox};
use super::{
    NOUN,
    attr::{FieldAttributes, UserAttributes},
    model::{IdentifierKind, Model},
};
use crate::record::{
    Record,
    check::{Subject, check_field},
    claim::{Claims, Wanted},
    default_runtime,
    field::{Field, Purpose},
    names::{distinct_columns, sql_name, table},
};

const fn required(purpose: Purpose, example: &'static str, likely: &'static [&'static str]) -> Wanted {
    Wanted { purpose, required: true, example, likely }
}

const fn optional(purpose: Purpose) -> Wanted {
    Wanted { purpose, required: false, example: "", likely: &[] }
}

const ID: Wanted = required(Purpose::Id, "pub id: Uuid", &["id"]);
const IDENTIFIER: Wanted =
    required(Purpose::Identifier, "pub email: String", &["email", "username", "login"]);
const PASSWORD_HASH: Wanted =
    required(Purpose::PasswordHash, "password_hash: PasswordHash", &["password_hash", "password"]);

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(attributes: UserAttributes, mut mistakes: Accumulator) -> Result<Model> {
    let UserAttributes { name, visibility, options, fields: read, complete } = attributes;
    let table = mistakes.handle(table(&name, options.table.as_ref(), None));
    let claims = Claims::read(NOUN, &name, &read, complete, &mut mistakes);
    let subject = Subject { noun: NOUN, name: &name, has_hash: claims.has(Purpose::PasswordHash) };
    let fields: Vec<Field> = claims
        .iter()
        .filter_map(|(field, purpose)| {
            mistakes.handle(check_field(subject, field, purpose, |field, ident, mistakes| {
                usage(subject, field, ident, purpose, mistakes)
            }))
        })
        .collect();
    let mut find = |wanted: &Wanted| claims.find(wanted, &fields, &mut mistakes);
    let (id, identifier, password_hash) = (find(&ID), find(&IDENTIFIER), find(&PASSWORD_HASH));
    let [active, verified, tenant] =
        [Purpose::Active, Purpose::Verified, Purpose::Tenant].map(|purpose| find(&optional(purpose)));

    let kind = read
        .iter()
        .find_map(|field| field.identifier.as_ref())
        .map_or(IdentifierKind::Email, |found| found.kind);
    let marked = mistakes.handle(marked_mailbox(&read, kind)).flatten();
    let marked = marked.and_then(|ident| fields.iter().find(|field| field.ident == ident).cloned());
    let canonical = identifier.as_ref().and_then(|field| mistakes.handle(canonical(field, &read)));
    let taken = canonical.as_deref().map(|canonical| (canonical, "the identifier's canonical form"));
    mistakes.handle(distinct_columns(&fields, taken.as_slice()));
    mistakes.handle(distinct_parameters(&fields));

    let model = (|| {
        let identifier = identifier?;
        Some(Model {
            record: Record {
                name,
                visibility,
                runtime: options.runtime.unwrap_or_else(default_runtime),
                table: table?,
                fields,
            },
            role: options.role,
            oauth_account: options.oauth_account,
            id: id?,
            mailbox: if kind == IdentifierKind::Email { Some(identifier.clone()) } else { marked },
            identifier,
            identifier_kind: kind,
            canonical: canonical?,
            password_hash: password_hash?,
            active,
            verified,
            tenant,
        })
    })();
    match model {
        Some(model) => mistakes.finish_with(model),
        // A part that is missing has left a mistake behind.
        None => Err(Error::multiple(mistakes.into_inner())),
    }
}

/// The column of the canonical identifier.
fn canonical(identifier: &Field, read: &[FieldAttributes]) -> Result<String> {
    let literal =
        read.iter().filter(|field| field.identifier.is_some()).find_map(|field| field.canonical.as_ref());
    literal
        .map_or_else(|| Ok(format!("{}_canonical", identifier.column)), |literal| sql_name(literal, "column"))
}
