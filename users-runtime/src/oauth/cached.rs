//! A value of a provider that is fetched when it is first needed, by one request for all that wait.

use std::{
    future::Future,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use super::fault::{Fault, Place};

/// A value that is fetched when it is needed and kept for a while. A failure is not kept.
pub(super) struct Cached<T> {
    place: Place,
    max_age: Duration,
    renewal_pause: Duration,
    value: RwLock<Option<(Instant, Arc<T>)>>,
    /// Held by whoever fetches.
    fetching: tokio::sync::Mutex<Attempts>,
}

#[derive(Default)]
struct Attempts {
    failed_at: Option<Instant>,
    renewed_at: Option<Instant>,
}

impl<T> Cached<T> {
    /// `renewal_pause` is how long after one early renewal the next may be.
    pub(super) fn new(place: Place, max_age: Duration, renewal_pause: Duration) -> Self {
        Self {
            place,
            max_age,
            renewal_pause,
            value: RwLock::new(None),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    fn fresh(&self) -> Option<Arc<T>> {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        let (fetched_at, value) = value.as_ref()?;
        (fetched_at.elapsed() < self.max_age).then(|| Arc::clone(value))
    }

    /// The value, fetched if there is none or it is old.
    pub(super) async fn get(&self, fetch: impl Future<Output = Result<T, Fault>>) -> Result<Arc<T>, Fault> {
        if let Some(value) = self.fresh() {
            return Ok(value);
        }
        let asked_at = Instant::now();
        let mut attempts = self.fetching.lock().await;
        if let Some(value) = self.fresh() {
            return Ok(value);
        }
        // Else all that wait for a provider that is down would try it one after the other.
        if attempts.failed_at.is_some_and(|failed_at| failed_at >= asked_at) {
            let cause = "another request has just tried".into();
            return Err(Fault::Unreachable { place: self.place, cause });
        }
        self.fetch(&mut attempts, fetch).await
    }

    /// Another value than this one, which turned out to be no good, though it is not old; the same one if it was
    /// renewed early a short while ago.
    pub(super) async fn renewed(
        &self,
        stale: &Arc<T>,
        fetch: impl Future<Output = Result<T, Fault>>,
    ) -> Result<Arc<T>, Fault> {
        let mut attempts = self.fetching.lock().await;
        match self.fresh() {
            Some(value) if !Arc::ptr_eq(&value, stale) => return Ok(value),
            _ => {}
        }
        if attempts.renewed_at.is_some_and(|renewed_at| renewed_at.elapsed() < self.renewal_pause) {
            return Ok(Arc::clone(stale));
        }
        attempts.renewed_at = Some(Instant::now());
        self.fetch(&mut attempts, fetch).await
    }

    async fn fetch(
        &self,
        attempts: &mut Attempts,
        fetch: impl Future<Output = Result<T, Fault>>,
    ) -> Result<Arc<T>, Fault> {
        match fetch.await {
            Ok(value) => {
                let value = Arc::new(value);
                let kept = Some((Instant::now(), Arc::clone(&value)));
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = kept;
                Ok(value)
            }
            Err(fault) => {
                attempts.failed_at = Some(Instant::now());
                Err(fault)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(1000);

    struct Source(AtomicU32);

    impl Source {
        /// The how-manieth fetch it is, or a failure.
        async fn fetch(&self, fails: bool) -> Result<u32, Fault> {
            let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
            if fails { Err(Place::KeySet.invalid("no")) } else { Ok(count) }
        }
    }

    #[tokio::test]
    async fn s48_all_that_wait_share_one_fetch_and_its_failure_is_not_kept() {
        let (source, cached) = (Source(AtomicU32::new(0)), Cached::new(Place::KeySet, LONG, LONG));
        let get = |fails| cached.get(source.fetch(fails));
        let (one, two, three) = tokio::join!(get(true), get(true), get(true));
        assert!(one.is_err() && two.is_err() && three.is_err());
        assert_eq!(source.0.load(Ordering::SeqCst), 1);

        let (one, two, three) = tokio::join!(get(false), get(false), get(false));
        assert_eq!((*one.unwrap(), *two.unwrap(), *three.unwrap()), (2, 2, 2));
        assert_eq!(*get(false).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn s48_an_old_value_is_fetched_anew() {
        let (source, cached) =
            (Source(AtomicU32::new(0)), Cached::new(Place::KeySet, Duration::from_millis(100), LONG));
        assert_eq!(*cached.get(source.fetch(false)).await.unwrap(), 1);
        tokio::time::sleep(Duration::from_millis(110)).await;
        assert_eq!(*cached.get(source.fetch(false)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn s46_a_value_is_renewed_early_at_most_once_in_a_while() {
        let (source, cached) =
            (Source(AtomicU32::new(0)), Cached::new(Place::KeySet, LONG, Duration::from_millis(100)));
        let first = cached.get(source.fetch(false)).await.unwrap();
        let second = cached.renewed(&first, source.fetch(false)).await.unwrap();
        assert_eq!((*first, *second), (1, 2));
        // Whoever still holds the first one gets what is there.
        assert_eq!(*cached.renewed(&first, source.fetch(false)).await.unwrap(), 2);
        assert_eq!(*cached.renewed(&second, source.fetch(false)).await.unwrap(), 2);
        tokio::time::sleep(Duration::from_millis(110)).await;
        assert_eq!(*cached.renewed(&second, source.fetch(false)).await.unwrap(), 3);
    }
}
