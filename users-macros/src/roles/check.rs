//! The rules of an enum whose variants are roles.

use darling::{Error, FromAttributes, Result};
use proc_macro2::Span;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Path, Variant, spanned::Spanned};

use super::RoleNames;
use crate::{
    record::{default_runtime, field::key, names::snake_case},
    report::{mistake, path, string},
};

/// The arguments of `#[roles(...)]` on the enum.
#[derive(Default, FromAttributes)]
#[darling(attributes(roles), default)]
pub(super) struct EnumOptions {
    #[darling(rename = "crate", with = path)]
    pub(super) runtime: Option<Path>,
}

/// The arguments of `#[roles(...)]` on a variant.
#[derive(Default, FromAttributes)]
#[darling(attributes(roles), default)]
struct VariantOptions {
    #[darling(with = string)]
    name: Option<LitStr>,
}

/// The greatest length of a role's name, in characters; the runtime knows the same number.
const LONGEST: usize = 64;

pub(super) fn check(input: &DeriveInput) -> Result<RoleNames> {
    let mut mistakes = Error::accumulator();
    let variants = mistakes.handle(variants(input)).unwrap_or_default();
    if let Some(first) = input.generics.params.first() {
        let text = format!("`{}` cannot be generic; write an enum without parameters", input.ident);
        mistakes.push(mistake(first.span(), text));
    }
    mistakes = mistakes.checkpoint()?;
    let options = mistakes.handle(EnumOptions::from_attributes(&input.attrs)).unwrap_or_default();
    let mut names: Vec<(Ident, String)> = Vec::new();
    for variant in variants {
        mistakes.handle(without_fields(variant));
        let Some((name, span)) = mistakes.handle(name(variant)) else { continue };
        if let Some((owner, _)) = names.iter().find(|(_, other)| *other == name) {
            let text = format!(
                "the name `{name}` belongs to `{owner}` already; write another one with `#[roles(name = \"...\")]`"
            );
            mistakes.push(mistake(span, text));
        } else {
            names.push((variant.ident.clone(), name));
        }
    }
    mistakes.finish_with(RoleNames {
        name: input.ident.clone(),
        runtime: options.runtime.unwrap_or_else(default_runtime),
        variants: names,
    })
}

fn variants(input: &DeriveInput) -> Result<Vec<&Variant>> {
    let name = &input.ident;
    let (kind, span) = match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            let text = format!("`{name}` names no role; add a variant such as `Administrator`");
            return Err(mistake(name.span(), text));
        }
        Data::Enum(data) => return Ok(data.variants.iter().collect()),
        Data::Struct(data) => ("struct", data.struct_token.span),
        Data::Union(data) => ("union", data.union_token.span),
    };
    let text = format!(
        "a {kind} cannot list roles; write `enum {name} {{ Administrator, ... }}`, or `#[derive(RoleModel)]` for a role with columns"
    );
    Err(mistake(span, text))
}

fn without_fields(variant: &Variant) -> Result<()> {
    if matches!(variant.fields, Fields::Unit) {
        return Ok(());
    }
    let ident = &variant.ident;
    let text = format!("a role is a name alone; write `{ident}` without fields");
    Err(mistake(variant.fields.span(), text))
}

/// The name by which a variant's role is stored, and where it was written.
fn name(variant: &Variant) -> Result<(String, Span)> {
    let options = VariantOptions::from_attributes(&variant.attrs)?;
    let (name, span) = match &options.name {
        Some(literal) => (literal.value(), literal.span()),
        None => (snake_case(&key(&variant.ident)), variant.ident.span()),
    };
    let shown = name.escape_debug();
    // A role is stored and found in this form; a name in another one would never be found.
    let problem = if name.trim().is_empty() {
        "a role needs a name; write one such as `\"accountant\"`".to_owned()
    } else if name.chars().count() > LONGEST {
        format!(
            "a name has at most {LONGEST} characters; write a shorter one with `#[roles(name = \"...\")]`"
        )
    } else if name.chars().any(char::is_control) {
        format!("`{shown}` has characters that nobody can type; remove them")
    } else if name.trim() != name {
        format!("roles are stored without spaces around their names; write `\"{}\"`", name.trim())
    } else if name.to_lowercase() != name {
        format!("roles are stored in lower case; write `\"{}\"`", name.to_lowercase())
    } else {
        return Ok((name, span));
    };
    Err(mistake(span, problem))
}
