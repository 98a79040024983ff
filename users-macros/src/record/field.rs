//! A field and its column, checked: nothing in here can be wrong any more.

use proc_macro2::Span;
use syn::{Attribute, Expr, GenericArgument, Ident, Path, PathArguments, Type};

/// One field and its column.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) purpose: Purpose,
    pub(crate) column: String,
    /// Where the column got its name.
    pub(crate) column_span: Span,
    pub(crate) sql_types: SqlTypes,
    pub(crate) sql_default: Option<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<Expr>,
    pub(crate) dtos: Dtos,
    pub(crate) list: List,
}

/// What a field is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Id,
    Identifier,
    PasswordHash,
    Active,
    Verified,
    Tenant,
    /// The name of a role.
    Name,
    /// The provider of a linked account.
    Provider,
    /// Who a linked account is at its provider.
    Subject,
    /// The mail address at the provider of a linked account.
    Email,
    Own,
}

impl Purpose {
    /// The word that gives the purpose.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Identifier => "identifier",
            Self::PasswordHash => "password_hash",
            Self::Active => "active",
            Self::Verified => "verified",
            Self::Tenant => "tenant",
            Self::Name => "name",
            Self::Provider => "provider",
            Self::Subject => "subject",
            Self::Email => "email",
            Self::Own => "own",
        }
    }
}

/// The types of a column that the user chose, one a database.
#[derive(Clone, Default)]
pub(crate) struct SqlTypes {
    pub(crate) sqlite: Option<String>,
    pub(crate) postgres: Option<String>,
    pub(crate) mysql: Option<String>,
}

/// The DTOs that carry a field.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "DTOs, each of which carries the field or does not")]
pub(crate) struct Dtos {
    pub(crate) read: bool,
    /// A registration, or a new role.
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) admin_update: bool,
    pub(crate) import: bool,
}

/// What lists may do with a field.
#[derive(Clone, Copy, Default)]
pub(crate) struct List {
    pub(crate) filter: Option<Filter>,
    pub(crate) sort: bool,
}

/// How lists are filtered by a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Equal,
    Range,
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

impl Field {
    /// The key in JSON bodies.
    pub(crate) fn key(&self) -> String {
        key(&self.ident)
    }

    /// Whether the column may be `NULL`.
    pub(crate) fn is_optional(&self) -> bool {
        option_content(&self.ty).is_some()
    }

    /// The type of a value that is there.
    pub(crate) fn content(&self) -> &Type {
        option_content(&self.ty).unwrap_or(&self.ty)
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
