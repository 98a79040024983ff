//! The database as a store: entries beside the users, for what every node has to know.

use super::Database;
use crate::{
    clock,
    error::Error,
    future::BoxFuture,
    store::{Entry, Expected, Store, check_key},
};

impl Database {
    async fn put_entry(&self, key: &str, entry: &Entry, expected: Expected) -> Result<bool, Error> {
        check_key(key)?;
        let now = clock::now();
        match expected {
            Expected::Absent => dispatch!(pool self, put_new_entry(key, entry, now)),
            Expected::Revision(revision) => dispatch!(pool self, replace_entry(key, entry, revision, now)),
        }
    }
}

impl Store for Database {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        Box::pin(async move {
            check_key(key)?;
            dispatch!(pool self, entry(key, clock::now()))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move { self.put_entry(key, &entry, expected).await })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            check_key(key)?;
            dispatch!(pool self, remove_entry(key, clock::now()))
        })
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        Box::pin(async move { dispatch!(pool self, entry_keys_of(owner)) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Database::ping(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::{SchemaMode, place::with_database},
        secret::PasswordHash,
    };

    /// A user, without whom there are no tables.
    #[derive(users_macros::UserModel)]
    #[user(crate = crate)]
    struct Person {
        #[user(id)]
        id: i64,
        #[user(identifier)]
        email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }

    async fn with_tables(test: impl AsyncFnOnce(&Database)) {
        with_database(async |database| {
            database.migrate::<Person>(SchemaMode::Managed).await.unwrap();
            test(database).await;
        })
        .await;
    }

    fn entry(revision: u64, expires_at: i64) -> Entry {
        Entry { owner: Some("ada".to_owned()), revision, value: vec![0, 159, 146, 150], expires_at }
    }

    #[tokio::test]
    async fn entries_are_written_by_compare_and_set() {
        with_tables(async |database| {
            let store: &dyn Store = database;
            let later = clock::now() + 60_000;
            assert_eq!(store.get("a").await.unwrap(), None);
            assert!(!store.put("a", entry(2, later), Expected::Revision(1)).await.unwrap());
            assert!(store.put("a", entry(1, later), Expected::Absent).await.unwrap());
            assert!(!store.put("a", entry(2, later), Expected::Absent).await.unwrap());
            assert!(!store.put("a", entry(3, later), Expected::Revision(2)).await.unwrap());
            assert_eq!(store.get("a").await.unwrap(), Some(entry(1, later)));
            assert!(store.put("a", entry(u64::MAX, later), Expected::Revision(1)).await.unwrap());
            assert_eq!(store.get("a").await.unwrap(), Some(entry(u64::MAX, later)));
            assert_eq!(store.get("A").await.unwrap(), None, "keys are compared byte by byte");
            assert_eq!(store.keys_of("ada").await.unwrap(), ["a"]);
            assert!(store.keys_of("Ada").await.unwrap().is_empty());
            assert!(store.remove("a").await.unwrap());
            assert!(!store.remove("a").await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn an_entry_that_has_ended_is_absent() {
        with_tables(async |database| {
            let store: &dyn Store = database;
            let (before, later) = (clock::now() - 1, clock::now() + 60_000);
            assert!(store.put("a", entry(1, before), Expected::Absent).await.unwrap());
            assert_eq!(store.get("a").await.unwrap(), None);
            assert!(!store.put("a", entry(2, later), Expected::Revision(1)).await.unwrap());
            assert!(!store.remove("a").await.unwrap());
            assert!(store.put("a", entry(2, later), Expected::Absent).await.unwrap());
            assert!(store.put("b", entry(1, before), Expected::Absent).await.unwrap());
            database.delete_expired(clock::now(), 1000).await.unwrap();
            assert_eq!(store.keys_of("ada").await.unwrap(), ["a"]);
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_that_expect_the_same_one_writes() {
        with_tables(async |database| {
            let later = clock::now() + 60_000;
            let mut expected = Expected::Absent;
            for round in 1..=2 {
                let writes: Vec<_> = (0..20)
                    .map(|writer| {
                        let (database, entry) = (database.clone(), entry(100 * round + writer, later));
                        tokio::spawn(async move { database.put("a", entry, expected).await.unwrap() })
                    })
                    .collect();
                let mut written = 0;
                for write in writes {
                    written += usize::from(write.await.unwrap());
                }
                assert_eq!(written, 1, "round {round}");
                let there = database.get("a").await.unwrap().unwrap();
                expected = Expected::Revision(there.revision);
            }
        })
        .await;
    }
}
