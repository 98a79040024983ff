//! How mistakes reach the user: every one, at its token, in one style.

use darling::{Error, FromMeta, util::path_to_string};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{Meta, spanned::Spanned};

/// A mistake at a span.
pub(crate) fn mistake(span: Span, message: impl std::fmt::Display) -> Error {
    Error::custom(message).with_span(&span)
}

/// The location of a token, with the names of the macro's own code.
///
/// Code that may fail to type-check is spanned with it, so that the message points at the user's token while `self`
/// and locals resolve even in a struct that another macro wrote.
pub(crate) fn at(node: &impl Spanned) -> Span {
    node.span().resolved_at(Span::call_site())
}

/// Code that means what it meant and stands at `span`.
pub(crate) fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let move_to = |mut token: TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.into_iter().map(move_to).collect()
}

/// One `compile_error!` for each mistake.
pub(crate) fn compile_errors(error: Error) -> TokenStream {
    messages(error)
        .into_iter()
        .map(|(span, message)| syn::Error::new(span, message).into_compile_error())
        .collect()
}

/// Each mistake with its place.
pub(crate) fn messages(error: Error) -> Vec<(Span, String)> {
    let errors = error.flatten().into_iter().map(syn::Error::from);
    errors.map(|error| (error.span(), house_style(&error.to_string()))).collect()
}

/// The parser's words for an argument, in the style of the messages of this crate.
fn house_style(message: &str) -> String {
    let phrases = [
        ("Unknown field: ", "unknown argument "),
        ("Duplicate field ", "duplicate argument "),
        ("Unexpected type ", "this takes no value of the type "),
        ("Unexpected expression type ", "this takes no value of the type "),
        ("Unexpected literal type ", "this takes no value of the type "),
        ("Unexpected meta-item format ", "this cannot be written as a "),
    ];
    let mut message = message.to_owned();
    for (theirs, ours) in phrases {
        if let Some(rest) = message.strip_prefix(theirs) {
            message = format!("{ours}{rest}");
        }
    }
    let message = message.replace(". Did you mean ", "; did you mean ");
    message.replace(". Available values: ", "; write one of ")
}

/// What to say of a word that is none of those that are known.
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let parsers = Error::unknown_value_with_alts(word, known).to_string();
    house_style(&parsers.replace("Unknown value:", &format!("unknown {what}")))
}

/// An argument that stands alone, and where it does.
pub(crate) struct Word(pub(crate) Span);

impl FromMeta for Word {
    fn from_meta(item: &Meta) -> darling::Result<Self> {
        let name = path_to_string(item.path());
        match item {
            Meta::Path(path) => Ok(Self(path.span())),
            _ => Err(mistake(item.path().span(), format!("`{name}` takes no value; write `{name}` alone"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parsers_words_are_brought_into_the_house_style() {
        let unknown = Error::unknown_field_with_alts("tabel", &["table"]);
        let duplicate = Error::duplicate_field("table");
        let texts: Vec<_> =
            messages(Error::multiple(vec![unknown, duplicate])).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["unknown argument `tabel`; did you mean `table`?", "duplicate argument `table`"]);
    }
}
