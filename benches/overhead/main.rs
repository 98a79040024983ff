//! What each backend costs of CPU on `GET /users/me`, against a handler that answers the same without asking who it is
//! from: `benches/README.md` says how to run it and what it found.

mod applications;

use std::{fs, time::Instant};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    routing::get,
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::applications::{Credential, Target};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const HELP: &str = "\
usage: overhead [options]
  --requests N     requests of a round to each backend [5000]
  --rounds N       rounds, of which the median counts [9]
  --postgres URL   also with users and sessions in this database, whose tables `users` and `users_*` are made and stay
  --redis URL      also with sessions in this Redis";

/// The options.
struct Args {
    requests: u32,
    rounds: usize,
    postgres: Option<String>,
    redis: Option<String>,
}

impl Args {
    fn from_command_line() -> Result<Self, Failure> {
        let mut args = Self { requests: 5_000, rounds: 9, postgres: None, redis: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n{HELP}"));
            match word.as_str() {
                "--requests" => args.requests = value()?.parse()?,
                "--rounds" => args.rounds = value()?.parse()?,
                "--postgres" => args.postgres = Some(value()?),
                "--redis" => args.redis = Some(value()?),
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

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::from_command_line()?;
    let folder = std::env::temp_dir().join(format!("users-overhead-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let targets = applications::start(&folder, args.postgres.as_deref(), args.redis.as_deref()).await;
    let figures = match targets {
        Ok(targets) => measure(&args, targets).await,
        Err(error) => Err(error),
    };
    fs::remove_dir_all(&folder)?;
    let figures = figures?;
    let bare = figures.first().map_or(0.0, |(_, cpu, _)| *cpu);
    println!("| backend | store | CPU a request | more than without | time a request |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, cpu, time) in figures {
        println!("| {name} | {cpu:.1} us | {:.1} us | {time:.1} us |", cpu - bare);
    }
    Ok(())
}

/// The medians of rounds, in each of which every target gets as many requests, one after the other.
async fn measure(args: &Args, mut targets: Vec<Target>) -> Result<Vec<(String, f64, f64)>, Failure> {
    let first = targets.first().ok_or("there is something to measure")?;
    let body = answer(first.router.clone(), &first.credential).await?;
    let bare = Router::new().route(
        "/users/me",
        get(move || {
            let body = body.clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], body) }
        }),
    );
    let bare = Target { name: "none | ".to_owned(), router: bare, credential: Vec::new() };
    targets.insert(0, bare);
    let mut rounds = vec![Vec::new(); targets.len()];
    for round in 0..=args.rounds {
        for (target, rounds) in targets.iter().zip(&mut rounds) {
            let (cpu, clock) = (cpu_seconds()?, Instant::now());
            for _ in 0..args.requests {
                answer(target.router.clone(), &target.credential).await?;
            }
            let count = f64::from(args.requests);
            // The first round warms up.
            if round > 0 {
                let cpu = (cpu_seconds()? - cpu) / count * 1e6;
                rounds.push((cpu, clock.elapsed().as_secs_f64() / count * 1e6));
            }
        }
        eprintln!("round {round} of {}", args.rounds);
    }
    let medians = rounds.into_iter().map(|rounds| {
        let (cpu, time): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
        (median(cpu), median(time))
    });
    Ok(targets.into_iter().zip(medians).map(|(target, (cpu, time))| (target.name, cpu, time)).collect())
}

/// The body that the route answers, which has to be 200.
async fn answer(router: Router, credential: &Credential) -> Result<Vec<u8>, Failure> {
    let mut request = Request::get("/users/me");
    for (name, value) in credential {
        request = request.header(name, value);
    }
    let response = router.oneshot(request.body(Body::empty())?).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("the route answers {}", response.status()).into());
    }
    Ok(response.into_body().collect().await?.to_bytes().to_vec())
}

/// The CPU time of this process on all its threads, in seconds: fields 14 and 15 of `proc_pid_stat(5)`, in hundredths.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/self/stat has another form")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    Ok(ticks.sum::<Result<u32, _>>().map(f64::from)? / 100.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
