//! The sessions that requests wait for, several to a statement when many do.
//!
//! The way to a database and back costs more than a row. So a few statements are under way at once for each tenant, and who
//! comes while they are waits for the next, which asks for the sessions of all who wait. Who finds nobody before them has a
//! statement of their own. Whichever it is, it begins after the request has come, so that it sees what was changed before
//! (S23).

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::{runtime::Handle, sync::oneshot};

#[cfg(feature = "sqlite")]
use super::database::Lenders;
use super::{ANSWER, Database, Found, SESSIONS, Storable, loan::in_time};
use crate::{
    error::{Error, display_chain},
    model::UserModel,
    token::TokenHash,
};

/// A session with its user, if there is one.
type Answer<U> = Result<Option<Found<U>>, Error>;

/// Who waits for which session.
struct Waiting<U: UserModel> {
    id: TokenHash,
    answer: oneshot::Sender<Answer<U>>,
}

/// What is asked for in one tenant.
struct Queue<U: UserModel> {
    /// How many statements are under way.
    running: usize,
    waiting: VecDeque<Waiting<U>>,
}

impl<U: UserModel> Default for Queue<U> {
    fn default() -> Self {
        Self { running: 0, waiting: VecDeque::new() }
    }
}

/// The sessions that are asked for now.
pub(crate) struct Lookups<U: UserModel> {
    database: Database,
    /// How many statements of a tenant may be under way.
    most: usize,
    /// Those of tenants of which somebody asks for any.
    queues: Mutex<HashMap<U::Tenant, Queue<U>>>,
}

impl<U: UserModel> Lookups<U> {
    pub(crate) fn new(database: Database) -> Arc<Self> {
        let most = thread::available_parallelism().map_or(1, usize::from);
        // What reads a file is a thread of this program, which takes its core from those that answer requests.
        #[cfg(feature = "sqlite")]
        let most = if matches!(database.pool, Lenders::Sqlite(_)) { (most / 2).max(1) } else { most };
        Self::with_most(database, most)
    }

    fn with_most(database: Database, most: usize) -> Arc<Self> {
        Arc::new(Self { database, most, queues: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<U::Tenant, Queue<U>>> {
        // A panic cannot leave a queue half-changed: each change is one call.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U: Storable> Lookups<U> {
    /// A session and its user.
    pub(crate) async fn find(self: &Arc<Self>, tenant: &U::Tenant, id: TokenHash) -> Answer<U> {
        match self.turn_or_wait(tenant, id) {
            Ok(_turn) => self.database.user_by_session(tenant, id).await,
            Err(answer) => in_time(ANSWER, Box::pin(answer)).await?.map_err(Error::internal)?,
        }
    }

    /// The right to a statement at once, or the answer of one that is to come.
    fn turn_or_wait(
        self: &Arc<Self>,
        tenant: &U::Tenant,
        id: TokenHash,
    ) -> Result<Turn<U>, oneshot::Receiver<Answer<U>>> {
        let tenant = tenant.clone();
        let mut queues = self.lock();
        let queue = queues.entry(tenant.clone()).or_default();
        if queue.running < self.most {
            queue.running += 1;
            return Ok(Turn { lookups: Arc::clone(self), tenant });
        }
        let (answer, answered) = oneshot::channel();
        queue.waiting.push_back(Waiting { id, answer });
        Err(answered)
    }
}

/// The right to have a statement under way. It goes to those who wait once it is over, however that comes.
struct Turn<U: Storable> {
    lookups: Arc<Lookups<U>>,
    tenant: U::Tenant,
}

impl<U: Storable> Drop for Turn<U> {
    fn drop(&mut self) {
        let mut queues = self.lookups.lock();
        let Some(queue) = queues.get_mut(&self.tenant) else { return };
        // Who has given up is asked for no more.
        let waiting = iter::from_fn(|| queue.waiting.pop_front()).filter(|one| !one.answer.is_closed());
        let batch: Vec<_> = waiting.take(SESSIONS).collect();
        match Handle::try_current() {
            // In a task, for a request that is given up must not take others with it.
            Ok(runtime) if !batch.is_empty() => {
                drop(queues);
                let turn = Self { lookups: Arc::clone(&self.lookups), tenant: self.tenant.clone() };
                runtime.spawn(answer(turn, batch));
            }
            _ => {
                queue.running -= 1;
                if queue.running == 0 && queue.waiting.is_empty() {
                    queues.remove(&self.tenant);
                }
            }
        }
    }
}

/// Asks for the sessions of all who wait, in one statement.
async fn answer<U: Storable>(turn: Turn<U>, batch: Vec<Waiting<U>>) {
    let ids: HashSet<_> = batch.iter().map(|one| one.id).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let found = turn.lookups.database.users_by_sessions::<U>(&turn.tenant, &ids).await;
    // The next ones need not wait for these to hear.
    drop(turn);
    for Waiting { id, answer } in batch {
        let found = match &found {
            Ok(found) => found.iter().find(|(found, _)| *found == id).map(|(_, found)| found.as_ref()),
            Err(error) => Some(Err(error)),
        };
        let answered = match found {
            None => Ok(None),
            Some(Ok((user, record))) => Ok(Some((user.clone(), record.clone()))),
            Some(Err(error)) => Err(again(error)),
        };
        // Who has given up meanwhile does not listen.
        let _ = answer.send(answered);
    }
}

/// The same error for somebody else.
fn again(error: &Error) -> Error {
    match error {
        Error::Unavailable(cause) => Error::unavailable(display_chain(cause.as_ref())),
        Error::Internal(cause) => Error::internal(display_chain(cause.as_ref())),
        // The database says no other.
        other => Error::internal(display_chain(other)),
    }
}
