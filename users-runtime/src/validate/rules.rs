//! Rules for the application's own fields: functions of a value and its bounds.

use std::fmt::Display;

use super::{IdentifierKind, Violation, canonicalise};

/// What has a length: text, counted in Unicode code points, and lists, counted in entries.
///
/// `None` has none and passes: whether a field may be absent is its type's business.
#[diagnostic::on_unimplemented(
    message = "the rule `length` fits text and lists, not `{Self}`",
    label = "this field is neither text nor a list",
    note = "it fits `String`, `Vec<T>` and `Option` of these; for numbers write `range(min, max)`"
)]
pub trait Length {
    /// What is counted, for one and for several.
    const UNIT: [&'static str; 2];

    /// The length, if there is a value.
    fn length(&self) -> Option<usize>;
}

impl Length for str {
    const UNIT: [&'static str; 2] = ["character", "characters"];

    fn length(&self) -> Option<usize> {
        Some(self.chars().count())
    }
}

impl Length for String {
    const UNIT: [&'static str; 2] = <str as Length>::UNIT;

    fn length(&self) -> Option<usize> {
        self.as_str().length()
    }
}

impl<T> Length for Vec<T> {
    const UNIT: [&'static str; 2] = ["entry", "entries"];

    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Length> Length for Option<T> {
    const UNIT: [&'static str; 2] = T::UNIT;

    fn length(&self) -> Option<usize> {
        self.as_ref().and_then(T::length)
    }
}

/// Checks that a text or list has at least `min` and at most `max` code points or entries.
///
/// # Errors
/// `too_short` or `too_long`.
pub fn length<T: Length + ?Sized>(value: &T, min: usize, max: usize) -> Result<(), Violation> {
    let unit = |count: usize| T::UNIT[usize::from(count != 1)];
    match value.length() {
        Some(length) if length < min => {
            Err(Violation::new("too_short", format!("needs at least {min} {}", unit(min))))
        }
        Some(length) if length > max => {
            Err(Violation::new("too_long", format!("may have at most {max} {}", unit(max))))
        }
        _ => Ok(()),
    }
}

/// What can lie in a range: every integer and floating-point type, and `Option` of these.
///
/// `None` passes: whether a field may be absent is its type's business.
#[diagnostic::on_unimplemented(
    message = "the rule `range` fits numbers, not `{Self}`",
    label = "this field is not a number",
    note = "it fits integers, floating-point numbers and `Option` of these; for text and lists write `length(min, max)`"
)]
pub trait Ranged {
    /// The type of the bounds.
    type Bound: Copy + PartialOrd + Display;

    /// The number, if there is one.
    fn number(&self) -> Option<Self::Bound>;
}

macro_rules! ranged {
    ($($number:ty)*) => {
        $(impl Ranged for $number {
            type Bound = Self;

            fn number(&self) -> Option<Self> {
                Some(*self)
            }
        })*
    };
}

ranged!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64);

impl<T: Ranged> Ranged for Option<T> {
    type Bound = T::Bound;

    fn number(&self) -> Option<T::Bound> {
        self.as_ref().and_then(T::number)
    }
}

/// Checks that a number lies between `min` and `max`, both included.
///
/// # Errors
/// `out_of_range`, for NaN too.
pub fn range<T: Ranged>(value: &T, min: T::Bound, max: T::Bound) -> Result<(), Violation> {
    match value.number() {
        // NaN compares as false to everything, so the condition has to be the one that passes.
        Some(number) if !(min <= number && number <= max) => {
            Err(Violation::new("out_of_range", format!("must be at least {min} and at most {max}")))
        }
        _ => Ok(()),
    }
}

/// What can be read as text: `String`, `str` and `Option` of these.
#[diagnostic::on_unimplemented(
    message = "the rule `email` fits text, not `{Self}`",
    label = "this field is not text",
    note = "it fits `String` and `Option<String>`"
)]
pub trait Text {
    /// The text, if there is one.
    fn text(&self) -> Option<&str>;
}

impl Text for str {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl Text for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: Text> Text for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().and_then(T::text)
    }
}

/// Checks that a text is an e-mail address that could also be an identifier.
///
/// # Errors
/// `invalid_email` or `look_alike`, as [`canonicalise`] says.
pub fn email<T: Text + ?Sized>(value: &T) -> Result<(), Violation> {
    value.text().map_or(Ok(()), |text| canonicalise(IdentifierKind::Email, text).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(rule: Result<(), Violation>) -> &'static str {
        rule.map_or_else(|violation| violation.code, |()| "ok")
    }

    #[test]
    fn length_counts_code_points_and_includes_both_bounds() {
        assert_eq!(code(length("é", 2, 3)), "too_short");
        assert_eq!(code(length("éé", 2, 3)), "ok");
        assert_eq!(code(length(&"🦀🦀🦀".to_owned(), 2, 3)), "ok");
        assert_eq!(code(length("🦀🦀🦀🦀", 2, 3)), "too_long");
    }

    #[test]
    fn length_counts_entries_of_lists() {
        assert_eq!(code(length(&vec!["long text"], 2, 3)), "too_short");
        assert_eq!(code(length(&vec![1, 2, 3, 4], 2, 3)), "too_long");
        assert_eq!(length(&vec![0_u8; 2], 0, 1).unwrap_err().detail, "may have at most 1 entry");
        assert_eq!(length("", 2, 3).unwrap_err().detail, "needs at least 2 characters");
    }

    #[test]
    fn an_absent_value_breaks_no_rule_and_a_present_one_may() {
        assert_eq!(code(length(&None::<String>, 2, 3)), "ok");
        assert_eq!(code(length(&Some("x".to_owned()), 2, 3)), "too_short");
        assert_eq!(code(length(&Some(Some("x".to_owned())), 2, 3)), "too_short");
        assert_eq!(code(range(&None::<i64>, 2, 3)), "ok");
        assert_eq!(code(range(&Some(Some(4_u8)), 2, 3)), "out_of_range");
        assert_eq!(code(email(&None::<String>)), "ok");
        assert_eq!(code(email(&Some("x".to_owned()))), "invalid_email");
    }

    #[test]
    fn range_includes_both_bounds_and_nan_fails() {
        for (number, expected) in [(17, "out_of_range"), (18, "ok"), (130, "ok"), (131, "out_of_range")] {
            assert_eq!(code(range(&number, 18, 130)), expected);
        }
        assert_eq!(code(range(&0.5_f64, 0.0, 1.0)), "ok");
        assert_eq!(code(range(&f64::NAN, 0.0, 1.0)), "out_of_range");
        assert_eq!(code(range(&f32::NAN, f32::NEG_INFINITY, f32::INFINITY)), "out_of_range");
        assert_eq!(range(&9, 1, 2).unwrap_err().detail, "must be at least 1 and at most 2");
    }

    #[test]
    fn email_takes_an_address_and_nothing_else() {
        assert_eq!(code(email("ada@example.com")), "ok");
        assert_eq!(code(email("")), "invalid_email");
        assert_eq!(code(email("ada")), "invalid_email");
    }
}
