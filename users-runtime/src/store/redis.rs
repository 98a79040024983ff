//! Entries in Redis or Valkey: one server, Sentinel or Cluster.

mod address;
mod link;
mod script;
mod sentinel;

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use self::{
    address::Address,
    link::{Failure, Link},
    script::Script,
};
use super::{Entry, Expected, Store, check_key, encoding, hexadecimal, random};
use crate::{clock, error::Error, future::BoxFuture};
use ::redis::{Pipeline, Value};
use sha2::{Digest, Sha256};

/// How many connections wait for replicas, each for one write at a time: the server reads on from a connection only
/// when the wait is over.
const WAITING_LINKS: usize = 4;

/// Entries in Redis or Valkey: one server, Sentinel or Cluster. Needs the cargo feature `redis`.
///
/// The address says which:
///
/// | address | |
/// | --- | --- |
/// | `redis://host:port/db` | one server |
/// | `rediss://host:port/db` | the same over TLS; the certificate has to be one that the system trusts, or the file that `SSL_CERT_FILE` names |
/// | `redis+cluster://host:port,host:port` | a Cluster, found through any of these nodes |
/// | `redis+sentinel://host:port,host:port/name/db` | the primary that these Sentinels know by this name |
///
/// `rediss+cluster` and `rediss+sentinel` are the same over TLS. A name and a password of the servers stand in front of
/// the hosts, `redis://name:password@host`, with `%` escapes for what a URL keeps for itself; those of the Sentinels are
/// the parameters `sentinel_name` and `sentinel_password`. `replicas`, `prefix` and `timeout` (in milliseconds) are
/// parameters too: `redis://host?replicas=1`.
///
/// It connects with the first request, and again when a connection is lost. A request that gets no answer in time
/// ([`RedisStore::with_timeout`]) is answered with 503, and nobody is let in. Only primaries are asked. With Sentinel,
/// the Sentinels are asked for the primary whenever a connection is made, and once a second while it is used.
///
/// Entries go when they end, by the clock of Redis. Each write is one script on one key, so that of several that expect
/// the same one takes place. The keys of an owner are kept apart, in a sorted set that is written before the entry, so
/// that it never misses one. No command touches keys of two slots.
///
/// # What Redis has to be told
/// - `maxmemory-policy noeviction`: an evicted session has ended, and its user is logged out.
/// - `appendonly yes`, or a server that starts again has forgotten every session.
/// - A primary that is cut off from its replicas serves whoever reaches it until it is told otherwise:
///   `min-replicas-to-write` lets it stop on its own.
pub struct RedisStore {
    address: Address,
    prefix: String,
    timeout: Duration,
    replicas: usize,
    readers: Link,
    /// The connections for writes, in turn; none when the others serve for them.
    writers: Vec<Link>,
    turn: AtomicUsize,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address holds a password.
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

impl RedisStore {
    /// A store at this address. It is not asked yet: [`Store::ping`] tells whether it answers.
    ///
    /// # Errors
    /// [`Error::Setting`] when the address makes no sense. The message does not quote it, for it may hold a password.
    pub fn new(url: &str) -> Result<Self, Error> {
        let (address, options) = address::parse(url)
            .map_err(|problem| Error::Setting { name: "RedisStore::new", problem: problem.to_owned() })?;
        let store = Self {
            readers: Link::new(address.clone()),
            address,
            prefix: options.prefix.unwrap_or_else(|| "users:".to_owned()),
            timeout: options.timeout.unwrap_or(Duration::from_secs(2)),
            replicas: 0,
            writers: Vec::new(),
            turn: AtomicUsize::new(0),
        };
        Ok(store.with_replicas(options.replicas))
    }

    /// What every key in Redis begins with; `users:` by default. A prefix with a part in braces, as in `{users}:`, keeps
    /// everything in one slot of a Cluster.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a request waits for Redis; 2 s by default.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many replicas must have a write before it counts; none by default. Without them in half of the time-out the
    /// request is answered with 503, and may or may not have taken place.
    ///
    /// This is what makes a logout survive a fail-over. Redis answers before its replicas have a write, and what they do
    /// not have when the primary is lost has never been: sessions that were ended are back. With as many as there are
    /// replicas, what was answered is not lost as long as one of them lives. With fewer it holds when the one that
    /// takes over is among those that answered, which Sentinel and Cluster aim at: they prefer the one that has read
    /// most. Each write then waits for one more round trip, to the replicas.
    #[must_use]
    pub fn with_replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        let links = if replicas == 0 { 0 } else { WAITING_LINKS };
        self.writers = (0..links).map(|_| Link::new(self.address.clone())).collect();
        self
    }

    fn key(&self, key: &str) -> String {
        format!("{}entry:{key}", self.prefix)
    }

    fn owner(&self, owner: &str) -> String {
        format!("{}owner:{}", self.prefix, hexadecimal(&Sha256::digest(owner)))
    }

    /// Runs the work of one request, within the time that it may take.
    async fn within<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Error> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(answer) => answer.map_err(Error::unavailable),
            Err(_) => Err(Error::unavailable("Redis does not answer")),
        }
    }

    /// Reads from the primary that has the slot of a key.
    async fn read(&self, key: &str, pipeline: &Pipeline) -> Result<Value, Failure> {
        let mut answers = self.readers.send(key, pipeline, self.timeout).await?;
        answers.pop().ok_or_else(Failure::unexpected)
    }

    /// Runs a script that writes a key, and waits for the replicas that must have it.
    async fn write(&self, key: &str, script: &Script) -> Result<Value, Failure> {
        let writers = self.writers.get(self.turn.fetch_add(1, Ordering::Relaxed) % self.writers.len().max(1));
        let link = writers.unwrap_or(&self.readers);
        let mut pipeline = script.by_hash(key);
        let waits = self.wait_for_replicas(&mut pipeline);
        let mut answers = match link.send(key, &pipeline, self.timeout).await {
            // A server that has started again does not know the script any more.
            Err(failure) if failure.is_unknown_script() => {
                let mut pipeline = script.by_source(key);
                self.wait_for_replicas(&mut pipeline);
                link.send(key, &pipeline, self.timeout).await?
            }
            other => other?,
        };
        if waits {
            let acknowledged = match answers.pop() {
                Some(Value::Int(count)) => usize::try_from(count).unwrap_or_default(),
                _ => return Err(Failure::unexpected()),
            };
            if acknowledged < self.replicas {
                return Err(Failure::Replicas { acknowledged, required: self.replicas });
            }
        }
        answers.pop().ok_or_else(Failure::unexpected)
    }

    fn wait_for_replicas(&self, pipeline: &mut Pipeline) -> bool {
        if self.replicas > 0 {
            let patience = clock::millis(self.timeout / 2).max(1);
            pipeline.cmd("WAIT").arg(self.replicas).arg(patience);
        }
        self.replicas > 0
    }

    /// Takes a write's key from its owner's. When it cannot be done the key stays until its end, which does no harm.
    async fn forget(&self, owner: &str, member: &str) {
        let owner = self.owner(owner);
        let mut pipeline = Pipeline::new();
        pipeline.cmd("ZREM").arg(&owner).arg(member);
        let _ = self.readers.send(&owner, &pipeline, self.timeout).await;
    }

    async fn put_within(
        &self,
        key: &str,
        entry: &Entry,
        expected: Expected,
        write: u64,
    ) -> Result<bool, Failure> {
        let ours = Stored { write, entry: entry.clone() };
        let member = ours.member(key);
        // Redis counts sorted sets in floating point, and refuses ends that are too far away.
        let end = entry.expires_at.clamp(1, script::LATEST);
        if let Some(owner) = &entry.owner {
            let owner = self.owner(owner);
            self.write(&owner, &Script::note(end, &member)).await?;
        }
        let expected = match expected {
            Expected::Absent => None,
            Expected::Revision(revision) => Some(revision),
        };
        let script = Script::put(expected, ours.encode(), end, clock::now());
        let former = match self.write(&self.key(key), &script).await? {
            Value::Nil => {
                if let Some(owner) = &entry.owner {
                    self.forget(owner, &member).await;
                }
                return Ok(false);
            }
            Value::BulkString(former) => former,
            _ => return Err(Failure::unexpected()),
        };
        if let Some(former) = Stored::decode(&former)
            && former.write != write
            && let Some(owner) = &former.entry.owner
        {
            self.forget(owner, &former.member(key)).await;
        }
        Ok(true)
    }
}

impl Store for RedisStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        Box::pin(async move {
            check_key(key)?;
            let key = self.key(key);
            let mut pipeline = Pipeline::new();
            pipeline.cmd("GET").arg(&key);
            match self.within(self.read(&key, &pipeline)).await? {
                Value::Nil => Ok(None),
                Value::BulkString(bytes) => {
                    let stored =
                        Stored::decode(&bytes).ok_or_else(|| Error::unavailable("a damaged entry"))?;
                    Ok(Some(stored.entry).filter(|entry| clock::now() < entry.expires_at))
                }
                _ => Err(Error::unavailable(Failure::unexpected())),
            }
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            check_key(key)?;
            let write = random()?;
            self.within(self.put_within(key, &entry, expected, write)).await
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            check_key(key)?;
            self.within(async {
                match self.write(&self.key(key), &Script::remove(self.replicas > 0)).await? {
                    Value::Nil => Ok(false),
                    Value::BulkString(bytes) => {
                        // What is damaged is gone too, and what its owner has of it goes with its end.
                        let Some(stored) = Stored::decode(&bytes) else { return Ok(true) };
                        if let Some(owner) = &stored.entry.owner {
                            self.forget(owner, &stored.member(key)).await;
                        }
                        Ok(clock::now() < stored.entry.expires_at)
                    }
                    _ => Err(Failure::unexpected()),
                }
            })
            .await
        })
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        Box::pin(async move {
            let owner = self.owner(owner);
            let mut pipeline = Pipeline::new();
            pipeline.cmd("ZRANGE").arg(&owner).arg(0).arg(-1);
            let members = self.within(self.read(&owner, &pipeline)).await?;
            let members: Vec<String> = ::redis::from_redis_value(members).map_err(Error::unavailable)?;
            let mut keys: Vec<_> = members.iter().filter_map(|member| Stored::key_of(member)).collect();
            keys.sort_unstable();
            keys.dedup();
            Ok(keys)
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let mut pipeline = Pipeline::new();
            pipeline.cmd("PING");
            self.within(self.read(&self.key("ping"), &pipeline)).await.map(drop)
        })
    }
}

/// An entry as Redis holds it, with a number that tells this write from all others.
///
/// The number makes a write that is sent again, because its answer was lost, the same write; and it lets a key be taken
/// from an owner for one write while another one notes it.
struct Stored {
    write: u64,
    entry: Entry,
}

impl Stored {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.write.to_be_bytes().to_vec();
        bytes.extend_from_slice(&encoding::encode(&self.entry));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (write, entry) = bytes.split_first_chunk()?;
        Some(Self { write: u64::from_be_bytes(*write), entry: encoding::decode(entry)? })
    }

    /// What an owner's sorted set has of this write.
    fn member(&self, key: &str) -> String {
        format!("{key} {:016x}", self.write)
    }

    fn key_of(member: &str) -> Option<String> {
        member.split_once(' ').map(|(key, _)| key.to_owned())
    }
}
