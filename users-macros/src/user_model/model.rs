//! What a struct says about its users, checked: nothing in here can be wrong any more.

use proc_macro2::Span;
use quote::format_ident;
use syn::{Attribute, Expr, GenericArgument, Ident, Path, PathArguments, Type, Visibility};

/// A user model.
pub(crate) struct Model {
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// The path of `users-runtime`.
    pub(crate) runtime: Path,
    pub(crate) table: String,
    /// Every field, in the struct's order, those with a role included.
    pub(crate) fields: Vec<Field>,
    pub(crate) id: Field,
    pub(crate) identifier: Field,
    pub(crate) identifier_kind: IdentifierKind,
    /// The column of the identifier's canonical form.
    pub(crate) canonical: String,
    pub(crate) password_hash: Field,
    pub(crate) active: Option<Field>,
    pub(crate) verified: Option<Field>,
    /// The field with the mail address; the identifier itself when that is one.
    pub(crate) mailbox: Option<Field>,
}

/// One field and its column.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) role: Role,
    pub(crate) column: String,
    pub(crate) sql_type: Option<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<Expr>,
    pub(crate) dtos: Dtos,
}

/// What a field is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Id,
    Identifier,
    PasswordHash,
    Active,
    Verified,
    Own,
}

/// The DTOs that carry a field.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "four DTOs, each of which carries the field or does not")]
pub(crate) struct Dtos {
    pub(crate) read: bool,
    pub(crate) register: bool,
    pub(crate) update: bool,
    pub(crate) admin_update: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdentifierKind {
    Email,
    Username,
}

/// A rule for a field's value and the place where it was written.
#[derive(Clone)]
pub(crate) struct Rule {
    pub(crate) span: Span,
    pub(crate) kind: RuleKind,
}

#[derive(Clone)]
pub(crate) enum RuleKind {
    Length(Expr, Expr),
    Range(Expr, Expr),
    Email,
    Custom(Path),
}

impl Model {
    /// The name of a DTO, such as `UserRead`.
    pub(crate) fn dto(&self, suffix: &str) -> Ident {
        format_ident!("{}{suffix}", self.name)
    }

    /// The columns that self-service may change.
    pub(crate) fn updatable(&self) -> impl Iterator<Item = &Field> {
        self.own().filter(|field| field.dtos.update)
    }

    /// The application's own fields.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.role == Role::Own)
    }
}

impl Field {
    /// The key in JSON bodies.
    pub(crate) fn key(&self) -> String {
        key(&self.ident)
    }

    /// Whether the column may be `NULL`.
    pub(crate) fn is_optional(&self) -> bool {
        option_content(&self.ty).is_some()
    }
}

/// A field's name as serde and SQL see it: `type` for `r#type`.
pub(crate) fn key(ident: &Ident) -> String {
    syn::ext::IdentExt::unraw(ident).to_string()
}

/// The `T` of a type that is written as `Option<T>`.
pub(crate) fn option_content(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Path(path) => &path.path,
        Type::Group(group) => return option_content(&group.elem),
        _ => return None,
    };
    let last = path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(generics) = &last.arguments else { return None };
    match generics.args.first() {
        Some(GenericArgument::Type(content)) if generics.args.len() == 1 => Some(content),
        _ => None,
    }
}
