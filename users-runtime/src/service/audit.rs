//! What happens to accounts, recorded and read again.

use std::sync::{Arc, Weak};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::sync::mpsc;

use super::{Inner, Scope, Users};
use crate::{
    app::Application,
    clock,
    db::{Transaction, events::Wanted, outbox::Asked},
    error::{Error, display_chain},
    event::{Event, EventPage, NewEvent, PROGRAM},
    hooks::Hooks,
    model::UserModel,
    query::{EventQuery, MAX_LIMIT, limit_out_of_range},
    token::CURSOR_TAG_BYTES,
    validate::Violation,
};

type Id<A> = <<A as Application>::User as UserModel>::Id;

/// How old an event is, in milliseconds, when every event with a smaller number is there too. Databases number rows before
/// they are committed, and a transaction may take its time.
const SETTLED: i64 = 60 * 1000;

/// Starts what tells the hook of events; it ends when the last handle of the application is dropped.
pub(super) fn spawn<A: Application>(inner: &Arc<Inner<A>>) {
    if let Some(events) = inner.shared.database.events.open() {
        tokio::spawn(tell(Arc::downgrade(inner), events));
    }
}

async fn tell<A: Application>(application: Weak<Inner<A>>, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let Some(inner) = application.upgrade() else { return };
        let id = event.id;
        // In a task of its own: a panic ends this one and no other.
        let told = tokio::spawn(async move { inner.hooks.on_event(&event).await }).await;
        match told {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(event = id, cause = %display_chain(&error), "the hook `on_event` failed");
            }
            Err(error) => tracing::error!(event = id, cause = %error, "the hook `on_event` broke"),
        }
    }
}

impl<A: Application> Scope<A> {
    /// Writes an event down in the transaction of what it records, so that there is neither without the other. Who did it
    /// and from where is known from the request that the scope was made for.
    pub(super) async fn record(&self, transaction: &mut Transaction, event: NewEvent) -> Result<(), Error> {
        self.directory().record(transaction, self.attributed(event)).await
    }

    /// Writes down what leaves no other trace, such as a login that failed.
    pub(super) async fn record_alone(&self, event: NewEvent) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        self.record(&mut transaction, event).await?;
        transaction.commit().await
    }

    fn attributed(&self, event: NewEvent) -> NewEvent {
        let actor = match (&self.actor, &self.source) {
            (Some(actor), _) => Some(actor.id().to_string()).filter(|id| event.user_id.as_ref() != Some(id)),
            // Nobody is logged in: whoever sent the request acts for the account that it is about, if for any.
            (None, Some(_)) if !event.managed => None,
            (None, _) => Some(PROGRAM.to_owned()),
        };
        let event = NewEvent { actor, ..event };
        match &self.source {
            Some(source) => event.from(source),
            None => event,
        }
    }

    /// Who asks for a mail, and from where.
    pub(super) fn asking(&self) -> Asked {
        let event = self.attributed(NewEvent::new(crate::event::EventKind::Other));
        Asked { actor: event.actor, address: event.address, client: event.client }
    }

    /// What happened to the account of a user, the latest first, also when there is no such user any more.
    ///
    /// # Errors
    /// [`Error::Validation`] when the query makes no sense.
    pub async fn events_of(&self, user: Id<A>, query: &EventQuery) -> Result<EventPage, Error> {
        self.page_of_events(Some(&user.to_string()), query).await
    }

    /// What happened to all accounts, the latest first.
    ///
    /// # Errors
    /// As [`events_of`](Self::events_of).
    pub async fn events(&self, query: &EventQuery) -> Result<EventPage, Error> {
        self.page_of_events(None, query).await
    }

    /// The same for an administrator, to whom a user of whom nothing is known does not exist.
    pub(crate) async fn events_shown_of(&self, user: Id<A>, query: &EventQuery) -> Result<EventPage, Error> {
        let page = self.events_of(user, query).await?;
        if page.items.is_empty() && self.user(user).await?.is_none() {
            let any = self.events_of(user, &EventQuery::new().with_limit(1)).await?;
            if any.items.is_empty() {
                return Err(Error::NotFound);
            }
        }
        Ok(page)
    }

    /// Everything that is recorded of a user's account, the latest first.
    pub(super) async fn all_events_of(&self, user: Id<A>) -> Result<Vec<Event>, Error> {
        let mut query = EventQuery::new().with_limit(MAX_LIMIT);
        let mut all = Vec::new();
        loop {
            let EventPage { items, next, .. } = self.events_of(user, &query).await?;
            all.extend(items);
            match next {
                Some(next) => query = query.with_after(next),
                None => return Ok(all),
            }
        }
    }

    async fn page_of_events(&self, user_id: Option<&str>, query: &EventQuery) -> Result<EventPage, Error> {
        let EventQuery { kind, limit, after } = query;
        if !(1..=MAX_LIMIT).contains(limit) {
            return Err(Error::field("limit", limit_out_of_range()));
        }
        let before = match after {
            Some(cursor) => self.event_before(cursor, user_id)?,
            None => i64::MAX,
        };
        let tenant = serde_json::to_value(self.tenant()).map_err(Error::internal)?;
        // One more than the page holds tells that there is another page.
        let wanted = Wanted { tenant: &tenant, user_id, kind: *kind, before, limit: limit + 1 };
        let mut items = self.directory().database.events(&wanted).await?;
        let room = usize::try_from(*limit).unwrap_or(usize::MAX);
        let is_last = items.len() <= room;
        items.truncate(room);
        let next = match items.last() {
            Some(last) if !is_last => Some(self.event_cursor(last.id, user_id)?),
            _ => None,
        };
        Ok(EventPage { items, next, limit: *limit })
    }

    /// The cursor of the page behind this event. The tag keeps clients from making their own.
    fn event_cursor(&self, id: i64, user_id: Option<&str>) -> Result<String, Error> {
        let bound = self.bound_to(user_id)?;
        let number = id.to_be_bytes();
        let mut bytes = self.directory().keys.cursor_tag(&bound, &number).to_vec();
        bytes.extend(number);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    fn event_before(&self, cursor: &str, user_id: Option<&str>) -> Result<i64, Error> {
        let invalid = || {
            let detail = "take it from `next` of the page before";
            Error::field("after", Violation::new("invalid_cursor", detail))
        };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (tag, number) = bytes.split_at_checked(CURSOR_TAG_BYTES).ok_or_else(invalid)?;
        if !self.directory().keys.vouches_for(tag, &self.bound_to(user_id)?, number) {
            return Err(invalid());
        }
        number.try_into().map(i64::from_be_bytes).map_err(|_| invalid())
    }

    /// Whose list a cursor belongs to.
    fn bound_to(&self, user_id: Option<&str>) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&("events", self.tenant(), user_id)).map_err(Error::internal)
    }
}

impl<A: Application> Users<A> {
    /// The events behind the one with this number, in the order of their numbers and of every tenant, at most so many: for
    /// a program that carries them elsewhere and keeps the number of the last one that arrived. Begin with 0.
    ///
    /// An event appears here a minute after it is recorded. By then every one with a smaller number is there as well, so
    /// none is passed over, unless a transaction of yours takes longer than that.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<Event>, Error> {
        let mut events = self.0.shared.database.events_after(id, limit).await?;
        let settled = clock::now().saturating_sub(SETTLED);
        let young = events.iter().position(|event| event.at > settled);
        events.truncate(young.unwrap_or(events.len()));
        Ok(events)
    }
}
