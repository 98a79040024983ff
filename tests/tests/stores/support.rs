//! A store of each kind for a test, which goes with its owner, also when the test panics.

use std::{
    future::Future,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{RwLock, RwLockReadGuard};
use users_runtime::{Entry, Expected, FileStore, MemoryStore, RedisStore, Store, TowerStore};
use uuid::Uuid;

use crate::tower::Records;

/// A folder of a test's own.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        Self(std::env::temp_dir().join(format!("users-stores-{}", Uuid::new_v4().simple())))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a test finds Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redis {
    Server,
    Cluster,
    Sentinel,
}

impl Redis {
    /// The address, as the setting has it.
    pub fn url(self) -> String {
        let (name, default) = match self {
            Self::Server => ("TEST_REDIS_URL", "redis://127.0.0.1:6379"),
            Self::Cluster => {
                ("TEST_REDIS_CLUSTER_URL", "redis+cluster://127.0.0.1:7100,127.0.0.1:7101,127.0.0.1:7102")
            }
            Self::Sentinel => (
                "TEST_REDIS_SENTINEL_URL",
                "redis+sentinel://127.0.0.1:7300,127.0.0.1:7301,127.0.0.1:7302/users",
            ),
        };
        std::env::var(name).unwrap_or_else(|_| default.to_owned())
    }

    /// The servers that may hold what a test has written, for clean-up.
    fn servers(self) -> Vec<String> {
        match self {
            Self::Server => vec![self.url()],
            Self::Cluster => (7100..7106).map(|port| format!("redis://127.0.0.1:{port}")).collect(),
            Self::Sentinel => (7200..7203).map(|port| format!("redis://127.0.0.1:{port}")).collect(),
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Server => "scripts/services",
            Self::Cluster => "scripts/redis-cluster start",
            Self::Sentinel => "scripts/redis-sentinel start",
        }
    }

    /// The tests that kill a server of a Cluster or of Sentinel's have it for themselves.
    pub fn lock(self) -> &'static RwLock<()> {
        static LOCKS: [RwLock<()>; 3] = [const { RwLock::const_new(()) }; 3];
        &LOCKS[self as usize]
    }

    /// Whether there is one. Without, the test is left out with a line that says so; where all services are required,
    /// it fails.
    pub async fn answers(self) -> bool {
        let store = RedisStore::new(&self.url()).expect("an address").with_timeout(Duration::from_secs(5));
        let Err(error) = store.ping().await else { return true };
        let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
        assert!(!required, "{self:?}: {error:?}; run `{}`", self.script());
        let notice = format!("left out: a test on Redis ({self:?}); start it with `{}`\n", self.script());
        // Past the capture of the output of tests that pass.
        std::io::stderr().write_all(notice.as_bytes()).expect("standard error");
        false
    }

    /// A store with a prefix of the test's own, if there is a server.
    pub async fn store(self) -> Option<(RedisStore, Prefix)> {
        let guard = self.lock().read().await;
        if !self.answers().await {
            return None;
        }
        let mut prefix = Prefix::new(self);
        prefix.guard = Some(guard);
        let store = RedisStore::new(&self.url()).expect("an address").with_prefix(&prefix.name);
        Some((store, prefix))
    }
}

/// What keys of a test begin with; the keys go with it.
pub struct Prefix {
    pub name: String,
    redis: Redis,
    guard: Option<RwLockReadGuard<'static, ()>>,
}

impl Prefix {
    pub fn new(redis: Redis) -> Self {
        Self { name: format!("test:{}:", Uuid::new_v4().simple()), redis, guard: None }
    }

    /// Every key that the test has in Redis.
    pub fn keys(&self) -> Vec<String> {
        let mut all = Vec::new();
        for mut server in self.primaries() {
            let keys: Vec<String> =
                redis::cmd("KEYS").arg(format!("{}*", self.name)).query(&mut server).expect("keys");
            all.extend(keys);
        }
        all
    }

    fn primaries(&self) -> impl Iterator<Item = redis::Connection> {
        self.redis.servers().into_iter().filter_map(|url| {
            let mut server =
                redis::Client::open(url).ok()?.get_connection_with_timeout(Duration::from_secs(2)).ok()?;
            let role: Vec<redis::Value> = redis::cmd("ROLE").query(&mut server).ok()?;
            matches!(role.first(), Some(redis::Value::BulkString(role)) if role == b"master")
                .then_some(server)
        })
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        for mut server in self.primaries() {
            let keys: Vec<String> =
                redis::cmd("KEYS").arg(format!("{}*", self.name)).query(&mut server).unwrap_or_default();
            for key in keys {
                let _ = redis::cmd("DEL").arg(key).query::<()>(&mut server);
            }
        }
        drop(self.guard.take());
    }
}

/// A store, and what has to live as long as it.
pub struct Place {
    pub store: Arc<dyn Store>,
    _owned: Box<dyn Send>,
}

impl Place {
    pub fn memory() -> Self {
        Self { store: Arc::new(MemoryStore::default()), _owned: Box::new(()) }
    }

    pub fn file() -> Self {
        let folder = Folder::new();
        let store = FileStore::new(folder.path()).expect("a folder");
        Self { store: Arc::new(store), _owned: Box::new(folder) }
    }

    pub fn tower() -> Self {
        Self { store: Arc::new(TowerStore::new(Records::default())), _owned: Box::new(()) }
    }

    pub async fn redis(redis: Redis, replicas: usize) -> Option<Self> {
        let (store, prefix) = redis.store().await?;
        Some(Self { store: Arc::new(store.with_replicas(replicas)), _owned: Box::new(prefix) })
    }
}

/// A key that nobody has used.
pub fn new_key() -> String {
    format!("session:{}{}", Uuid::new_v4().simple(), &Uuid::new_v4().simple().to_string()[..11])
}

/// A number that nobody has used.
pub fn random() -> u64 {
    getrandom::u64().expect("randomness")
}

/// An entry that lasts for longer than a test, and not for much longer.
pub fn entry(owner: Option<&str>, value: &[u8]) -> Entry {
    Entry {
        owner: owner.map(str::to_owned),
        revision: random(),
        value: value.to_vec(),
        expires_at: users_tests::now() + 120_000,
    }
}

/// Writes an entry under a key that has none.
pub async fn create(store: &dyn Store, key: &str, owner: Option<&str>) -> Entry {
    let entry = entry(owner, b"value");
    assert!(store.put(key, entry.clone(), Expected::Absent).await.expect("a store"), "{key} is taken");
    entry
}

/// The keys of an owner, in order.
pub async fn keys_of(store: &dyn Store, owner: &str) -> Vec<String> {
    let mut keys = store.keys_of(owner).await.expect("a store");
    keys.sort();
    keys
}

/// What comes of work that must not take for ever.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), work).await.expect("an answer in time")
}

/// One test for each store: `each_store!(name, |store| async { ... })`.
macro_rules! each_store {
    ($name:ident, |$store:ident| $body:expr) => {
        mod $name {
            use super::*;

            async fn test($store: &dyn users_runtime::Store) {
                $body.await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn memory() {
                test(&*$crate::support::Place::memory().store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn file() {
                test(&*$crate::support::Place::file().store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn tower() {
                test(&*$crate::support::Place::tower().store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                use $crate::support::{Place, Redis};
                if let Some(place) = Place::redis(Redis::Server, 0).await {
                    test(&*place.store).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis_cluster() {
                use $crate::support::{Place, Redis};
                if let Some(place) = Place::redis(Redis::Cluster, 1).await {
                    test(&*place.store).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis_sentinel() {
                use $crate::support::{Place, Redis};
                if let Some(place) = Place::redis(Redis::Sentinel, 1).await {
                    test(&*place.store).await;
                }
            }
        }
    };
}
pub(crate) use each_store;
