//! Stores: where sessions, and the refresh tokens that belong to them, are kept when not in the database.
//!
//! A [`Store`] knows entries with a key, a value and an end, and nothing of what they mean. [`MemoryStore`],
//! [`FileStore`] and `RedisStore` are built in, `TowerStore` takes what an application has for `tower-sessions`; a store
//! of one's own implements four methods.

mod encoding;
mod file;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "tower-sessions")]
mod tower;

use std::sync::Arc;

#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
#[cfg(feature = "tower-sessions")]
pub use self::tower::TowerStore;
pub use file::FileStore;
pub use memory::MemoryStore;

use crate::{error::Error, future::BoxFuture};

/// How long a key may be.
const KEY_MAX_BYTES: usize = 128;

/// An entry of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose entry it is, for [`Store::keys_of`]; `None` for nobody's.
    pub owner: Option<String>,
    /// What tells this version of the entry from the others: a random number, chosen by whoever writes.
    pub revision: u64,
    /// The content.
    pub value: Vec<u8>,
    /// When the entry ends, in milliseconds since 1970.
    pub expires_at: i64,
}

/// What has to be under a key for a write to take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing, or an entry that has ended.
    Absent,
    /// The entry with this revision, which has not ended.
    Revision(u64),
}

/// Where entries are kept, under keys of printable ASCII without white space, at most 128 bytes long.
///
/// Every write is atomic: of several that expect the same, one takes place. An entry whose end has passed is absent. An
/// error answers the request with 503: a store that is gone lets nobody in (S58). A call has to end in bounded time, for a
/// request waits for it.
pub trait Store: Send + Sync + 'static {
    /// Reads an entry; `None` when there is none, or when it has ended.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>>;

    /// Writes an entry if what is there is as expected; `false` when it is not.
    ///
    /// From then on, and until the entry ends or is removed, [`Store::keys_of`] names the key to its owner.
    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>>;

    /// Removes an entry; `false` when there was none.
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>>;

    /// The keys of an owner's entries, in no order. Keys of entries that have ended may be among them.
    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>>;

    /// Whether the store answers: asked once at start-up, and by the readiness probe.
    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Forgets the entries that ended before `now`, in milliseconds since 1970. A store that does so by itself has nothing
    /// to do here.
    fn remove_expired(&self, now: i64) -> BoxFuture<'_, Result<(), Error>> {
        let _ = now;
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Refuses a key that no store has to know: what it is made of may have a meaning of its own where it ends up.
pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > KEY_MAX_BYTES || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::internal(
            "a key of a store is printable ASCII without white space, up to 128 bytes",
        ));
    }
    Ok(())
}

/// Bytes as small letters and digits, for names that every store and file system takes.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |number: u8| char::from(DIGITS[usize::from(number & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// A number that tells one write from the others.
#[cfg(feature = "redis")]
fn random() -> Result<u64, Error> {
    getrandom::u64().map_err(|error| Error::internal(error.to_string()))
}

/// The environment variable that says where sessions are kept.
const SETTING: &str = "SESSION_STORE";

/// Where the files go when the setting names no folder.
const DEFAULT_FOLDER: &str = "sessions";

/// The store that a setting asks for; `None` when it asks for the database.
///
/// # Errors
/// [`Error::Setting`] when the setting names no store, or one whose feature is switched off. The message never quotes a
/// URL, which may hold a password.
pub(crate) fn store_from_setting(setting: &str) -> Result<Option<Arc<dyn Store>>, Error> {
    let store: Arc<dyn Store> = match setting.split_once(':') {
        None if setting == "database" => return Ok(None),
        None if setting == "memory" => Arc::new(MemoryStore::default()),
        None if setting == "file" => Arc::new(FileStore::new(DEFAULT_FOLDER).map_err(named)?),
        Some(("file", "")) => {
            return Err(refused("write the folder after `file:`, as in `file:/var/lib/app`"));
        }
        Some(("file", folder)) => Arc::new(FileStore::new(folder).map_err(named)?),
        Some((scheme, _)) if is_redis(scheme) => redis_from_setting(setting)?,
        _ => {
            return Err(refused(
                "unknown store; write `database`, `memory`, `file`, `file:<folder>`, or a URL that begins with \
                 `redis://`, `rediss://`, `redis+cluster://` or `redis+sentinel://`",
            ));
        }
    };
    Ok(Some(store))
}

fn is_redis(scheme: &str) -> bool {
    let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme);
    ["redis", "rediss"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(feature = "redis")]
fn redis_from_setting(setting: &str) -> Result<Arc<dyn Store>, Error> {
    Ok(Arc::new(RedisStore::new(setting).map_err(named)?))
}

#[cfg(not(feature = "redis"))]
fn redis_from_setting(_: &str) -> Result<Arc<dyn Store>, Error> {
    Err(refused(
        "Redis needs the feature `redis` of this crate; switch it on, or write `database`, `memory` or `file:<folder>`",
    ))
}

/// An error of a store's, under the name by which the setting is known to whoever wrote it.
fn named(error: Error) -> Error {
    match error {
        Error::Setting { problem, .. } => refused(problem),
        other => other,
    }
}

fn refused(problem: impl Into<String>) -> Error {
    Error::Setting { name: SETTING, problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(setting: &str) -> String {
        match store_from_setting(setting) {
            Err(error @ Error::Setting { .. }) => error.to_string(),
            Err(error) => panic!("{setting}: not refused as a setting: {error:?}"),
            Ok(_) => panic!("{setting}: not refused"),
        }
    }

    #[test]
    fn a_setting_names_a_store() {
        assert!(store_from_setting("database").expect("a setting").is_none());
        assert!(store_from_setting("memory").expect("a setting").is_some());
        let folder = std::env::temp_dir().join(format!("users-store-setting-{}", std::process::id()));
        assert!(store_from_setting(&format!("file:{}", folder.display())).expect("a setting").is_some());
        assert!(folder.is_dir());
        std::fs::remove_dir_all(folder).expect("it can be removed");
    }

    #[test]
    fn a_setting_that_names_none_says_what_to_write() {
        for setting in ["", "databases", "Memory", "postgres://ann:s3cret@host/db", "memcached://host"] {
            let message = refusal(setting);
            assert!(message.starts_with("SESSION_STORE: unknown store; write `database`"), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
        assert!(refusal("file:").contains("write the folder"));
        assert!(refusal("file:/dev/null/here").starts_with("SESSION_STORE: cannot write to the folder"));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_url_of_redis_names_a_store_without_asking_it() {
        for setting in [
            "redis://127.0.0.1:1",
            "redis://ann:s3cret@[::1]:1/3?replicas=1&prefix=app:&timeout=500",
            "rediss://redis.example.com",
            "redis+cluster://ann:s3cret@10.0.0.1:7000,10.0.0.2:7001",
            "redis+sentinel://:s3cret@10.0.0.1,10.0.0.2:26380/primary/2",
        ] {
            assert!(store_from_setting(setting).expect(setting).is_some());
        }
        for setting in [
            "redis://",
            "redis://ann:s3cret@host:port",
            "redis://ann:s3cret@a,b",
            "redis://ann:s3cret@a/database",
            "redis+cluster://ann:s3cret@a:1,,b:2",
            "redis+cluster://ann:s3cret@a:1/2",
            "redis+sentinel://ann:s3cret@a:1",
            "redis+else://ann:s3cret@a:1",
            "redis://ann:s3cret@a?replica=1",
            "redis://ann:s3cret@a?replicas=many",
        ] {
            let message = refusal(setting);
            assert!(message.contains("write ") && !message.contains("s3cret"), "{setting}: {message}");
        }
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_url_of_redis_names_the_feature() {
        assert!(refusal("redis://ann:s3cret@host").contains("the feature `redis`"));
    }
}
