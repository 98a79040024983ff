//! What a node keeps of users and sessions.

use std::{
    any::Any,
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::sync::Cache;
use tokio::sync::Notify;

use super::{Change, Known, UserCache};
use crate::{model::UserModel, principal::Principal, token::TokenHash};

/// What is true of the cache before the database is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// How many changes there had been.
    changes: u64,
    at: Instant,
}

/// A user as the database had it.
struct Account<U: UserModel> {
    tenant: U::Tenant,
    principal: Principal<U>,
}

/// A user that is kept, whatever the model.
#[derive(Clone)]
struct KeptUser {
    /// Tells what was kept before a change of the user from what was kept after it.
    stamp: u64,
    read_at: Instant,
    account: Arc<dyn Any + Send + Sync>,
}

#[derive(Clone)]
struct KeptSession {
    user: Arc<str>,
    /// That of the user with which the session was read: after a change of the user it has another one, and each of the
    /// user's sessions is looked for anew.
    stamp: u64,
    read_at: Instant,
    seen: Known,
}

/// How many last changes are told apart. Of two users with the same place, the change of one is taken for one of the other,
/// who is read once more for it.
const PLACES: usize = 1024;

/// When what changed last, counted in changes.
struct Changes {
    count: u64,
    everybody: u64,
    last: Box<[u64]>,
    hashes: RandomState,
}

impl Default for Changes {
    fn default() -> Self {
        Self { count: 0, everybody: 0, last: vec![0; PLACES].into(), hashes: RandomState::new() }
    }
}

impl Changes {
    fn place(&self, of: impl Hash) -> usize {
        // What is left after the division is less than the number of places.
        usize::try_from(self.hashes.hash_one(of) % PLACES as u64).unwrap_or_default()
    }

    fn note(&mut self, change: &Change) {
        self.count += 1;
        let place = match change {
            Change::User(id) => self.place(id.as_str()),
            Change::Session(id) => self.place(id),
            Change::Everybody => {
                self.everybody = self.count;
                return;
            }
        };
        if let Some(last) = self.last.get_mut(place) {
            *last = self.count;
        }
    }

    /// Whether a user and a session are still what they were at a moment.
    fn none_since(&self, moment: u64, user: &str, session: TokenHash) -> bool {
        let last = |place: usize| self.last.get(place).is_some_and(|last| *last <= moment);
        self.everybody <= moment && last(self.place(user)) && last(self.place(session))
    }
}

/// The users and sessions that are kept.
pub(crate) struct Kept {
    staleness: Duration,
    users: Cache<Arc<str>, KeptUser>,
    sessions: Cache<TokenHash, KeptSession>,
    /// Whoever keeps something holds it for reading, whoever forgets for writing: nothing that was read before a change is
    /// kept behind it.
    changes: RwLock<Changes>,
    stamps: AtomicU64,
    /// Stamps below this one are of before a change of everything.
    oldest: AtomicU64,
    /// Whether this node hears of the changes of others.
    hears: AtomicBool,
    /// Told when nobody needs the cache any more.
    pub(crate) closed: Arc<Notify>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("staleness", &self.staleness).finish_non_exhaustive()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.closed.notify_one();
    }
}

impl Kept {
    /// Keeps nothing yet. One that has to hear of changes first keeps nothing until it does.
    pub(crate) fn new(settings: UserCache, hears: bool) -> Self {
        let UserCache { staleness, users } = settings;
        Self {
            staleness,
            users: Cache::builder().max_capacity(users).time_to_live(staleness).build(),
            sessions: Cache::builder().max_capacity(users).time_to_live(staleness).build(),
            changes: RwLock::default(),
            stamps: AtomicU64::new(1),
            oldest: AtomicU64::new(1),
            hears: AtomicBool::new(hears),
            closed: Arc::default(),
        }
    }

    pub(super) fn moment(&self) -> Moment {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner).count;
        Moment { changes, at: Instant::now() }
    }

    pub(super) fn find<U: UserModel>(
        &self,
        tenant: &U::Tenant,
        id: TokenHash,
    ) -> Option<(Principal<U>, Known)> {
        if !self.hears.load(Ordering::Acquire) {
            return None;
        }
        let session = self.sessions.get(&id)?;
        let user = self.users.get(&session.user)?;
        // Measured from before the statement, and not from when its answer was kept.
        let read_at = session.read_at.min(user.read_at);
        let current = session.stamp == user.stamp && session.stamp >= self.oldest.load(Ordering::Acquire);
        if !current || read_at.elapsed() >= self.staleness {
            return None;
        }
        let account = user.account.downcast_ref::<Account<U>>()?;
        (account.tenant == *tenant).then(|| (account.principal.clone(), session.seen))
    }

    pub(super) fn keep<U: UserModel>(
        &self,
        moment: Moment,
        tenant: &U::Tenant,
        id: TokenHash,
        (principal, seen): (&Principal<U>, Known),
    ) {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let user: Arc<str> = principal.id().to_string().into();
        if !changes.none_since(moment.changes, &user, id) {
            return;
        }
        let known = self.users.get(&user).map(|known| known.stamp);
        let known = known.filter(|stamp| *stamp >= self.oldest.load(Ordering::Acquire));
        // One stamp for all sessions of a user, or each would put the others out.
        let stamp = known.unwrap_or_else(|| self.stamps.fetch_add(1, Ordering::Relaxed));
        let account = Account::<U> { tenant: tenant.clone(), principal: principal.clone() };
        let read_at = moment.at;
        self.users.insert(Arc::clone(&user), KeptUser { stamp, read_at, account: Arc::new(account) });
        self.sessions.insert(id, KeptSession { user, stamp, read_at, seen });
    }

    pub(super) fn forget(&self, list: &[Change]) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        for change in list {
            changes.note(change);
            match change {
                Change::User(id) => self.users.invalidate(id.as_str()),
                Change::Session(id) => self.sessions.invalidate(id),
                Change::Everybody => {
                    self.oldest.store(self.stamps.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Release);
                }
            }
        }
    }

    /// Forgets what another node says has changed.
    #[cfg(feature = "postgres")]
    pub(crate) fn hear(&self, announcement: &str) {
        let list: Vec<_> = announcement.lines().map(Change::parse).collect();
        self.forget(&list);
    }

    /// Whether this node hears of changes from now on. What was kept before is of no use after a silence.
    #[cfg(feature = "postgres")]
    pub(crate) fn set_hearing(&self, hears: bool) {
        self.forget(&[Change::Everybody]);
        self.hears.store(hears, Ordering::Release);
    }
}
