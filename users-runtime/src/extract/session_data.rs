//! `SessionData`: values of the application's own that a session carries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use http::{Extensions, HeaderValue, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    app::Application,
    auth::{Backend, Credential},
    error::Error,
    future::BoxFuture,
    service::Users,
    session::DataChanges,
};

/// Values that the session of a request carries: a basket, a language, the step of a form.
///
/// They are there before a login and stay across it; another user's login does not see them. A visitor who is given none
/// has no session and no cookie. Changes are stored when the handler has answered, unless it answered a 5xx. With `session`,
/// of two requests at once each keeps what it changed; with `session_cookie` the browser keeps the cookie that comes last.
///
/// ```
/// use axum::Json;
/// use users_runtime::{Error, SessionData};
///
/// async fn add(session: SessionData, Json(article): Json<u64>) -> Result<Json<Vec<u64>>, Error> {
///     let mut basket: Vec<u64> = session.get("basket")?.unwrap_or_default();
///     basket.push(article);
///     session.set("basket", &basket)?;
///     Ok(Json(basket))
/// }
/// ```
///
/// It is there with the backends `session`, which keeps the values on the server, and `session_cookie`, which seals them
/// into the cookie.
#[derive(Clone)]
pub struct SessionData(Arc<Mutex<State>>);

impl std::fmt::Debug for SessionData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionData(..)")
    }
}

#[derive(Default)]
struct State {
    data: Map<String, Value>,
    changes: DataChanges,
}

impl SessionData {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave it half-changed: each change is one call on a map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of this name, if there is one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the value is not of this type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let value = self.lock().data.get(name).cloned();
        value.map(serde_json::from_value).transpose().map_err(Error::internal)
    }

    /// Gives a name a value.
    ///
    /// # Errors
    /// [`Error::Internal`] when the value cannot be JSON.
    pub fn set<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        let value = serde_json::to_value(value).map_err(Error::internal)?;
        let mut state = self.lock();
        state.changes.set(name, Some(value.clone()));
        state.data.insert(name.to_owned(), value);
        Ok(())
    }

    /// Takes the value of this name away.
    pub fn remove(&self, name: &str) {
        let mut state = self.lock();
        state.changes.set(name, None);
        state.data.remove(name);
    }

    /// Takes every value away.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.changes.clear();
        state.data.clear();
    }
}

/// Reads and writes what sessions carry, whatever the application's types are.
trait Carry: Send + Sync {
    fn read<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Map<String, Value>, Error>>;
    fn write<'a>(
        &'a self,
        request: &'a Parts,
        changes: &'a DataChanges,
    ) -> BoxFuture<'a, Result<Credential, Error>>;
}

impl<A: Application> Carry for Users<A> {
    fn read<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Map<String, Value>, Error>> {
        Box::pin(async move {
            let scope = self.scope_of(request).await?;
            self.backend().read_data(scope.directory(), request).await
        })
    }

    fn write<'a>(
        &'a self,
        request: &'a Parts,
        changes: &'a DataChanges,
    ) -> BoxFuture<'a, Result<Credential, Error>> {
        Box::pin(async move {
            let scope = self.scope_of(request).await?;
            self.backend().write_data(scope.directory(), request, changes).await
        })
    }
}

/// What a request's handlers made of its session, for whoever stores it behind them.
#[derive(Clone)]
pub(crate) struct Carried {
    carry: Arc<dyn Carry>,
    asked: Arc<Mutex<Option<(Parts, SessionData)>>>,
}

impl Carried {
    /// What a request begins with; `None` for an application whose sessions carry nothing.
    pub(crate) fn new<A: Application>(users: &Users<A>) -> Option<Self> {
        <A::Auth as Backend<A::User>>::CARRIES_DATA
            .then(|| Self { carry: Arc::new(users.clone()), asked: Arc::default() })
    }

    /// Another request's.
    pub(crate) fn fresh(&self) -> Self {
        Self { carry: Arc::clone(&self.carry), asked: Arc::default() }
    }

    pub(crate) fn mark(&self, extensions: &mut Extensions) {
        extensions.insert(self.clone());
    }

    fn asked(&self) -> MutexGuard<'_, Option<(Parts, SessionData)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what was changed; the headers by which the client knows its session.
    pub(crate) async fn store(self) -> Result<Vec<HeaderValue>, Error> {
        let Some((request, data)) = self.asked().take() else { return Ok(Vec::new()) };
        let changes = data.lock().changes.clone();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let credential = self.carry.write(&request, &changes).await?;
        Ok(credential.headers.into_iter().map(|(_, value)| value).collect())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionData {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let Some(carried) = parts.extensions.get::<Carried>().cloned() else {
            return Err(Error::internal(
                "`SessionData` in a handler outside `router(users)`, or with a backend whose sessions carry nothing; \
                 name `session` or `session_cookie` in `auth`",
            ));
        };
        if let Some((_, data)) = &*carried.asked() {
            return Ok(data.clone());
        }
        let data = carried.carry.read(parts).await?;
        let session = Self(Arc::new(Mutex::new(State { data, changes: DataChanges::default() })));
        // What the session is, the headers say; nothing else of the request is needed.
        let mut request = http::Request::new(()).into_parts().0;
        request.headers.clone_from(&parts.headers);
        request.uri.clone_from(&parts.uri);
        request.method.clone_from(&parts.method);
        request.extensions.clone_from(&parts.extensions);
        // What keeps the request must not be kept by it: a request that is dropped half-way would stay for ever.
        request.extensions.remove::<Carried>();
        *carried.asked() = Some((request, session.clone()));
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Carry for Nothing {
        fn read<'a>(&'a self, _: &'a Parts) -> BoxFuture<'a, Result<Map<String, Value>, Error>> {
            Box::pin(std::future::ready(Ok(Map::new())))
        }

        fn write<'a>(&'a self, _: &'a Parts, _: &'a DataChanges) -> BoxFuture<'a, Result<Credential, Error>> {
            Box::pin(std::future::ready(Ok(Credential::default())))
        }
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_half_way_leaves_nothing_behind() {
        let carried = Carried { carry: Arc::new(Nothing), asked: Arc::default() };
        let kept = Arc::downgrade(&carried.asked);
        let mut request = http::Request::new(()).into_parts().0;
        carried.mark(&mut request.extensions);
        let data = SessionData::from_request_parts(&mut request, &()).await.unwrap();
        data.set("name", &1).unwrap();
        assert_eq!(data.get::<i64>("name").unwrap(), Some(1));
        drop((carried, request, data));
        assert!(kept.upgrade().is_none());
    }
}
