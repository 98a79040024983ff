//! Throttles: how often an account or a client may fail, and how often mail may be asked for (S13 to S17).

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    clock,
    error::Error,
    session::random_revision,
    store::{Entry, Expected, Store},
};

/// For how long after a lock the next one is longer: with the longest lock, that is a hundred guesses a day, which
/// NIST SP 800-63B-4, section 3.2.2, has as the most in a row.
const MEMORY: Duration = Duration::from_hours(24);

/// How often a count is written again when others write it at the same moment. Each round one of them gets through.
const TRIES: usize = 500;

/// The operations that clients are counted for, by the names that [`GeneratedRoute::operation`] has.
///
/// [`GeneratedRoute::operation`]: crate::GeneratedRoute::operation
pub(crate) const OPERATIONS: [&str; 8] = [
    "delete_account",
    "forgot_password",
    "log_in",
    "register",
    "resend_verification",
    "reset_password",
    "update_account",
    "verify",
];

/// How often an account or a client may fail, and mail may be asked for: the settings of
/// [`Config::with_throttle`](crate::Config::with_throttle).
///
/// What is counted is counted before it is done, and given back when it was no failure, so that attempts side by side
/// cannot pass a limit. The counts are where sessions are: in the database, or in the store of
/// [`Config::with_store`](crate::Config::with_store), and so the same for every node.
///
/// ```
/// use std::time::Duration;
///
/// use users_runtime::{Config, SecretKey, Throttle};
///
/// # fn configure() -> Result<Config, Box<dyn std::error::Error>> {
/// let throttle = Throttle::default()
///     .with_account_limit(3, Duration::from_mins(10))
///     // A kiosk from which many people log in.
///     .with_route_limit("log_in", 100, Duration::from_mins(1));
/// let config = Config::new(SecretKey::generate()?).with_throttle(throttle);
/// # Ok(config)
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Throttle {
    account: Option<Limit>,
    client: Option<Limit>,
    routes: Vec<(&'static str, Limit)>,
    mail: Option<Limit>,
    all_mail: Option<Limit>,
}

impl Default for Throttle {
    fn default() -> Self {
        let lock = Some(Lock { first: Duration::from_mins(1), longest: Duration::from_mins(15) });
        Self {
            // S13.
            account: Some(Limit { times: 5, within: Duration::from_mins(5), lock }),
            // S15.
            client: Some(Limit::of(10, Duration::from_mins(1))),
            routes: Vec::new(),
            // S17.
            mail: Some(Limit::of(1, Duration::from_mins(3))),
            // More than people ask for, and less than what ruins a sender's name.
            all_mail: Some(Limit::of(100, Duration::from_mins(1))),
        }
    }
}

impl Throttle {
    /// No limits at all: for measurements of load, and where something else has them.
    #[must_use]
    pub fn off() -> Self {
        Self { account: None, client: None, routes: Vec::new(), mail: None, all_mail: None }
    }

    /// How many wrong passwords an account takes within a time before it is locked; 5 in 5 minutes by default (S13). Whoever
    /// guesses is counted by what they typed, whether or not there is such an account (S14).
    #[must_use]
    pub fn with_account_limit(mut self, failures: u32, within: Duration) -> Self {
        let lock = self.account.or(Self::default().account).and_then(|limit| limit.lock);
        self.account = Some(Limit { lock, ..Limit::of(failures, within) });
        self
    }

    /// How long the first lock of an account lasts, and how long the longest: each failure after a lock makes the next one
    /// twice as long. One minute and 15 by default. A right password, and a password reset, end what was counted.
    #[must_use]
    pub fn with_locks(mut self, first: Duration, longest: Duration) -> Self {
        let limit = self.account.or(Self::default().account);
        self.account = limit.map(|limit| Limit { lock: Some(Lock { first, longest }), ..limit });
        self
    }

    /// How often a client may fail within a time, at each route for itself (S16); 10 times a minute by default (S15). Clients
    /// are told apart by their address, IPv6 by the first 64 bits; a success does not clear what was counted.
    #[must_use]
    pub fn with_client_limit(self, failures: u32, within: Duration) -> Self {
        Self { client: Some(Limit::of(failures, within)), ..self }
    }

    /// The same for one route, by the name of its operation: `log_in` (and `issue_token`, which counts as the same),
    /// `register`, `verify`, `resend_verification`, `forgot_password`, `reset_password`, `update_account` or `delete_account`.
    #[must_use]
    pub fn with_route_limit(mut self, operation: &'static str, failures: u32, within: Duration) -> Self {
        self.routes.push((operation, Limit::of(failures, within)));
        self
    }

    /// How long after a mail that somebody asked for the next one to the same address leaves, from each route for itself; 3
    /// minutes by default (S17). Whoever asks sooner gets the same answer, and no mail.
    #[must_use]
    pub fn with_mail_every(self, pause: Duration) -> Self {
        Self { mail: Some(Limit::of(1, pause)), ..self }
    }

    /// How many mails may be asked for within a time, by everybody together; 100 a minute by default (S17).
    #[must_use]
    pub fn with_mail_cap(self, mails: u32, within: Duration) -> Self {
        Self { all_mail: Some(Limit::of(mails, within)), ..self }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |name, problem: String| Err(Error::Setting { name, problem });
        if let Some((unknown, _)) = self.routes.iter().find(|(operation, _)| !OPERATIONS.contains(operation))
        {
            let known = OPERATIONS.map(|operation| format!("`{operation}`")).join(", ");
            return setting("with_route_limit", format!("`{unknown}` is not counted; write one of {known}"));
        }
        let routes = self.routes.iter().map(|(_, limit)| limit);
        let mut limits =
            [&self.account, &self.client, &self.mail, &self.all_mail].into_iter().flatten().chain(routes);
        if limits.any(Limit::is_empty) {
            return setting(
                "with_throttle",
                "a time of zero counts nothing; write `Throttle::off()`".to_owned(),
            );
        }
        Ok(())
    }

    pub(crate) fn account(&self) -> Option<&Limit> {
        self.account.as_ref()
    }

    /// The last that was said of a route, or what holds for all.
    pub(crate) fn client(&self, operation: &str) -> Option<&Limit> {
        let own = self.routes.iter().rfind(|(named, _)| *named == operation).map(|(_, limit)| limit);
        own.or(self.client.as_ref())
    }

    pub(crate) fn mail(&self) -> Option<&Limit> {
        self.mail.as_ref()
    }

    /// How long somebody who wants another mail to the same address has to wait at the most.
    pub(crate) fn mail_pause(&self) -> Duration {
        self.mail.map_or(Duration::ZERO, |limit| limit.within)
    }

    pub(crate) fn all_mail(&self) -> Option<&Limit> {
        self.all_mail.as_ref()
    }
}

/// So many times within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    times: u32,
    within: Duration,
    lock: Option<Lock>,
}

/// How long it is over once the limit is reached; without one, until the time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lock {
    first: Duration,
    longest: Duration,
}

impl Limit {
    fn of(times: u32, within: Duration) -> Self {
        Self { times: times.max(1), within, lock: None }
    }

    /// How often.
    #[cfg(feature = "conformance")]
    pub(crate) fn times(&self) -> u32 {
        self.times
    }

    fn is_empty(&self) -> bool {
        self.within.is_zero()
            || self.lock.is_some_and(|lock| lock.first.is_zero() || lock.longest < lock.first)
    }
}

/// What a store holds of somebody who is counted. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// How often since `since`.
    #[serde(rename = "n")]
    times: u32,
    #[serde(rename = "s")]
    since: i64,
    /// How many locks in a row.
    #[serde(rename = "l")]
    locks: u32,
    #[serde(rename = "u")]
    locked_until: i64,
}

impl Count {
    /// One more, or how long there may be none.
    fn one_more(self, limit: &Limit, now: i64) -> Result<Self, Duration> {
        if now < self.locked_until {
            return Err(until(self.locked_until, now));
        }
        let ends = self.since.saturating_add(clock::millis(limit.within));
        let is_over = now >= ends || self.since > now;
        let Self { times, since, .. } = if is_over { Self { times: 0, since: now, ..self } } else { self };
        let counted = Self { times: times.saturating_add(1), since, ..self };
        match limit.lock {
            Some(lock) if self.locks > 0 || counted.times >= limit.times => {
                let longer = lock.first.saturating_mul(1_u32.checked_shl(self.locks).unwrap_or(u32::MAX));
                let locked_until = now.saturating_add(clock::millis(longer.min(lock.longest)));
                Ok(Self { locks: self.locks.saturating_add(1), locked_until, ..counted })
            }
            None if counted.times > limit.times => Err(until(ends, now)),
            _ => Ok(counted),
        }
    }

    /// When the count is worth nothing any more.
    fn ends_at(self, limit: &Limit) -> i64 {
        let counted = self.since.saturating_add(clock::millis(limit.within));
        if self.locks == 0 {
            counted
        } else {
            counted.max(self.locked_until.saturating_add(clock::millis(MEMORY)))
        }
    }

    fn entry(self, limit: &Limit) -> Result<Entry, Error> {
        Ok(Entry {
            owner: None,
            revision: random_revision()?.unsigned_abs(),
            value: serde_json::to_vec(&self).map_err(Error::internal)?,
            expires_at: self.ends_at(limit),
        })
    }
}

fn until(moment: i64, now: i64) -> Duration {
    Duration::from_millis(u64::try_from(moment.saturating_sub(now)).unwrap_or_default())
}

/// What was counted, to be given back.
#[derive(Debug)]
pub(crate) struct Taken {
    key: String,
    limit: Limit,
    before: Count,
    revision: u64,
    after: Count,
}

impl Taken {
    /// Under which it is counted.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// How often before this time.
    pub(crate) fn times_before(&self) -> u32 {
        self.before.times
    }

    /// Until when nobody else may try, if this time was one too many; in milliseconds since 1970.
    pub(crate) fn locked_until(&self) -> Option<i64> {
        (self.after.locks > self.before.locks).then_some(self.after.locked_until)
    }
}

/// What a store counts.
pub(crate) struct Counts<'s>(pub(crate) &'s dyn Store);

impl Counts<'_> {
    async fn read(&self, key: &str) -> Result<(Count, Expected), Error> {
        Ok(match self.0.get(key).await? {
            None => (Count::default(), Expected::Absent),
            Some(entry) => {
                let count = serde_json::from_slice(&entry.value).map_err(Error::internal)?;
                (count, Expected::Revision(entry.revision))
            }
        })
    }

    /// Counts one more, before it is done.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when the limit is reached, and what the store says.
    pub(crate) async fn take(&self, key: String, limit: &Limit) -> Result<Taken, Error> {
        for _ in 0..TRIES {
            let (before, expected) = self.read(&key).await?;
            let after = before.one_more(limit, clock::now()).map_err(Error::TooManyRequests)?;
            let entry = after.entry(limit)?;
            let revision = entry.revision;
            if self.0.put(&key, entry, expected).await? {
                return Ok(Taken { key, limit: *limit, before, revision, after });
            }
        }
        Err(Error::Overloaded)
    }

    /// Takes back what was counted and was no failure.
    pub(crate) async fn give_back(&self, taken: &Taken) -> Result<(), Error> {
        for _ in 0..TRIES {
            let (there, expected) = self.read(&taken.key).await?;
            let Expected::Revision(revision) = expected else { return Ok(()) };
            let fewer = if revision == taken.revision {
                taken.before
            } else {
                // Others were counted since; what they brought about stays.
                Count { times: there.times.saturating_sub(1), ..there }
            };
            if self.0.put(&taken.key, fewer.entry(&taken.limit)?, expected).await? {
                return Ok(());
            }
        }
        Err(Error::Overloaded)
    }

    /// Forgets everything that was counted.
    pub(crate) async fn clear(&self, key: &str) -> Result<(), Error> {
        self.0.remove(key).await.map(drop)
    }

    /// How often somebody failed lately, and until when there may be no other attempt.
    pub(crate) async fn look(&self, key: &str) -> Result<(u32, Option<i64>), Error> {
        let (count, _) = self.read(key).await?;
        Ok((count.times, Some(count.locked_until).filter(|until| clock::now() < *until)))
    }
}

/// The name of a client's count at a route.
pub(crate) fn client_key(operation: &str, address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("throttle:v4-{operation}-{a}-{b}-{c}-{d}")
        }
        // Whoever has one address of a network of 64 bits has all of them.
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("throttle:v6-{operation}-{a:x}-{b:x}-{c:x}-{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    const SECOND: i64 = 1000;

    fn account() -> Limit {
        *Throttle::default().account().unwrap()
    }

    fn seconds(result: Result<Count, Duration>) -> u64 {
        result.unwrap_err().as_secs()
    }

    #[test]
    fn s13_five_failures_in_five_minutes_lock_and_each_lock_is_twice_as_long() {
        let (limit, mut now) = (account(), 1_000_000_000);
        let mut count = Count::default();
        for failure in 1..=5 {
            assert_eq!(count.locked_until, 0, "{failure}");
            count = count.one_more(&limit, now).unwrap();
            now += SECOND;
        }
        for minutes in [1, 2, 4, 8, 15, 15, 15] {
            assert_eq!(count.locked_until, now - SECOND + minutes * 60 * SECOND);
            assert_eq!(seconds(count.one_more(&limit, now)), u64::try_from(minutes * 60 - 1).unwrap());
            assert_eq!(seconds(count.one_more(&limit, count.locked_until - SECOND)), 1);
            now = count.locked_until;
            // One guess after each lock.
            count = count.one_more(&limit, now).unwrap();
            now += SECOND;
        }
        let mut many = count;
        many.locks = u32::MAX;
        assert_eq!(many.one_more(&limit, many.locked_until).unwrap().locks, u32::MAX);
    }

    #[test]
    fn s13_failures_that_are_far_apart_lock_nothing() {
        let (limit, now) = (account(), 1_000_000_000);
        let mut count = Count::default();
        for failure in 0..100 {
            count = count.one_more(&limit, now + failure * 76 * SECOND).unwrap();
            assert_eq!(count.locks, 0, "{failure}");
        }
    }

    #[test]
    fn s15_a_client_waits_until_the_time_is_over() {
        let (throttle, now) = (Throttle::default(), 1_000_000_000);
        let limit = throttle.client("log_in").unwrap();
        let mut count = Count::default();
        for failure in 0..10 {
            count = count.one_more(limit, now + failure * SECOND).unwrap();
        }
        assert_eq!(seconds(count.one_more(limit, now + 10 * SECOND)), 50);
        assert_eq!(count.one_more(limit, now + 60 * SECOND).unwrap().times, 1);
    }

    #[test]
    fn s15_addresses_of_ipv6_count_by_their_network() {
        let key = |address: &str| client_key("log_in", address.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn s16_routes_have_limits_of_their_own() {
        let throttle = Throttle::off().with_client_limit(3, Duration::from_mins(1)).with_route_limit(
            "register",
            7,
            Duration::from_mins(2),
        );
        assert_eq!(throttle.client("register"), Some(&Limit::of(7, Duration::from_mins(2))));
        assert_eq!(throttle.client("log_in"), Some(&Limit::of(3, Duration::from_mins(1))));
        assert!(throttle.check().is_ok());
        assert!(Throttle::off().client("log_in").is_none());
        let problem = throttle.with_route_limit("login", 1, MEMORY).check().unwrap_err().to_string();
        assert!(problem.contains("`login` is not counted; write one of `delete_account`"), "{problem}");
        assert!(Throttle::off().with_mail_every(Duration::ZERO).check().is_err());
        assert!(Throttle::default().with_locks(MEMORY, Duration::from_mins(1)).check().is_err());
    }

    #[tokio::test]
    async fn s14_attempts_side_by_side_cannot_pass_the_limit() {
        let store = std::sync::Arc::new(MemoryStore::default());
        let limit = account();
        let attempts: Vec<_> = (0..64)
            .map(|_| {
                let store = std::sync::Arc::clone(&store);
                tokio::spawn(async move { Counts(&*store).take("a".to_owned(), &limit).await.is_ok() })
            })
            .collect();
        let mut passed = 0;
        for attempt in attempts {
            passed += usize::from(attempt.await.unwrap());
        }
        assert_eq!(passed, 5);
    }

    #[tokio::test]
    async fn what_was_no_failure_is_given_back() {
        let store = MemoryStore::default();
        let counts = Counts(&store);
        let limit = account();
        let take = async || counts.take("a".to_owned(), &limit).await.unwrap();
        // Alone, the count is what it was, the lock included.
        for _ in 0..4 {
            take().await;
        }
        let fifth = take().await;
        assert!(fifth.locked_until().is_some());
        assert_eq!(fifth.times_before(), 4);
        counts.give_back(&fifth).await.unwrap();
        assert_eq!(counts.look("a").await.unwrap(), (4, None));
        // Where others were counted since, one is taken off.
        counts.clear("a").await.unwrap();
        let first = take().await;
        take().await;
        counts.give_back(&first).await.unwrap();
        assert_eq!(counts.look("a").await.unwrap(), (1, None));
        counts.clear("a").await.unwrap();
        counts.give_back(&first).await.unwrap();
        assert_eq!(counts.look("a").await.unwrap(), (0, None));
    }
}
