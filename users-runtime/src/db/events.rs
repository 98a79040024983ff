//! Events as the database is asked for them, and accounts that wait for their deletion.

use serde_json::Value;

use super::{Database, Id, Storable, Transaction};
use crate::{
    clock,
    error::Error,
    event::{Event, EventKind, NewEvent},
};

/// Which events, from where on, and how many.
pub(crate) struct Wanted<'a> {
    pub(crate) tenant: &'a Value,
    /// Those of one user; `None` for all.
    pub(crate) user_id: Option<&'a str>,
    pub(crate) kind: Option<EventKind>,
    /// Those with a smaller number.
    pub(crate) before: i64,
    pub(crate) limit: u32,
}

impl Database {
    /// Events of a tenant, the latest first.
    pub(crate) async fn events(&self, wanted: &Wanted<'_>) -> Result<Vec<Event>, Error> {
        dispatch!(pool self, events(wanted))
    }

    /// The events behind one, of every tenant, in the order of their numbers.
    pub(crate) async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<Event>, Error> {
        dispatch!(pool self, events_after(id, limit))
    }

    /// Deletes some of the events before a moment; how many they were.
    pub(crate) async fn delete_events(&self, before: i64) -> Result<u64, Error> {
        dispatch!(within super::CLEANING; self, delete_events(before))
    }

    /// Whether the owner of an account that waits for its deletion may still come back.
    pub(crate) async fn may_cancel_deletion<U: Storable>(&self, id: Id<U>, now: i64) -> Result<bool, Error> {
        dispatch!(pool self, may_cancel_deletion::<U>(id, now))
    }

    /// Some of the accounts whose deletion is due, with their tenants as JSON, behind those that are passed over.
    pub(crate) async fn due_deletions<U: Storable>(
        &self,
        now: i64,
        passed_over: i64,
    ) -> Result<Vec<(Id<U>, String)>, Error> {
        dispatch!(pool self, due_deletions::<U>(now, passed_over))
    }
}

impl Transaction {
    /// Stores an event, and tells of it after the commit.
    pub(crate) async fn insert_event(&mut self, tenant: Value, new: NewEvent) -> Result<(), Error> {
        let NewEvent { kind, outcome, user_id, actor, address, client, detail, managed: _ } = new;
        let at = clock::now();
        let mut event = Event { id: 0, at, kind, outcome, user_id, tenant, actor, address, client, detail };
        let stored = &event;
        event.id = dispatch!(tx self, insert_event(stored))?;
        self.recorded.push(event);
        Ok(())
    }

    /// Notes that an account waits for its deletion.
    pub(crate) async fn insert_deletion<U: Storable>(
        &mut self,
        id: Id<U>,
        tenant: &str,
        due_at: i64,
    ) -> Result<(), Error> {
        dispatch!(tx self, insert_deletion::<U>(id, tenant, due_at))
    }

    /// Takes the note away for the account's owner, before its time; `false` when it is not there for them to take.
    pub(crate) async fn cancel_deletion<U: Storable>(&mut self, id: Id<U>, now: i64) -> Result<bool, Error> {
        dispatch!(tx self, cancel_deletion::<U>(id, now))
    }

    /// Takes the note away when its time has come: of several nodes, one gets it.
    pub(crate) async fn claim_deletion<U: Storable>(&mut self, id: Id<U>, now: i64) -> Result<bool, Error> {
        dispatch!(tx self, claim_deletion::<U>(id, now))
    }

    /// Leaves the note there, and its owner without a way back.
    pub(crate) async fn hold_deletion<U: Storable>(&mut self, id: Id<U>) -> Result<(), Error> {
        dispatch!(tx self, hold_deletion::<U>(id))
    }

    /// Takes the note away, whoever may.
    pub(crate) async fn delete_deletion<U: Storable>(&mut self, id: Id<U>) -> Result<(), Error> {
        dispatch!(tx self, delete_deletion::<U>(id))
    }
}
