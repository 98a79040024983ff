//! The folder of the file store: which files there are, and in which order they are written.
//!
//! ```text
//! entries/session.abc          an entry: a hash over key and content, then the content
//! owners/<hash>/session.abc    an empty file: the owner has an entry under this key, or had
//! locks/17                     whoever has the lock on it may write the entries of shard 17
//! temporary/17                 what the holder of the lock writes before it moves it to its place
//! ```
//! The file at an owner is there before the entry and goes after it, so that none is missing whenever a process is
//! killed. What is left over too much is taken away by `remove_expired`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{super::encoding, name};
use crate::{
    clock,
    error::Error,
    store::{Entry, Expected},
};

/// How many writers can be at work at the same time.
pub(super) const SHARDS: u8 = 64;

/// How many bytes of hash stand in front of an entry.
const HASH_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Folder {
    entries: PathBuf,
    owners: PathBuf,
    locks: PathBuf,
    temporary: PathBuf,
}

/// What a file of an entry holds.
enum Found {
    Entry(Entry),
    /// It is there, and not as it was written.
    Damaged,
}

impl Folder {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let folder = |name: &str| -> io::Result<PathBuf> {
            let path = path.join(name);
            create_private(&path)?;
            Ok(path)
        };
        create_private(path)?;
        let created = Self {
            entries: folder("entries")?,
            owners: folder("owners")?,
            locks: folder("locks")?,
            temporary: folder("temporary")?,
        };
        sync(path)?;
        created.probe()?;
        Ok(created)
    }

    /// Whether the folder can be written.
    fn probe(&self) -> io::Result<()> {
        let _lock = self.lock(0)?;
        self.write_temporary(0, b"")?;
        fs::remove_file(self.temporary_file(0))?;
        fs::metadata(&self.entries)?;
        fs::metadata(&self.owners).map(drop)
    }

    pub(super) fn ping(&self) -> Result<(), Error> {
        self.probe().map_err(Error::unavailable)
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let name = name::of_key(key)?;
        match self.read(&name, key)? {
            Some(Found::Entry(entry)) => Ok(Some(entry).filter(|entry| clock::now() < entry.expires_at)),
            Some(Found::Damaged) => Err(self.damaged(&name)),
            None => Ok(None),
        }
    }

    pub(super) fn put(&self, key: &str, entry: &Entry, expected: Expected) -> Result<bool, Error> {
        let name = name::of_key(key)?;
        let shard = name::shard(&name);
        let _lock = self.lock(shard).map_err(Error::unavailable)?;
        let there = match self.read(&name, key)? {
            Some(Found::Entry(entry)) => Some(entry),
            Some(Found::Damaged) => return Err(self.damaged(&name)),
            None => None,
        };
        let live = there.as_ref().filter(|entry| clock::now() < entry.expires_at);
        let fits = match (live, expected) {
            (None, Expected::Absent) => true,
            (Some(there), Expected::Revision(revision)) => there.revision == revision,
            _ => false,
        };
        if fits {
            self.write(shard, &name, key, entry).map_err(Error::unavailable)?;
            let former = there.and_then(|there| there.owner);
            if let Some(former) = former.filter(|former| entry.owner.as_ref() != Some(former)) {
                remove_file(&self.owner(&former).join(&name)).map_err(Error::unavailable)?;
            }
        }
        Ok(fits)
    }

    pub(super) fn remove(&self, key: &str) -> Result<bool, Error> {
        let name = name::of_key(key)?;
        let _lock = self.lock(name::shard(&name)).map_err(Error::unavailable)?;
        let (live, owner) = match self.read(&name, key)? {
            Some(Found::Entry(entry)) => (clock::now() < entry.expires_at, entry.owner),
            // Nobody can say whose it was: the file at the owner is taken away by `remove_expired`.
            Some(Found::Damaged) => (true, None),
            None => return Ok(false),
        };
        self.remove_entry(&name, owner.as_deref()).map_err(Error::unavailable)?;
        Ok(live)
    }

    pub(super) fn keys_of(&self, owner: &str) -> Result<Vec<String>, Error> {
        // A folder that is gone with everything in it has no owners, and is no store.
        fs::metadata(&self.owners).map_err(Error::unavailable)?;
        let names = names(&self.owner(owner)).map_err(Error::unavailable)?;
        Ok(names.iter().filter_map(|name| name::to_key(name)).collect())
    }

    pub(super) fn remove_expired(&self, now: i64) -> Result<(), Error> {
        // In a folder that is gone nothing has ended.
        fs::metadata(&self.entries).map_err(Error::unavailable)?;
        // Each is looked at twice: without the lock, for most stay, and with it, for it may have been renewed since.
        for name in names(&self.entries).map_err(Error::unavailable)? {
            let Some(key) = name::to_key(&name) else { continue };
            let ended =
                |found: &Option<Found>| matches!(found, Some(Found::Entry(entry)) if entry.expires_at <= now);
            if ended(&self.read(&name, &key)?) {
                let _lock = self.lock(name::shard(&name)).map_err(Error::unavailable)?;
                if let Some(Found::Entry(entry)) = self.read(&name, &key)?
                    && entry.expires_at <= now
                {
                    self.remove_entry(&name, entry.owner.as_deref()).map_err(Error::unavailable)?;
                }
            }
        }
        self.remove_leftovers().map_err(Error::unavailable)
    }

    /// Takes away what processes that were killed have left: temporary files, and files at owners without an entry.
    fn remove_leftovers(&self) -> io::Result<()> {
        for shard in 0..SHARDS {
            if self.temporary_file(shard).exists() {
                let _lock = self.lock(shard)?;
                remove_file(&self.temporary_file(shard))?;
            }
        }
        for owner in names(&self.owners)? {
            let owner = self.owners.join(owner);
            for name in names(&owner)? {
                if name::to_key(&name).is_none() || self.entries.join(&name).exists() {
                    continue;
                }
                let _lock = self.lock(name::shard(&name))?;
                if !self.entries.join(&name).try_exists()? {
                    remove_file(&owner.join(&name))?;
                }
            }
            // Fails as long as there is anything in it.
            let _ = fs::remove_dir(&owner);
        }
        Ok(())
    }

    fn owner(&self, owner: &str) -> PathBuf {
        self.owners.join(name::of_owner(owner))
    }

    fn temporary_file(&self, shard: u8) -> PathBuf {
        self.temporary.join(shard.to_string())
    }

    /// Waits for the lock of a shard. Each has a file handle of its own, so that it holds between threads too.
    fn lock(&self, shard: u8) -> io::Result<File> {
        let file =
            private().create(true).truncate(false).write(true).open(self.locks.join(shard.to_string()))?;
        file.lock()?;
        Ok(file)
    }

    fn read(&self, name: &str, key: &str) -> Result<Option<Found>, Error> {
        let mut bytes = Vec::new();
        match File::open(self.entries.join(name)) {
            Ok(mut file) => file.read_to_end(&mut bytes).map_err(Error::unavailable)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // In a folder that is gone nothing is absent.
                fs::metadata(&self.entries).map_err(Error::unavailable)?;
                return Ok(None);
            }
            Err(error) => return Err(Error::unavailable(error)),
        };
        let entry = bytes
            .split_at_checked(HASH_BYTES)
            .filter(|(stated, content)| *stated == hash(key, content))
            .and_then(|(_, content)| encoding::decode(content));
        Ok(Some(entry.map_or(Found::Damaged, Found::Entry)))
    }

    fn damaged(&self, name: &str) -> Error {
        Error::unavailable(format!("the file {} is damaged", self.entries.join(name).display()))
    }

    /// Writes an entry. To be called with the lock of its shard.
    fn write(&self, shard: u8, name: &str, key: &str, entry: &Entry) -> io::Result<()> {
        if let Some(owner) = &entry.owner {
            self.note(&self.owner(owner), name)?;
        }
        let content = encoding::encode(entry);
        let mut bytes = hash(key, &content).to_vec();
        bytes.extend_from_slice(&content);
        self.write_temporary(shard, &bytes)?;
        fs::rename(self.temporary_file(shard), self.entries.join(name))?;
        sync(&self.entries)
    }

    fn write_temporary(&self, shard: u8, bytes: &[u8]) -> io::Result<()> {
        let mut file = private().create(true).truncate(true).write(true).open(self.temporary_file(shard))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Notes at an owner that there is an entry under this name.
    fn note(&self, owner: &Path, name: &str) -> io::Result<()> {
        let file = owner.join(name);
        if file.try_exists()? {
            return Ok(());
        }
        // The folder may be taken away by `remove_expired` between the two, each time it is empty again.
        for _ in 0..100 {
            create_private(owner)?;
            match private().create(true).truncate(false).write(true).open(&file) {
                Ok(_) => {
                    sync(owner)?;
                    return sync(&self.owners);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the folder of an owner does not stay"))
    }

    /// Removes an entry. To be called with the lock of its shard.
    fn remove_entry(&self, name: &str, owner: Option<&str>) -> io::Result<()> {
        remove_file(&self.entries.join(name))?;
        // An end that a power cut undoes is none.
        sync(&self.entries)?;
        match owner {
            Some(owner) => remove_file(&self.owner(owner).join(name)),
            None => Ok(()),
        }
    }
}

/// The hash that an entry's file begins with: over the key too, so that no file stands for another.
fn hash(key: &str, content: &[u8]) -> [u8; HASH_BYTES] {
    Sha256::new().chain_update(key).chain_update([0]).chain_update(content).finalize().into()
}

/// The names in a folder; none when it is missing.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries
        .filter_map(|entry| match entry {
            Ok(entry) => entry.file_name().into_string().ok().map(Ok),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

/// Removes a file that may be gone already.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// How files are opened: for the user of this process alone.
fn private() -> OpenOptions {
    #[allow(unused_mut, reason = "only Unix has a mode")]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a folder, for the user of this process alone, that may be there already.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Waits until the names in a folder have reached the disk, where that can be waited for.
fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
