//! Connections that stay open: web sockets and server-sent events of the test applications.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::{
        Response,
        sse::{Event, Sse},
    },
    routing::{any, get},
};
use futures_util::stream::{self, Stream};
use users_runtime::{CurrentUser, Error, GuardLayer, Heartbeat};

use crate::apps::User;

/// How often the test applications look again.
pub const BEAT: Duration = Duration::from_millis(40);

/// The code with which a server closes a socket whose user is no longer one (RFC 6455, section 7.4.1).
pub const POLICY: u16 = 1008;

/// Sockets and events that need a login, of which one asks for a role.
pub(crate) fn protected() -> Router {
    let administration = Router::new()
        .route("/administration/socket", any(socket))
        .route("/administration/news", get(news))
        .route_layer(GuardLayer::<User>::new("administrator"));
    Router::new()
        .route("/socket", any(socket))
        .route("/socket/of/adults", any(socket_of_adults))
        .route("/news", get(news))
        .route("/public/socket", any(open_socket))
        .merge(administration)
}

/// Sockets that serve everybody.
pub(crate) fn public() -> Router {
    Router::new().route("/open-socket", any(open_socket))
}

async fn socket(upgrade: WebSocketUpgrade, heartbeat: Heartbeat<User>) -> Response {
    upgrade.on_upgrade(|socket| talk(socket, heartbeat.every(BEAT)))
}

async fn socket_of_adults(upgrade: WebSocketUpgrade, heartbeat: Heartbeat<User>) -> Response {
    let adults = users_runtime::when(|user: &users_runtime::Principal<User>| user.age >= 18);
    upgrade.on_upgrade(move |socket| talk(socket, heartbeat.with_guard(adults).every(BEAT)))
}

/// Says everything back, and closes with the status that a request would have been answered with.
async fn talk(mut socket: WebSocket, mut heartbeat: Heartbeat<User>) {
    loop {
        tokio::select! {
            over = heartbeat.ended() => return close(socket, &over).await,
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => if socket.send(Message::Text(text)).await.is_err() { return },
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn close(mut socket: WebSocket, over: &Error) {
    let frame = CloseFrame { code: POLICY, reason: over.status().as_u16().to_string().into() };
    // Whoever has gone already needs no reason.
    let _ = socket.send(Message::Close(Some(frame))).await;
}

/// Says who is there, and goes on for as long as they are; somebody whom nobody knows is let go.
async fn open_socket(
    upgrade: WebSocketUpgrade,
    user: Option<CurrentUser<User>>,
    heartbeat: Option<Heartbeat<User>>,
) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        let name = user.map_or_else(|| "anonymous".to_owned(), |user| user.email.clone());
        if socket.send(Message::Text(name.into())).await.is_ok()
            && let Some(heartbeat) = heartbeat
        {
            talk(socket, heartbeat.every(BEAT)).await;
        }
    })
}

/// An event with the user's name at each heartbeat.
async fn news(heartbeat: Heartbeat<User>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(heartbeat.every(BEAT), |mut heartbeat| async move {
        let user = heartbeat.tick().await.ok()?;
        Some((Ok(Event::default().data(&user.email)), heartbeat))
    }))
}
