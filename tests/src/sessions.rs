//! Where a test's application keeps its sessions: a place of its own in the store that the run was started for.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
};

use users_runtime::{BoxFuture, Entry, Error, Expected, FileStore, MemoryStore, RedisStore, Store};

use crate::database::new_folder;

/// A store of sessions that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    Database,
    Memory,
    File,
    Redis,
}

impl Storage {
    /// The one of this run: `TEST_STORE`, or the database.
    pub fn chosen() -> Self {
        static CHOSEN: LazyLock<Storage> = LazyLock::new(|| match std::env::var("TEST_STORE").as_deref() {
            Err(_) | Ok("" | "database") => Storage::Database,
            Ok("memory") => Storage::Memory,
            Ok("file") => Storage::File,
            Ok("redis") => Storage::Redis,
            Ok(other) => {
                panic!("TEST_STORE is `{other}`; write `database`, `memory`, `file` or `redis`")
            }
        });
        *CHOSEN
    }
}

/// The Redis that the tests use, which may hold other keys too.
pub fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

/// The place of one application's sessions outside of its database, which goes with its owner.
pub(crate) struct Sessions {
    pub(crate) store: Watched,
    place: Place,
}

enum Place {
    Memory,
    Folder(PathBuf),
    Redis { url: String },
}

impl Sessions {
    /// An empty place in the store of this run; `None` when that is the database.
    pub(crate) async fn new() -> Option<Self> {
        let (store, place): (Arc<dyn Store>, _) = match Storage::chosen() {
            Storage::Database => return None,
            Storage::Memory => (Arc::new(MemoryStore::default()), Place::Memory),
            Storage::File => {
                let folder = new_folder();
                (Arc::new(FileStore::new(&folder).expect("a folder")), Place::Folder(folder))
            }
            Storage::Redis => {
                let mut url: reqwest::Url =
                    redis_url().parse().unwrap_or_else(|error| panic!("TEST_REDIS_URL: {error}"));
                let prefix = format!("users-tests:{}:", uuid::Uuid::new_v4().simple());
                url.query_pairs_mut().append_pair("prefix", &prefix);
                let store = RedisStore::new(url.as_str()).unwrap_or_else(|error| panic!("{error}"));
                if let Err(error) = store.ping().await {
                    panic!("no Redis: {error:?}; start one with `scripts/services`");
                }
                (Arc::new(store), Place::Redis { url: url.into() })
            }
        };
        Some(Self { store: Watched { store, keys: Arc::default() }, place })
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        match &self.place {
            Place::Memory => {}
            Place::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Place::Redis { url } => forget(url.clone(), self.store.keys()),
        }
    }
}

/// Removes what a test has left in Redis. Blocks, for a test that drops it may be about to end.
fn forget(url: String, keys: Vec<String>) {
    if keys.is_empty() {
        return;
    }
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let Ok(store) = RedisStore::new(&url) else { return };
            for key in keys {
                // It ends by itself too, in a month.
                let _ = store.remove(&key).await;
            }
        });
    };
    let _ = std::thread::spawn(work).join();
}

/// A store that also remembers what was ever written to it, so that a test can count what is left.
#[derive(Clone)]
pub(crate) struct Watched {
    store: Arc<dyn Store>,
    keys: Arc<Mutex<BTreeSet<String>>>,
}

impl Watched {
    fn keys(&self) -> Vec<String> {
        self.keys.lock().expect("not poisoned").iter().cloned().collect()
    }

    /// How many entries there are.
    pub(crate) async fn count(&self) -> i64 {
        let mut count = 0;
        for key in self.keys() {
            count += i64::from(self.store.get(&key).await.expect("the store answers").is_some());
        }
        count
    }
}

impl Store for Watched {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        self.store.get(key)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.keys.lock().expect("not poisoned").insert(key.to_owned());
        self.store.put(key, entry, expected)
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        self.store.remove(key)
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        self.store.keys_of(owner)
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.store.ping()
    }

    fn remove_expired(&self, now: i64) -> BoxFuture<'_, Result<(), Error>> {
        self.store.remove_expired(now)
    }
}
