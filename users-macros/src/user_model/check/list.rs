//! What lists may be filtered and sorted by (OWASP ASVS 8.2.3): nothing that responses keep back.

use darling::{Error, Result};
use proc_macro2::Span;

use crate::{
    record::{
        claim::shown,
        field::{Dtos, Field, Filter, List, Purpose, key, option_content},
    },
    report::mistake,
    user_model::{attr::FieldAttributes, dto::filter_keys},
};

/// The parameters of a list that the library reads itself.
const PARAMETERS: [&str; 5] = ["search", "sort", "after", "limit", "total"];

/// What lists may do with a field.
pub(super) fn list(field: &FieldAttributes, purpose: Purpose, dtos: Dtos) -> Result<List> {
    let mut mistakes = Error::accumulator();
    let filter = field.filter.as_ref().map(|filter| filter.span);
    let sort = field.sort.as_ref().map(|word| word.0);
    for (span, word) in [(filter, "filter"), (sort, "sort")] {
        let Some(span) = span else { continue };
        mistakes.handle(allowed(field, purpose, dtos, span, word));
    }
    let flag = matches!(purpose, Purpose::Active | Purpose::Verified) && dtos.read;
    let filter = field.filter.as_ref().map(|filter| filter.kind);
    mistakes.finish_with(List { filter: filter.or(flag.then_some(Filter::Equal)), sort: sort.is_some() })
}

fn allowed(field: &FieldAttributes, purpose: Purpose, dtos: Dtos, span: Span, word: &str) -> Result<()> {
    let role = purpose.word();
    let sorts = word == "sort";
    let text = match purpose {
        // A secret that a list is compared with is told, one guess or one page at a time.
        Purpose::PasswordHash => {
            format!("the `{role}` is a secret, which `{word}` would tell bit by bit; remove `{word}`")
        }
        Purpose::Id | Purpose::Identifier if sorts => {
            format!("lists are sorted by the `{role}` already; remove `sort`")
        }
        Purpose::Id | Purpose::Identifier => {
            format!("a user is found by the `{role}` already; remove `filter`")
        }
        _ if sorts && field.ident.as_ref().is_some_and(|ident| key(ident) == "id") => {
            "lists are sorted by the key as `id` already; rename the field and write `column = \"id\"`"
                .to_owned()
        }
        Purpose::Tenant => format!("a list is of one tenant; remove `{word}`"),
        _ if !dtos.read => {
            let ident = shown(field);
            format!(
                "{ident} is kept out of responses, and `{word}` would tell it bit by bit; remove `{word}`, or `read` from `exclude`"
            )
        }
        Purpose::Active | Purpose::Verified if sorts => {
            format!("two values make no order; remove `sort`, since lists are filtered by the `{role}`")
        }
        Purpose::Active | Purpose::Verified => {
            format!("lists are filtered by the `{role}` already; remove `filter`")
        }
        _ if sorts && option_content(&field.ty).is_some() => {
            "what is absent has no place in an order; remove `sort`, or write the type without `Option`"
                .to_owned()
        }
        _ => return Ok(()),
    };
    Err(mistake(span, text))
}

/// Refuses a parameter that would mean two things.
pub(super) fn distinct_parameters(fields: &[Field]) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let mut seen: Vec<(String, String)> =
        PARAMETERS.iter().map(|key| ((*key).to_owned(), "the list itself".to_owned())).collect();
    for field in fields {
        for (key, _) in filter_keys(field) {
            if let Some((_, owner)) = seen.iter().find(|(other, _)| *other == key) {
                let text = format!(
                    "the parameter `{key}` of a list belongs to {owner} already; rename the field and write `column = \"...\"`"
                );
                mistakes.push(mistake(field.ident.span(), text));
            } else {
                seen.push((key, format!("`{}`", field.ident)));
            }
        }
    }
    mistakes.finish()
}
