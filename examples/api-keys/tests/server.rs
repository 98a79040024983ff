//! The program as a process: every line of its README in order, and what keys may and may not do.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::SqlitePool;

const PASSWORD: &str = "correct horse battery staple";

/// The program in an empty folder, killed when it is dropped.
struct Server {
    process: Child,
    folder: PathBuf,
    origin: String,
    client: Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts the program, on a port of its own unless it is told none.
    fn start(name: &str, address: Option<&str>) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("an empty folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_api-keys"));
        command.current_dir(&folder).stdout(Stdio::piped()).env_remove("ADDR");
        if let Some(address) = address {
            command.env("ADDR", address);
        }
        let mut process = command.spawn().expect("the program starts");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut lines = output.lines().map_while(Result::ok);
        let line = lines.by_ref().find(|line| line.starts_with("listening")).expect("the address");
        // Mails go on appearing there.
        std::thread::spawn(move || lines.for_each(drop));
        let origin = line.split([' ', ';']).nth(2).expect("an address").to_owned();
        // Other members of the workspace switch TLS on, and do not say whose cryptography it takes.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { process, folder, origin, client }
    }

    fn request(&self, method: &str, path: &str, credential: &Credential) -> RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.origin));
        match credential {
            Credential::None => request,
            Credential::Cookie(cookie) => request.header("cookie", cookie),
            Credential::Bearer(key) => request.bearer_auth(key),
            Credential::Header(key) => request.header("x-api-key", key),
        }
    }

    async fn status(&self, method: &str, path: &str, credential: &Credential) -> u16 {
        self.request(method, path, credential).send().await.expect("an answer").status().as_u16()
    }

    /// Registers a user and logs them in.
    async fn user(&self, email: &str) -> Credential {
        let account = json!({ "email": email, "password": PASSWORD });
        for path in ["/register", "/login"] {
            let answer = self.request("POST", path, &Credential::None).json(&account).send().await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status(), StatusCode::CREATED);
            if let Some(cookie) = answer.headers().get("set-cookie") {
                let cookie = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
                return Credential::Cookie(cookie.to_owned());
            }
        }
        panic!("no cookie came");
    }

    /// Makes a key: its id and the key.
    async fn key(&self, owner: &Credential, scopes: &[&str]) -> (String, String) {
        let body = json!({ "name": "nightly job", "scopes": scopes });
        let answer = self.request("POST", "/keys", owner).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let made: Value = answer.json().await.expect("JSON");
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        (text("id"), text("key"))
    }

    /// The list of somebody's keys, as it is sent.
    async fn keys_of(&self, owner: &Credential) -> String {
        let answer = self.request("GET", "/keys", owner).send().await.expect("an answer");
        answer.text().await.expect("a list")
    }

    async fn database(&self) -> SqlitePool {
        let path = self.folder.join("api-keys.db");
        SqlitePool::connect(&format!("sqlite://{}", path.display())).await.expect("the database")
    }
}

enum Credential {
    None,
    Cookie(String),
    Bearer(String),
    Header(String),
}

/// What the test cannot do without; a machine of a user's may lack it, one that checks changes may not.
fn missing() -> Option<&'static str> {
    if TcpStream::connect("127.0.0.1:3002").is_ok() {
        return Some("port 3002 is taken");
    }
    let curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status();
    curl.is_err().then_some("there is no curl")
}

#[test]
fn every_line_of_the_readme_does_what_it_says() {
    if let Some(missing) = missing() {
        assert!(std::env::var_os("REQUIRE_SERVICES").is_none(), "{missing}");
        println!("left out the run of the README's lines: {missing}");
        return;
    }
    let server = Server::start("readme", None);
    assert_eq!(server.origin, "http://127.0.0.1:3002");
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let (_, block) = readme.split_once("From another shell:\n\n```sh\n").expect("the lines");
    let (block, _) = block.split_once("\n```").expect("the end of the lines");
    // One shell runs them all, since a line uses what an earlier one has kept.
    let script = block.lines().fold(String::new(), |script, line| script + line + "\necho; echo ----\n");
    let output =
        Command::new("bash").args(["-c", &script]).current_dir(&server.folder).output().expect("a shell");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers: Vec<_> = output.split("----\n").collect();
    // register, log in, make a key, read twice, write, list with the key, list, revoke, read
    let wanted = ["201", "201", "", "200", "200", "403", "403", "200", "204", "401"];
    assert_eq!(answers.len(), wanted.len() + 1, "{output}");
    for ((line, answer), wanted) in block.lines().zip(answers).zip(wanted) {
        assert_eq!(answer.split_whitespace().nth(1).unwrap_or_default(), wanted, "{line}\n{answer}");
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_nothing_that_takes_a_login() {
    let server = Server::start("scopes", Some("127.0.0.1:0"));
    let ada = server.user("ada@example.com").await;
    let (_, reads) = server.key(&ada, &["reports:read"]).await;
    let (id, writes) = server.key(&ada, &["reports:read", "reports:write"]).await;
    for (method, path, with_login, with_reads, with_writes) in [
        ("GET", "/reports", 200, 200, 200),
        ("POST", "/reports", 200, 403, 200),
        ("GET", "/keys", 200, 403, 403),
        // It takes a body that is not there.
        ("POST", "/keys", 415, 403, 403),
        ("DELETE", &format!("/keys/{id}0"), 400, 403, 403),
        ("GET", "/users/me", 200, 403, 403),
        ("PATCH", "/users/me", 415, 403, 403),
    ] {
        assert_eq!(server.status(method, path, &Credential::None).await, 401, "{method} {path}");
        assert_eq!(server.status(method, path, &ada).await, with_login, "{method} {path}");
        for (key, wanted) in [(&reads, with_reads), (&writes, with_writes)] {
            for credential in [Credential::Bearer(key.clone()), Credential::Header(key.clone())] {
                assert_eq!(server.status(method, path, &credential).await, wanted, "{method} {path}");
            }
        }
    }
    for body in [
        json!({"name": "x", "scopes": ["everything"]}),
        json!({"name": "x", "scopes": []}),
        json!({"name": "", "scopes": ["reports:read"]}),
        json!({"name": "x", "scopes": ["reports:read"], "user_id": "somebody else"}),
    ] {
        let answer = server.request("POST", "/keys", &ada).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
}

#[tokio::test]
async fn a_key_that_is_no_good_is_answered_with_a_challenge() {
    let server = Server::start("challenge", Some("127.0.0.1:0"));
    let ada = server.user("ada@example.com").await;
    let (_, key) = server.key(&ada, &["reports:read"]).await;
    let (_, other) = server.key(&ada, &["reports:read"]).await;
    let mixed = format!("{}{}", &key[..36], &other[36..]);
    for bad in ["ak_", "ak_x_y", &key[..key.len() - 1], &format!("{key}A"), &mixed] {
        for credential in [Credential::Bearer(bad.to_owned()), Credential::Header(bad.to_owned())] {
            let answer = server.request("GET", "/reports", &credential).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{bad}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(server.status("GET", "/reports", &Credential::Header(String::new())).await, 401);
    // Another kind of token is no key, and nobody's.
    assert_eq!(server.status("GET", "/reports", &Credential::Bearer("x".to_owned())).await, 401);
    // A key is no browser's, but a list is as careful as its most careful backend.
    let foreign =
        |credential| server.request("POST", "/reports", credential).header("origin", "https://evil.example");
    assert_eq!(foreign(&ada).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn keys_are_their_owners_and_go_with_them() {
    let server = Server::start("owners", Some("127.0.0.1:0"));
    let (ada, ben) = (server.user("ada@example.com").await, server.user("ben@example.com").await);
    let (id, key) = server.key(&ada, &["reports:read"]).await;
    let (adas, bens) = (server.keys_of(&ada).await, server.keys_of(&ben).await);
    assert!(adas.contains(&id) && !adas.contains(&key[36..]) && bens == "[]", "{adas} {bens}");
    assert_eq!(server.status("DELETE", &format!("/keys/{id}"), &ben).await, 404);
    let held = Credential::Bearer(key);
    assert_eq!(server.status("GET", "/reports", &held).await, 200);
    assert_eq!(server.status("DELETE", &format!("/keys/{id}"), &ada).await, 204);
    assert_eq!(server.status("DELETE", &format!("/keys/{id}"), &ada).await, 404);
    assert_eq!(server.status("GET", "/reports", &held).await, 401);

    let database = server.database().await;
    let held = Credential::Bearer(server.key(&ben, &["reports:read"]).await.1);
    for (flag, status) in [("FALSE", 401), ("TRUE", 200)] {
        let set = format!("UPDATE users SET is_active = {flag} WHERE email = 'ben@example.com'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&database).await.expect("a flag");
        assert_eq!(server.status("GET", "/reports", &held).await, status);
    }
    sqlx::query("DELETE FROM users").execute(&database).await.expect("nobody is left");
    assert_eq!(server.status("GET", "/reports", &held).await, 401);
    let left: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM api_keys").fetch_one(&database).await.expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn no_secret_is_stored_and_a_use_is_noted_once_a_minute() {
    let server = Server::start("at-rest", Some("127.0.0.1:0"));
    let ada = server.user("ada@example.com").await;
    let (_, key) = server.key(&ada, &["reports:read"]).await;
    let held = Credential::Bearer(key.clone());
    let database = server.database().await;
    let last_use = || async {
        let select = "SELECT last_used_at FROM api_keys";
        sqlx::query_scalar::<_, Option<String>>(select).fetch_one(&database).await.expect("a time")
    };
    assert_eq!(last_use().await, None);
    assert_eq!(server.status("GET", "/reports", &held).await, 200);
    let first = last_use().await.expect("a time");
    assert_eq!(server.status("GET", "/reports", &held).await, 200);
    assert_eq!(last_use().await.expect("a time"), first);
    let old = "2020-01-01T00:00:00Z";
    sqlx::query("UPDATE api_keys SET last_used_at = ?1").bind(old).execute(&database).await.expect("a time");
    assert_eq!(server.status("GET", "/reports", &held).await, 200);
    assert_ne!(last_use().await.expect("a time"), old);

    let secret = key.as_bytes()[36..].to_vec();
    for file in ["api-keys.db", "api-keys.db-wal"] {
        let bytes = fs::read(server.folder.join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
    }
}
