//! Pages of users: statements whose parts a request chooses among texts of the program, and never writes (S55).

use sqlx::{AssertSqlSafe, Row, query_with};

use super::{BYTE_ORDER, COMPARES_ROWS, Connection, Db, DbArguments, DbRow, SYNTAX, model_sql, role};
use crate::{
    db::{
        Storable,
        list::{Listing, Order, Position, SortKey},
        sql::number,
    },
    error::Error,
    model::{Conditions, SortColumn, Stored, UserModel},
    principal::Principal,
    validate::Violation,
};

/// The columns of the application's own that lists may be sorted by.
pub(in crate::db) fn sort_columns<U: Storable>() -> &'static [SortColumn] {
    model_sql::<U>().list.sorts
}

/// One more user than the page holds tells that there is another page.
pub(in crate::db) async fn list_users<U: Storable>(
    connection: &mut Connection,
    listing: &Listing<'_, U>,
) -> Result<Vec<Principal<U>>, Error> {
    let (statement, arguments) = page_statement(listing)?;
    let rows = query_with(AssertSqlSafe(statement), arguments).fetch_all(connection).await?;
    principals(&rows)
}

/// How many users all pages of a list hold.
pub(in crate::db) async fn count_users<U: Storable>(
    connection: &mut Connection,
    listing: &Listing<'_, U>,
) -> Result<i64, Error> {
    let conditions = conditions(listing)?;
    let filter = where_clause(&conditions);
    let statement = number(SYNTAX, &format!("SELECT COUNT(*) FROM {} u{filter}", model_sql::<U>().table));
    Ok(query_with(AssertSqlSafe(statement), conditions.arguments).fetch_one(connection).await?.try_get(0)?)
}

/// The text of the statement behind a page.
pub(in crate::db) fn page_sql<U: Storable>(listing: &Listing<'_, U>) -> Result<String, Error> {
    Ok(page_statement(listing)?.0)
}

/// The users of the page first, by an index, and then their roles: one row a role, those of a user together.
fn page_statement<U: Storable>(listing: &Listing<'_, U>) -> Result<(String, DbArguments), Error> {
    let sql = model_sql::<U>();
    let mut conditions = conditions(listing)?;
    if let Some(position) = listing.after {
        add_position::<U>(&mut conditions, listing.order, position)?;
    }
    let filter = where_clause(&conditions);
    let order = order_clause::<U>(listing.order);
    let comma = if sql.list.role_select.is_empty() { "" } else { ", " };
    let (table, list) = (sql.table, sql.list);
    // A number, in the text: behind an argument PostgreSQL expects a tenth of the table, and plans each page anew.
    let rows = u64::from(listing.limit) + 1;
    let statement = format!(
        "SELECT {}{comma}{} FROM (SELECT u.* FROM {table} u{filter}{order} LIMIT {rows}) u{}{order}",
        list.select, list.role_select, list.join
    );
    Ok((number(SYNTAX, &statement), conditions.arguments))
}

/// What holds for every user of the list, on whichever page.
fn conditions<U: Storable>(listing: &Listing<'_, U>) -> Result<Conditions<Db>, Error> {
    let list = model_sql::<U>().list;
    let mut conditions = Conditions::default();
    if let Some(tenant) = list.tenant {
        conditions.and(tenant);
        conditions.sql.push_str(" = ?");
        <U as Stored<Db>>::add_tenant(listing.tenant, &mut conditions.arguments).map_err(Error::internal)?;
    }
    <U as Stored<Db>>::filter(listing.filter, &mut conditions).map_err(Error::internal)?;
    if let Some(prefix) = listing.search {
        let bounds = [(" >= ?", Some(prefix.from())), (" < ?", prefix.until())];
        for (operator, bound) in bounds {
            let Some(bound) = bound else { continue };
            conditions.and(list.canonical);
            conditions.sql.push_str(BYTE_ORDER);
            conditions.sql.push_str(operator);
            conditions.bind(bound.to_owned()).map_err(Error::internal)?;
        }
    }
    Ok(conditions)
}

fn where_clause(conditions: &Conditions<Db>) -> String {
    if conditions.sql.is_empty() { String::new() } else { format!(" WHERE {}", conditions.sql) }
}

/// The order, which the key settles where the column alone does not.
fn order_clause<U: Storable>(order: Order) -> String {
    let list = model_sql::<U>().list;
    let direction = if order.descending { " DESC" } else { "" };
    match order.key {
        SortKey::Id => format!(" ORDER BY {}{direction}", list.id),
        SortKey::Identifier => format!(" ORDER BY {}{direction}", list.canonical),
        SortKey::Own(own) => format!(" ORDER BY {}{direction}, {}{direction}", own.column, list.id),
    }
}

/// What holds for every user behind the last one of a page.
fn add_position<U: Storable>(
    conditions: &mut Conditions<Db>,
    order: Order,
    position: &Position<U::Id>,
) -> Result<(), Error> {
    let list = model_sql::<U>().list;
    let (behind, not_before) = if order.descending { (" < ?", " <= ?") } else { (" > ?", " >= ?") };
    let own = match order.key {
        SortKey::Id => {
            conditions.and(list.id);
            conditions.sql.push_str(behind);
            return conditions.bind(position.id).map_err(Error::internal);
        }
        SortKey::Identifier => {
            conditions.and(list.canonical);
            conditions.sql.push_str(behind);
            let value = position.value.as_str().ok_or_else(invalid_cursor)?.to_owned();
            return conditions.bind(value).map_err(Error::internal);
        }
        SortKey::Own(own) => own,
    };
    let add_value = |conditions: &mut Conditions<Db>| {
        let value = position.value.clone();
        <U as Stored<Db>>::add_sort_value(own.key, value, &mut conditions.arguments)
            .map_err(|_| invalid_cursor())
    };
    add_value(conditions)?;
    if COMPARES_ROWS {
        conditions.and("(");
        let compares = if order.descending { ") < (?, ?)" } else { ") > (?, ?)" };
        conditions.sql.extend([own.column, ", ", list.id, compares]);
    } else {
        conditions.and(own.column);
        conditions.sql.extend([not_before, " AND (", own.column, behind, " OR ", list.id, behind, ")"]);
        add_value(conditions)?;
    }
    conditions.bind(position.id).map_err(Error::internal)
}

fn invalid_cursor() -> Error {
    Error::field("after", Violation::new("invalid_cursor", "the field has another type by now; start anew"))
}

/// The users of rows, of which those of one user stand together.
fn principals<U: Storable>(rows: &[DbRow]) -> Result<Vec<Principal<U>>, Error> {
    let mut found: Vec<(U, Vec<<U as UserModel>::Role>)> = Vec::new();
    for row in rows {
        let user = <U as Stored<Db>>::from_row(row)?;
        let role = role::<U>(row)?;
        match found.last_mut() {
            Some((last, roles)) if last.id() == user.id() => roles.extend(role),
            _ => found.push((user, role.into_iter().collect())),
        }
    }
    Ok(found.into_iter().map(|(user, roles)| Principal::new(user, roles)).collect())
}
