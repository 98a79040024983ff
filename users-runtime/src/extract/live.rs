//! Whether the user of a connection that stays open is still one.

use std::{fmt, sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Extensions, request::Parts};

use super::{CurrentUser, Handle, find_or_nobody, require};
use crate::{
    error::Error,
    future::BoxFuture,
    guard::{Guard, check},
    model::UserModel,
};

/// How often a credential is looked at again, unless [`Heartbeat::every`] says otherwise.
const INTERVAL: Duration = Duration::from_secs(15);

/// Looks again and again whether a request's credential is still good: for web sockets, server-sent events and everything
/// else that goes on after the request was let in. A session that ended, a token that expired, a user who
/// was deactivated or lost the role that a guard before the route asks for: each is noticed at the next heartbeat.
///
/// In a handler's arguments it demands a login, as `accounts::CurrentUser` does; `Option<accounts::Heartbeat>` serves
/// others too. Each heartbeat costs what an authenticated request costs, and counts as use of a session: one that is
/// looked at is not idle, and ends at its absolute end.
///
/// A WebSocket that is closed when the login is over:
///
/// ```
/// use axum::{
///     Router,
///     extract::ws::{Message, WebSocket, WebSocketUpgrade},
///     response::Response,
///     routing::get,
/// };
/// # use users_runtime::users_app;
/// # #[users_app(auth = "session", routes(auth))]
/// # mod accounts {
/// #     #[derive(Clone, Debug, users_runtime::UserModel)]
/// #     pub struct User {
/// #         #[user(id)] pub id: i64,
/// #         #[user(identifier)] pub email: String,
/// #         #[user(password_hash)] password_hash: users_runtime::PasswordHash,
/// #     }
/// # }
///
/// async fn open(upgrade: WebSocketUpgrade, heartbeat: accounts::Heartbeat) -> Response {
///     upgrade.on_upgrade(|socket| talk(socket, heartbeat))
/// }
///
/// async fn talk(mut socket: WebSocket, mut heartbeat: accounts::Heartbeat) {
///     loop {
///         tokio::select! {
///             // Dropping the socket closes the connection.
///             _over = heartbeat.ended() => return,
///             received = socket.recv() => match received {
///                 Some(Ok(message @ Message::Text(_))) => {
///                     if socket.send(message).await.is_err() {
///                         return;
///                     }
///                 }
///                 Some(Ok(_)) => {}
///                 _ => return,
///             },
///         }
///     }
/// }
///
/// # fn app(users: accounts::Users) -> Router {
/// accounts::router(users).protected(Router::new().route("/socket", get(open))).into_router()
/// # }
/// ```
///
/// Server-sent events, with a comment at each heartbeat:
///
/// ```
/// use std::convert::Infallible;
///
/// use axum::response::sse::{Event, Sse};
/// use futures_util::stream::{self, Stream};
/// # use users_runtime::users_app;
/// # #[users_app(auth = "session", routes(auth))]
/// # mod accounts {
/// #     #[derive(Clone, Debug, users_runtime::UserModel)]
/// #     pub struct User {
/// #         #[user(id)] pub id: i64,
/// #         #[user(identifier)] pub email: String,
/// #         #[user(password_hash)] password_hash: users_runtime::PasswordHash,
/// #     }
/// # }
/// # type News = tokio::sync::mpsc::Receiver<String>;
/// # fn subscribe() -> News { tokio::sync::mpsc::channel(1).1 }
///
/// async fn news(heartbeat: accounts::Heartbeat) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
///     let both = (heartbeat, subscribe());
///     Sse::new(stream::unfold(both, |(mut heartbeat, mut news)| async move {
///         let event = tokio::select! {
///             // An error ends the stream.
///             user = heartbeat.tick() => Event::default().comment(format!("still {}", user.ok()?.email)),
///             text = news.recv() => Event::default().data(text?),
///         };
///         Some((Ok(event), (heartbeat, news)))
///     }))
/// }
/// # fn app(users: accounts::Users) -> axum::Router {
/// # accounts::router(users).protected(axum::Router::new().route("/news", axum::routing::get(news))).into_router()
/// # }
/// ```
pub struct Heartbeat<U: UserModel> {
    line: Arc<Line<U>>,
    interval: Duration,
    /// The beat that is under way: whoever waits for one in a `select!` that something else wins finds it here again.
    beat: Option<BoxFuture<'static, Result<CurrentUser<U>, Error>>>,
}

/// What it takes to find out who a request is from once more.
struct Line<U: UserModel> {
    handle: Handle<U>,
    request: Parts,
    guards: Vec<Arc<dyn Guard<U>>>,
}

impl<U: UserModel> Clone for Line<U> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), request: self.request.clone(), guards: self.guards.clone() }
    }
}

impl<U: UserModel> Line<U> {
    async fn check(&self) -> Result<CurrentUser<U>, Error> {
        let found = self.handle.0.authenticate(&self.request).await?;
        let user = CurrentUser(Arc::new(found.ok_or(Error::Unauthenticated)?));
        // A role that was taken away closes what it opened (S25).
        self.guards.iter().try_for_each(|guard| check(&**guard, user.principal()))?;
        Ok(user)
    }
}

impl<U: UserModel> fmt::Debug for Heartbeat<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl<U: UserModel> Heartbeat<U> {
    /// The same at another interval; it is 15 seconds otherwise.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { interval, beat: None, ..self }
    }

    /// The same with a guard that the user has to pass at every heartbeat, beside those of the layers before the route.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Guard<U>) -> Self {
        Arc::make_mut(&mut self.line).guards.push(Arc::new(guard));
        Self { beat: None, ..self }
    }

    /// Finds out anew who the request is from, and whether they still pass the guards before its route: the user as they
    /// are now.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the credential is no good any more, [`Error::NotVerified`] and [`Error::Forbidden`]
    /// when the user may no longer do this, and 5xx when it cannot be found out. Whichever it is, end the connection.
    pub fn check(&self) -> impl Future<Output = Result<CurrentUser<U>, Error>> + Send + use<U> {
        let line = Arc::clone(&self.line);
        async move { line.check().await }
    }

    /// Waits for the interval, and then does what [`check`](Self::check) does. In a `select!` that something else wins,
    /// its time goes on: a client that never stops talking is looked at like any other.
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub async fn tick(&mut self) -> Result<CurrentUser<U>, Error> {
        let Self { line, interval, beat } = self;
        let under_way = beat.get_or_insert_with(|| {
            let (line, interval) = (Arc::clone(line), *interval);
            Box::pin(async move {
                tokio::time::sleep(interval).await;
                line.check().await
            })
        });
        let answer = under_way.await;
        *beat = None;
        answer
    }

    /// Waits until a heartbeat fails, and says why.
    pub async fn ended(&mut self) -> Error {
        loop {
            if let Err(error) = self.tick().await {
                return error;
            }
        }
    }

    fn of(parts: &Parts) -> Result<Self, Error> {
        let Some(handle) = parts.extensions.get::<Handle<U>>().cloned() else {
            return Err(Error::internal("`Heartbeat` in a handler outside `router(users)`"));
        };
        let mut request = parts.clone();
        // What was found out then is not what counts later.
        request.extensions.remove::<CurrentUser<U>>();
        let guards = request.extensions.remove::<Passed<U>>().unwrap_or_default().0;
        Ok(Self { line: Arc::new(Line { handle, request, guards }), interval: INTERVAL, beat: None })
    }
}

/// The guards that have let a request pass.
struct Passed<U>(Vec<Arc<dyn Guard<U>>>);

impl<U> Clone for Passed<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<U> Default for Passed<U> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Notes that a guard has let a request pass, for what looks again later.
pub(crate) fn remember_guard<U: UserModel>(extensions: &mut Extensions, guard: Arc<dyn Guard<U>>) {
    extensions.get_or_insert_default::<Passed<U>>().0.push(guard);
}

impl<U: UserModel, S: Send + Sync> FromRequestParts<S> for Heartbeat<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        require::<U>(parts).await?;
        Self::of(parts)
    }
}

impl<U: UserModel, S: Send + Sync> OptionalFromRequestParts<S> for Heartbeat<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        find_or_nobody::<U>(parts).await?.map(|_| Self::of(parts)).transpose()
    }
}
