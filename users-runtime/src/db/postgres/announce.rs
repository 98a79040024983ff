//! What nodes tell each other: which users and sessions are no longer what they were.

#[cfg(feature = "user-cache")]
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

#[cfg(feature = "user-cache")]
use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
#[cfg(feature = "user-cache")]
use tokio::{sync::Notify, time::sleep};

use super::Connection;
#[cfg(feature = "user-cache")]
use crate::cache::Kept;
use crate::error::Error;
#[cfg(feature = "user-cache")]
use crate::error::display_chain;

/// The channel that applications of this library share in a database.
const CHANNEL: &str = "users_runtime_changes";

/// How long to wait before another try at listening.
#[cfg(feature = "user-cache")]
const PAUSE: Duration = Duration::from_secs(1);

/// Tells other nodes of changes, once the transaction is committed.
pub(in crate::db) async fn announce(connection: &mut Connection, text: &str) -> Result<(), Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text).execute(connection).await?;
    Ok(())
}

/// Forgets what other nodes change, for as long as somebody needs the cache.
#[cfg(feature = "user-cache")]
pub(in crate::db) async fn listen(pool: PgPool, cache: Weak<Kept>, closed: Arc<Notify>) {
    tokio::select! {
        () = closed.notified() => {}
        () = async { while cache.strong_count() > 0 { follow(&pool, &cache).await } } => {}
    }
}

/// Listens until the connection is lost.
#[cfg(feature = "user-cache")]
async fn follow(pool: &PgPool, cache: &Weak<Kept>) {
    match hear(pool, cache).await {
        Ok(()) => tracing::warn!("changes of users on other nodes are not heard of; users are read again"),
        Err(error) => {
            tracing::warn!(cause = %display_chain(&error), "changes of users on other nodes cannot be heard of");
        }
    }
    if let Some(cache) = cache.upgrade() {
        cache.set_hearing(false);
    }
    sleep(PAUSE).await;
}

#[cfg(feature = "user-cache")]
async fn hear(pool: &PgPool, cache: &Weak<Kept>) -> Result<(), Error> {
    // A connection of its own: one of the pool would be missing there for good.
    let alone = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let options = pool.connect_options().as_ref().clone();
    let mut listener = PgListener::connect_with(&alone.connect_lazy_with(options)).await?;
    // What is said between two connections is lost, so a lost one ends this.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    if let Some(cache) = cache.upgrade() {
        cache.set_hearing(true);
    }
    while let Some(notification) = listener.try_recv().await? {
        let Some(cache) = cache.upgrade() else { break };
        cache.hear(notification.payload());
    }
    Ok(())
}
