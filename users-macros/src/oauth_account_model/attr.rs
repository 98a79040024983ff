//! `#[oauth_account(...)]` as it is written.

use darling::{FromAttributes, FromField};
use proc_macro2::Span;
use syn::{Attribute, Ident, LitStr, Path, Type};

use crate::{
    record::{
        attr::{Attributes, ColumnArguments, DtoWord, Exclude, FieldArguments},
        field::Purpose,
    },
    report::{Word, path, string},
};

/// A struct as it is written.
pub(super) type AccountAttributes = Attributes<StructOptions, FieldAttributes>;

/// The arguments of `#[oauth_account(...)]` on the struct.
#[derive(Default, FromAttributes)]
#[darling(attributes(oauth_account), default)]
pub(super) struct StructOptions {
    #[darling(with = string)]
    pub(super) table: Option<LitStr>,
    #[darling(rename = "crate", with = path)]
    pub(super) runtime: Option<Path>,
}

/// One field with the arguments of its `#[oauth_account(...)]`.
#[derive(FromField)]
#[darling(attributes(oauth_account), forward_attrs(doc, sqlx))]
pub(super) struct FieldAttributes {
    pub(super) ident: Option<Ident>,
    pub(super) ty: Type,
    pub(super) attrs: Vec<Attribute>,
    pub(super) id: Option<Word>,
    pub(super) provider: Option<Word>,
    pub(super) subject: Option<Word>,
    pub(super) email: Option<Word>,
    pub(super) exclude: Option<Exclude<Dto>>,
    #[darling(flatten)]
    pub(super) column: ColumnArguments,
}

/// A word in `exclude(...)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dto {
    Read,
}

impl DtoWord for Dto {
    const WORDS: &'static [(&'static str, Self)] = &[("read", Self::Read)];
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
        let claims = [
            (Purpose::Id, &self.id),
            (Purpose::Provider, &self.provider),
            (Purpose::Subject, &self.subject),
            (Purpose::Email, &self.email),
        ];
        claims.into_iter().filter_map(|(purpose, word)| Some((purpose, word.as_ref()?.0))).collect()
    }

    fn column(&self) -> &ColumnArguments {
        &self.column
    }

    fn column_mut(&mut self) -> &mut ColumnArguments {
        &mut self.column
    }
}
