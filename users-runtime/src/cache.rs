//! Users and sessions that were read a moment ago, for applications that want them without a statement a request.
//!
//! Off unless [`Config::with_user_cache`](crate::Config) asks for it: a change on another node, or past the library, may
//! then take until the cache's staleness to be seen.

#[cfg(feature = "user-cache")]
mod kept;
#[cfg(not(feature = "user-cache"))]
#[path = "cache/nothing.rs"]
mod kept;
#[cfg(feature = "user-cache")]
mod settings;
#[cfg(all(test, feature = "user-cache"))]
mod tests;

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};

#[cfg(feature = "user-cache")]
pub use settings::UserCache;

pub(crate) use kept::{Kept, Moment};

use crate::{
    model::UserModel,
    principal::Principal,
    session::SessionRecord,
    token::{Fingerprint, TokenHash},
};

/// What a request has to know of its session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) created_at: i64,
    pub(crate) seen_at: i64,
    /// When the session ends, used or not, in milliseconds since 1970.
    pub(crate) ends_at: i64,
    pub(crate) transient: bool,
}

impl Known {
    pub(crate) fn of(record: &SessionRecord, idle: i64) -> Self {
        Self {
            fingerprint: record.fingerprint,
            created_at: record.created_at,
            seen_at: record.seen_at,
            ends_at: record.ends_at(idle),
            transient: record.content.transient,
        }
    }
}

/// What is no longer what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A user, by the text of the key: the row, its roles, or its sessions.
    User(String),
    /// One session.
    Session(TokenHash),
    /// More than can be named.
    Everybody,
}

impl Change {
    /// The change in a line of what another node says; `Everybody` for what this one does not understand, which may be a
    /// later version.
    fn parse(line: &str) -> Self {
        match line.split_once(' ') {
            Some(("user", id)) => Self::User(id.to_owned()),
            Some(("session", id)) => {
                let id = BASE64_URL.decode(id).ok().and_then(|bytes| TokenHash::from_bytes(&bytes));
                id.map_or(Self::Everybody, Self::Session)
            }
            _ => Self::Everybody,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Session(id) => write!(f, "session {}", BASE64_URL.encode(id.as_bytes())),
            Self::Everybody => f.write_str("everybody"),
        }
    }
}

/// The users and sessions of a node that were read a moment ago; nothing where no cache is asked for. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cache(Option<Arc<Kept>>);

impl Cache {
    #[cfg(feature = "user-cache")]
    pub(crate) fn new(kept: Kept) -> Self {
        Self(Some(Arc::new(kept)))
    }

    #[cfg(feature = "user-cache")]
    pub(crate) fn kept(&self) -> Option<&Arc<Kept>> {
        self.0.as_ref()
    }

    /// To be asked before the database is: what is read after this is kept only if nothing has changed since.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.0.as_ref().map(|kept| kept.moment())
    }

    pub(crate) fn find<U: UserModel>(
        &self,
        tenant: &U::Tenant,
        id: TokenHash,
    ) -> Option<(Principal<U>, Known)> {
        self.0.as_ref()?.find(tenant, id)
    }

    /// Keeps what was read after `moment`.
    pub(crate) fn keep<U: UserModel>(
        &self,
        moment: Option<Moment>,
        tenant: &U::Tenant,
        id: TokenHash,
        found: (&Principal<U>, Known),
    ) {
        if let (Some(kept), Some(moment)) = (&self.0, moment) {
            kept.keep(moment, tenant, id, found);
        }
    }

    /// What a transaction is going to change.
    pub(crate) fn changes(&self) -> Changes {
        Changes { cache: self.clone(), list: Vec::new() }
    }
}

/// What a transaction changes. It is forgotten when this is dropped: after the commit, or when nobody knows whether there
/// was one.
#[derive(Debug)]
pub(crate) struct Changes {
    cache: Cache,
    list: Vec<Change>,
}

/// The longest text that PostgreSQL tells others of, in bytes
/// (<https://www.postgresql.org/docs/current/sql-notify.html>).
#[cfg(feature = "postgres")]
const LONGEST: usize = 7_999;

impl Changes {
    /// The row of a user changes, its roles, or its sessions.
    pub(crate) fn of_user(&mut self, id: &impl ToString) {
        if self.cache.0.is_some() {
            self.list.push(Change::User(id.to_string()));
        }
    }

    /// A session ends.
    pub(crate) fn of_session(&mut self, id: TokenHash) {
        if self.cache.0.is_some() {
            self.list.push(Change::Session(id));
        }
    }

    /// What many users have changes.
    pub(crate) fn of_everybody(&mut self) {
        if self.cache.0.is_some() {
            self.list.push(Change::Everybody);
        }
    }

    /// What other nodes have to be told; `None` when there is nothing.
    #[cfg(feature = "postgres")]
    pub(crate) fn announcement(&self) -> Option<String> {
        if self.list.is_empty() {
            return None;
        }
        let lines: Vec<_> = self.list.iter().map(Change::to_string).collect();
        let text = lines.join("\n");
        Some(if text.len() > LONGEST { Change::Everybody.to_string() } else { text })
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let (Some(kept), false) = (&self.cache.0, self.list.is_empty()) {
            kept.forget(&self.list);
        }
    }
}
