//! `events`: one page of what happened to accounts.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::{
    accounts::find,
    args::Events,
    console::{Console, printable},
    failure::Failure,
    output::table,
};
use crate::{
    app::Application,
    clock,
    error::Error,
    event::{Event, EventKind, EventPage},
    model::UserModel,
    query::EventQuery,
    service::Scope,
};

#[derive(Serialize)]
struct Document {
    items: Vec<Event>,
    next: Option<String>,
}

pub(super) async fn run<A: Application>(
    users: &Scope<A>,
    arguments: &Events,
    console: &mut Console,
) -> Result<(), Failure> {
    let mut query = EventQuery::new().with_limit(arguments.limit);
    if let Some(word) = &arguments.kind {
        query = query.with_kind(EventKind::from_name(word).ok_or_else(|| {
            let known: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
            Failure::usage(format!("`{}` is no kind; there are {}", printable(word), known.join(", ")))
        })?);
    }
    if let Some(after) = &arguments.after {
        query = query.with_after(after);
    }
    let page = match &arguments.user {
        Some(named) => of_user(users, named, &query).await?,
        None => users.events(&query).await?,
    };
    if console.json {
        let EventPage { items, next, .. } = page;
        return Ok(console.document(&Document { items, next })?);
    }
    show(&page, console)
}

/// The events of a user by identifier, and otherwise by key, which those have who were deleted.
async fn of_user<A: Application>(
    users: &Scope<A>,
    named: &str,
    query: &EventQuery,
) -> Result<EventPage, Failure> {
    match (find(users, named).await, named.parse()) {
        (Ok(user), _) => Ok(users.events_of(user.id(), query).await?),
        (Err(unknown), Ok(id)) => match users.events_shown_of(id, query).await {
            Err(Error::NotFound) => Err(unknown),
            page => Ok(page?),
        },
        (Err(unknown), Err(_)) => Err(unknown),
    }
}

fn show(page: &EventPage, console: &mut Console) -> Result<(), Failure> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut rows = Vec::new();
    for event in &page.items {
        let detail = event.detail.iter().map(|(key, value)| match value {
            Value::String(value) => format!("{key}={value}"),
            value => format!("{key}={value}"),
        });
        rows.push(vec![
            clock::rfc3339(event.at).map_err(Error::internal)?,
            event.kind.to_string(),
            event.outcome.to_string(),
            text(&event.user_id),
            text(&event.actor),
            text(&event.address),
            detail.collect::<Vec<_>>().join(" "),
        ]);
    }
    let headings = ["when", "kind", "outcome", "user", "by", "from", "detail"];
    table(&headings, &rows, &mut console.output)?;
    console.output.flush()?;
    if let Some(next) = &page.next {
        console.note(format_args!("there are more: --after {next}"))?;
    }
    Ok(())
}
