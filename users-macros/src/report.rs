//! How mistakes reach the user: every one, at its token, in one style.

use darling::{Error, FromMeta, util::path_to_string};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{LitStr, Meta, Path, Token, Type, spanned::Spanned};

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

/// The same for code with blocks in it: what stands inside of them moves, too.
pub(crate) fn located_deeply(tokens: TokenStream, span: Span) -> TokenStream {
    let move_to = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), located_deeply(group.stream(), span));
            moved.set_span(group.span().located_at(span));
            TokenTree::Group(moved)
        }
        mut other => {
            other.set_span(other.span().located_at(span));
            other
        }
    };
    tokens.into_iter().map(move_to).collect()
}

/// `<T as Trait>`, of which rustc blames one token of the user's when the type lacks the trait.
///
/// Code that needs the same trait of the same type in several places is one mistake: rustc leaves out a message that it
/// has given at the same span.
pub(crate) fn as_trait(ty: &Type, bound: &TokenStream) -> TokenStream {
    let ty_here = located(ty.to_token_stream(), ty.span());
    quote!(<#ty_here as #bound>)
}

/// `&holder.field` at the token that [`as_trait`] blames, since rustc prefers arguments.
pub(crate) fn reference(holder: &str, field: &Ident, ty: &Type) -> TokenStream {
    let span = ty.span();
    let and = Token![&](span);
    let holder = Ident::new(holder, Span::call_site());
    let mut field = field.clone();
    field.set_span(field.span().located_at(span));
    quote!(#and #holder.#field)
}

/// The code of what is right; or every mistake, and a stub that keeps the rest of the program quiet.
pub(crate) fn expansion<T>(
    understood: darling::Result<T>,
    emit: impl FnOnce(T) -> TokenStream,
    stub: impl FnOnce() -> TokenStream,
) -> TokenStream {
    match understood {
        Ok(right) => emit(right),
        Err(error) => {
            let mut tokens = compile_errors(error);
            tokens.extend(stub());
            tokens
        }
    }
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
    let phrases = [("Unknown field: ", "unknown argument "), ("Duplicate field ", "duplicate argument ")];
    let mut message = message.to_owned();
    for (theirs, ours) in phrases {
        if let Some(rest) = message.strip_prefix(theirs) {
            message = format!("{ours}{rest}");
        }
    }
    let message = message.replace(". Did you mean ", "; did you mean ");
    let message = message.replace(". Available values: ", "; write one of ");
    match message.as_str() {
        "Unexpected meta-item format `literal`" => "this is no argument; write one by its name".to_owned(),
        alone if alone.starts_with("unknown argument") && !alone.contains(';') => {
            format!("{alone}; remove it")
        }
        twice if twice.starts_with("duplicate argument") => format!("{twice}; remove one of the two"),
        _ => message,
    }
}

/// What to say of a word that is none of those that are known.
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let parsers = Error::unknown_value_with_alts(word, known).to_string();
    let message = house_style(&parsers.replace("Unknown value:", &format!("unknown {what}")));
    if message.contains("; ") {
        return message;
    }
    // The parser names no more than nine.
    let mut known: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
    known.sort_unstable();
    format!("{message}; write one of {}", known.join(", "))
}

/// Reads `name = "..."`.
pub(crate) fn string(item: &Meta) -> darling::Result<Option<LitStr>> {
    let name = path_to_string(item.path());
    let text = format!("write a string: `{name} = \"...\"`");
    LitStr::from_meta(item).map(Some).map_err(|_| mistake(value_span(item), text))
}

/// Reads `name = path`.
pub(crate) fn path(item: &Meta) -> darling::Result<Option<Path>> {
    let name = path_to_string(item.path());
    let text = format!("write a path, such as `{name} = crate::path`");
    Path::from_meta(item).map(Some).map_err(|_| mistake(value_span(item), text))
}

/// The value of an argument, or its name when it has none.
pub(crate) fn value_span(item: &Meta) -> Span {
    match item {
        Meta::NameValue(pair) => pair.value.span(),
        _ => item.path().span(),
    }
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
        assert_eq!(
            texts,
            [
                "unknown argument `tabel`; did you mean `table`?",
                "duplicate argument `table`; remove one of the two"
            ]
        );
    }
}
