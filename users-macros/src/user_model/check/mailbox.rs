//! The field that mail goes to, where the identifier is none.

use darling::{Error, Result};
use syn::{Ident, spanned::Spanned};

use crate::{
    record::{claim::shown, field::option_content, types::can_be},
    report::mistake,
    user_model::{attr::FieldAttributes, model::IdentifierKind},
};

/// The field that is marked as mailbox.
pub(super) fn marked_mailbox(read: &[FieldAttributes], kind: IdentifierKind) -> Result<Option<Ident>> {
    let mut mistakes = Error::accumulator();
    let has_identifier = read.iter().any(|field| field.identifier.is_some());
    let mut first: Option<&FieldAttributes> = None;
    for field in read {
        let Some(word) = &field.mailbox else { continue };
        let another = [&field.id, &field.password_hash, &field.active, &field.verified, &field.tenant];
        if another.iter().any(|role| role.is_some()) {
            // The role has a message of its own.
            continue;
        }
        if field.identifier.is_some() && kind == IdentifierKind::Username {
            mistakes.push(mistake(word.0, "a name is no mail address; mark another field with `mailbox`"));
        } else if has_identifier && kind == IdentifierKind::Email {
            let text = "the identifier is the mailbox already; remove this, or write `identifier = username` if it is none";
            mistakes.push(mistake(word.0, text));
        } else if let Some(first) = first {
            mistakes.push(mistake(
                word.0,
                format!("{} is the `mailbox` already; a user has one, so remove this", shown(first)),
            ));
        } else {
            first = Some(field);
        }
    }
    mistakes.finish_with(first.and_then(|field| field.ident.clone()))
}

/// Refuses a mailbox of a type that certainly holds no address.
pub(super) fn right_type(field: &FieldAttributes) -> Result<()> {
    if field.mailbox.is_none() || can_be(option_content(&field.ty).unwrap_or(&field.ty), &["String"]) {
        return Ok(());
    }
    let text = "the `mailbox` cannot have this type; write `String` or `Option<String>`";
    Err(mistake(field.ty.span(), text))
}
