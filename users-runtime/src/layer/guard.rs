//! A guard before routes.

use std::{
    convert::Infallible,
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::request::Parts;
use tower::{Layer, Service};

use crate::{
    error::Error,
    extract::{remember_guard, require},
    future::BoxFuture,
    guard::{Guard, check},
    model::UserModel,
};

/// A layer that lets pass whom a guard allows: others are answered 401 without a login and 403 with one.
///
/// `accounts::guard(...)` makes one, for [`axum::Router::route_layer`] of a router below `accounts::router(users)`; in any
/// other place nobody passes. Each layer of nested routers adds its condition.
pub struct GuardLayer<U: UserModel>(Arc<dyn Guard<U>>);

impl<U: UserModel> GuardLayer<U> {
    /// A layer of this guard.
    pub fn new(guard: impl Guard<U>) -> Self {
        Self(Arc::new(guard))
    }
}

impl<U: UserModel> From<Arc<dyn Guard<U>>> for GuardLayer<U> {
    fn from(guard: Arc<dyn Guard<U>>) -> Self {
        Self(guard)
    }
}

impl<U: UserModel> Clone for GuardLayer<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: UserModel> std::fmt::Debug for GuardLayer<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardLayer").finish_non_exhaustive()
    }
}

impl<U: UserModel, S> Layer<S> for GuardLayer<U> {
    type Service = GuardService<U, S>;

    fn layer(&self, inner: S) -> GuardService<U, S> {
        GuardService { guard: Arc::clone(&self.0), inner }
    }
}

/// What stands behind a [`GuardLayer`], and the guard before it.
pub struct GuardService<U: UserModel, S> {
    guard: Arc<dyn Guard<U>>,
    inner: S,
}

impl<U: UserModel, S: Clone> Clone for GuardService<U, S> {
    fn clone(&self) -> Self {
        Self { guard: Arc::clone(&self.guard), inner: self.inner.clone() }
    }
}

impl<U: UserModel, S> std::fmt::Debug for GuardService<U, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardService").finish_non_exhaustive()
    }
}

impl<U, S> Service<Request> for GuardService<U, S>
where
    U: UserModel,
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was asked whether it is ready is the one to call.
        let other = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, other);
        let guard = Arc::clone(&self.guard);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match let_pass(guard, &mut parts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(error) => Ok(error.into_response()),
            }
        })
    }
}

async fn let_pass<U: UserModel>(guard: Arc<dyn Guard<U>>, request: &mut Parts) -> Result<(), Error> {
    check(&*guard, require::<U>(request).await?.principal())?;
    remember_guard(&mut request.extensions, guard);
    Ok(())
}
