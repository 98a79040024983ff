//! The reference application as a process: killed in the middle of its work, and under a storm of logins.

mod clients;
mod log;
mod nodes;
mod typescript;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use serde_json::json;
use sqlx::SqlitePool;

const PASSWORD: &str = "correct horse battery staple";
const SECRET_KEY: &str = "an unchanging key of the tests: 0123456789";

/// A running server, killed when it is dropped.
struct Server {
    process: Child,
    origin: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing of the process gets a chance to tidy up.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("users-reference-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn database(&self) -> String {
        format!("sqlite://{}", self.0.join("reference.db").display())
    }

    fn mail(&self) -> PathBuf {
        self.0.join("mail")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn start(folder: &Folder, client: &Client) -> Server {
    start_with(folder, client, &[]).await
}

/// The same with other settings.
async fn start_with(folder: &Folder, client: &Client, settings: &[(&str, &str)]) -> Server {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let output = folder.0.join(format!("output-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    start_writing(folder, client, settings, &output, Stdio::inherit()).await
}

/// The same with its standard output and what it logs going elsewhere.
async fn start_writing(
    folder: &Folder,
    client: &Client,
    settings: &[(&str, &str)],
    output: &Path,
    log: Stdio,
) -> Server {
    let process = Command::new(env!("CARGO_BIN_EXE_reference"))
        // It chooses a port that is free, and says which: one chosen here may be somebody else's by then.
        .env("ADDR", "127.0.0.1:0")
        .env("DATABASE_URL", folder.database())
        .env("MAIL", folder.mail())
        .env("SECRET_KEY", SECRET_KEY)
        .env("INSECURE_COOKIES", "1")
        .env("RUST_LOG", "error")
        // Storms come from one address.
        .env("THROTTLE", "off")
        .envs(settings.iter().copied())
        .stdout(File::create(output).expect("a file"))
        .stderr(log)
        .spawn()
        .expect("the reference application starts");
    let mut server = Server { process, origin: String::new() };
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(origin) = origin_in(&fs::read_to_string(output).unwrap_or_default()) {
            match client.get(format!("{origin}/readyz")).send().await {
                Ok(answer) if answer.status() == StatusCode::OK => {
                    server.origin = origin;
                    return server;
                }
                _ => {}
            }
        }
        assert!(Instant::now() < end, "the server is not ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Where the server says that it listens, once a whole line does.
fn origin_in(output: &str) -> Option<String> {
    let start = "http://127.0.0.1:";
    let mut lines = output.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let (_, rest) = lines.find_map(|line| line.split_once(start))?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{start}{port}"))
}

fn client() -> Client {
    // Other members of the workspace switch TLS on, and do not say whose cryptography it takes.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

/// The recipients of the mails in a folder, and the token of each.
fn mails(folder: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mails = files.filter(|file| file.path().extension().is_some_and(|end| end == "eml"));
    mails
        .map(|file| {
            let text = fs::read_to_string(file.path()).expect("a whole mail");
            let line =
                |prefix| text.lines().find_map(|line| line.strip_prefix(prefix)).expect("the line").trim();
            (line("To: ").to_owned(), line("token=").to_owned())
        })
        .collect()
}

/// Twenty times: registrations from eight clients at once, and SIGKILL in their middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_server_is_killed_twenty_times() {
    let folder = Folder::new("killed");
    let client = client();
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let number = Arc::new(AtomicUsize::new(0));
    for round in 0..20_u64 {
        let server = start(&folder, &client).await;
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let (client, origin) = (client.clone(), server.origin.clone());
                let (acknowledged, number) = (Arc::clone(&acknowledged), Arc::clone(&number));
                tokio::spawn(async move {
                    loop {
                        let email = format!("user{}@example.com", number.fetch_add(1, Ordering::Relaxed));
                        let body = json!({"email": email, "password": PASSWORD});
                        match client.post(format!("{origin}/register")).json(&body).send().await {
                            Ok(answer) if answer.status() == StatusCode::CREATED => {
                                acknowledged.lock().expect("not poisoned").insert(email);
                            }
                            Ok(answer) => panic!("{}", answer.status()),
                            Err(_) => return,
                        }
                    }
                })
            })
            .collect();
        // Another moment in each round, early and late.
        tokio::time::sleep(Duration::from_millis(60 + round * 37 % 400)).await;
        // A slow disk makes the storm longer, not weaker.
        let enough = usize::try_from(6 * (round + 1)).expect("a small number");
        let end = Instant::now() + Duration::from_secs(20);
        while acknowledged.lock().expect("not poisoned").len() < enough {
            assert!(Instant::now() < end, "the server stores nobody");
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        drop(server);
        for client in clients {
            client.await.expect("a client saw nothing but 201 and a dead server");
        }
    }

    let server = start(&folder, &client).await;
    let pool = SqlitePool::connect(&folder.database()).await.expect("the database opens");
    let waiting = || async {
        let waiting: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM users_outbox").fetch_one(&pool).await.expect("a number");
        waiting
    };
    let end = Instant::now() + Duration::from_mins(2);
    while waiting().await > 0 {
        assert!(Instant::now() < end, "{} mails wait", waiting().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let intact: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.expect("an answer");
    assert_eq!(intact, "ok");
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT email FROM users").fetch_all(&pool).await.expect("users");
    let stored: BTreeSet<_> = stored.into_iter().collect();
    let mails = mails(&folder.mail());
    let mailed: BTreeSet<_> = mails.iter().map(|(to, _)| to.clone()).collect();
    let acknowledged = acknowledged.lock().expect("not poisoned").clone();
    println!("{} acknowledged, {} stored, {} mails", acknowledged.len(), stored.len(), mails.len());
    assert!(acknowledged.len() > 100, "the storm was a breeze: {}", acknowledged.len());
    assert!(acknowledged.is_subset(&stored), "lost: {:?}", acknowledged.difference(&stored));
    // A user and the promise of a mail are one transaction: neither is there without the other.
    assert_eq!(stored, mailed);
    assert_eq!(mails.len(), mailed.len(), "a mail that is sent again replaces its first copy");

    for (email, token) in mails.iter().step_by(mails.len() / 20) {
        let answer =
            client.post(format!("{}/verify", server.origin)).json(&json!({ "token": token })).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::CREATED, "{email}");
    }
}

/// The peak of a process's memory, in MiB.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

/// 64 clients log in as often as they can; `STORM_SECONDS` makes the storm longer.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_under_a_storm_of_logins_stays_under_120_mib() {
    let seconds = std::env::var("STORM_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let folder = Folder::new("storm");
    let client = client();
    let server = start(&folder, &client).await;
    let email = "ada@example.com";
    let body = json!({"email": email, "password": PASSWORD});
    let registered = client.post(format!("{}/register", server.origin)).json(&body).send().await;
    assert_eq!(registered.expect("an answer").status(), StatusCode::CREATED);
    let end = Instant::now() + Duration::from_secs(10);
    while mails(&folder.mail()).is_empty() {
        assert!(Instant::now() < end, "no mail");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (_, token) = mails(&folder.mail()).remove(0);
    let verified =
        client.post(format!("{}/verify", server.origin)).json(&json!({ "token": token })).send().await;
    assert_eq!(verified.expect("an answer").status(), StatusCode::CREATED);

    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let (client, stop, body) = (client.clone(), Arc::clone(&stop), body.clone());
            let login = format!("{}/login", server.origin);
            tokio::spawn(async move {
                let (mut done, mut refused) = (0_u32, 0_u32);
                while !stop.load(Ordering::Relaxed) {
                    match client.post(&login).json(&body).send().await.expect("an answer").status() {
                        StatusCode::CREATED => done += 1,
                        StatusCode::SERVICE_UNAVAILABLE => refused += 1,
                        other => panic!("{other}"),
                    }
                }
                (done, refused)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let (mut done, mut refused) = (0, 0);
    for client in clients {
        let (one, other) = client.await.expect("201 and 503 alone");
        done += one;
        refused += other;
    }
    let peak = peak_memory(server.process.id());
    println!("{done} logins, {refused} refused, {seconds} s, peak {peak} MiB");
    assert!(done > 64, "hardly a login went through");
    assert!(peak < 120, "{peak} MiB");
}
