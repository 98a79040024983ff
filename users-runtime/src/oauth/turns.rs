//! One at a time: who refreshes the tokens of an account.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

/// As many accounts are refreshed at once; two that share a lock wait for each other for no reason but memory.
const LOCKS: usize = 64;

/// Locks by key, in memory that does not grow with the keys.
pub(crate) struct Turns {
    locks: [Mutex<()>; LOCKS],
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { locks: std::array::from_fn(|_| Mutex::new(())), hasher: RandomState::new() }
    }
}

impl Turns {
    /// Waits until nobody else has the turn of this key.
    pub(crate) async fn of(&self, key: &str) -> MutexGuard<'_, ()> {
        // The remainder is small enough for any `usize`.
        let index = usize::try_from(self.hasher.hash_one(key) % LOCKS as u64).unwrap_or_default();
        self.locks[index].lock().await
    }
}
