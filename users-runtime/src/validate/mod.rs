//! Rules for fields and the one canonical form of an identifier.

mod identifier;
mod rules;

use std::{borrow::Cow, slice};

use serde::Serialize;

pub(crate) use self::identifier::canonical_prefix;
#[cfg(feature = "openapi")]
pub(crate) use self::identifier::{EMAIL_MAX_BYTES, USERNAME_MAX};
pub use self::{
    identifier::{CanonicalIdentifier, IdentifierKind, canonical_role_name, canonicalise},
    rules::{Length, Ranged, Text, email, length, range},
};

/// One rule that a value broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A stable machine code, such as `too_short`.
    pub code: &'static str,
    /// What to do about it, for people.
    pub detail: Cow<'static, str>,
}

impl Violation {
    /// A broken rule with its machine code and what to do about it.
    pub fn new(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// One entry of the `errors` list of a 422 problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The key in the request's body.
    pub field: Cow<'static, str>,
    /// A stable machine code, such as `too_short`.
    pub code: &'static str,
    /// What to do about it, for people.
    pub detail: Cow<'static, str>,
}

/// Every rule that a request's body broke.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes what `rule` says of `field`, if it was broken.
    pub fn check(&mut self, field: impl Into<Cow<'static, str>>, rule: Result<(), Violation>) {
        if let Err(violation) = rule {
            self.push(field, violation);
        }
    }

    /// Notes that `field` broke a rule.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, violation: Violation) {
        let Violation { code, detail } = violation;
        self.0.push(FieldError { field: field.into(), code, detail });
    }

    /// Whether no rule was broken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The broken rules in the order they were noted.
    pub fn iter(&self) -> slice::Iter<'_, FieldError> {
        self.0.iter()
    }

    /// `Ok` when no rule was broken, the list otherwise.
    ///
    /// # Errors
    /// The list itself, when it is not empty.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_errors_collect_every_broken_rule_in_order() {
        let mut errors = FieldErrors::default();
        errors.check("display_name", Ok(()));
        assert!(errors.is_empty());
        assert_eq!(errors.clone().into_result(), Ok(()));

        errors.check("display_name", length("x", 2, 40));
        errors.push("age", Violation::new("out_of_range", "too young"));
        let codes: Vec<_> = errors.iter().map(|error| (&*error.field, error.code)).collect();
        assert_eq!(codes, [("display_name", "too_short"), ("age", "out_of_range")]);
        assert_eq!((&errors).into_iter().count(), 2);
        assert_eq!(errors.clone().into_result(), Err(errors));
    }

    #[test]
    fn field_errors_serialise_as_a_list() {
        let mut errors = FieldErrors::default();
        errors.push("age", Violation::new("out_of_range", "too young"));
        assert_eq!(
            serde_json::to_value(&errors).unwrap(),
            serde_json::json!([{ "field": "age", "code": "out_of_range", "detail": "too young" }]),
        );
    }
}
