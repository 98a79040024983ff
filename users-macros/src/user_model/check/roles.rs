//! Roles: which field is the id, which the identifier, and so on.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use syn::{Ident, Type, spanned::Spanned};

use crate::{
    report::mistake,
    user_model::{
        attr::FieldAttributes,
        model::{IdentifierKind, Role, key, option_content},
    },
};

/// A role and what to write for it.
pub(super) struct Wanted {
    pub(super) role: Role,
    pub(super) required: bool,
    /// A field that could have the role, as one would write it.
    example: &'static str,
    /// Names of fields that are probably meant.
    likely: &'static [&'static str],
}

impl Wanted {
    pub(super) const ID: Self =
        Self { role: Role::Id, required: true, example: "pub id: Uuid", likely: &["id"] };
    pub(super) const IDENTIFIER: Self = Self {
        role: Role::Identifier,
        required: true,
        example: "pub email: String",
        likely: &["email", "username", "login"],
    };
    pub(super) const PASSWORD_HASH: Self = Self {
        role: Role::PasswordHash,
        required: true,
        example: "password_hash: PasswordHash",
        likely: &["password_hash", "password"],
    };
    pub(super) const ACTIVE: Self =
        Self { role: Role::Active, required: false, example: "pub is_active: bool", likely: &["is_active"] };
    pub(super) const VERIFIED: Self = Self {
        role: Role::Verified,
        required: false,
        example: "pub is_verified: bool",
        likely: &["is_verified"],
    };
}

/// The role that a field asks for, and where.
#[derive(Default)]
pub(super) struct Claim(Option<(Role, Span)>);

impl Claim {
    pub(super) fn role(&self) -> Role {
        self.0.map_or(Role::Own, |(role, _)| role)
    }
}

pub(super) fn claim(field: &FieldAttributes) -> Result<Claim> {
    let words = [
        (Role::Id, field.id.as_ref().map(|word| word.0)),
        (Role::Identifier, field.identifier.as_ref().map(|argument| argument.span)),
        (Role::PasswordHash, field.password_hash.as_ref().map(|word| word.0)),
        (Role::Active, field.active.as_ref().map(|word| word.0)),
        (Role::Verified, field.verified.as_ref().map(|word| word.0)),
    ];
    let mut claims = words.into_iter().filter_map(|(role, span)| Some((role, span?)));
    let Some(first) = claims.next() else { return Ok(Claim::default()) };
    let mut mistakes = Error::accumulator();
    for (role, span) in claims {
        let text = format!("{} is the `{}` already; a field has one role", shown(field), first.0.word());
        mistakes.push(mistake(span, format!("{text}, so move `{}` to a field of its own", role.word())));
    }
    mistakes.finish_with(Claim(Some(first)))
}

impl Role {
    /// The word that gives the role.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Identifier => "identifier",
            Self::PasswordHash => "password_hash",
            Self::Active => "active",
            Self::Verified => "verified",
            Self::Own => "own",
        }
    }
}

/// The first field with a role; each further one is a mistake.
pub(super) fn the_one<'a>(
    role: Role,
    claims: &[Claim],
    read: &'a [FieldAttributes],
    mistakes: &mut Accumulator,
) -> Option<&'a FieldAttributes> {
    let mut found = read.iter().zip(claims).filter_map(|(field, claim)| {
        claim.0.filter(|(claimed, _)| *claimed == role).map(|(_, span)| (field, span))
    });
    let (first, _) = found.next()?;
    for (_, span) in found {
        let text =
            format!("{} is the `{}` already; a user has one, so remove this", shown(first), role.word());
        mistakes.push(mistake(span, text));
    }
    Some(first)
}

pub(super) fn missing(name: &Ident, wanted: &Wanted, read: &[FieldAttributes]) -> Error {
    let word = wanted.role.word();
    let candidate =
        read.iter().filter(|field| field.mailbox.is_none()).filter_map(|field| field.ident.as_ref());
    let candidate = candidate.into_iter().find(|ident| wanted.likely.contains(&key(ident).as_str()));
    match candidate {
        Some(ident) => mistake(
            ident.span(),
            format!("no field is the `{word}`; write `#[user({word})]` above `{ident}`"),
        ),
        None => mistake(
            name.span(),
            format!("no field is the `{word}`; add `#[user({word})] {}`", wanted.example),
        ),
    }
}

/// Refuses a type that is certainly wrong for the field's role; one that may be an alias is left to the compiler.
pub(super) fn right_type(field: &FieldAttributes, role: Role) -> Result<()> {
    let (right, write): (&[&str], _) = match role {
        Role::Id => (&["Uuid", "i64"], "`Uuid` or `i64`"),
        Role::Identifier => (&["String"], "`String`"),
        Role::PasswordHash => (&["PasswordHash"], "`PasswordHash`"),
        Role::Active | Role::Verified => (&["bool"], "`bool`"),
        Role::Own if field.mailbox.is_some() => (&["String"], "`String` or `Option<String>`"),
        Role::Own => return Ok(()),
    };
    let word = if role == Role::Own { "mailbox" } else { role.word() };
    let content = option_content(&field.ty).filter(|_| role == Role::Own).unwrap_or(&field.ty);
    if can_be(content, right) {
        return Ok(());
    }
    Err(mistake(field.ty.span(), format!("the `{word}` cannot have this type; write {write}")))
}

/// Whether a type has one of these names, or a name that could stand for one of them.
pub(in crate::user_model) fn can_be(ty: &Type, names: &[&str]) -> bool {
    well_known(ty).is_none_or(|name| names.contains(&name))
}

/// The name of a type that everybody knows and nobody redefines.
fn well_known(ty: &Type) -> Option<&'static str> {
    const NAMES: [&str; 22] = [
        "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize", "f32", "f64", "String", "Option", "Vec", "Box", "Uuid",
    ];
    match ty {
        Type::Path(path) => {
            NAMES.into_iter().find(|name| path.path.segments.last().is_some_and(|last| last.ident == name))
        }
        Type::Group(group) => well_known(&group.elem),
        Type::Array(_) | Type::Reference(_) | Type::Slice(_) | Type::Tuple(_) => Some("a compound"),
        _ => None,
    }
}

/// The field that is marked as mailbox, where the identifier is none.
pub(super) fn marked_mailbox(read: &[FieldAttributes], kind: IdentifierKind) -> Result<Option<Ident>> {
    let mut mistakes = Error::accumulator();
    let has_identifier = read.iter().any(|field| field.identifier.is_some());
    let mut first: Option<&FieldAttributes> = None;
    for field in read {
        let Some(word) = &field.mailbox else { continue };
        let another = [&field.id, &field.password_hash, &field.active, &field.verified];
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

fn shown(field: &FieldAttributes) -> String {
    field.ident.as_ref().map_or_else(String::new, |ident| format!("`{ident}`"))
}
