//! The record of events, to which rows are added, and from which time alone takes them.

use sqlx::{Row, query};

use super::{Connection, DbArguments, DbRow, SYNTAX, insert_returning_key};
use crate::{
    db::events::Wanted,
    error::Error,
    event::{Event, EventKind, EventOutcome},
};

/// The columns of an event, in the order of [`event`].
const COLUMNS: &str = "id, occurred_at, kind, outcome, user_id, tenant, actor, address, client, detail";

/// What an `INSERT` ends with to answer the number that it was given.
const RETURNING: &str = if SYNTAX.returning.is_empty() { "" } else { " RETURNING id" };

/// Stores an event; its number.
pub(in crate::db) async fn insert_event(connection: &mut Connection, event: &Event) -> Result<i64, Error> {
    let detail = if event.detail.is_empty() { None } else { Some(json(&event.detail)?) };
    let arguments = values![
        event.at,
        event.kind.as_str(),
        event.outcome.as_str(),
        event.user_id.as_deref(),
        json(&event.tenant)?,
        event.actor.as_deref(),
        event.address.as_deref(),
        event.client.as_deref(),
        detail,
    ];
    let statement = sql!(
        "INSERT INTO users_events (occurred_at, kind, outcome, user_id, tenant, actor, address, client, detail) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        RETURNING
    );
    Ok(insert_returning_key(connection, statement, arguments, 0_i64).await?)
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn event(row: &DbRow) -> Result<Event, Error> {
    let detail = row.try_get::<Option<&str>, _>(9)?.map(serde_json::from_str).transpose();
    Ok(Event {
        id: row.try_get(0)?,
        at: row.try_get(1)?,
        kind: EventKind::from_name(row.try_get(2)?).unwrap_or(EventKind::Other),
        outcome: EventOutcome::from_name(row.try_get(3)?).unwrap_or(EventOutcome::Other),
        user_id: row.try_get(4)?,
        tenant: serde_json::from_str(row.try_get(5)?).map_err(Error::internal)?,
        actor: row.try_get(6)?,
        address: row.try_get(7)?,
        client: row.try_get(8)?,
        detail: detail.map_err(Error::internal)?.unwrap_or_default(),
    })
}

/// Events of a tenant, the latest first.
pub(in crate::db) async fn events(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
) -> Result<Vec<Event>, Error> {
    const OF_TENANT: &str = "id < ? AND tenant = ? AND (? = '' OR kind = ?) ORDER BY id DESC LIMIT ?";
    let kind = wanted.kind.map(EventKind::as_str).unwrap_or_default();
    let statement = match wanted.user_id {
        Some(_) => sql!("SELECT ", COLUMNS, " FROM users_events WHERE user_id = ? AND ", OF_TENANT),
        None => sql!("SELECT ", COLUMNS, " FROM users_events WHERE ", OF_TENANT),
    };
    let mut arguments = DbArguments::default();
    if let Some(user_id) = wanted.user_id {
        add_values!(arguments, user_id);
    }
    add_values!(arguments, wanted.before, json(wanted.tenant)?, kind, kind, i64::from(wanted.limit));
    let rows = sqlx::query_with(statement, arguments).fetch_all(connection).await?;
    rows.iter().map(event).collect()
}

/// The events behind one, of every tenant, in the order of their numbers.
pub(in crate::db) async fn events_after(
    connection: &mut Connection,
    id: i64,
    limit: u32,
) -> Result<Vec<Event>, Error> {
    let rows = query(sql!("SELECT ", COLUMNS, " FROM users_events WHERE id > ? ORDER BY id LIMIT ?"))
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(event).collect()
}
