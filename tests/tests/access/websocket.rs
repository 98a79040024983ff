//! Web sockets: who may open one, and when it is closed.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};
use users_tests::{App, Client, OTHER_PASSWORD, PASSWORD, each_backend, live};

use crate::support::{Carrier, carriers, carrying, secret};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A limit for what has to come: a machine under load takes its time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a socket with what the client sends; the answer of a server that refuses.
async fn open(client: &Client, path: &str) -> Result<Socket, (StatusCode, Value)> {
    let sent = client.request("GET", path).build().expect("a request");
    let url = sent.url().as_str().replacen("http", "ws", 1);
    let mut request = url.into_client_request().expect("an address");
    request.headers_mut().extend(sent.headers().clone());
    match tokio::time::timeout(PATIENCE, connect_async(request)).await.expect("an answer in time") {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            Err((answer.status(), serde_json::from_slice(body).unwrap_or(Value::Null)))
        }
        Err(error) => panic!("{path}: {error}"),
    }
}

#[track_caller]
fn assert_refused(opened: Result<Socket, (StatusCode, Value)>, status: u16, code: &str) {
    let (refused, body) = opened.expect_err("the server refuses");
    assert_eq!((refused.as_u16(), body["code"].as_str().unwrap_or_default()), (status, code));
}

async fn receive(socket: &mut Socket) -> Option<Message> {
    let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("a message in time");
    message.map(|message| message.expect("a whole message"))
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.expect("the socket is open");
}

async fn assert_open(socket: &mut Socket) {
    say(socket, "still there?").await;
    assert_eq!(receive(socket).await, Some(Message::text("still there?")));
}

/// Waits for the end; the status that a request would have been answered with.
async fn end(mut socket: Socket) -> String {
    loop {
        match receive(&mut socket).await {
            Some(Message::Close(Some(frame))) => {
                assert_eq!(u16::from(frame.code), live::POLICY);
                return frame.reason.to_string();
            }
            Some(Message::Text(_)) => {}
            other => panic!("no reason: {other:?}"),
        }
    }
}

/// A socket of somebody who is logged in.
async fn open_socket(client: &Client, path: &str) -> Socket {
    let mut socket = open(client, path).await.unwrap_or_else(|refused| panic!("{path}: {refused:?}"));
    assert_open(&mut socket).await;
    socket
}

each_backend!(a_websocket_opens_for_who_is_logged_in, |app| async move {
    let client = app.user("ada@example.com").await;
    open_socket(&client, "/socket").await;
    assert_refused(open(&app.client(), "/socket").await, 401, "unauthenticated");
    for &carrier in carriers(app.kind) {
        open_socket(&carrying(&app, carrier, &secret(&app, &client)), "/socket").await;
        assert_refused(open(&carrying(&app, carrier, "junk"), "/socket").await, 401, "unauthenticated");
    }
    // Behind a guard, too.
    assert_refused(open(&client, "/administration/socket").await, 403, "forbidden");
    assert_refused(open(&app.client(), "/administration/socket").await, 401, "unauthenticated");
    app.admin.grant(app.id_of("ada@example.com").await, "administrator").await.expect("a role");
    open_socket(&client, "/administration/socket").await;

    client.log_out().await.expect(201, "");
    assert_refused(open(&client, "/socket").await, 401, "unauthenticated");
});

each_backend!(s49_a_page_of_another_origin_opens_no_websocket, |app| async move {
    let client = app.user("ada@example.com").await;
    let foreign: [&[(&str, &str)]; 4] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for &carrier in carriers(app.kind) {
        let known = carrying(&app, carrier, &secret(&app, &client));
        for headers in foreign {
            let page =
                headers.iter().fold(known.snapshot(), |page, (name, value)| page.with_header(name, value));
            for path in ["/socket", "/public/socket", "/open-socket"] {
                let opened = open(&page, path).await;
                match carrier {
                    // No browser adds it by itself.
                    Carrier::Header => assert!(opened.is_ok(), "{path}: {:?}", opened.err()),
                    Carrier::Cookie => assert_refused(opened, 403, "cross_origin"),
                }
            }
        }
        for (name, value) in [("origin", app.base.as_str()), ("sec-fetch-site", "same-origin")] {
            open_socket(&known.with_header(name, value), "/socket").await;
        }
    }
});

each_backend!(open_websockets_serve_everybody, |app| async move {
    let client = app.user("ada@example.com").await;
    let bad = carrying(&app, carriers(app.kind)[0], "junk");
    for path in ["/public/socket", "/open-socket"] {
        for (who, name) in [(&app.client(), "anonymous"), (&bad, "anonymous"), (&client, "ada@example.com")] {
            let mut socket = open(who, path).await.expect("it opens");
            assert_eq!(receive(&mut socket).await, Some(Message::text(name)), "{path}");
        }
    }
});

each_backend!(s21_a_websocket_is_closed_after_the_logout, |app| async move {
    let client = app.user("ada@example.com").await;
    let elsewhere = app.client();
    elsewhere.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let (socket, mut other) =
        (open_socket(&client, "/socket").await, open_socket(&elsewhere, "/socket").await);
    let visitor = open(&client, "/open-socket").await.expect("it opens");
    client.log_out().await.expect(201, "");
    assert_eq!(end(socket).await, "401");
    assert_eq!(end(visitor).await, "401");
    // Another login of theirs goes on.
    tokio::time::sleep(3 * live::BEAT).await;
    assert_open(&mut other).await;
});

each_backend!(s23_a_websocket_is_closed_when_the_account_is, |app| async move {
    let client = app.user("ada@example.com").await;
    let id = app.id_of("ada@example.com").await;
    let socket = open_socket(&client, "/socket").await;
    app.execute("UPDATE users SET is_verified = FALSE").await;
    assert_eq!(end(socket).await, "401");
    app.execute("UPDATE users SET is_verified = TRUE").await;

    let socket = open_socket(&client, "/socket").await;
    app.execute("UPDATE users SET is_active = FALSE").await;
    assert_eq!(end(socket).await, "401");
    app.execute("UPDATE users SET is_active = TRUE").await;

    let socket = open_socket(&client, "/socket").await;
    app.admin.set_active(id, false).await.expect("it is there");
    assert_eq!(end(socket).await, "401");
});

each_backend!(s22_a_websocket_is_closed_after_a_new_password, |app| async move {
    let client = app.user("ada@example.com").await;
    let socket = open_socket(&client, "/socket").await;
    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    client.patch("/users/me", &change).await.expect(200, "");
    assert_eq!(end(socket).await, "401");
    // The client goes on with what it was just given.
    let socket = open_socket(&client, "/socket").await;
    client.delete("/users/me", &json!({"current_password": OTHER_PASSWORD})).await.expect(204, "");
    assert_eq!(end(socket).await, "401");
});

each_backend!(s25_a_websocket_behind_a_guard_is_closed_with_the_role, |app| async move {
    let client = app.user("ada@example.com").await;
    let id = app.id_of("ada@example.com").await;
    // The last administrator would stay one.
    app.admin.grant(app.verified("ben@example.com").await, "administrator").await.expect("a role");
    app.admin.grant(id, "administrator").await.expect("a role");
    let socket = open_socket(&client, "/administration/socket").await;
    let mut without = open_socket(&client, "/socket").await;
    app.admin.withdraw(id, "administrator").await.expect("a role");
    assert_eq!(end(socket).await, "403");
    tokio::time::sleep(3 * live::BEAT).await;
    assert_open(&mut without).await;

    // A guard of the handler's own.
    let socket = open_socket(&client, "/socket/of/adults").await;
    client.patch("/users/me", &json!({"age": 17})).await.expect(200, "");
    assert_eq!(end(socket).await, "403");
});

each_backend!(s22_a_client_that_never_stops_talking_is_closed_like_any_other, |app| async move {
    let client = app.user("ada@example.com").await;
    let (mut sender, mut receiver) = open_socket(&client, "/socket").await.split();
    let talking = tokio::spawn(async move { while sender.send(Message::text("talk")).await.is_ok() {} });
    let mut heard = 0;
    let listening = async {
        let mut left = false;
        while let Some(Ok(message)) = receiver.next().await {
            heard += 1;
            if let Message::Close(frame) = message {
                return frame.map(|frame| frame.reason.to_string());
            }
            // Once both talk without a pause.
            if heard > 100 && !left {
                left = true;
                client.log_out().await.expect(201, "");
            }
        }
        // A server that is done does not read to the end.
        None
    };
    let reason = tokio::time::timeout(PATIENCE, listening).await.expect("the socket is closed");
    assert!(heard > 100 && reason.is_none_or(|reason| reason == "401"));
    talking.abort();
});

each_backend!(s58_a_websocket_is_closed_when_nobody_can_tell_whose_it_is, |app| async move {
    let client = app.user("ada@example.com").await;
    let socket = open_socket(&client, "/socket").await;
    app.destroy_database().await;
    let status = end(socket).await;
    assert!(status.starts_with('5'), "{status}");
});

#[tokio::test]
async fn a_request_that_offers_a_websocket_is_like_any_other_where_there_is_none() {
    let app = App::start(users_tests::Kind::Session).await;
    let client = app.user("ada@example.com").await;
    let offering = client.with_header("upgrade", "websocket").with_header("connection", "upgrade");
    offering.me().await.expect(200, "");
    offering
        .undocumented()
        .with_header("origin", "https://evil.example")
        .me()
        .await
        .expect(403, "cross_origin");
}
