//! `#[user(...)]` as it is written.

use darling::{FromAttributes, FromField, FromMeta, Result};
use proc_macro2::Span;
use syn::{Attribute, Ident, LitStr, Meta, Path, Type, spanned::Spanned};

use super::model::IdentifierKind;
use crate::{
    record::{
        attr::{Attributes, ColumnArguments, DtoWord, Exclude, FieldArguments, word_of},
        field::{Filter, Purpose},
    },
    report::{Word, mistake, path, string, value_span},
};

/// A struct as it is written.
pub(super) type UserAttributes = Attributes<StructOptions, FieldAttributes>;

/// The arguments of `#[user(...)]` on the struct.
#[derive(Default, FromAttributes)]
#[darling(attributes(user), default)]
pub(super) struct StructOptions {
    #[darling(with = string)]
    pub(super) table: Option<LitStr>,
    #[darling(with = path)]
    pub(super) role: Option<Path>,
    #[darling(with = path)]
    pub(super) oauth_account: Option<Path>,
    #[darling(rename = "crate", with = path)]
    pub(super) runtime: Option<Path>,
}

/// One field with the arguments of its `#[user(...)]`.
#[derive(FromField)]
#[darling(attributes(user), forward_attrs(doc, sqlx))]
pub(super) struct FieldAttributes {
    pub(super) ident: Option<Ident>,
    pub(super) ty: Type,
    pub(super) attrs: Vec<Attribute>,
    pub(super) id: Option<Word>,
    pub(super) identifier: Option<IdentifierArgument>,
    #[darling(with = string)]
    pub(super) canonical: Option<LitStr>,
    pub(super) password_hash: Option<Word>,
    pub(super) active: Option<Word>,
    pub(super) verified: Option<Word>,
    pub(super) tenant: Option<Word>,
    pub(super) mailbox: Option<Word>,
    pub(super) exclude: Option<Exclude<Dto>>,
    pub(super) filter: Option<FilterArgument>,
    pub(super) sort: Option<Word>,
    #[darling(flatten)]
    pub(super) column: ColumnArguments,
}

/// `identifier` or `identifier = username`.
pub(super) struct IdentifierArgument {
    pub(super) span: Span,
    pub(super) kind: IdentifierKind,
}

/// `filter` or `filter(range)`.
pub(super) struct FilterArgument {
    pub(super) span: Span,
    pub(super) kind: Filter,
}

/// A word in `exclude(...)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dto {
    Read,
    Register,
    Update,
    AdminUpdate,
    Import,
}

impl DtoWord for Dto {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("read", Self::Read),
        ("register", Self::Register),
        ("update", Self::Update),
        ("admin_update", Self::AdminUpdate),
        ("import", Self::Import),
    ];
}

impl FieldArguments for FieldAttributes {
    fn ident(&self) -> Option<&Ident> {
        self.ident.as_ref()
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn attributes(&self) -> &[Attribute] {
        &self.attrs
    }

    fn claims(&self) -> Vec<(Purpose, Span)> {
        let word = |purpose, word: &Option<Word>| word.as_ref().map(|word| (purpose, word.0));
        let identifier = self.identifier.as_ref().map(|argument| (Purpose::Identifier, argument.span));
        let claims = [
            word(Purpose::Id, &self.id),
            identifier,
            word(Purpose::PasswordHash, &self.password_hash),
            word(Purpose::Active, &self.active),
            word(Purpose::Verified, &self.verified),
            word(Purpose::Tenant, &self.tenant),
        ];
        claims.into_iter().flatten().collect()
    }

    fn column(&self) -> &ColumnArguments {
        &self.column
    }

    fn column_mut(&mut self) -> &mut ColumnArguments {
        &mut self.column
    }

    fn may_be_unmarked(&self) -> bool {
        self.mailbox.is_none()
    }
}

impl FromMeta for IdentifierArgument {
    fn from_meta(item: &Meta) -> Result<Self> {
        let span = item.path().span();
        let kind = match item {
            Meta::Path(_) => Some(IdentifierKind::Email),
            Meta::NameValue(pair) => match word_of(&pair.value).as_deref() {
                Some("username") => Some(IdentifierKind::Username),
                Some("email") => Some(IdentifierKind::Email),
                _ => None,
            },
            Meta::List(_) => None,
        };
        let text = "write `identifier` for an e-mail address or `identifier = username` for a name";
        kind.map(|kind| Self { span, kind }).ok_or_else(|| mistake(value_span(item), text))
    }
}

impl FromMeta for FilterArgument {
    fn from_meta(item: &Meta) -> Result<Self> {
        let span = item.path().span();
        let usage = "write `filter` for an exact value or `filter(range)` for the least and the greatest";
        let kind = match item {
            Meta::Path(_) => Some(Filter::Equal),
            Meta::List(list) => {
                list.parse_args::<Ident>().ok().filter(|word| word == "range").map(|_| Filter::Range)
            }
            Meta::NameValue(_) => None,
        };
        kind.map(|kind| Self { span, kind }).ok_or_else(|| mistake(value_span(item), usage))
    }
}
