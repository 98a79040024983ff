//! Entries in a store that an application has for `tower-sessions`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::{Mutex, MutexGuard};
use tower_sessions_core::{
    SessionStore,
    session::{Id, Record},
};

use super::{Entry, Expected, Store, check_key};
use crate::{clock, error::Error, future::BoxFuture};

/// How long a request waits for the store.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many keys can be written at the same time.
const LOCKS: usize = 64;

/// Entries in a store that an application has for `tower-sessions`. Needs the cargo feature `tower-sessions`.
///
/// Such a store knows four operations: create, save, load and delete, by an identifier of 128 bits. An entry is kept
/// under the first half of the SHA-256 of its key. What is missing is done in this process:
/// - Compare and set is a load and a save under a lock **of this process**. Two processes that write the same key at the
///   same moment may both be told that their write took place: of two uses of one refresh token both may pass.
/// - The keys of an owner are one more entry, which is loaded, changed and saved under the lock. Two processes that log
///   the same user in at the same moment may lose one of the two keys: to end all sessions of this user would leave that
///   one alive until its end.
///
/// So it is made for **one process**, or for several that route each user to the same one. With more, keep sessions in
/// the database, in Redis, or in files. Entries that have ended are left for the store itself to delete, as with
/// `ExpiredDeletion`, whose task belongs to the application.
#[derive(Debug)]
pub struct TowerStore {
    store: Arc<dyn SessionStore>,
    /// One for each key, taken first, then one for each owner: in this order nobody waits in a circle.
    keys: Vec<Mutex<()>>,
    owners: Vec<Mutex<()>>,
}

impl TowerStore {
    /// Entries in this store. It may hold the application's own sessions too.
    pub fn new(store: impl SessionStore) -> Self {
        let locks = || (0..LOCKS).map(|_| Mutex::new(())).collect();
        Self { store: Arc::new(store), keys: locks(), owners: locks() }
    }

    async fn load<T>(&self, id: Id, read: impl FnOnce(&Record) -> Option<T>) -> Result<Option<T>, Error> {
        match self.store.load(&id).await.map_err(Error::unavailable)? {
            // Not ours, or damaged: an error, for what an entry means is not for a store to know.
            Some(record) => read(&record).ok_or_else(|| Error::unavailable("a damaged entry")).map(Some),
            None => Ok(None),
        }
    }

    async fn entry(&self, key: &str) -> Result<Option<Entry>, Error> {
        let entry = self.load(id_of("entry", key), |record| entry_of(record, key)).await?;
        Ok(entry.filter(|entry| clock::now() < entry.expires_at))
    }

    /// Writes a record, new or not.
    async fn write(&self, record: Record, is_new: bool) -> Result<bool, Error> {
        if !is_new {
            self.store.save(&record).await.map_err(Error::unavailable)?;
            return Ok(true);
        }
        // Twice, for what has ended may still be there and in the way.
        for _ in 0..2 {
            let mut created = record.clone();
            self.store.create(&mut created).await.map_err(Error::unavailable)?;
            if created.id == record.id {
                return Ok(true);
            }
            // The identifier was taken, and the store has found another.
            self.store.delete(&created.id).await.map_err(Error::unavailable)?;
            if self.store.load(&record.id).await.map_err(Error::unavailable)?.is_some() {
                return Ok(false);
            }
            self.store.delete(&record.id).await.map_err(Error::unavailable)?;
        }
        Err(Error::unavailable("the store keeps no record under the identifier that it is given"))
    }

    /// Notes a key at its owner, until it ends, or forgets it.
    async fn note(&self, owner: &str, key: &str, expires_at: Option<i64>) -> Result<(), Error> {
        let _lock = lock(&self.owners, owner).await;
        let id = id_of("owner", owner);
        let there = self.load(id, |record| keys_in(record, owner)).await?;
        let is_new = there.is_none();
        let (now, mut keys) = (clock::now(), there.unwrap_or_default());
        keys.retain(|_, end| now < *end);
        match expires_at {
            Some(end) => drop(keys.insert(key.to_owned(), end)),
            None => drop(keys.remove(key)),
        }
        if keys.is_empty() {
            return self.store.delete(&id).await.map_err(Error::unavailable);
        }
        let last = keys.values().copied().max().unwrap_or(now);
        let keys = keys.into_iter().map(|(key, end)| (key, Value::from(end))).collect();
        let data = [("owner", Value::from(owner)), ("keys", Value::Object(keys))];
        if self.write(record(id, data, last), is_new).await? {
            return Ok(());
        }
        Err(Error::unavailable("another process wrote the keys of this owner at the same moment"))
    }

    async fn put_within(&self, key: &str, entry: Entry, expected: Expected) -> Result<bool, Error> {
        let _lock = lock(&self.keys, key).await;
        let there = self.entry(key).await?;
        let fits = match (&there, expected) {
            (None, Expected::Absent) => true,
            (Some(there), Expected::Revision(revision)) => there.revision == revision,
            _ => false,
        };
        if !fits {
            return Ok(false);
        }
        if let Some(owner) = &entry.owner {
            self.note(owner, key, Some(entry.expires_at)).await?;
        }
        let data = [
            ("key", Value::from(key)),
            ("owner", entry.owner.as_deref().map_or(Value::Null, Value::from)),
            // As text: not every store keeps 64 bits of a number.
            ("revision", Value::from(entry.revision.to_string())),
            ("expires_at", Value::from(entry.expires_at.to_string())),
            ("value", Value::from(STANDARD_NO_PAD.encode(&entry.value))),
        ];
        let written =
            self.write(record(id_of("entry", key), data, entry.expires_at), there.is_none()).await?;
        if let Some(former) = there.and_then(|there| there.owner).filter(|_| written)
            && entry.owner.as_ref() != Some(&former)
        {
            self.note(&former, key, None).await?;
        }
        Ok(written)
    }

    async fn remove_within(&self, key: &str) -> Result<bool, Error> {
        let _lock = lock(&self.keys, key).await;
        let id = id_of("entry", key);
        let loaded = self.store.load(&id).await.map_err(Error::unavailable)?;
        let Some(loaded) = loaded else { return Ok(false) };
        self.store.delete(&id).await.map_err(Error::unavailable)?;
        // What is damaged is gone too, and what its owner has of it goes with its end.
        let Some(entry) = entry_of(&loaded, key) else { return Ok(true) };
        if let Some(owner) = &entry.owner {
            self.note(owner, key, None).await?;
        }
        Ok(clock::now() < entry.expires_at)
    }
}

impl Store for TowerStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        within(async move {
            check_key(key)?;
            self.entry(key).await
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        within(async move {
            check_key(key)?;
            self.put_within(key, entry, expected).await
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        within(async move {
            check_key(key)?;
            self.remove_within(key).await
        })
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        within(async move {
            let keys = self.load(id_of("owner", owner), |record| keys_in(record, owner)).await?;
            Ok(keys.unwrap_or_default().into_keys().collect())
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        within(async move { self.store.load(&id_of("ping", "")).await.map_err(Error::unavailable).map(drop) })
    }
}

/// Waits for the store, and not for ever.
fn within<'a, T>(
    work: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> BoxFuture<'a, Result<T, Error>> {
    Box::pin(async move {
        tokio::time::timeout(PATIENCE, work)
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("the store for tower-sessions does not answer")))
    })
}

/// The lock for a name. Two names may have the same.
async fn lock<'a>(locks: &'a [Mutex<()>], name: &str) -> MutexGuard<'a, ()> {
    locks[usize::from(Sha256::digest(name)[0]) % LOCKS].lock().await
}

/// The identifier of what has this name: half of a hash, which nobody finds a second name for.
fn id_of(kind: &str, name: &str) -> Id {
    let hash = Sha256::new().chain_update("users:").chain_update(kind).chain_update(":").chain_update(name);
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finalize()[..16]);
    Id(i128::from_le_bytes(half))
}

fn record(id: Id, data: impl IntoIterator<Item = (&'static str, Value)>, expires_at: i64) -> Record {
    let nanoseconds = i128::from(expires_at) * 1_000_000;
    // An end beyond the year 9999 has no date.
    let latest = time::PrimitiveDateTime::MAX.assume_utc();
    let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(latest);
    let data: HashMap<_, _> = data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Record { id, data, expiry_date }
}

fn entry_of(record: &Record, key: &str) -> Option<Entry> {
    let field = |name: &str| record.data.get(name)?.as_str();
    if field("key")? != key {
        return None;
    }
    Some(Entry {
        owner: field("owner").map(str::to_owned),
        revision: field("revision")?.parse().ok()?,
        value: STANDARD_NO_PAD.decode(field("value")?).ok()?,
        expires_at: field("expires_at")?.parse().ok()?,
    })
}

fn keys_in(record: &Record, owner: &str) -> Option<HashMap<String, i64>> {
    if record.data.get("owner")?.as_str()? != owner {
        return None;
    }
    let keys = record.data.get("keys")?.as_object()?;
    keys.iter().map(|(key, end)| Some((key.clone(), end.as_i64()?))).collect()
}
