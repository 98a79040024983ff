//! Two servers over one PostgreSQL and one Redis behind Sentinel, whose primary is killed under load.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, RequestBuilder, StatusCode, header};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool, query};

use crate::{Folder, PASSWORD, client, start_with};

const CLIENTS: usize = 32;

/// How long the clients are at work; the primary is killed after a third of it. `FAILOVER_SECONDS` makes it longer.
fn length() -> Duration {
    let seconds = std::env::var("FAILOVER_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(15)).max(Duration::from_secs(12))
}

fn postgres() -> String {
    let url = std::env::var("TEST_POSTGRES_URL");
    url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned())
}

/// Starts the servers of a script that do not run.
fn run(script: &str) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("scripts").join(script)).arg("start").output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// The servers that the test needs: a line says that they are missing, and with `REQUIRE_SERVICES` it is a failure.
async fn services() -> Option<PgPool> {
    let required = std::env::var_os("REQUIRE_SERVICES").is_some();
    let pool = PgPool::connect(&postgres()).await.map_err(|error| error.to_string());
    let pool = match (pool, Command::new("redis-server").arg("--version").output()) {
        (Ok(pool), Ok(_)) => run("redis-sentinel").map(|()| pool),
        (Err(error), _) => Err(error),
        (_, Err(error)) if required => run("redis-sentinel").and(Err(error.to_string())),
        (_, Err(error)) => Err(error.to_string()),
    };
    match pool {
        Ok(pool) => Some(pool),
        Err(error) if required => panic!("PostgreSQL and Redis Sentinel: {error}"),
        Err(_) => {
            println!("left out: needs PostgreSQL and Redis Sentinel");
            None
        }
    }
}

/// A database of this test's own.
struct Database {
    name: String,
    pool: PgPool,
}

impl Database {
    async fn new(pool: PgPool) -> Self {
        let name = format!("users_nodes_{}", std::process::id());
        let database = Self { name, pool };
        database.drop().await;
        database.run(format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    fn url(&self) -> String {
        let (server, _) =
            postgres().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a URL");
        format!("{server}/{}", self.name)
    }

    /// Servers that were killed may still seem to be connected.
    async fn drop(&self) {
        self.run(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
    }

    async fn run(&self, statement: String) {
        query(AssertSqlSafe(statement)).execute(&self.pool).await.expect("it is allowed");
    }
}

/// What the clients saw.
#[derive(Debug, Default)]
struct Seen {
    answered: u64,
    unavailable: u64,
    logins: u64,
    logouts: u64,
    /// A good session that was refused, and an ended one that was let in.
    wrong: Vec<String>,
    first_failure: Option<Instant>,
    last_failure: Option<Instant>,
}

struct Visitor {
    client: Client,
    nodes: [String; 2],
    email: String,
    seen: Arc<Mutex<Seen>>,
    /// The cookie of a login that was answered.
    session: Option<String>,
    /// Cookies of logouts that were answered.
    ended: Vec<String>,
    step: usize,
}

impl Visitor {
    /// The status of a request to one of the nodes; `None` when it may or may not have taken place.
    async fn ask(&mut self, request: impl Fn(&Client, &str) -> RequestBuilder) -> Option<reqwest::Response> {
        self.step += 1;
        let answer = request(&self.client, &self.nodes[self.step % 2]).send().await.expect("the servers run");
        let mut seen = self.seen.lock().expect("not poisoned");
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            let now = Instant::now();
            seen.unavailable += 1;
            seen.first_failure.get_or_insert(now);
            seen.last_failure = Some(now);
            return None;
        }
        seen.answered += 1;
        Some(answer)
    }

    fn wrong(&self, what: String) {
        self.seen.lock().expect("not poisoned").wrong.push(what);
    }

    async fn read(&mut self, cookie: &str) -> Option<StatusCode> {
        let get = |client: &Client, node: &str| {
            client.get(format!("{node}/private")).header(header::COOKIE, cookie)
        };
        self.ask(get).await.map(|answer| answer.status())
    }

    async fn log_in(&mut self) {
        let body = json!({"email": self.email, "password": PASSWORD});
        let post = |client: &Client, node: &str| client.post(format!("{node}/login")).json(&body);
        let Some(answer) = self.ask(post).await else { return };
        assert_eq!(answer.status(), StatusCode::CREATED);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text");
        self.session = cookie.split(';').next().map(str::to_owned);
        self.seen.lock().expect("not poisoned").logins += 1;
    }

    async fn log_out(&mut self, cookie: String) {
        self.session = None;
        let post = |client: &Client, node: &str| {
            client.post(format!("{node}/logout")).header(header::COOKIE, &cookie)
        };
        // A logout without an answer may or may not have taken place.
        let Some(answer) = self.ask(post).await else { return };
        if answer.status() == StatusCode::CREATED {
            self.ended.push(cookie);
            self.seen.lock().expect("not poisoned").logouts += 1;
        } else {
            self.wrong(format!("the logout of a good session: {}", answer.status()));
        }
    }

    async fn visit(&mut self) {
        match self.session.clone() {
            None => self.log_in().await,
            Some(cookie) if self.step.is_multiple_of(12) => self.log_out(cookie).await,
            Some(cookie) => {
                if let Some(status) = self.read(&cookie).await
                    && status != StatusCode::OK
                {
                    self.wrong(format!("a good session: {status}"));
                    self.session = None;
                }
            }
        }
        if self.step.is_multiple_of(5)
            && let Some(cookie) = self.ended.get(self.step % self.ended.len().max(1)).cloned()
            && let Some(status) = self.read(&cookie).await
            && status != StatusCode::UNAUTHORIZED
        {
            self.wrong(format!("an ended session: {status}"));
        }
    }
}

/// Kills the primary that Sentinel names; its port.
fn kill_the_primary() -> String {
    let ask = ["-p", "7300", "sentinel", "get-master-addr-by-name", "users"];
    let answer = Command::new("redis-cli").args(ask).output().expect("an answer").stdout;
    let port = String::from_utf8_lossy(&answer).lines().last().expect("a port").to_owned();
    let process =
        Command::new("redis-cli").args(["-p", &port, "info", "server"]).output().expect("an answer");
    let info = String::from_utf8_lossy(&process.stdout).into_owned();
    let number = info.lines().find_map(|line| line.strip_prefix("process_id:")).expect("a number").trim();
    assert!(Command::new("kill").args(["-KILL", number]).status().expect("it runs").success());
    port
}

/// Registers as many users as there are clients, and proves their mailboxes behind the servers' backs.
async fn verified_visitors(
    client: &Client,
    nodes: &[String; 2],
    seen: &Arc<Mutex<Seen>>,
    database: &str,
) -> Vec<Visitor> {
    let mut visitors = Vec::new();
    for number in 0..CLIENTS {
        let email = format!("user{number}@example.com");
        let body = json!({"email": email, "password": PASSWORD});
        let answer =
            client.post(format!("{}/register", nodes[0])).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let (client, nodes, seen) = (client.clone(), nodes.clone(), Arc::clone(seen));
        let (session, ended) = (None, Vec::new());
        visitors.push(Visitor { client, nodes, email, seen, session, ended, step: number });
    }
    let users = PgPool::connect(database).await.expect("the servers' database");
    query("UPDATE users SET is_verified = TRUE").execute(&users).await.expect("users");
    users.close().await;
    visitors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_of_redis_refuses_no_good_session_and_lets_no_ended_one_in() {
    let Some(pool) = services().await else { return };
    let database = Database::new(pool).await;
    let folder = Folder::new("nodes");
    let client = client();
    let url = database.url();
    let store = format!(
        "redis+sentinel://127.0.0.1:7300,127.0.0.1:7301,127.0.0.1:7302/users/0?replicas=1&prefix=nodes{}:",
        std::process::id()
    );
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("SESSION_STORE", store.as_str()),
        ("AUTH", "session"),
        ("RUST_LOG", "off"),
    ];
    let one = start_with(&folder, &client, &settings).await;
    let two = start_with(&folder, &client, &settings).await;
    let nodes = [one.origin.clone(), two.origin.clone()];

    let seen = Arc::new(Mutex::new(Seen::default()));
    let visitors = verified_visitors(&client, &nodes, &seen, &url).await;
    let stop = Arc::new(AtomicBool::new(false));
    let visits: Vec<_> = visitors
        .into_iter()
        .map(|mut visitor| {
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    visitor.visit().await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                visitor
            })
        })
        .collect();
    tokio::time::sleep(length() / 3).await;
    let port = tokio::task::spawn_blocking(kill_the_primary).await.expect("a primary");
    let killed = Instant::now();
    tokio::time::sleep(length() * 2 / 3).await;

    // Whole again: nobody was refused for two seconds.
    let quiet = || {
        let last = seen.lock().expect("not poisoned").last_failure;
        last.is_none_or(|last| last.elapsed() > Duration::from_secs(2))
    };
    while !quiet() {
        assert!(
            killed.elapsed() < Duration::from_mins(1),
            "no recovery: {:?}",
            seen.lock().expect("not poisoned")
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut held = 0;
    for visit in visits {
        let mut visitor = visit.await.expect("no panic");
        if let Some(cookie) = visitor.session.clone() {
            assert_eq!(visitor.read(&cookie).await, Some(StatusCode::OK), "a session is lost");
            held += 1;
        }
        for cookie in visitor.ended.clone() {
            assert_eq!(
                visitor.read(&cookie).await,
                Some(StatusCode::UNAUTHORIZED),
                "an ended session is back"
            );
        }
    }
    let seen = std::mem::take(&mut *seen.lock().expect("not poisoned"));
    let after = |at: Option<Instant>| at.map_or(0.0, |at| at.saturating_duration_since(killed).as_secs_f64());
    println!(
        "primary at port {port} killed: {} answered, {} times 503, {} logins, {} logouts, {held} sessions held, \
         full service after {:.2} s",
        seen.answered,
        seen.unavailable,
        seen.logins,
        seen.logouts,
        after(seen.last_failure)
    );
    assert!(
        seen.wrong.is_empty(),
        "{} wrong: {:?}",
        seen.wrong.len(),
        &seen.wrong[..seen.wrong.len().min(9)]
    );
    assert!(seen.unavailable > 0, "nobody noticed: {seen:?}");
    assert!(seen.logins > 30 && seen.logouts > 10 && held > 0, "{seen:?}");
    drop((one, two));
    database.drop().await;
    run("redis-sentinel").expect("the killed server is back");
}
