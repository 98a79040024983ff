//! A page of a list of users as the database is asked for it.

use serde_json::Value;

use crate::model::{SortColumn, UserModel};

/// Which users, in which order, from where on, and how many.
pub(crate) struct Listing<'a, U: UserModel> {
    pub(crate) tenant: &'a U::Tenant,
    pub(crate) filter: &'a U::Filter,
    pub(crate) search: Option<&'a Prefix>,
    pub(crate) order: Order,
    pub(crate) after: Option<&'a Position<U::Id>>,
    pub(crate) limit: u32,
}

/// The canonical identifiers that begin alike, as a range in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    from: String,
    /// The first behind them; `None` when none can be.
    until: Option<String>,
}

impl Prefix {
    /// The identifiers that begin so; `None` for all of them.
    pub(crate) fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let mut until: Vec<char> = text.chars().collect();
        while let Some(last) = until.pop() {
            if let Some(next) = successor(last) {
                until.push(next);
                break;
            }
        }
        let until: String = until.into_iter().collect();
        Some(Self { from: text.to_owned(), until: (!until.is_empty()).then_some(until) })
    }

    pub(super) fn from(&self) -> &str {
        &self.from
    }

    pub(super) fn until(&self) -> Option<&str> {
        self.until.as_deref()
    }
}

/// The next code point. The order of code points is that of their bytes in UTF-8.
fn successor(character: char) -> Option<char> {
    // Between the two are the surrogates, which are no characters.
    if character == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(character) + 1) }
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) key: SortKey,
    pub(crate) descending: bool,
}

/// The column that a list is sorted by. The key settles what an own column leaves open.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SortKey {
    Id,
    Identifier,
    Own(&'static SortColumn),
}

/// The last user of a page.
#[derive(Debug)]
pub(crate) struct Position<Id> {
    /// The value in the column that the list is sorted by; `null` when that is the key.
    pub(crate) value: Value,
    pub(crate) id: Id,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range_of_bytes() {
        let until = |text: &str| Prefix::new(text).map(|prefix| prefix.until);
        assert_eq!(until("ada"), Some(Some("adb".to_owned())));
        assert_eq!(until("a\u{d7ff}"), Some(Some("a\u{e000}".to_owned())));
        assert_eq!(until("a\u{10ffff}"), Some(Some("b".to_owned())));
        assert_eq!(until("\u{10ffff}\u{10ffff}"), Some(None));
        assert_eq!(until(""), None);
        for (text, inside) in [("ad", "ad"), ("ad", "ad\u{10ffff}z"), ("ad", "adz"), ("ä", "äa")] {
            let range = Prefix::new(text).unwrap();
            assert!(range.from() <= inside && range.until().is_none_or(|until| inside < until), "{inside}");
        }
        for (text, outside) in [("ad", "ae"), ("ad", "ac"), ("ad", "a"), ("ad", "Ad")] {
            let range = Prefix::new(text).unwrap();
            assert!(
                range.from() > outside || range.until().is_some_and(|until| outside >= until),
                "{outside}"
            );
        }
    }
}
