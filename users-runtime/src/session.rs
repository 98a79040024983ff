//! Server-side sessions: what one is, and where it is kept.

use std::{collections::HashMap, sync::Mutex};

use crate::{
    error::Error,
    future::BoxFuture,
    token::{Fingerprint, TokenHash},
};

/// A session as a store holds it. Times are in milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// The user's key, as text.
    pub user_id: String,
    /// What the account was when the session began.
    pub fingerprint: Fingerprint,
    /// When the session began.
    pub created_at: i64,
    /// When a request last renewed it.
    pub seen_at: i64,
    /// When it ends at the latest, however busy.
    pub expires_at: i64,
}

impl SessionRecord {
    /// Whether the session may still be used; sliding never passes the absolute end (S20).
    #[must_use]
    pub fn is_live(&self, now: i64, idle: i64) -> bool {
        now < self.expires_at && now < self.seen_at.saturating_add(idle)
    }
}

/// Where sessions are kept, under the hash of their identifier (S18).
///
/// An error answers the request with 503: a store that is gone lets nobody in (S58).
pub trait SessionStore: Send + Sync + 'static {
    /// Stores a session.
    fn insert(&self, id: TokenHash, record: SessionRecord) -> BoxFuture<'_, Result<(), Error>>;
    /// Reads a session, whether or not it has expired.
    fn get(&self, id: TokenHash) -> BoxFuture<'_, Result<Option<SessionRecord>, Error>>;
    /// Notes that a session is in use; a session that is gone stays gone.
    fn touch(&self, id: TokenHash, seen_at: i64) -> BoxFuture<'_, Result<(), Error>>;
    /// Ends a session.
    fn remove(&self, id: TokenHash) -> BoxFuture<'_, Result<(), Error>>;
    /// Ends every session of a user.
    fn remove_all_of<'a>(&'a self, user_id: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Forgets the sessions that expired before `now`, or were idle for longer than `idle` milliseconds.
    fn remove_expired(&self, now: i64, idle: i64) -> BoxFuture<'_, Result<(), Error>>;
}

/// Sessions in the memory of this process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    sessions: Mutex<HashMap<TokenHash, SessionRecord>>,
}

impl MemoryStore {
    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashMap<TokenHash, SessionRecord>) -> T,
    ) -> BoxFuture<'_, Result<T, Error>> {
        // A panic cannot leave the map half-changed: each piece of work is one call on it.
        let mut sessions = self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let answer = work(&mut sessions);
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl SessionStore for MemoryStore {
    fn insert(&self, id: TokenHash, record: SessionRecord) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| {
            sessions.insert(id, record);
        })
    }

    fn get(&self, id: TokenHash) -> BoxFuture<'_, Result<Option<SessionRecord>, Error>> {
        self.with(|sessions| sessions.get(&id).cloned())
    }

    fn touch(&self, id: TokenHash, seen_at: i64) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| {
            if let Some(record) = sessions.get_mut(&id) {
                record.seen_at = seen_at;
            }
        })
    }

    fn remove(&self, id: TokenHash) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| {
            sessions.remove(&id);
        })
    }

    fn remove_all_of<'a>(&'a self, user_id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.with(|sessions| sessions.retain(|_, record| record.user_id != user_id))
    }

    fn remove_expired(&self, now: i64, idle: i64) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|sessions| sessions.retain(|_, record| record.is_live(now, idle)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s20_sliding_never_passes_the_absolute_end() {
        let record = |seen_at| SessionRecord {
            user_id: String::new(),
            fingerprint: Fingerprint::from_bytes(&[0; 16]).unwrap(),
            created_at: 0,
            seen_at,
            expires_at: 1_000,
        };
        assert!(record(0).is_live(99, 100));
        assert!(!record(0).is_live(100, 100));
        assert!(record(950).is_live(999, 100));
        assert!(!record(999).is_live(1_000, 100));
    }
}
