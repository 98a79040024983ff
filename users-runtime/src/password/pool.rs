//! A bounded pool of threads that do nothing but hash passwords.
//!
//! Hashing takes milliseconds of a core and megabytes of memory, so it never runs on the threads that serve requests:
//! each thread here keeps its memory, and when more passwords wait than the queue holds, the next one is refused at once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use tokio::sync::oneshot;
use tracing::Span;

use crate::{
    error::Error,
    secret::{Password, PasswordHash},
};

use super::{
    Argon2Cost, PasswordScheme,
    hash::{Argon2Hash, Argon2Memory},
};

/// What became of a password that was compared with a stored hash.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is another password, or there is no account.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and the hash is of another scheme or cost than the configured one: store a new one.
    RightButOutdated,
}

/// Threads that hash and verify passwords; a cheap handle to clone.
///
/// The threads end when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct PasswordPool {
    queue: SyncSender<Job>,
    hashes: Arc<AtomicU64>,
}

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

impl PasswordPool {
    /// Starts `threads` threads, best one a core, with room for `queue` passwords to wait. `schemes` verify stored
    /// hashes that are not of Argon2; the first that recognises one is asked.
    ///
    /// # Errors
    /// [`Error::Setting`] when `threads` or `queue` is 0, and [`Error::Internal`] when the operating system gives no
    /// threads or no randomness.
    pub(crate) fn new(
        cost: Argon2Cost,
        threads: usize,
        queue: usize,
        schemes: Vec<Arc<dyn PasswordScheme>>,
    ) -> Result<Self, Error> {
        if threads == 0 || queue == 0 {
            return Err(Error::Setting {
                name: "with_hash_pool",
                problem: "nobody could log in; write at least 1 thread and a queue of at least 1".to_owned(),
            });
        }
        let (sender, receiver) = sync_channel(queue);
        let jobs = Arc::new(Mutex::new(receiver));
        let hashes = Arc::new(AtomicU64::new(0));
        let schemes: Arc<[_]> = schemes.into();
        let unknown = Arc::new(Argon2Hash::dummy(cost)?);
        for index in 0..threads {
            let mut worker = Worker {
                cost,
                memory: Argon2Memory::new(cost)?,
                unknown: Arc::clone(&unknown),
                schemes: Arc::clone(&schemes),
                hashes: Arc::clone(&hashes),
            };
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("users-argon2-{index}"))
                .spawn(move || {
                    yield_to_others();
                    while let Some(job) = next(&jobs) {
                        job(&mut worker);
                    }
                })
                .map_err(Error::internal)?;
        }
        Ok(Self { queue: sender, hashes })
    }

    /// A new hash of a password, with a random salt.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full.
    pub(crate) async fn hash(&self, password: &Password) -> Result<PasswordHash, Error> {
        let password = password.clone();
        self.run(move |worker| worker.hash(&password)).await
    }

    /// Compares a password with a stored hash. `None` stands for an unknown account: the same work is done, and the
    /// password is wrong.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full.
    pub(crate) async fn verify(
        &self,
        password: &Password,
        stored: Option<&PasswordHash>,
    ) -> Result<Verdict, Error> {
        let (password, stored) = (password.clone(), stored.cloned());
        self.run(move |worker| worker.verify(&password, stored.as_ref())).await
    }

    /// Other work on a password that takes milliseconds, in the same queue.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full.
    #[cfg(feature = "zxcvbn")]
    pub(crate) async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.run(move |_| Ok(work())).await
    }

    /// How many passwords were hashed or compared so far.
    #[must_use]
    pub(crate) fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        // What a thread logs belongs to the request that asked.
        let span = Span::current();
        let job: Job = Box::new(move |worker| {
            // Nobody waits any more: a client that hangs up must not keep the queue busy.
            if answer.is_closed() {
                return;
            }
            let result = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| work(worker))));
            let result =
                result.unwrap_or_else(|_| Err(Error::internal("the verification of a password panicked")));
            // The client may have hung up meanwhile.
            let _ = answer.send(result);
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => Error::internal("the password threads have ended"),
        })?;
        answered.await.map_err(Error::internal)?
    }
}

/// How much less than others a thread counts that hashes, by nice(2): requests that wait for milliseconds go before those that
/// wait for a hash anyway, which still get a share where others leave none.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets the threads that serve requests go first: a storm of logins must not slow all others down. On Linux alone, where a
/// thread has a priority of its own.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "passwords are hashed at the priority of requests");
    }
}

/// The next job, or `None` when no handle is left. One thread waits in the queue, the others for their turn.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// What one thread works with.
struct Worker {
    cost: Argon2Cost,
    memory: Argon2Memory,
    unknown: Arc<Argon2Hash>,
    schemes: Arc<[Arc<dyn PasswordScheme>]>,
    hashes: Arc<AtomicU64>,
}

impl Worker {
    fn hash(&mut self, password: &Password) -> Result<PasswordHash, Error> {
        self.count();
        self.memory.hash(password.expose().as_bytes())
    }

    fn verify(&mut self, password: &Password, stored: Option<&PasswordHash>) -> Result<Verdict, Error> {
        let password = password.expose().as_bytes();
        let Some(stored) = stored.map(PasswordHash::expose_phc) else {
            return self.verify_unknown(password);
        };
        if let Some(hash) = Argon2Hash::parse(stored) {
            return self.verify_argon2(password, &hash);
        }
        if let Some(scheme) = self.schemes.iter().find(|scheme| scheme.recognises(stored)) {
            self.count();
            let right = scheme.verify(password, stored);
            return Ok(if right { Verdict::RightButOutdated } else { Verdict::Wrong });
        }
        tracing::warn!(
            "a stored password hash is of no configured scheme; its user cannot log in with a password"
        );
        self.verify_unknown(password)
    }

    fn verify_argon2(&mut self, password: &[u8], stored: &Argon2Hash) -> Result<Verdict, Error> {
        self.count();
        Ok(match (self.memory.matches(password, stored)?, stored.is_current(self.cost)) {
            (false, _) => Verdict::Wrong,
            (true, true) => Verdict::Right,
            (true, false) => Verdict::RightButOutdated,
        })
    }

    /// Takes as long as a real comparison, so that time does not tell which accounts exist (user enumeration).
    fn verify_unknown(&mut self, password: &[u8]) -> Result<Verdict, Error> {
        let unknown = Arc::clone(&self.unknown);
        self.verify_argon2(password, &unknown).map(|_| Verdict::Wrong)
    }

    fn count(&self) {
        self.hashes.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        time::{Duration, Instant},
    };

    use super::*;

    /// `plain:secret` is the hash of `secret`; `panic` panics.
    struct Plain;

    impl PasswordScheme for Plain {
        fn recognises(&self, stored: &str) -> bool {
            stored.starts_with("plain:") || stored == "panic"
        }

        fn verify(&self, password: &[u8], stored: &str) -> bool {
            let secret = stored.strip_prefix("plain:").expect("this hash is there to panic");
            secret.as_bytes() == password
        }
    }

    /// Says that it began, then waits until it may go on.
    struct Gate {
        begun: mpsc::SyncSender<()>,
        open: Mutex<mpsc::Receiver<()>>,
    }

    impl PasswordScheme for Gate {
        fn recognises(&self, stored: &str) -> bool {
            stored == "gate"
        }

        fn verify(&self, _: &[u8], _: &str) -> bool {
            self.begun.send(()).unwrap();
            self.open.lock().unwrap().recv().unwrap();
            true
        }
    }

    fn pool() -> PasswordPool {
        PasswordPool::new(Argon2Cost::default(), 2, 16, vec![Arc::new(Plain)]).unwrap()
    }

    fn stored(phc: &str) -> PasswordHash {
        PasswordHash::from_phc(phc)
    }

    #[tokio::test]
    async fn s08_a_hash_verifies_with_its_password_and_no_other() {
        let pool = pool();
        let password = Password::new("correct horse battery staple");
        let hash = pool.hash(&password).await.unwrap();
        assert!(hash.expose_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(pool.verify(&password, Some(&hash)).await.unwrap(), Verdict::Right);
        for other in ["Correct horse battery staple", "correct horse battery staple ", "", "\0"] {
            assert_eq!(
                pool.verify(&Password::new(other), Some(&hash)).await.unwrap(),
                Verdict::Wrong,
                "{other:?}"
            );
        }
    }

    #[tokio::test]
    async fn s03_neither_length_nor_form_of_a_password_is_changed() {
        let pool = pool();
        let long = "é".repeat(256);
        let hash = pool.hash(&Password::new(&*long)).await.unwrap();
        assert_eq!(pool.verify(&Password::new(&*long), Some(&hash)).await.unwrap(), Verdict::Right);
        for other in ["é".repeat(255), "e\u{301}".repeat(256), "É".repeat(256)] {
            assert_eq!(pool.verify(&Password::new(other), Some(&hash)).await.unwrap(), Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn s08_a_higher_cost_is_used_and_outdates_the_default() {
        let cost = crate::argon2_cost!(m = 20_480, t = 3, p = 2);
        let costly = PasswordPool::new(cost, 1, 4, Vec::new()).unwrap();
        let password = Password::new("correct horse battery staple");
        let old = pool().hash(&password).await.unwrap();
        assert_eq!(costly.verify(&password, Some(&old)).await.unwrap(), Verdict::RightButOutdated);
        let new = costly.hash(&password).await.unwrap();
        assert!(new.expose_phc().starts_with("$argon2id$v=19$m=20480,t=3,p=2$"));
        assert_eq!(costly.verify(&password, Some(&new)).await.unwrap(), Verdict::Right);
        assert_eq!(pool().verify(&password, Some(&new)).await.unwrap(), Verdict::RightButOutdated);
    }

    #[tokio::test]
    async fn s09_hashes_of_weaker_costs_and_other_schemes_verify_as_outdated() {
        let pool = pool();
        for phc in [
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs",
            "plain:password",
        ] {
            let right = pool.verify(&Password::new("password"), Some(&stored(phc))).await.unwrap();
            assert_eq!(right, Verdict::RightButOutdated, "{phc}");
            let wrong = pool.verify(&Password::new("Password"), Some(&stored(phc))).await.unwrap();
            assert_eq!(wrong, Verdict::Wrong, "{phc}");
        }
    }

    #[tokio::test]
    async fn s11_every_branch_costs_exactly_one_hash() {
        let pool = pool();
        let password = Password::new("correct horse battery staple");
        let known = pool.hash(&password).await.unwrap();
        let unrecognised = stored("$7$not-a-scheme-of-ours");
        let absurd = stored(
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        );
        let wrong = Password::new("wrong");
        for (password, hash, expected) in [
            (&password, Some(&known), Verdict::Right),
            (&wrong, Some(&known), Verdict::Wrong),
            (&password, None, Verdict::Wrong),
            (&password, Some(&unrecognised), Verdict::Wrong),
            (&password, Some(&absurd), Verdict::Wrong),
        ] {
            let before = pool.hashes();
            assert_eq!(pool.verify(password, hash).await.unwrap(), expected);
            assert_eq!(pool.hashes(), before + 1);
        }
    }

    #[tokio::test]
    async fn s11_an_unknown_account_takes_the_time_of_a_known_one() {
        let pool = PasswordPool::new(Argon2Cost::default(), 1, 4, Vec::new()).unwrap();
        let wrong = Password::new("wrong");
        let known = pool.hash(&Password::new("correct horse battery staple")).await.unwrap();
        let unrecognised = stored("$7$not-a-scheme-of-ours");
        // The fastest of several, and a wide margin: what a loaded machine adds is noise, and skipping the hash would be
        // a factor of 1000.
        let branches = [Some(&known), None, Some(&unrecognised)];
        let mut fastest = [Duration::MAX; 3];
        for _ in 0..8 {
            for (fastest, stored) in fastest.iter_mut().zip(branches) {
                let begun = Instant::now();
                assert_eq!(pool.verify(&wrong, stored).await.unwrap(), Verdict::Wrong);
                *fastest = begun.elapsed().min(*fastest);
            }
        }
        assert!(fastest[1] > fastest[0] / 5 && fastest[2] > fastest[0] / 5, "{fastest:?}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn whoever_serves_requests_goes_first() {
        let pool = PasswordPool::new(Argon2Cost::default(), 1, 4, Vec::new()).unwrap();
        let priority = || -> Result<i32, Error> {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").map_err(Error::internal)?;
            // The nineteenth field of proc_pid_stat(5), counted behind the name.
            let (_, fields) = stat.rsplit_once(')').unwrap();
            Ok(fields.split_whitespace().nth(16).and_then(|nice| nice.parse().ok()).unwrap())
        };
        let own = priority().unwrap();
        assert_eq!(pool.run(move |_| priority()).await.unwrap(), own + NICE);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_caller_who_left_costs_nothing() {
        let (begun, has_begun) = mpsc::sync_channel(8);
        let (open, gate) = mpsc::channel();
        let scheme = Arc::new(Gate { begun, open: Mutex::new(gate) });
        let pool = PasswordPool::new(Argon2Cost::default(), 1, 1, vec![scheme]).unwrap();
        let password = Password::new("password");
        let verify = || {
            let (pool, password) = (pool.clone(), password.clone());
            async move { pool.verify(&password, Some(&stored("gate"))).await }
        };

        let occupies_the_thread = tokio::spawn(verify());
        tokio::task::yield_now().await;
        has_begun.recv().unwrap();
        let waits = tokio::spawn(verify());
        tokio::task::yield_now().await;
        let begun = Instant::now();
        assert!(matches!(verify().await, Err(Error::Overloaded)));
        assert!(matches!(pool.hash(&password).await, Err(Error::Overloaded)));
        assert!(begun.elapsed() < Duration::from_secs(1));

        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        open.send(()).unwrap();
        assert_eq!(occupies_the_thread.await.unwrap().unwrap(), Verdict::RightButOutdated);

        // The queue is free as soon as the thread has passed over the abandoned job, which was never begun.
        let verdict = loop {
            match pool.verify(&password, None).await {
                Err(Error::Overloaded) => tokio::time::sleep(Duration::from_millis(1)).await,
                verdict => break verdict.unwrap(),
            }
        };
        assert_eq!(verdict, Verdict::Wrong);
        assert!(has_begun.try_recv().is_err());
        assert_eq!(pool.hashes(), 2);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_request_and_no_thread_ends() {
        let pool = PasswordPool::new(Argon2Cost::default(), 1, 4, vec![Arc::new(Plain)]).unwrap();
        let password = Password::new("password");
        for _ in 0..3 {
            let error = pool.verify(&password, Some(&stored("panic"))).await.unwrap_err();
            assert!(matches!(error, Error::Internal(_)), "{error}");
        }
        assert_eq!(pool.verify(&password, None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn the_threads_end_with_the_last_handle() {
        let scheme = Arc::new(Plain);
        let pool = PasswordPool::new(Argon2Cost::default(), 3, 4, vec![scheme.clone()]).unwrap();
        let second = pool.clone();
        drop(pool);
        assert!(second.hash(&Password::new("password")).await.is_ok());
        assert!(Arc::strong_count(&scheme) > 1);
        drop(second);
        let deadline = Instant::now() + Duration::from_secs(10);
        while Arc::strong_count(&scheme) > 1 {
            assert!(Instant::now() < deadline, "threads still hold the scheme");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[test]
    fn a_pool_of_nothing_is_refused() {
        for (threads, queue) in [(0, 1), (1, 0)] {
            let refused = PasswordPool::new(Argon2Cost::default(), threads, queue, Vec::new());
            assert!(matches!(refused, Err(Error::Setting { .. })));
        }
    }
}
