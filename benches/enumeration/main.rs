//! Whether the time of an answer tells which accounts exist (S11): `benches/README.md` says how to run it and what it found.

use std::{
    fs,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::SqlitePool;
use tower::ServiceExt;
use users_runtime::{
    BoxFuture, Config, MailError, MailTransport, RenderedMail, SecretKey, Throttle, users_app,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const HELP: &str = "\
usage: enumeration [options]
  --samples N   requests of each kind to each route [60]
  --limit X     how many times the smaller median the larger may be [1.1]";

/// Requests that come before those that count.
const WARM_UP: usize = 5;

#[users_app(auth = "session", routes(auth, register, verify, password_reset))]
mod accounts {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    /// A user.
    #[derive(Clone, Debug, UserModel)]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
    }
}

/// Takes every mail and does nothing with it.
struct Nowhere;

impl MailTransport for Nowhere {
    fn send<'a>(&'a self, _mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The options.
struct Args {
    samples: usize,
    limit: f64,
}

impl Args {
    fn from_command_line() -> Result<Self, Failure> {
        let mut args = Self { samples: 60, limit: 1.1 };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n{HELP}"));
            match word.as_str() {
                "--samples" => args.samples = value()?.parse()?,
                "--limit" => args.limit = value()?.parse()?,
                "--help" | "-h" => {
                    println!("{HELP}");
                    std::process::exit(0);
                }
                _ => return Err(format!("unknown option `{word}`\n{HELP}").into()),
            }
        }
        Ok(args)
    }
}

/// What is asked.
#[derive(Clone, Copy)]
enum Asked {
    Login,
    Forgot,
    Resend,
}

impl Asked {
    const ALL: [Self; 3] = [Self::Login, Self::Forgot, Self::Resend];

    fn path(self) -> &'static str {
        match self {
            Self::Login => "/login",
            Self::Forgot => "/forgot-password",
            Self::Resend => "/verify/resend",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Login => 401,
            Self::Forgot => 201,
            Self::Resend => 202,
        }
    }

    fn body(self, email: &str) -> Value {
        match self {
            Self::Login => json!({"email": email, "password": "a wrong sentence"}),
            Self::Forgot | Self::Resend => json!({ "email": email }),
        }
    }

    /// Passwords that one request computes.
    fn hashes(self) -> u64 {
        u64::from(matches!(self, Self::Login))
    }
}

struct Application {
    users: accounts::Users,
    router: Router,
    /// A pool beside that of the application.
    pool: SqlitePool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::from_command_line()?;
    let folder = std::env::temp_dir().join(format!("users-enumeration-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let url = format!("sqlite://{}", folder.join("users.db").display());
    let routes = measure(&args, &url).await;
    fs::remove_dir_all(&folder)?;
    let routes = routes?;
    let within = routes.iter().all(|route| route["within"] == true);
    println!(
        "{:#}",
        json!({"samples": args.samples, "limit": args.limit, "routes": routes, "within": within})
    );
    if within { Ok(()) } else { Err("the answers tell which accounts exist".into()) }
}

async fn measure(args: &Args, url: &str) -> Result<Vec<Value>, Failure> {
    // Throttles count as they do in production; the cap of all mails alone would end the measurement.
    let throttle = Throttle::default().with_mail_cap(u32::MAX, Duration::from_mins(1));
    let config = Config::new(SecretKey::generate()?).with_mail_transport(Nowhere).with_throttle(throttle);
    let users = accounts::Users::connect(url, config).await?;
    let router = accounts::router(users.clone()).into_router();
    let application = Application { users, router, pool: SqlitePool::connect(url).await? };
    // Every request is of an account of its own: what was asked before must not matter, whether or not it is there. The
    // route leaves them unverified, for a verified one is sent no mail again.
    for number in 0..args.samples + WARM_UP {
        let body = json!({"email": address(number, true), "password": "correct horse battery staple"});
        application.send("/register", &body, 201).await?;
    }
    let mut compared = Vec::new();
    for asked in Asked::ALL {
        compared.push(application.compare(asked, args).await?);
    }
    Ok(compared)
}

/// Addresses of one length, so that nothing else differs.
fn address(number: usize, known: bool) -> String {
    let name = if known { "ada" } else { "eve" };
    format!("{name}{number:06}@example.com")
}

impl Application {
    /// Requests for accounts that are there and for others, which take turns.
    async fn compare(&self, asked: Asked, args: &Args) -> Result<Value, Failure> {
        let mut times = [Vec::new(), Vec::new()];
        let mut hashes = [0, 0];
        for round in 0..2 * (args.samples + WARM_UP) {
            // The first of a pair is not always of the same kind.
            let kind = (round + round / 2) % 2;
            let body = asked.body(&address(round / 2, kind == 0));
            self.settle().await?;
            let before = self.users.password_computations();
            let time = self.send(asked.path(), &body, asked.status()).await?;
            if round >= 2 * WARM_UP {
                times[kind].push(time);
                hashes[kind] += self.users.password_computations() - before;
            }
        }
        let [known, unknown] = times.map(median);
        let ratio = known.max(unknown) / known.min(unknown);
        let wanted = u64::try_from(args.samples)? * asked.hashes();
        Ok(json!({
            "route": asked.path(),
            "known_ms": known,
            "unknown_ms": unknown,
            "ratio": ratio,
            "known_hashes": hashes[0],
            "unknown_hashes": hashes[1],
            "within": ratio <= args.limit && hashes == [wanted, wanted],
        }))
    }

    /// Sends a request, and tells how long it took.
    async fn send(&self, path: &str, body: &Value, expected: u16) -> Result<Duration, Failure> {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_string()))?;
        let router = self.router.clone();
        let begun = Instant::now();
        let response = router.oneshot(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        let time = begun.elapsed();
        if status.as_u16() == expected {
            Ok(time)
        } else {
            Err(format!("{path} answers {status}: {}", String::from_utf8_lossy(&answer)).into())
        }
    }

    /// What a request leaves to others, such as mail, is not the next one's time.
    async fn settle(&self) -> Result<(), Failure> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let waiting: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM users_outbox").fetch_one(&self.pool).await?;
            if waiting == 0 {
                break;
            }
            if Instant::now() > end {
                return Err("the mails do not leave".into());
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    }
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
