//! The rules of a user model: from attributes as written to a model that is right.

mod field;
mod names;
mod roles;

use darling::{Error, Result, error::Accumulator};
use syn::{Path, parse_quote};

pub(super) use self::roles::can_be;
use self::{
    field::check_field,
    names::{canonical, distinct_columns, table},
    roles::{Claim, Wanted, claim, marked_mailbox, missing, the_one},
};
use super::{
    attr::Attributes,
    model::{Field, IdentifierKind, Model, Role},
};

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(attributes: Attributes, mut mistakes: Accumulator) -> Result<Model> {
    let Attributes { name, visibility, options, fields: read, complete } = attributes;
    let table = mistakes.handle(table(&name, options.table.as_ref()));
    let claims: Vec<Claim> =
        read.iter().map(|field| mistakes.handle(claim(field)).unwrap_or_default()).collect();
    let has_hash = claims.iter().any(|claim| claim.role() == Role::PasswordHash);
    let fields: Vec<Field> = read
        .iter()
        .zip(&claims)
        .filter_map(|(field, claim)| mistakes.handle(check_field(&name, field, claim.role(), has_hash)))
        .collect();

    let mut find = |wanted: Wanted| {
        let found = the_one(wanted.role, &claims, &read, &mut mistakes);
        if found.is_none() && complete && wanted.required {
            mistakes.push(missing(&name, &wanted, &read));
        }
        found
            .and_then(|found| fields.iter().find(|field| Some(&field.ident) == found.ident.as_ref()).cloned())
    };
    let id = find(Wanted::ID);
    let identifier = find(Wanted::IDENTIFIER);
    let password_hash = find(Wanted::PASSWORD_HASH);
    let active = find(Wanted::ACTIVE);
    let verified = find(Wanted::VERIFIED);

    let kind = read
        .iter()
        .find_map(|field| field.identifier.as_ref())
        .map_or(IdentifierKind::Email, |found| found.kind);
    let marked = mistakes.handle(marked_mailbox(&read, kind)).flatten();
    let marked = marked.and_then(|ident| fields.iter().find(|field| field.ident == ident).cloned());
    let canonical = identifier.as_ref().and_then(|field| mistakes.handle(canonical(field, &read)));
    mistakes.handle(distinct_columns(&read, &fields, canonical.as_ref()));

    let model = (|| {
        let identifier = identifier?;
        Some(Model {
            name,
            visibility,
            runtime: options.runtime.unwrap_or_else(default_runtime),
            table: table?,
            id: id?,
            mailbox: if kind == IdentifierKind::Email { Some(identifier.clone()) } else { marked },
            identifier,
            identifier_kind: kind,
            canonical: canonical?.0,
            password_hash: password_hash?,
            active,
            verified,
            fields,
        })
    })();
    match model {
        Some(model) => mistakes.finish_with(model),
        // A part that is missing has left a mistake behind.
        None => Err(Error::multiple(mistakes.into_inner())),
    }
}

/// Where `users-runtime` is unless `crate = ...` says otherwise.
pub(super) fn default_runtime() -> Path {
    parse_quote!(::users_runtime)
}
