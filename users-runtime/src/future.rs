//! Futures behind a pointer, for what is chosen at start-up.

use std::{future::Future, pin::Pin};

/// A future behind a pointer, so that a store or a transport can be chosen at start-up.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
