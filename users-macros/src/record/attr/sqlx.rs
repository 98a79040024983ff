//! `#[sqlx(...)]`: what the generated SQL honours, and what it cannot.

use darling::{Error, FromMeta, Result, ast::NestedMeta, error::Accumulator};
use syn::{Attribute, LitStr, spanned::Spanned};

use super::{Noun, name_of};
use crate::report::mistake;

/// Finds `#[sqlx(rename = "...")]` and refuses what the generated SQL cannot honour.
pub(super) fn read_sqlx(attributes: &[Attribute], noun: Noun) -> Result<Option<LitStr>> {
    let mut mistakes = Error::accumulator();
    let mut renamed = None;
    for item in sqlx_items(attributes, &mut mistakes) {
        let NestedMeta::Meta(meta) = &item else {
            mistakes.push(mistake(item.span(), "unknown argument of `sqlx`; remove it"));
            continue;
        };
        let name = name_of(meta.path());
        let refusal = match name.as_str() {
            "rename" => {
                renamed = mistakes.handle(LitStr::from_meta(meta)).or(renamed);
                continue;
            }
            "default" => continue,
            "json" => "write `sqlx::types::Json<T>` as the field's type instead",
            "try_from" => "implement `sqlx::Type`, `Encode` and `Decode` for the field's type instead",
            "flatten" => "write the columns as fields of this struct instead",
            "skip" => "move the field to a struct of your own that holds this one",
            _ => "remove it",
        };
        mistakes.push(mistake(
            meta.span(),
            format!("`#[sqlx({name})]` is not supported on a {} model; {refusal}", noun.words),
        ));
    }
    mistakes.finish_with(renamed)
}

pub(super) fn refuse_sqlx_on_struct(attributes: &[Attribute], noun: Noun) -> Result<()> {
    let Noun { words, attribute } = noun;
    let mut mistakes = Error::accumulator();
    for item in sqlx_items(attributes, &mut mistakes) {
        let name = match &item {
            NestedMeta::Meta(meta) => name_of(meta.path()),
            _ => "...".to_owned(),
        };
        let instead =
            format!("write `#[{attribute}(column = \"...\")]` on the fields whose column has another name");
        mistakes.push(mistake(
            item.span(),
            format!("`#[sqlx({name})]` is not supported on a {words} model; {instead}"),
        ));
    }
    mistakes.finish()
}

fn sqlx_items(attributes: &[Attribute], mistakes: &mut Accumulator) -> Vec<NestedMeta> {
    let lists =
        attributes.iter().filter(|attribute| attribute.path().is_ident("sqlx")).filter_map(|attribute| {
            let list = attribute.meta.require_list().map_err(Error::from);
            mistakes.handle(list.and_then(|list| Ok(NestedMeta::parse_meta_list(list.tokens.clone())?)))
        });
    lists.flatten().collect()
}
