//! What a list of users is asked for, by programs and in the query of a URL.

use std::fmt;

use serde::Deserialize;

use crate::{
    event::EventKind,
    model::UserModel,
    principal::Principal,
    text::Texts,
    validate::{FieldErrors, Violation},
};

/// The most users on one page.
pub(crate) const MAX_LIMIT: u32 = 100;
/// How many users are on a page unless the query says otherwise.
pub(crate) const DEFAULT_LIMIT: u32 = 50;

/// Which users to list, in which order, and from where on.
///
/// ```
/// # use users_runtime::{ListQuery, UserModel};
/// # fn example<U: UserModel>(filter: U::Filter) {
/// let query = ListQuery::<U>::new().with_search("ada").with_filter(filter).with_sort("-email").with_limit(20);
/// # drop(query);
/// # }
/// ```
pub struct ListQuery<U: UserModel> {
    pub(crate) search: Option<String>,
    pub(crate) filter: U::Filter,
    pub(crate) sort: Option<String>,
    pub(crate) limit: u32,
    pub(crate) after: Option<String>,
    pub(crate) total: bool,
}

impl<U: UserModel> Default for ListQuery<U> {
    fn default() -> Self {
        Self {
            search: None,
            filter: U::Filter::default(),
            sort: None,
            limit: DEFAULT_LIMIT,
            after: None,
            total: false,
        }
    }
}

impl<U: UserModel<Filter: Clone>> Clone for ListQuery<U> {
    fn clone(&self) -> Self {
        Self {
            search: self.search.clone(),
            filter: self.filter.clone(),
            sort: self.sort.clone(),
            limit: self.limit,
            after: self.after.clone(),
            total: self.total,
        }
    }
}

impl<U: UserModel> fmt::Debug for ListQuery<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListQuery")
            .field("search", &self.search)
            .field("sort", &self.sort)
            .field("limit", &self.limit)
            .field("after", &self.after)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl<U: UserModel> ListQuery<U> {
    /// Every user by key, 50 on a page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those whose identifier begins so, in whichever case it is written. An index answers it.
    #[must_use]
    pub fn with_search(self, prefix: impl Into<String>) -> Self {
        Self { search: Some(prefix.into()), ..self }
    }

    /// Those whom the filter leaves.
    #[must_use]
    pub fn with_filter(self, filter: U::Filter) -> Self {
        Self { filter, ..self }
    }

    /// By `id`, by the identifier's field or by a field that the struct marks with `sort`; a `-` in front turns the
    /// order round. By default a search is by identifier, and everything else by key.
    #[must_use]
    pub fn with_sort(self, sort: impl Into<String>) -> Self {
        Self { sort: Some(sort.into()), ..self }
    }

    /// At most so many, from 1 to 100.
    #[must_use]
    pub fn with_limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// Those behind the page that gave this as [`Page::next`].
    #[must_use]
    pub fn with_after(self, cursor: impl Into<String>) -> Self {
        Self { after: Some(cursor.into()), ..self }
    }

    /// Whether to count all pages, which takes time in proportion to the users that are counted.
    #[must_use]
    pub fn with_total(self, total: bool) -> Self {
        Self { total, ..self }
    }

    /// The query in the parameters of a URL. What is not known, is there twice or has another form is an error.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut seen = Vec::new();
        let mut query = Self::default();
        let mut filter = Vec::new();
        for (name, value) in pairs {
            if name.contains('\0') {
                errors.push(shown(name), no_nul());
                continue;
            }
            let known = match name.as_str() {
                "search" => text(value).map(|search| query.search = search),
                "sort" => text(value).map(|sort| query.sort = sort),
                "after" => text(value).map(|after| query.after = after),
                "limit" => limit(value).map(|limit| query.limit = limit),
                "total" => flag(value).map(|total| query.total = total),
                _ => {
                    errors.check(shown(name), text(value).map(drop));
                    filter.push((name.as_str(), value.as_str()));
                    continue;
                }
            };
            errors.check(shown(name), known);
            if seen.contains(&name) {
                errors.push(shown(name), Violation::new("duplicate_field", "is there twice"));
            }
            seen.push(name);
        }
        match U::Filter::deserialize(Texts::query(filter)) {
            Ok(filter) => query.filter = filter,
            Err(error) => {
                let (field, violation) = error.into_violation();
                errors.push(field, violation);
            }
        }
        errors.into_result()?;
        Ok(query)
    }
}

/// No text of a user's may hold U+0000: databases refuse or cut it.
fn text(value: &str) -> Result<Option<String>, Violation> {
    if value.contains('\0') { Err(no_nul()) } else { Ok(Some(value.to_owned())) }
}

fn no_nul() -> Violation {
    Violation::new("invalid_text", "must not contain U+0000")
}

fn limit(text: &str) -> Result<u32, Violation> {
    text.parse().map_err(|_| limit_out_of_range())
}

pub(crate) fn limit_out_of_range() -> Violation {
    Violation::new("out_of_range", format!("write a number from 1 to {MAX_LIMIT}"))
}

fn flag(text: &str) -> Result<bool, Violation> {
    text.parse().map_err(|_| Violation::new("invalid_type", "write `true` or `false`"))
}

/// The beginning of a client's own word, without what a log or a terminal would stumble over.
fn shown(name: &str) -> String {
    const SHOWN_CHARACTERS: usize = 64;
    name.replace('\0', "\u{fffd}").chars().take(SHOWN_CHARACTERS).collect()
}

/// One page of a list of users.
#[non_exhaustive]
pub struct Page<U: UserModel> {
    /// The users with their roles.
    pub items: Vec<Principal<U>>,
    /// What [`ListQuery::with_after`] takes for the page behind this one; `None` on the last.
    pub next: Option<String>,
    /// How many users there were room for.
    pub limit: u32,
    /// How many users all pages hold, if the query asked.
    pub total: Option<u64>,
}

impl<U: UserModel> Page<U> {
    /// A page of a list that ends with it.
    #[must_use]
    pub fn new(items: Vec<Principal<U>>, limit: u32) -> Self {
        Self { items, next: None, limit, total: None }
    }
}

impl<U: UserModel + fmt::Debug> fmt::Debug for Page<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("items", &self.items)
            .field("next", &self.next)
            .field("limit", &self.limit)
            .field("total", &self.total)
            .finish()
    }
}

/// Which events to list, and from where on: the latest first.
#[derive(Debug, Clone)]
pub struct EventQuery {
    pub(crate) kind: Option<EventKind>,
    pub(crate) limit: u32,
    pub(crate) after: Option<String>,
}

impl Default for EventQuery {
    fn default() -> Self {
        Self { kind: None, limit: DEFAULT_LIMIT, after: None }
    }
}

impl EventQuery {
    /// Events of every kind, 50 on a page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of one kind.
    #[must_use]
    pub fn with_kind(self, kind: EventKind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// At most so many, from 1 to 100.
    #[must_use]
    pub fn with_limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// Those behind the page that gave this as [`EventPage::next`](crate::EventPage::next).
    #[must_use]
    pub fn with_after(self, cursor: impl Into<String>) -> Self {
        Self { after: Some(cursor.into()), ..self }
    }

    /// The query in the parameters of a URL. What is not known, is there twice or has another form is an error.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut query = Self::default();
        for (index, (name, value)) in pairs.iter().enumerate() {
            let known = match name.as_str() {
                "kind" => EventKind::from_name(value)
                    .map(|kind| query.kind = Some(kind))
                    .ok_or_else(|| Violation::new("unknown_kind", "is no kind of event")),
                "after" => text(value).map(|after| query.after = after),
                "limit" => limit(value).map(|limit| query.limit = limit),
                _ => Err(Violation::new("unknown_field", "is not known here")),
            };
            errors.check(shown(name), known);
            if pairs[..index].iter().any(|(before, _)| before == name) {
                errors.push(shown(name), Violation::new("duplicate_field", "is there twice"));
            }
        }
        errors.into_result()?;
        Ok(query)
    }
}
