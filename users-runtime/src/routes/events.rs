//! What both groups with events state and answer of them: `current_user` the own, `users` those of everybody.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::Serialize;

use crate::{
    error::Error,
    event::{Event, EventKind, EventPage},
    json,
    model::Described,
    operation::{Facts, Member, Shape},
    query::{DEFAULT_LIMIT, EventQuery, MAX_LIMIT},
};

/// What a list of events takes and answers, under this name.
pub(super) fn facts<Shown: Described>(facts: Facts, name: &'static str) -> Facts {
    let limit = Shape::Between(1, MAX_LIMIT, Some(DEFAULT_LIMIT));
    let page = Shape::object(
        name,
        [
            Member::new("items", Shape::list_of::<Shown>(), "The latest first."),
            Member::new("next", Shape::Next, "What `after` takes for the page behind this one."),
            Member::new("limit", Shape::Integer, "How many there was room for."),
        ],
    );
    facts
        .in_query("kind", Shape::Word(EventKind::WORDS), "What happened.")
        .in_query("limit", limit, "How many at most.")
        .in_query("after", Shape::Text, "The `next` of the page before.")
        .answers(StatusCode::OK, page, "A page of events.")
}

/// What the request asks for.
pub(super) fn query(parts: &Parts) -> Result<EventQuery, Error> {
    EventQuery::parse(&json::parameters(&parts.uri)?).map_err(Error::Validation)
}

/// The answer to a list.
#[derive(Serialize)]
struct Listed<Shown> {
    items: Vec<Shown>,
    next: Option<String>,
    limit: u32,
}

/// The answer to a list, with the events as the group shows them.
pub(super) fn listed<Shown: From<Event> + Serialize>(page: EventPage) -> Response {
    let EventPage { items, next, limit } = page;
    let items: Vec<Shown> = items.into_iter().map(Into::into).collect();
    Json(Listed { items, next, limit }).into_response()
}
