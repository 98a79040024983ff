//! `#[user(...)]` and `#[sqlx(...)]` as they are written.

mod rule;
mod sqlx;

use darling::{Error, FromAttributes, FromField, FromMeta, Result, ast::NestedMeta, error::Accumulator};
use proc_macro2::Span;
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, Ident, LitStr, Meta, Path, Type, Visibility, spanned::Spanned,
};

use self::sqlx::{read_sqlx, refuse_sqlx_on_struct};
use super::model::{IdentifierKind, Rule};
use crate::report::{Word, mistake, path, string, unknown, value_span};

/// A struct and the fields whose attributes could be read.
pub(super) struct Attributes {
    pub(super) name: Ident,
    pub(super) visibility: Visibility,
    pub(super) options: StructOptions,
    pub(super) fields: Vec<FieldAttributes>,
    /// Whether every field could be read, so that what is missing is really missing.
    pub(super) complete: bool,
}

/// The arguments of `#[user(...)]` on the struct.
#[derive(Default, FromAttributes)]
#[darling(attributes(user), default)]
pub(super) struct StructOptions {
    #[darling(with = string)]
    pub(super) table: Option<LitStr>,
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
    pub(super) mailbox: Option<Word>,
    #[darling(multiple)]
    pub(super) validate: Vec<Rule>,
    pub(super) exclude: Option<Exclude>,
    pub(super) read_only: Option<Word>,
    pub(super) default: Option<DefaultValue>,
    #[darling(with = string)]
    pub(super) column: Option<LitStr>,
    #[darling(with = string)]
    pub(super) sql_type: Option<LitStr>,
    /// `#[sqlx(rename = "...")]`.
    #[darling(skip)]
    pub(super) renamed: Option<LitStr>,
}

/// `identifier` or `identifier = username`.
pub(super) struct IdentifierArgument {
    pub(super) span: Span,
    pub(super) kind: IdentifierKind,
}

/// `exclude(read, ...)`.
pub(super) struct Exclude(pub(super) Vec<(Dto, Span)>);

/// A word in `exclude(...)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dto {
    Read,
    Register,
    Update,
    AdminUpdate,
}

/// `default = expression`.
pub(super) struct DefaultValue {
    pub(super) span: Span,
    pub(super) value: Expr,
}

/// Reads a struct; what stands on one field cannot hide what stands on another.
pub(super) fn read(input: &DeriveInput) -> Result<(Attributes, Accumulator)> {
    let mut mistakes = Error::accumulator();
    let fields = mistakes.handle(named_fields(input)).unwrap_or_default();
    if let Some(first) = input.generics.params.first() {
        let text = format!("`{}` cannot be generic; write a struct without parameters", input.ident);
        mistakes.push(mistake(first.span(), text));
    }
    mistakes = mistakes.checkpoint()?;
    mistakes.handle(refuse_sqlx_on_struct(&input.attrs));
    let options = mistakes.handle(StructOptions::from_attributes(&input.attrs));
    let total = fields.len();
    let fields: Vec<_> = fields.into_iter().filter_map(|field| mistakes.handle(read_field(field))).collect();
    let attributes = Attributes {
        name: input.ident.clone(),
        visibility: input.vis.clone(),
        options: options.unwrap_or_default(),
        complete: fields.len() == total,
        fields,
    };
    Ok((attributes, mistakes))
}

fn named_fields(input: &DeriveInput) -> Result<Vec<&syn::Field>> {
    let (kind, span) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter().collect()),
            Fields::Unnamed(fields) => ("a tuple struct", fields.span()),
            Fields::Unit => ("a struct without fields", input.ident.span()),
        },
        Data::Enum(data) => ("an enum", data.enum_token.span),
        Data::Union(data) => ("a union", data.union_token.span),
    };
    let name = &input.ident;
    Err(mistake(span, format!("a user cannot be {kind}; write `struct {name} {{ ... }}` with named fields")))
}

fn read_field(field: &syn::Field) -> Result<FieldAttributes> {
    let mut mistakes = Error::accumulator();
    let attributes = mistakes.handle(FieldAttributes::from_field(field));
    let renamed = mistakes.handle(read_sqlx(&field.attrs)).flatten();
    mistakes.finish()?;
    attributes
        .map(|attributes| FieldAttributes { renamed, ..attributes })
        .ok_or_else(|| Error::missing_field("field"))
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

impl FromMeta for Exclude {
    fn from_meta(item: &Meta) -> Result<Self> {
        const USAGE: &str = "write `exclude(...)` with some of `read`, `register`, `update`, `admin_update`";
        let span = item.path().span();
        let Meta::List(list) = item else { return Err(mistake(span, USAGE)) };
        let mut mistakes = Error::accumulator();
        let mut dtos: Vec<(Dto, Span)> = Vec::new();
        for item in NestedMeta::parse_meta_list(list.tokens.clone())? {
            let NestedMeta::Meta(Meta::Path(word)) = &item else {
                mistakes.push(mistake(item.span(), USAGE));
                continue;
            };
            match Dto::from_word(&name_of(word)) {
                Ok(dto) if dtos.iter().any(|(other, _)| *other == dto) => {
                    mistakes.push(mistake(
                        word.span(),
                        format!("`{}` stands here twice; remove one of the two", name_of(word)),
                    ));
                }
                Ok(dto) => dtos.push((dto, word.span())),
                Err(error) => mistakes.push(error.with_span(word)),
            }
        }
        if list.tokens.is_empty() {
            mistakes.push(mistake(span, USAGE));
        }
        mistakes.finish_with(Self(dtos))
    }
}

impl Dto {
    const WORDS: [&str; 4] = ["read", "register", "update", "admin_update"];

    fn from_word(word: &str) -> Result<Self> {
        match word {
            "read" => Ok(Self::Read),
            "register" => Ok(Self::Register),
            "update" => Ok(Self::Update),
            "admin_update" => Ok(Self::AdminUpdate),
            _ => Err(Error::custom(unknown("DTO", word, &Self::WORDS))),
        }
    }
}

impl FromMeta for DefaultValue {
    fn from_meta(item: &Meta) -> Result<Self> {
        let span = item.path().span();
        match item {
            Meta::NameValue(pair) => Ok(Self { span, value: pair.value.clone() }),
            _ => Err(mistake(span, "write `default = expression` with the value at registration")),
        }
    }
}

/// The name of an argument, as it was written.
pub(super) fn name_of(path: &Path) -> String {
    darling::util::path_to_string(path)
}

/// The one word that an expression consists of, bare or as a string.
fn word_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Group(group) => word_of(&group.expr),
        _ => None,
    }
}
