//! Entries as files of a folder, for the processes of one machine.

use std::{path::Path, sync::Arc, time::Duration};

use super::{Entry, Expected, Store};
use crate::{error::Error, future::BoxFuture};

mod folder;
mod name;

use folder::Folder;

/// How long a request waits for the disk and for other writers.
const PATIENCE: Duration = Duration::from_secs(5);

/// Entries as files of a folder: they outlive the process, and the processes of one machine share them.
///
/// Keys have the form `kind:name`, where the kind is made of lower-case letters and the name of letters, digits, `-` and
/// `_`; others are refused. Every write reaches the disk before it counts, and a process that is killed at any moment
/// leaves a folder from which everything goes on. Each write takes a lock that the operating system frees when its
/// process ends, so the folder has to be on a disk of this machine: network file systems keep such locks in ways of
/// their own. Reading takes none.
///
/// A file that is damaged is an error, and the request is answered with 503: what an entry means is not for a store to
/// know, so neither is what its absence would mean. The log names the file; [`Store::remove`] removes it.
///
/// Only the user that the process runs as may read the folder, on Unix. It is created when it is missing at the start;
/// one that vanishes later is an error, not an empty store.
#[derive(Debug, Clone)]
pub struct FileStore {
    folder: Arc<Folder>,
}

impl FileStore {
    /// A store in this folder, which is created when it is missing.
    ///
    /// # Errors
    /// [`Error::Setting`] when the folder cannot be created or written.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let path = folder.as_ref();
        let folder = Folder::create(path).map_err(|error| Error::Setting {
            name: "FileStore::new",
            problem: format!("cannot write to the folder {}: {error}", path.display()),
        })?;
        Ok(Self { folder: Arc::new(folder) })
    }

    /// Runs work that waits for a disk or a lock where it holds nobody else up, and for a bounded time.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, Error> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, Error>> {
        let folder = Arc::clone(&self.folder);
        Box::pin(async move {
            let work = tokio::task::spawn_blocking(move || work(&folder));
            match tokio::time::timeout(PATIENCE, work).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(panic)) => Err(Error::internal(panic)),
                Err(_) => Err(Error::unavailable("the folder of the store does not answer")),
            }
        })
    }
}

impl Store for FileStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        let key = key.to_owned();
        self.run(move |folder| folder.get(&key))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        let key = key.to_owned();
        self.run(move |folder| folder.put(&key, &entry, expected))
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        let key = key.to_owned();
        self.run(move |folder| folder.remove(&key))
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        let owner = owner.to_owned();
        self.run(move |folder| folder.keys_of(&owner))
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.run(Folder::ping)
    }

    fn remove_expired(&self, now: i64) -> BoxFuture<'_, Result<(), Error>> {
        let folder = Arc::clone(&self.folder);
        // Nobody waits for this one, and a large folder takes longer than a request may.
        Box::pin(async move {
            tokio::task::spawn_blocking(move || folder.remove_expired(now)).await.map_err(Error::internal)?
        })
    }
}
