//! Lists of users, a page at a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Scope;
use crate::{
    app::Application,
    db::list::{Listing, Order, Position, Prefix, SortKey},
    directory::Directory,
    error::Error,
    model::{SortColumn, UserModel},
    query::{ListQuery, MAX_LIMIT, Page, limit_out_of_range},
    token::CURSOR_TAG_BYTES,
    validate::{Violation, canonical_prefix},
};

type User<A> = <A as Application>::User;
type Id<A> = <User<A> as UserModel>::Id;

/// The name by which lists are sorted by key, whatever the field is called.
const ID: &str = "id";

/// Where a page ended: clients carry it and cannot change it.
#[derive(Serialize, Deserialize)]
struct Cursor<'a, Id> {
    /// What the list was sorted by, as clients write it.
    #[serde(rename = "s", borrow)]
    sort: std::borrow::Cow<'a, str>,
    #[serde(rename = "v")]
    value: Value,
    #[serde(rename = "i")]
    id: Id,
}

/// A query whose every part is known to make sense.
struct Plan<U: UserModel> {
    query: ListQuery<U>,
    prefix: Option<Prefix>,
    order: Order,
    after: Option<Position<U::Id>>,
}

impl<U: UserModel> Plan<U> {
    fn listing<'a>(&'a self, tenant: &'a U::Tenant) -> Listing<'a, U> {
        Listing {
            tenant,
            filter: &self.query.filter,
            search: self.prefix.as_ref(),
            order: self.order,
            after: self.after.as_ref(),
            limit: self.query.limit,
        }
    }
}

impl<A: Application> Scope<A> {
    /// One page of users with their roles, in one statement that an index serves at the start and deep inside alike. The
    /// total, if the query asks for it, is a second one.
    ///
    /// # Errors
    /// [`Error::Validation`] when the query names what lists are not sorted by, or carries a cursor of another list.
    pub async fn list_users(&self, query: ListQuery<User<A>>) -> Result<Page<User<A>>, Error> {
        let plan = self.plan(query)?;
        let listing = plan.listing(self.tenant());
        let database = &self.directory().database;
        let mut items = database.list_users(&listing).await?;
        let total = if plan.query.total {
            // No count is negative.
            Some(u64::try_from(database.count_users(&listing).await?).unwrap_or_default())
        } else {
            None
        };
        let limit = usize::try_from(plan.query.limit).unwrap_or(usize::MAX);
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let next = match items.last() {
            Some(last) if !is_last => Some(self.cursor_behind(last, plan.order)?),
            _ => None,
        };
        Ok(Page { items, next, limit: plan.query.limit, total })
    }

    /// The statement behind a page, for those who ask a database how it would run it.
    #[doc(hidden)]
    pub fn page_sql(&self, query: ListQuery<User<A>>) -> Result<String, Error> {
        let plan = self.plan(query)?;
        self.directory().database.page_sql(&plan.listing(self.tenant()))
    }

    fn plan(&self, query: ListQuery<User<A>>) -> Result<Plan<User<A>>, Error> {
        if !(1..=MAX_LIMIT).contains(&query.limit) {
            return Err(Error::field("limit", limit_out_of_range()));
        }
        let prefix = match query.search.as_deref().map(canonical_prefix) {
            Some(None) => {
                let detail = "is longer than any identifier";
                return Err(Error::field("search", Violation::new("too_long", detail)));
            }
            Some(Some(text)) => Prefix::new(&text),
            None => None,
        };
        let order = match &query.sort {
            Some(sort) => self.order(sort)?,
            // What the search reads anyway is in this order.
            None if prefix.is_some() => Order { key: SortKey::Identifier, descending: false },
            None => Order { key: SortKey::Id, descending: false },
        };
        let after = query.after.as_deref().map(|cursor| self.position(cursor, order)).transpose()?;
        Ok(Plan { query, prefix, order, after })
    }

    /// What a client's word sorts by: one of the names that the program knows (S55).
    fn order(&self, sort: &str) -> Result<Order, Error> {
        let (name, descending) = match sort.strip_prefix('-') {
            Some(name) => (name, true),
            None => (sort, false),
        };
        let own = self.directory().database.sort_columns::<User<A>>();
        let key = match own.iter().find(|column| column.key == name) {
            Some(column) => SortKey::Own(column),
            None if name == ID => SortKey::Id,
            None if name == User::<A>::IDENTIFIER.field => SortKey::Identifier,
            None => return Err(Error::field("sort", unknown_sort::<User<A>>(own))),
        };
        Ok(Order { key, descending })
    }

    /// The cursor of the page behind this user.
    fn cursor_behind(&self, last: &User<A>, order: Order) -> Result<String, Error> {
        let value = match order.key {
            SortKey::Id => Value::Null,
            SortKey::Identifier => Directory::<User<A>>::canonical(last.identifier())
                .map(|identifier| Value::String(identifier.canonical))
                .ok_or_else(|| Error::internal("a stored identifier has no canonical form"))?,
            SortKey::Own(column) => last
                .sort_value(column.key)
                .ok_or_else(|| Error::internal("a column that lists are sorted by has no value"))?
                .map_err(Error::internal)?,
        };
        let cursor = Cursor { sort: name_of::<User<A>>(order).into(), value, id: last.id() };
        let cursor = serde_json::to_vec(&cursor).map_err(Error::internal)?;
        let mut bytes = self.directory().keys.cursor_tag(&self.tenant_bytes()?, &cursor).to_vec();
        bytes.extend(cursor);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Where a cursor points, if it is one that this list gave: a client that made its own, or brought one of another
    /// order or another tenant, is told so.
    fn position(&self, cursor: &str, order: Order) -> Result<Position<Id<A>>, Error> {
        let tenant = self.tenant_bytes()?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid_cursor())?;
        let (tag, cursor) = bytes.split_at_checked(CURSOR_TAG_BYTES).ok_or_else(invalid_cursor)?;
        if !self.directory().keys.vouches_for(tag, &tenant, cursor) {
            return Err(invalid_cursor());
        }
        let cursor: Cursor<'_, Id<A>> = serde_json::from_slice(cursor).map_err(|_| invalid_cursor())?;
        if cursor.sort != name_of::<User<A>>(order) {
            return Err(invalid_cursor());
        }
        Ok(Position { value: cursor.value, id: cursor.id })
    }

    fn tenant_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self.tenant()).map_err(Error::internal)
    }
}

/// An order as clients write it.
fn name_of<U: UserModel>(order: Order) -> String {
    let name = match order.key {
        SortKey::Id => ID,
        SortKey::Identifier => U::IDENTIFIER.field,
        SortKey::Own(column) => column.key,
    };
    format!("{}{name}", if order.descending { "-" } else { "" })
}

fn unknown_sort<U: UserModel>(own: &[SortColumn]) -> Violation {
    let names = [ID, U::IDENTIFIER.field].into_iter().chain(own.iter().map(|column| column.key));
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    let detail = format!("write {}, with `-` in front for the other way round", names.join(" or "));
    Violation::new("unknown_sort", detail)
}

fn invalid_cursor() -> Error {
    let detail = "take it from `next` of the page before, with the same `sort`";
    Error::field("after", Violation::new("invalid_cursor", detail))
}
