//! A store for `tower-sessions`, and what the adapter makes of one that fails.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tower_sessions_core::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};
use users_runtime::{Expected, Store, TowerStore};

use crate::support::{create, entry, new_key, soon};

/// A store in memory, as an application may have one for `tower-sessions`. What has ended stays in it.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    records: Mutex<HashMap<Id, Record>>,
    is_gone: AtomicBool,
}

impl Records {
    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashMap<Id, Record>) -> T + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T>> + Send>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            if inner.is_gone.load(Ordering::Relaxed) {
                return Err(Error::Backend("gone".to_owned()));
            }
            // As with a server, something else gets its turn in between.
            tokio::task::yield_now().await;
            Ok(work(&mut inner.records.lock().expect("no panic")))
        })
    }
}

impl SessionStore for Records {
    fn create<'a, 'b, 'c>(
        &'a self,
        record: &'b mut Record,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>
    where
        Self: 'c,
        'a: 'c,
        'b: 'c,
    {
        Box::pin(async move {
            let mut created = record.clone();
            let created = self.with(move |records| {
                while records.contains_key(&created.id) {
                    created.id = Id::default();
                }
                records.insert(created.id, created.clone());
                created
            });
            *record = created.await?;
            Ok(())
        })
    }

    fn save<'a, 'b, 'c>(&'a self, record: &'b Record) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>
    where
        Self: 'c,
        'a: 'c,
        'b: 'c,
    {
        let record = record.clone();
        // Only what is there, as the one for Redis does.
        self.with(move |records| {
            if let Some(there) = records.get_mut(&record.id) {
                *there = record;
            }
        })
    }

    fn load<'a, 'b, 'c>(
        &'a self,
        id: &'b Id,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Record>>> + Send + 'c>>
    where
        Self: 'c,
        'a: 'c,
        'b: 'c,
    {
        let id = *id;
        self.with(move |records| {
            let now = i128::from(users_tests::now()) * 1_000_000;
            records.get(&id).filter(|record| now < record.expiry_date.unix_timestamp_nanos()).cloned()
        })
    }

    fn delete<'a, 'b, 'c>(&'a self, id: &'b Id) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>
    where
        Self: 'c,
        'a: 'c,
        'b: 'c,
    {
        let id = *id;
        self.with(move |records| drop(records.remove(&id)))
    }
}

#[tokio::test]
async fn a_store_that_is_gone_lets_nobody_in() {
    let records = Records::default();
    let store = TowerStore::new(records.clone());
    let key = new_key();
    create(&store, &key, Some("ann")).await;
    records.0.is_gone.store(true, Ordering::Relaxed);
    let error = soon(store.get(&key)).await.expect_err("it is gone");
    assert_eq!(error.status().as_u16(), 503);
    assert!(soon(store.put(&key, entry(None, b""), Expected::Absent)).await.is_err());
    assert!(soon(store.remove(&key)).await.is_err());
    assert!(soon(store.keys_of("ann")).await.is_err());
    assert!(soon(store.ping()).await.is_err());
    records.0.is_gone.store(false, Ordering::Relaxed);
    assert!(store.get(&key).await.expect("it is back").is_some());
}

#[tokio::test]
async fn a_record_that_is_not_as_it_was_written_is_an_error() {
    let records = Records::default();
    let store = TowerStore::new(records.clone());
    let key = new_key();
    create(&store, &key, None).await;
    for record in records.0.records.lock().expect("no panic").values_mut() {
        record.data.remove("revision");
    }
    let error = store.get(&key).await.expect_err("it is damaged");
    assert_eq!(error.status().as_u16(), 503);
    assert!(store.remove(&key).await.expect("it can be removed"));
    assert_eq!(store.get(&key).await.expect("a store"), None);
}

#[tokio::test]
async fn the_application_keeps_its_own_sessions() {
    let records = Records::default();
    let store = TowerStore::new(records.clone());
    let own = Record {
        id: Id::default(),
        data: HashMap::new(),
        expiry_date: std::time::SystemTime::now()
            .checked_add(std::time::Duration::from_mins(1))
            .expect("a date")
            .into(),
    };
    records.create(&mut own.clone()).await.expect("a store");
    let key = new_key();
    create(&store, &key, Some("ann")).await;
    assert!(store.remove(&key).await.expect("a store"));
    assert_eq!(records.load(&own.id).await.expect("a store"), Some(own));
    assert_eq!(records.0.records.lock().expect("no panic").len(), 1, "something is left over");
}
