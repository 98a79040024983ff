//! A pool, and the connections that have just been used.
//!
//! sqlx's pool asks every connection that comes back whether it still stands, in a task of its own: with each statement a
//! round trip more. Here a connection that has just answered goes to whoever needs one next, and back to the pool after a
//! second or when nobody needs it, so that the pool's own limits of age and idleness hold as before.

use std::{
    collections::VecDeque,
    fmt, mem,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use sqlx::{Database, Pool, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use crate::error::Error;

/// For how long a connection goes from hand to hand before the pool looks at it.
const ROUND: Duration = Duration::from_secs(1);

/// For how long it waits for the next hand: others may need the pool too.
const REST: Duration = Duration::from_millis(200);

/// A pool that lends connections. Cloning shares it.
pub(super) struct Lender<D: Database> {
    pool: Pool<D>,
    spares: Arc<Spares<D>>,
}

impl<D: Database> Clone for Lender<D> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), spares: Arc::clone(&self.spares) }
    }
}

impl<D: Database> fmt::Debug for Lender<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lender").field(&self.pool).finish()
    }
}

impl<D: Database> Deref for Lender<D> {
    type Target = Pool<D>;

    fn deref(&self) -> &Pool<D> {
        &self.pool
    }
}

/// A connection in somebody's hands.
pub(super) struct Lent<D: Database> {
    pub(super) connection: PoolConnection<D>,
    /// When the pool gave it away.
    since: Instant,
    lender: Lender<D>,
    /// Given back after the connection is, so that whoever waits finds it.
    place: OwnedSemaphorePermit,
}

impl<D: Database> fmt::Debug for Lent<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lent(..)")
    }
}

impl<D: Database> Lent<D> {
    /// Gives back a connection that has answered everything it was asked.
    pub(super) fn give_back(self) {
        let Self { connection, since, lender, place } = self;
        let kept = if since.elapsed() < ROUND && !lender.pool.is_closed() {
            lender.spares.put(Spare { connection, since, rests_since: Instant::now() })
        } else {
            Some(connection)
        };
        // The pool looks at what is not kept.
        drop(kept);
        drop(place);
    }
}

/// A connection that waits for the next hand.
struct Spare<D: Database> {
    connection: PoolConnection<D>,
    since: Instant,
    rests_since: Instant,
}

struct Spares<D: Database> {
    /// As many as the pool opens connections. Who waits is served in turn.
    places: Arc<Semaphore>,
    /// As many transactions as the database lets write at once: those that wait for one another inside SQLite would each keep
    /// a connection from those who read, and ask again and again.
    writers: Arc<Semaphore>,
    most: usize,
    waiting: Mutex<Waiting<D>>,
}

struct Waiting<D: Database> {
    /// Those that have rested longest in front.
    spares: VecDeque<Spare<D>>,
    /// Whether a task takes those back that rest.
    is_tended: bool,
}

impl<D: Database> Drop for Spares<D> {
    fn drop(&mut self) {
        if Handle::try_current().is_err() {
            // A connection goes back in a task, and there is nothing to run one: the program is about to end.
            mem::take(&mut self.lock().spares).into_iter().for_each(mem::forget);
        }
    }
}

impl<D: Database> Spares<D> {
    fn lock(&self) -> MutexGuard<'_, Waiting<D>> {
        // A panic cannot leave it half-changed: each change is one call on the queue.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection, or gives it back when there are enough.
    fn put(self: &Arc<Self>, spare: Spare<D>) -> Option<PoolConnection<D>> {
        let mut waiting = self.lock();
        if waiting.spares.len() >= self.most {
            return Some(spare.connection);
        }
        if !waiting.is_tended {
            let Ok(runtime) = Handle::try_current() else { return Some(spare.connection) };
            waiting.is_tended = true;
            runtime.spawn(tend(Arc::downgrade(self)));
        }
        waiting.spares.push_back(spare);
        None
    }

    /// The one that was used last, whose memory is warm.
    fn take(&self) -> Option<Spare<D>> {
        self.lock().spares.pop_back()
    }

    /// Gives all back to the pool.
    #[cfg(any(test, feature = "conformance"))]
    fn clear(&self) {
        let spares = mem::take(&mut self.lock().spares);
        drop(spares);
    }
}

/// Gives those back to the pool that nobody needs.
async fn tend<D: Database>(spares: Weak<Spares<D>>) {
    loop {
        sleep(REST).await;
        let Some(spares) = spares.upgrade() else { return };
        let mut waiting = spares.lock();
        let resting = waiting.spares.iter().take_while(|spare| spare.rests_since.elapsed() >= REST).count();
        let resting: Vec<_> = waiting.spares.drain(..resting).collect();
        waiting.is_tended = !waiting.spares.is_empty();
        let is_done = !waiting.is_tended;
        drop(waiting);
        drop(resting);
        if is_done {
            return;
        }
    }
}

impl<D: Database> Lender<D> {
    /// Lends the connections of a pool that nobody else uses.
    pub(super) fn of_own(pool: Pool<D>) -> Self {
        let most = pool.options().get_max_connections();
        Self::new(pool, most)
    }

    /// Lends those of a pool that the application uses too, which is never without half of them for long.
    pub(super) fn of_shared(pool: Pool<D>) -> Self {
        let most = pool.options().get_max_connections() / 2;
        Self::new(pool, most)
    }

    /// With one transaction at a time.
    #[cfg(feature = "sqlite")]
    pub(super) fn one_writer(mut self) -> Self {
        if let Some(spares) = Arc::get_mut(&mut self.spares) {
            spares.writers = Arc::new(Semaphore::new(1));
        }
        self
    }

    fn new(pool: Pool<D>, most: u32) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(count(pool.options().get_max_connections())));
        let waiting = Mutex::new(Waiting { spares: VecDeque::new(), is_tended: false });
        let writers = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { pool, spares: Arc::new(Spares { places, writers, most: count(most), waiting }) }
    }

    /// A connection. How long to wait for it is a setting of the pool.
    pub(super) async fn lend(&self) -> Result<Lent<D>, Error> {
        let limit = self.pool.options().get_acquire_timeout();
        let lent = timeout(limit, self.wait()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        Ok(lent?)
    }

    /// A turn to write, to be given back after the transaction.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        let writers = Arc::clone(&self.spares.writers);
        let limit = self.pool.options().get_acquire_timeout();
        let turn = timeout(limit, writers.acquire_owned()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        Ok(turn.map_err(|_| sqlx::Error::PoolClosed)?)
    }

    async fn wait(&self) -> Result<Lent<D>, sqlx::Error> {
        let places = Arc::clone(&self.spares.places);
        let place = places.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let spare = if self.pool.is_closed() { None } else { self.spares.take() };
        let (connection, since) = match spare {
            Some(Spare { connection, since, .. }) => (connection, since),
            None => (self.pool.acquire().await?, Instant::now()),
        };
        Ok(Lent { connection, since, lender: self.clone(), place })
    }

    /// Closes every connection.
    #[cfg(any(test, feature = "conformance"))]
    pub(super) async fn close(&self) {
        self.spares.clear();
        self.pool.close().await;
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{Sqlite, sqlite::SqlitePoolOptions};

    use super::*;

    fn pool(most: u32) -> Pool<Sqlite> {
        let options =
            SqlitePoolOptions::new().max_connections(most).acquire_timeout(Duration::from_millis(300));
        options.connect_lazy("sqlite::memory:").unwrap()
    }

    /// Waits until something is so.
    async fn until(is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(10), "it is not so");
            sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_connection_goes_from_hand_to_hand_and_back_to_the_pool_when_it_rests() {
        let lender = Lender::of_own(pool(2));
        for _ in 0..5 {
            lender.lend().await.unwrap().give_back();
        }
        assert_eq!(
            (lender.size(), lender.num_idle()),
            (1, 0),
            "one connection, which the pool has lent once"
        );
        until(|| lender.num_idle() == 1).await;
        assert!(lender.spares.lock().spares.is_empty());
        // And again, after nobody tended anything.
        lender.lend().await.unwrap().give_back();
        until(|| !lender.spares.lock().is_tended && lender.num_idle() == 1).await;
    }

    #[tokio::test]
    async fn the_pool_looks_at_a_connection_that_is_never_at_rest() {
        let lender = Lender::of_own(pool(1));
        let begun = Instant::now();
        let mut came_back = false;
        while !came_back && begun.elapsed() < 5 * ROUND {
            let lent = lender.lend().await.unwrap();
            let is_old = lent.since.elapsed() > ROUND / 2;
            lent.give_back();
            sleep(Duration::from_millis(1)).await;
            came_back = is_old && lender.num_idle() == 1;
        }
        assert!(came_back);
    }

    #[tokio::test]
    async fn who_waits_gets_what_is_given_back() {
        let lender = Lender::of_own(pool(1));
        let lent = lender.lend().await.unwrap();
        let next = tokio::spawn({
            let lender = lender.clone();
            async move { lender.lend().await.map(Lent::give_back) }
        });
        sleep(Duration::from_millis(20)).await;
        lent.give_back();
        next.await.unwrap().unwrap();
        let lent = lender.lend().await.unwrap();
        assert!(matches!(lender.lend().await, Err(Error::Unavailable(_))), "there is one connection");
        drop(lent.connection);
    }

    #[tokio::test]
    async fn one_transaction_writes_at_a_time_and_keeps_nobody_from_reading() {
        let lender = Lender::of_own(pool(1)).one_writer();
        let turn = lender.turn().await.unwrap();
        assert!(matches!(lender.turn().await, Err(Error::Unavailable(_))), "somebody writes");
        lender.lend().await.unwrap().give_back();
        drop(turn);
        drop(lender.turn().await.unwrap());
        let many = Lender::of_own(pool(1));
        let turns = [many.turn().await.unwrap(), many.turn().await.unwrap()];
        drop(turns);
    }

    #[tokio::test]
    async fn an_application_that_shares_its_pool_keeps_half_of_it() {
        let lender = Lender::of_shared(pool(4));
        let mut lent = Vec::new();
        for _ in 0..4 {
            lent.push(lender.lend().await.unwrap());
        }
        lent.into_iter().for_each(Lent::give_back);
        assert_eq!(lender.spares.lock().spares.len(), 2);
        let own = [lender.acquire().await, lender.acquire().await];
        assert!(own.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_closed_pool_lends_nothing() {
        let lender = Lender::of_own(pool(2));
        lender.lend().await.unwrap().give_back();
        let closing = lender.pool.close();
        assert!(lender.lend().await.is_err());
        timeout(Duration::from_secs(5), closing).await.expect("what rests comes back");
        assert!(lender.lend().await.is_err());
    }

    #[test]
    fn a_program_may_end_without_a_runtime() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let lender = Lender::of_own({
            let _entered = runtime.enter();
            pool(2)
        });
        runtime.block_on(async { lender.lend().await.unwrap().give_back() });
        assert_eq!(lender.spares.lock().spares.len(), 1);
        drop(runtime);
        drop(lender);
    }
}
