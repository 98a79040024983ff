//! Purposes: which field is the id, which the identifier, and so on.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use syn::{Ident, spanned::Spanned};

use super::{
    Noun,
    attr::FieldArguments,
    field::{Field, Purpose, key, option_content},
    types::can_be,
};
use crate::report::mistake;

/// A purpose and what to write for it.
pub(crate) struct Wanted {
    pub(crate) purpose: Purpose,
    pub(crate) required: bool,
    /// A field that could have the purpose, as one would write it.
    pub(crate) example: &'static str,
    /// Names of fields that are probably meant.
    pub(crate) likely: &'static [&'static str],
}

/// The purpose that a field asks for, and where.
#[derive(Clone, Copy, Default)]
pub(crate) struct Claim(Option<(Purpose, Span)>);

impl Claim {
    pub(crate) fn purpose(self) -> Purpose {
        self.0.map_or(Purpose::Own, |(purpose, _)| purpose)
    }
}

/// The fields of one struct as they were read, with what each is for.
pub(crate) struct Claims<'a, F> {
    noun: Noun,
    name: &'a Ident,
    fields: &'a [F],
    purposes: Vec<Claim>,
    /// Whether every field could be read, so that what is missing is really missing.
    complete: bool,
}

impl<'a, F: FieldArguments> Claims<'a, F> {
    pub(crate) fn read(
        noun: Noun,
        name: &'a Ident,
        fields: &'a [F],
        complete: bool,
        mistakes: &mut Accumulator,
    ) -> Self {
        let purposes = fields.iter().map(|field| mistakes.handle(claim(field)).unwrap_or_default()).collect();
        Self { noun, name, fields, purposes, complete }
    }

    /// Each field with its purpose.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a F, Purpose)> {
        self.fields.iter().zip(self.purposes.iter().map(|claim| claim.purpose()))
    }

    pub(crate) fn has(&self, purpose: Purpose) -> bool {
        self.purposes.iter().any(|claim| claim.purpose() == purpose)
    }

    /// The checked field with a purpose.
    pub(crate) fn find(
        &self,
        wanted: &Wanted,
        checked: &[Field],
        mistakes: &mut Accumulator,
    ) -> Option<Field> {
        let found = self.the_one(wanted.purpose, mistakes);
        if found.is_none() && self.complete && wanted.required {
            mistakes.push(self.missing(wanted));
        }
        let ident = found?.ident()?;
        checked.iter().find(|field| field.ident == *ident).cloned()
    }

    /// The first field with a purpose; each further one is a mistake.
    fn the_one(&self, purpose: Purpose, mistakes: &mut Accumulator) -> Option<&'a F> {
        let mut found = self.fields.iter().zip(&self.purposes).filter_map(|(field, claim)| {
            claim.0.filter(|(claimed, _)| *claimed == purpose).map(|(_, span)| (field, span))
        });
        let (first, _) = found.next()?;
        for (_, span) in found {
            let (first, word, noun) = (shown(first), purpose.word(), self.noun.words);
            mistakes.push(mistake(
                span,
                format!("{first} is the `{word}` already; a {noun} has one, so remove this"),
            ));
        }
        Some(first)
    }

    fn missing(&self, wanted: &Wanted) -> Error {
        let (word, attribute) = (wanted.purpose.word(), self.noun.attribute);
        let mut unclaimed = self.iter().filter(|(field, _)| field.may_be_unmarked());
        let candidate = unclaimed.find_map(|(field, _)| {
            field.ident().filter(|ident| wanted.likely.contains(&key(ident).as_str()))
        });
        match candidate {
            Some(ident) => mistake(
                ident.span(),
                format!("no field is the `{word}`; write `#[{attribute}({word})]` above `{ident}`"),
            ),
            None => mistake(
                self.name.span(),
                format!("no field is the `{word}`; add `#[{attribute}({word})] {}`", wanted.example),
            ),
        }
    }
}

fn claim(field: &impl FieldArguments) -> Result<Claim> {
    let mut claims = field.claims().into_iter();
    let Some(first) = claims.next() else { return Ok(Claim::default()) };
    let mut mistakes = Error::accumulator();
    for (purpose, span) in claims {
        let text = format!("{} is the `{}` already; a field has one role", shown(field), first.0.word());
        mistakes.push(mistake(span, format!("{text}, so move `{}` to a field of its own", purpose.word())));
    }
    mistakes.finish_with(Claim(Some(first)))
}

/// Refuses a type that is certainly wrong for the field's purpose; one that may be an alias is left to the compiler.
pub(crate) fn right_type(field: &impl FieldArguments, purpose: Purpose) -> Result<()> {
    let (right, write): (&[&str], _) = match purpose {
        Purpose::Id => (&["Uuid", "i64"], "`Uuid` or `i64`"),
        Purpose::Tenant => (&["Uuid", "i64", "String"], "`Uuid`, `i64` or `String`"),
        Purpose::Identifier | Purpose::Name | Purpose::Provider | Purpose::Subject => {
            (&["String"], "`String`")
        }
        Purpose::Email => (&["Option"], "`Option<String>`"),
        Purpose::PasswordHash => (&["PasswordHash"], "`PasswordHash`"),
        Purpose::Active | Purpose::Verified => (&["bool"], "`bool`"),
        Purpose::Own => return Ok(()),
    };
    let fits = match purpose {
        // Behind an alias nobody could see that the column may be `NULL`.
        Purpose::Email => option_content(field.ty()).is_some_and(|content| can_be(content, &["String"])),
        _ => can_be(field.ty(), right),
    };
    if fits {
        return Ok(());
    }
    let text = format!("the `{}` cannot have this type; write {write}", purpose.word());
    Err(mistake(field.ty().span(), text))
}

/// A field's name in a message.
pub(crate) fn shown(field: &impl FieldArguments) -> String {
    field.ident().map_or_else(String::new, |ident| format!("`{ident}`"))
}
