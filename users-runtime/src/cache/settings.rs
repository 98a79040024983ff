//! How much is kept, and for how long.

use std::time::Duration;

use crate::error::Error;

/// A cache of the users that requests are from, for [`Config::with_user_cache`](crate::Config::with_user_cache).
///
/// Without it each request reads its user in one statement, and whatever changes is seen at once on every node. With it
/// most requests need no statement, and this is what is promised instead:
///
/// - **On the node that makes a change** it is seen at once: a logout, a new password, a role, a deactivation end what is
///   kept in the same moment as the answer to whoever asked for it.
/// - **On other nodes** over PostgreSQL it is seen as soon as the commit is told of, by `NOTIFY`, and nothing is kept while a
///   node cannot listen. Over SQLite and MySQL nobody is told.
/// - **Everywhere**, and for what is changed past the library, after [`with_staleness`](Self::with_staleness) at the latest.
///
/// Every node that shares a database needs the setting, and so do its commands, which tell the others. A node listens on a
/// connection of its own, which a pooler in front of PostgreSQL has to leave to it (`PgBouncer`: `pool_mode = session`).
///
/// ```
/// use std::time::Duration;
///
/// use users_runtime::{Config, SecretKey, UserCache};
///
/// # fn configure() -> Result<Config, Box<dyn std::error::Error>> {
/// let cache = UserCache::default().with_staleness(Duration::from_secs(2));
/// let config = Config::new(SecretKey::generate()?).with_user_cache(cache);
/// # Ok(config)
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct UserCache {
    pub(super) staleness: Duration,
    pub(super) users: u64,
}

impl Default for UserCache {
    /// 10,000 users, for five seconds.
    fn default() -> Self {
        Self { staleness: Duration::from_secs(5), users: 10_000 }
    }
}

impl UserCache {
    /// How old what a request goes by may be at most: so long may a session live on after its end on another node that
    /// could not be told.
    #[must_use]
    pub fn with_staleness(self, staleness: Duration) -> Self {
        Self { staleness, ..self }
    }

    /// How many users are kept, and as many sessions; others are read from the database.
    #[must_use]
    pub fn with_capacity(self, users: u64) -> Self {
        Self { users, ..self }
    }

    pub(crate) fn check(self) -> Result<(), Error> {
        if self.staleness.is_zero() || self.users == 0 {
            return Err(Error::Setting {
                name: "with_user_cache",
                problem: "a cache of nothing; leave the setting out".to_owned(),
            });
        }
        Ok(())
    }
}
