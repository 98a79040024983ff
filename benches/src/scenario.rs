//! What is asked of the programs, and how much of it at once.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::{
    args::Args,
    client::Request,
    people::Crowd,
    program::Program,
    subject::{Backend, Store, Subject},
};

/// How many requests a mixture has before it repeats.
const MIXTURE: usize = 5_000;
/// What the load generator replaces by the number of a request, and the address around it.
const FRESH: &str = "new0000000000@example.com";

/// A kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// GET /users/me of many users
    Read,
    /// POST /login of many users
    Login,
    /// POST /register
    Register,
    /// 98 % reads, 1 % logins, 1 % updates
    Mixed,
    /// Reads while more logins arrive than the machine can hash
    Storm,
    /// Reads over 1 to 512 connections, and the memory of sessions
    Growth,
    /// The time until the first answer, and the memory of an idle program
    Startup,
}

impl Scenario {
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Login => "login",
            Self::Register => "register",
            Self::Mixed => "mixed",
            Self::Storm => "storm",
            Self::Growth => "growth",
            Self::Startup => "startup",
        }
    }

    /// Whether a subject has anything to show in it.
    pub fn takes(self, subject: Subject) -> bool {
        let Subject { program, backend, store, .. } = subject;
        // Backends and stores differ in what a read costs.
        let is_usual =
            store == Store::Database && (backend == Backend::JwtCookie || program == Program::AxumLogin);
        match self {
            Self::Read => true,
            Self::Login | Self::Register | Self::Mixed => is_usual,
            Self::Storm | Self::Growth => {
                is_usual && matches!(program, Program::Generated | Program::Handwritten)
            }
            Self::Startup => is_usual && program.script().is_none(),
        }
    }

    /// How long a measurement takes: where 64 hashes are under way at once, none may be done for the first seconds.
    pub fn seconds(self, args: &Args) -> u32 {
        match self {
            Self::Login | Self::Storm => args.seconds().max(3),
            _ => args.seconds(),
        }
    }

    pub fn connections(self) -> u32 {
        match self {
            Self::Read | Self::Mixed => 32,
            Self::Login => 64,
            Self::Register => 16,
            // Enough to leave no core idle: what more of them wait for is each other.
            Self::Storm => 8,
            Self::Growth | Self::Startup => 1,
        }
    }
}

/// The requests of a load, in their order.
pub fn reads(credentials: &[String]) -> Vec<Request> {
    credentials.iter().map(|credential| read(credential)).collect()
}

pub fn read(credential: &str) -> Request {
    Request::get("/users/me").header(credential)
}

pub fn logins(program: Program, crowd: Crowd) -> Vec<Request> {
    crowd.visitors().map(|email| program.login(&email)).collect()
}

/// One request, which gets another address each time it is sent.
pub fn registration() -> Vec<Request> {
    vec![Program::register(FRESH)]
}

pub fn update(credential: &str) -> Request {
    Request::json("PATCH", "/users/me", &json!({ "display_name": "Somebody else" })).header(credential)
}

pub fn mixture(program: Program, crowd: Crowd, credentials: &[String]) -> Vec<Request> {
    let logins = logins(program, crowd);
    let request = |number: usize| {
        let credential = &credentials[number % credentials.len()];
        match number % 100 {
            33 => logins[number / 100 % logins.len()].clone(),
            66 => update(credential),
            _ => read(credential),
        }
    };
    (0..MIXTURE).map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_has_one_login_and_one_update_in_a_hundred() {
        let crowd = Crowd { readers: 7, users: 20 };
        let credentials: Vec<_> = (0..7).map(|number| format!("Cookie: session={number}")).collect();
        let requests = mixture(Program::Generated, crowd, &credentials);
        let count = |method: &str| requests.iter().filter(|one| one.text().starts_with(method)).count();
        assert_eq!([count("GET"), count("POST"), count("PATCH")], [4_900, 50, 50]);
    }
}
