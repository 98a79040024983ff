//! A primary of Redis is killed while many clients write: what was answered stays, and nobody who was logged out is back.

use std::{
    io::Write,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use users_runtime::{Expected, RedisStore, Store};

use crate::support::{Prefix, Redis, entry, new_key};

const CLIENTS: usize = 32;

/// How long the clients are at work; the primary is killed after a fifth of it.
fn length() -> Duration {
    let seconds = std::env::var("FAILOVER_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(15)).max(Duration::from_secs(10))
}

/// How long after the kill every request has to be answered again, at the latest.
const RECOVERY: Duration = Duration::from_mins(1);

/// What becomes of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// As in a power cut.
    Killed,
    /// It answers nobody, keeps its connections, and comes back later without having heard of what went on.
    Hangs,
}

// With Sentinel there are two replicas: after the fail-over one is left that has what the other one is told. Where a write
// waits for both of them, it has to wait for the primary that failed, too, which comes back as a replica.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sentinel_fails_over_from_is_not_lost() {
    fail_over(Redis::Sentinel, Fate::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_of_sentinel_that_hangs_is_left() {
    fail_over(Redis::Sentinel, Fate::Hangs).await;
}

// In the Cluster each primary has one replica: until the one that failed is back there is none to wait for.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cluster_fails_over_from_is_not_lost() {
    fail_over(Redis::Cluster, Fate::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_of_a_cluster_that_hangs_is_left() {
    fail_over(Redis::Cluster, Fate::Hangs).await;
}

async fn fail_over(redis: Redis, fate: Fate) {
    let (script, ports) = match redis {
        Redis::Cluster => ("scripts/redis-cluster", 7100..7106),
        _ => ("scripts/redis-sentinel", 7200..7203),
    };
    // Nobody else uses it meanwhile.
    let _lock = redis.lock().write().await;
    if !redis.answers().await {
        return;
    }
    start(script).await;
    let prefix = Prefix::new(redis);
    // One that hangs may wake up in the middle of the fail-over, when one replica follows it still and the other one
    // has taken over: only what both have is safe then. One that was killed leaves behind which of them has read most.
    let replicas = if matches!((&redis, fate), (Redis::Sentinel, Fate::Hangs)) { 2 } else { 1 };
    let url = format!("{}?replicas={replicas}", redis.url());
    let store = Arc::new(RedisStore::new(&url).expect("an address").with_prefix(&prefix.name));
    store.ping().await.expect("it answers");

    let (begin, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(Client::new(number, begin, Arc::clone(&store)).run(Arc::clone(&stop))))
        .collect();
    tokio::time::sleep(length() / 5).await;
    let (port, process) = find_a_primary(ports).await;
    signal(process, if fate == Fate::Killed { "-KILL" } else { "-STOP" });
    let killed = begin.elapsed();
    tokio::time::sleep(length() * 2 / 5).await;
    if fate == Fate::Hangs {
        signal(process, "-CONT");
    }
    start(script).await;
    let back = begin.elapsed();
    tokio::time::sleep(length().saturating_sub(back)).await;

    // Every request is answered for two seconds, or it has not recovered.
    let recovered = wait_for_service(&store, begin).await;
    stop.store(true, Ordering::Relaxed);
    let mut total = Counts::default();
    let (mut wrong, mut first_error, mut last_error) = (Vec::new(), None, None);
    for client in clients {
        let client = client.await.expect("a client");
        first_error = first_error.into_iter().chain(client.first_error).min();
        last_error = last_error.max(client.last_error);
        total.add(&client.counts);
        wrong.extend(client.verify().await);
    }
    let after = |time: Option<Duration>| time.map_or(0.0, |time| time.as_secs_f64() - killed.as_secs_f64());
    let summary = format!(
        "{redis:?}: the primary at port {port} ({fate:?}) after {killed:.1?}, all well again after {back:.1?}; {total:?}; \
         the first error {:.2} s and the last {:.2} s after that\n",
        after(first_error),
        after(last_error),
    );
    // Past the capture of the output of tests that pass.
    std::io::stderr().write_all(summary.as_bytes()).expect("standard error");
    assert!(wrong.is_empty(), "{} wrong, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    assert!(
        recovered.is_some_and(|recovered| recovered < killed + RECOVERY),
        "it did not recover: {recovered:?}"
    );
    assert!(total.created > 100 && total.removed > 10 && total.replaced > 10, "{total:?}");
    assert!(total.failed > 0, "nobody noticed that the primary was killed: {total:?}");
    drop(prefix);
}

/// Waits until requests to every part of the store have been answered for a while; since when they were, if they are.
async fn wait_for_service(store: &RedisStore, begin: Instant) -> Option<Duration> {
    let deadline = Instant::now() + RECOVERY;
    let (mut since, mut good) = (begin.elapsed(), 0);
    while Instant::now() < deadline {
        let key = new_key();
        let written = store.put(&key, entry(Some("probe"), b""), Expected::Absent).await.is_ok();
        if written && store.remove(&key).await.is_ok() {
            good += 1;
            if good == 50 {
                return Some(since);
            }
        } else {
            good = 0;
            since = begin.elapsed();
        }
    }
    None
}

/// Starts what does not run, and waits until all is as it should be.
async fn start(script: &'static str) {
    let run = move || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        Command::new(root.join(script)).arg("start").output().expect("the script runs")
    };
    let output = tokio::task::spawn_blocking(run).await.expect("no panic");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A primary among the servers at these ports: its port and its process.
async fn find_a_primary(ports: std::ops::Range<u16>) -> (u16, u32) {
    let find = move || {
        for port in ports {
            let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address");
            let Ok(mut server) = client.get_connection_with_timeout(Duration::from_secs(2)) else { continue };
            let role: Vec<redis::Value> = redis::cmd("ROLE").query(&mut server).expect("a role");
            if matches!(role.first(), Some(redis::Value::BulkString(role)) if role == b"master") {
                let info: redis::InfoDict =
                    redis::cmd("INFO").arg("server").query(&mut server).expect("a server");
                return (port, info.get("process_id").expect("a number"));
            }
        }
        panic!("no primary");
    };
    tokio::task::spawn_blocking(find).await.expect("no panic")
}

fn signal(process: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(status.expect("it runs").success());
}

#[derive(Debug, Default)]
struct Counts {
    created: u32,
    replaced: u32,
    removed: u32,
    read: u32,
    failed: u32,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.replaced += other.replaced;
        self.removed += other.removed;
        self.read += other.read;
        self.failed += other.failed;
    }
}

/// What a client knows of one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Here(u64),
    Gone,
}

/// A client that writes under keys of its own, and remembers what it was answered.
struct Client {
    store: Arc<RedisStore>,
    owner: String,
    begin: Instant,
    /// The keys of which a request without an answer says nothing are not among them.
    keys: Vec<(String, Known)>,
    counts: Counts,
    wrong: Vec<String>,
    first_error: Option<Duration>,
    last_error: Option<Duration>,
}

impl Client {
    fn new(number: usize, begin: Instant, store: Arc<RedisStore>) -> Self {
        Self {
            store,
            owner: format!("user {number}"),
            begin,
            keys: Vec::new(),
            counts: Counts::default(),
            wrong: Vec::new(),
            first_error: None,
            last_error: None,
        }
    }

    async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        let mut turn = 0usize;
        while !stop.load(Ordering::Relaxed) {
            self.create().await;
            turn += 1;
            if !self.keys.is_empty() {
                let place = turn * 7919 % self.keys.len();
                match turn % 4 {
                    0 => self.replace(place).await,
                    1 => self.remove(place).await,
                    _ => self.read(place).await,
                }
            }
            if turn.is_multiple_of(50) {
                self.list().await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self
    }

    /// Notes a request without an answer: nothing is known of what it was about.
    fn failed(&mut self) {
        self.counts.failed += 1;
        let now = self.begin.elapsed();
        self.first_error.get_or_insert(now);
        self.last_error = Some(now);
    }

    fn wrong(&mut self, what: &str, key: &str) {
        self.wrong.push(format!("{what} {:.2?} after the start: {key}", self.begin.elapsed()));
    }

    async fn create(&mut self) {
        let (key, entry) = (new_key(), entry(Some(&self.owner), b"value"));
        let revision = entry.revision;
        match self.store.put(&key, entry, Expected::Absent).await {
            Ok(true) => {
                self.counts.created += 1;
                self.keys.push((key, Known::Here(revision)));
            }
            Ok(false) => self.wrong("a new key is taken", &key),
            Err(_) => self.failed(),
        }
    }

    async fn replace(&mut self, place: usize) {
        let (key, Known::Here(there)) = self.keys[place].clone() else { return };
        let entry = entry(Some(&self.owner), b"another");
        let revision = entry.revision;
        match self.store.put(&key, entry, Expected::Revision(there)).await {
            Ok(true) => {
                self.counts.replaced += 1;
                self.keys[place].1 = Known::Here(revision);
            }
            Ok(false) => self.wrong("an entry is not as it was", &key),
            Err(_) => {
                self.keys.swap_remove(place);
                self.failed();
            }
        }
    }

    async fn remove(&mut self, place: usize) {
        let (key, Known::Here(_)) = self.keys[place].clone() else { return };
        // That there was none is the answer to a request whose first answer was lost.
        if self.store.remove(&key).await.is_ok() {
            self.counts.removed += 1;
            self.keys[place].1 = Known::Gone;
        } else {
            self.keys.swap_remove(place);
            self.failed();
        }
    }

    async fn read(&mut self, place: usize) {
        let (key, known) = self.keys[place].clone();
        match self.store.get(&key).await {
            Ok(entry) => {
                self.counts.read += 1;
                if entry.map_or(Known::Gone, |entry| Known::Here(entry.revision)) != known {
                    self.wrong(if known == Known::Gone { "removed, and back" } else { "lost" }, &key);
                }
            }
            Err(_) => self.failed(),
        }
    }

    /// Every key that is there is named to its owner.
    async fn list(&mut self) {
        let Ok(named) = self.store.keys_of(&self.owner).await else {
            self.failed();
            return;
        };
        let named: std::collections::HashSet<_> = named.into_iter().collect();
        let missing: Vec<_> = self
            .keys
            .iter()
            .filter(|(key, known)| *known != Known::Gone && !named.contains(key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in missing {
            self.wrong("not named to its owner", &key);
        }
    }

    /// Looks at every key once more; what was wrong, now or before.
    async fn verify(mut self) -> Vec<String> {
        let failed = self.counts.failed;
        for place in 0..self.keys.len() {
            self.read(place).await;
        }
        self.list().await;
        if self.counts.failed > failed {
            self.wrong("no answer after the recovery", "");
        }
        self.wrong
    }
}
