//! A real browser, headless Chromium, driven over its `DevTools` protocol.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// How long a page may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with a profile of its own, and one page.
pub struct Browser {
    process: Child,
    profile: PathBuf,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    sent: u64,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// The browser of this machine. `None` where there is none, which fails where `REQUIRE_SERVICES` asks for all.
fn program() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let version =
            Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    });
    assert!(
        found.is_some() || std::env::var("REQUIRE_SERVICES").as_deref() != Ok("1"),
        "there is no Chromium; install one with `scripts/chromium`"
    );
    found
}

impl Browser {
    /// Starts one that reaches this machine alone. `None`, and a line that says so, where there is no Chromium.
    pub async fn start() -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let Some(program) = program() else {
            eprintln!("left out, for want of a browser: install one with `scripts/chromium`");
            return None;
        };
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let profile = std::env::temp_dir().join(format!("users-browser-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&profile).expect("a folder for the profile");
        let process = Command::new(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--no-proxy-server", "--disable-background-networking", "--window-size=1280,1600"])
            // Names of other hosts lead nowhere.
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium starts");
        let port = port_of(&profile).await;
        let targets = crate::client::http().build().expect("a client");
        let targets = targets.get(format!("http://127.0.0.1:{port}/json/list")).send().await.expect("a list");
        let targets: Value = targets.json().await.expect("JSON");
        let page = targets.as_array().and_then(|all| all.iter().find(|target| target["type"] == "page"));
        let url = page.and_then(|page| page["webSocketDebuggerUrl"].as_str()).expect("a page");
        let (socket, _) = connect_async(url).await.expect("a connection to the page");
        let mut browser = Self { process, profile, socket, sent: 0 };
        browser.command("Page.enable", json!({})).await;
        Some(browser)
    }

    /// Sends a command and waits for its result; what happens meanwhile is nobody's concern.
    async fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.ask(method, parameters).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The result of a command, or what the browser says is wrong with it.
    async fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.sent += 1;
        let text = json!({"id": self.sent, "method": method, "params": parameters}).to_string();
        self.socket.send(Message::text(text)).await.expect("the browser listens");
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = message.expect("an answer in time").expect("the browser lives").expect("a message");
            let Message::Text(text) = message else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == self.sent {
                return match answer.get_mut("error") {
                    Some(error) => Err(error.take()),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }

    /// Goes to a page.
    pub async fn go(&mut self, url: &str) {
        self.command("Page.navigate", json!({"url": url})).await;
    }

    /// The value of an expression in the page, awaited if it is a promise.
    pub async fn value(&mut self, expression: &str) -> Value {
        self.evaluate(expression).await.unwrap_or_else(|| panic!("the page went away from `{expression}`"))
    }

    /// The value of an expression. `None` where the page went away before it was known.
    async fn evaluate(&mut self, expression: &str) -> Option<Value> {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        match self.ask("Runtime.evaluate", parameters).await {
            Ok(mut answer) => Some(answer["result"]["value"].take()),
            Err(error) if went_away(&error) => None,
            Err(error) => panic!("`{expression}`: {error}"),
        }
    }

    /// Waits until an expression holds in the page, whichever page that is by then.
    pub async fn until(&mut self, expression: &str) {
        let began = Instant::now();
        while self.evaluate(expression).await != Some(Value::Bool(true)) {
            if began.elapsed() > PATIENCE {
                let page = self.value("location.href + '\\n' + document.body.innerText").await;
                panic!("`{expression}` does not come true on {}", page.as_str().unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the first element that a CSS selector finds, and clicks on it, which may lead to another page.
    pub async fn click(&mut self, selector: &str) {
        let element = format!("document.querySelector({})", json!(selector));
        self.until(&format!("{element} !== null")).await;
        self.evaluate(&format!("{element}.click()")).await;
    }

    /// What the page looks like, as PNG.
    pub async fn screenshot(&mut self) -> Vec<u8> {
        let answer = self.command("Page.captureScreenshot", json!({"format": "png"})).await;
        BASE64_STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("base64")
    }
}

/// Whether an error says that the page was left while something was computed in it, or that the next is not there yet.
fn went_away(error: &Value) -> bool {
    [
        "Inspected target navigated or closed",
        "Execution context was destroyed.",
        "Cannot find default execution context",
    ]
    .contains(&error["message"].as_str().unwrap_or_default())
}

/// The port that the browser listens at, which it writes into its profile.
async fn port_of(profile: &Path) -> u16 {
    let began = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(profile.join("DevToolsActivePort"))
            && let Some(port) = text.lines().next().and_then(|line| line.parse().ok())
        {
            return port;
        }
        assert!(began.elapsed() < PATIENCE, "the browser says nothing of its port");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
