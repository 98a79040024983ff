//! The requests that are measured, and the order in which they are sent: for each figure one request to each table in
//! turn, again and again, so that whatever else the machine does meets all tables alike.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::{
    Failure,
    args::Args,
    client::{Answer, Request},
    figures::Figure,
    people::{People, Random},
    stopwatch,
    target::{Target, login},
};

/// Requests of each kind that are not counted, because connections and statements are still being prepared.
const WARM_UP: usize = 50;
/// How many users are on a page.
const LIMIT: usize = 50;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Login,
    CurrentUser,
    /// The first page in this order.
    Start(&'static str),
    /// A page around a random user.
    Deep(&'static str),
    /// A search that finds a hundred users in a table of any size.
    Search,
    /// A search that finds a tenth of the table.
    BroadSearch,
}

const OPERATIONS: [(&str, Operation); 8] = [
    ("login minus hashing", Operation::Login),
    ("GET /users/me", Operation::CurrentUser),
    ("list by id, first page", Operation::Start("id")),
    ("list by id, deep inside", Operation::Deep("id")),
    ("list by email, first page", Operation::Start("email")),
    ("list by email, deep inside", Operation::Deep("email")),
    ("search, 11 characters, 100 matches", Operation::Search),
    ("search, 6 characters, a tenth matches", Operation::BroadSearch),
];

/// Sends every request and tells how long each took.
pub fn measure(runtime: &Runtime, args: &Args, targets: &mut [Target]) -> Result<Vec<Figure>, Failure> {
    let mut random = Random::from_clock();
    let mut figures = Vec::new();
    for (name, operation) in OPERATIONS {
        if !args.only.is_empty() && !args.only.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        eprintln!("measuring {name} ...");
        if operation == Operation::CurrentUser {
            for target in &mut *targets {
                target.collect_tokens(runtime, WARM_UP + args.requests, &mut random)?;
            }
        }
        let mut samples = vec![Vec::new(); targets.len()];
        let mut hashing = vec![Vec::new(); targets.len()];
        for round in 0..WARM_UP + args.requests {
            for turn in 0..targets.len() {
                let index = (round + turn) % targets.len();
                let (time, hash) = operation.run(&mut targets[index], &mut random)?;
                if round >= WARM_UP {
                    samples[index].push(time);
                    hashing[index].extend(hash);
                }
            }
        }
        figures.extend(Figure::of_each(name, true, targets, samples));
        figures.extend(Figure::of_each("hashing, which is left out", false, targets, hashing));
    }
    Ok(figures)
}

impl Operation {
    /// One request: its time without hashing, and the time of the hash if there was one.
    fn run(self, target: &mut Target, random: &mut Random) -> Result<(Duration, Option<Duration>), Failure> {
        let request = self.request(target, random)?;
        if self == Self::Login {
            let ((answer, whole), hashing) = stopwatch::hashing_of(|| timed(target, &request, 201))?;
            target.tokens.push(answer.token()?);
            return Ok((whole.saturating_sub(hashing), Some(hashing)));
        }
        let (answer, time) = timed(target, &request, 200)?;
        self.check(&answer)?;
        Ok((time, None))
    }

    fn request(self, target: &mut Target, random: &mut Random) -> Result<Request, Failure> {
        let people = target.people();
        let path = match self {
            Self::Login => return Ok(login(&people.anybody(random).email)),
            Self::CurrentUser => {
                let token = target.tokens.pop().ok_or("no credentials are left")?;
                return Ok(Request::get("/users/me", &token));
            }
            Self::Start(sort) => format!("/users?sort={sort}&limit={LIMIT}"),
            Self::Deep(sort) => {
                let cursor = cursor(target, sort, random)?;
                format!("/users?sort={sort}&limit={LIMIT}&after={cursor}")
            }
            Self::Search => format!("/users?search={}&limit={LIMIT}", people.prefix(random)),
            Self::BroadSearch => format!("/users?search={}&limit={LIMIT}", People::short_prefix(random)),
        };
        Ok(Request::get(&path, &target.administrator))
    }

    /// A figure of pages that hold less than the others would mean nothing.
    fn check(self, answer: &Answer) -> Result<(), Failure> {
        let body = answer.json()?;
        let users = body["items"].as_array().map(Vec::len);
        match (self, users) {
            (Self::CurrentUser, _) if body["email"].is_string() => Ok(()),
            // A random user may stand near the end.
            (Self::Deep(_), Some(1..)) | (_, Some(LIMIT)) => Ok(()),
            _ => Err(format!("{self:?} was answered with {body}").into()),
        }
    }
}

fn timed(target: &mut Target, request: &Request, expected: u16) -> Result<(Answer, Duration), Failure> {
    let start = Instant::now();
    let answer = target.client.send(request, expected)?;
    Ok((answer, start.elapsed()))
}

/// A place deep inside a list: a search by twelve characters finds ten users anywhere in the table, and the cursor
/// behind the fifth of them continues the whole list as well.
fn cursor(target: &mut Target, sort: &str, random: &mut Random) -> Result<String, Failure> {
    let email = target.people().anybody(random).email;
    let path = format!("/users?search={}&sort={sort}&limit=5", &email[..12]);
    let answer = target.client.send(&Request::get(&path, &target.administrator), 200)?.json()?;
    Ok(answer["next"].as_str().ok_or("the search found less than ten users")?.to_owned())
}
