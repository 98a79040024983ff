//! Entries in the memory of this process.

use std::{
    collections::{HashMap, HashSet, hash_map},
    sync::{Mutex, PoisonError},
};

use super::{Entry, Expected, Store};
use crate::{clock, error::Error, future::BoxFuture};

/// Entries in the memory of this process: they end with it and are not shared between nodes.
#[derive(Debug, Default)]
pub struct MemoryStore {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    by_owner: HashMap<String, HashSet<String>>,
}

impl Entries {
    fn live(&self, key: &str) -> Option<&Entry> {
        self.by_key.get(key).filter(|entry| clock::now() < entry.expires_at)
    }

    fn insert(&mut self, key: &str, entry: Entry) {
        self.remove(key);
        if let Some(owner) = &entry.owner {
            self.by_owner.entry(owner.clone()).or_default().insert(key.to_owned());
        }
        self.by_key.insert(key.to_owned(), entry);
    }

    fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.by_key.remove(key)?;
        if let Some(owner) = &entry.owner
            && let hash_map::Entry::Occupied(mut keys) = self.by_owner.entry(owner.clone())
        {
            keys.get_mut().remove(key);
            if keys.get().is_empty() {
                keys.remove();
            }
        }
        Some(entry)
    }
}

impl MemoryStore {
    fn at<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&mut Entries) -> T,
    ) -> BoxFuture<'_, Result<T, Error>> {
        match super::check_key(key) {
            Ok(()) => self.with(work),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Entries) -> T,
    ) -> BoxFuture<'_, Result<T, Error>> {
        // A panic cannot leave the maps half-changed: each piece of work allocates before it changes anything.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = work(&mut entries);
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        self.at(key, |entries| entries.live(key).cloned())
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.at(key, |entries| {
            let fits = match (entries.live(key), expected) {
                (None, Expected::Absent) => true,
                (Some(there), Expected::Revision(revision)) => there.revision == revision,
                _ => false,
            };
            if fits {
                entries.insert(key, entry);
            }
            fits
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        self.at(key, |entries| {
            let live = entries.live(key).is_some();
            entries.remove(key);
            live
        })
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        self.with(|entries| entries.by_owner.get(owner).into_iter().flatten().cloned().collect())
    }

    fn remove_expired(&self, now: i64) -> BoxFuture<'_, Result<(), Error>> {
        self.with(|entries| {
            let ended: Vec<_> = entries
                .by_key
                .iter()
                .filter(|(_, entry)| entry.expires_at <= now)
                .map(|(key, _)| key.clone())
                .collect();
            for key in ended {
                entries.remove(&key);
            }
        })
    }
}
