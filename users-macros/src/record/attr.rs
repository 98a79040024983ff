//! The arguments that users, roles and linked accounts share, as they are written.

mod rule;
mod sqlx;

use darling::{Error, FromAttributes, FromField, FromMeta, Result, ast::NestedMeta, error::Accumulator};
use proc_macro2::Span;
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, Ident, LitStr, Meta, Path, Type, Visibility, spanned::Spanned,
};

use self::sqlx::{read_sqlx, refuse_sqlx_on_struct};
use super::{
    Noun,
    field::{Purpose, Rule},
};
use crate::report::{Word, mistake, string, unknown};

/// A struct and the fields whose attributes could be read.
pub(crate) struct Attributes<O, F> {
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// What stands on the struct.
    pub(crate) options: O,
    pub(crate) fields: Vec<F>,
    /// Whether every field could be read, so that what is missing is really missing.
    pub(crate) complete: bool,
}

/// A field with its arguments.
pub(crate) trait FieldArguments {
    fn ident(&self) -> Option<&Ident>;
    fn ty(&self) -> &Type;
    fn attributes(&self) -> &[Attribute];
    /// The purposes that it asks for, and where.
    fn claims(&self) -> Vec<(Purpose, Span)>;
    fn column(&self) -> &ColumnArguments;
    fn column_mut(&mut self) -> &mut ColumnArguments;

    /// Whether the field may have been left without a mark by mistake.
    fn may_be_unmarked(&self) -> bool {
        true
    }
}

/// What may be said of any column.
#[derive(Default, FromMeta)]
pub(crate) struct ColumnArguments {
    #[darling(multiple)]
    pub(crate) validate: Vec<Rule>,
    pub(crate) read_only: Option<Word>,
    pub(crate) default: Option<DefaultValue>,
    #[darling(with = string)]
    pub(crate) column: Option<LitStr>,
    pub(crate) sql_type: Option<SqlTypeArgument>,
    #[darling(with = string)]
    pub(crate) sql_default: Option<LitStr>,
    /// `#[sqlx(rename = "...")]`.
    #[darling(skip)]
    pub(crate) renamed: Option<LitStr>,
}

/// `default = expression`.
pub(crate) struct DefaultValue {
    pub(crate) span: Span,
    pub(crate) value: Expr,
}

/// `sql_type = "TYPE"` or `sql_type(sqlite = "TYPE", ...)`.
pub(crate) enum SqlTypeArgument {
    All(LitStr),
    Each(EachSqlType),
}

/// The types that the user chose, one a database.
#[derive(Default, FromMeta)]
#[darling(default)]
pub(crate) struct EachSqlType {
    #[darling(with = string)]
    pub(crate) sqlite: Option<LitStr>,
    #[darling(with = string)]
    pub(crate) postgres: Option<LitStr>,
    #[darling(with = string)]
    pub(crate) mysql: Option<LitStr>,
}

/// A word in `exclude(...)`.
pub(crate) trait DtoWord: Copy + PartialEq + Sized + 'static {
    /// Every one, with the word, in the order in which people are told of them.
    const WORDS: &'static [(&'static str, Self)];
}

/// `exclude(read, ...)`.
pub(crate) struct Exclude<D>(pub(crate) Vec<(D, Span)>);

impl<O: FromAttributes + Default, F: FromField + FieldArguments> Attributes<O, F> {
    /// Reads a struct; what stands on one field cannot hide what stands on another.
    pub(crate) fn read(input: &DeriveInput, noun: Noun) -> Result<(Self, Accumulator)> {
        let mut mistakes = Error::accumulator();
        let fields = mistakes.handle(named_fields(input, noun)).unwrap_or_default();
        mistakes.handle(not_generic(input));
        mistakes = mistakes.checkpoint()?;
        mistakes.handle(refuse_sqlx_on_struct(&input.attrs, noun));
        let options = mistakes.handle(O::from_attributes(&input.attrs));
        let total = fields.len();
        let fields: Vec<_> =
            fields.into_iter().filter_map(|field| mistakes.handle(read_field(field, noun))).collect();
        let attributes = Self {
            name: input.ident.clone(),
            visibility: input.vis.clone(),
            options: options.unwrap_or_default(),
            complete: fields.len() == total,
            fields,
        };
        Ok((attributes, mistakes))
    }
}

/// The fields of a struct; anything else cannot be a row.
fn named_fields(input: &DeriveInput, noun: Noun) -> Result<Vec<&syn::Field>> {
    let (kind, span) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter().collect()),
            Fields::Unnamed(fields) => ("a tuple struct", fields.span()),
            Fields::Unit => ("a struct without fields", input.ident.span()),
        },
        Data::Enum(data) => ("an enum", data.enum_token.span),
        Data::Union(data) => ("a union", data.union_token.span),
    };
    let (name, noun) = (&input.ident, noun.words);
    let text = format!("a {noun} cannot be {kind}; write `struct {name} {{ ... }}` with named fields");
    Err(mistake(span, text))
}

/// Refuses parameters, with which a struct could stand for several tables.
fn not_generic(input: &DeriveInput) -> Result<()> {
    let Some(first) = input.generics.params.first() else { return Ok(()) };
    let text = format!("`{}` cannot be generic; write a struct without parameters", input.ident);
    Err(mistake(first.span(), text))
}

fn read_field<F: FromField + FieldArguments>(field: &syn::Field, noun: Noun) -> Result<F> {
    let mut mistakes = Error::accumulator();
    let attributes = mistakes.handle(F::from_field(field));
    let renamed = mistakes.handle(read_sqlx(&field.attrs, noun)).flatten();
    mistakes.finish()?;
    let mut attributes = attributes.ok_or_else(|| Error::missing_field("field"))?;
    attributes.column_mut().renamed = renamed;
    Ok(attributes)
}

impl<D: DtoWord> FromMeta for Exclude<D> {
    fn from_meta(item: &Meta) -> Result<Self> {
        let words: Vec<_> = D::WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
        let usage = format!("write `exclude(...)` with some of {}", words.join(", "));
        let span = item.path().span();
        let Meta::List(list) = item else { return Err(mistake(span, usage)) };
        let mut mistakes = Error::accumulator();
        let mut dtos: Vec<(D, Span)> = Vec::new();
        for item in NestedMeta::parse_meta_list(list.tokens.clone())? {
            let NestedMeta::Meta(Meta::Path(word)) = &item else {
                mistakes.push(mistake(item.span(), &usage));
                continue;
            };
            match known_dto::<D>(&name_of(word)) {
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
            mistakes.push(mistake(span, usage));
        }
        mistakes.finish_with(Self(dtos))
    }
}

fn known_dto<D: DtoWord>(word: &str) -> Result<D> {
    let known = D::WORDS.iter().find(|(other, _)| *other == word).map(|(_, dto)| *dto);
    let words: Vec<_> = D::WORDS.iter().map(|(word, _)| *word).collect();
    known.ok_or_else(|| Error::custom(unknown("DTO", word, &words)))
}

impl FromMeta for DefaultValue {
    fn from_meta(item: &Meta) -> Result<Self> {
        let span = item.path().span();
        match item {
            Meta::NameValue(pair) => Ok(Self { span, value: pair.value.clone() }),
            _ => Err(mistake(span, "write `default = expression` with the value of a new row")),
        }
    }
}

impl FromMeta for SqlTypeArgument {
    fn from_meta(item: &Meta) -> Result<Self> {
        let usage = "write `sql_type = \"...\"`, or `sql_type(sqlite = \"...\", postgres = \"...\", mysql = \"...\")` with those that differ";
        match item {
            Meta::NameValue(pair) => {
                LitStr::from_meta(item).map(Self::All).map_err(|_| mistake(pair.value.span(), usage))
            }
            Meta::List(list) if !list.tokens.is_empty() => EachSqlType::from_meta(item).map(Self::Each),
            _ => Err(mistake(item.path().span(), usage)),
        }
    }
}

/// The name of an argument, as it was written.
pub(crate) fn name_of(path: &Path) -> String {
    darling::util::path_to_string(path)
}

/// The one word that an expression consists of, bare or as a string.
pub(crate) fn word_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Group(group) => word_of(&group.expr),
        _ => None,
    }
}
