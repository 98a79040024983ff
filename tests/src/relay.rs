//! A relay between an application and a server of its own, which a test cuts, hangs and heals while the server goes on
//! serving everybody else.

use reqwest::Url;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They go on to the server.
    Pass,
    /// They are accepted and go nowhere, and so do those of new connections, as when a network swallows everything.
    /// Connections that were open then stay dead after it.
    Hang,
    /// Every connection is closed, and so is every new one.
    Cut,
}

/// Passes bytes on to a server until it is told otherwise. It is gone with the runtime of its test.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    mode: watch::Sender<Mode>,
}

impl Relay {
    /// A relay before the server at this host and port.
    pub async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (mode, watched) = watch::channel(Mode::Pass);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, server.clone(), watched.clone()));
            }
        });
        Self { port, mode }
    }

    /// A relay before the server of a URL, and the URL that leads through it.
    pub async fn before_url(url: &str) -> (Self, String) {
        let mut url: Url = url.parse().expect("a URL");
        let default = match url.scheme() {
            "postgres" => 5432,
            "mysql" => 3306,
            _ => 6379,
        };
        let server = format!("{}:{}", url.host_str().expect("a host"), url.port().unwrap_or(default));
        let relay = Self::before(server).await;
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(relay.port)).expect("a port");
        (relay, url.into())
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Does this from now on.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

/// One connection, until somebody closes it or the mode does.
async fn relay(mut client: TcpStream, server: String, mut mode: watch::Receiver<Mode>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let begins = mode.wait_for(|mode| *mode != Mode::Hang).await.map(|mode| *mode);
    if begins.is_ok_and(|mode| mode == Mode::Pass) {
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = mode.wait_for(|mode| *mode != Mode::Pass) => {}
        }
        // Keeps both ends open, and passes nothing on.
        let _ = mode.wait_for(|mode| *mode == Mode::Cut).await;
    }
}
