//! What the command line asks for.

use std::path::PathBuf;

use clap::Parser;
use url::Url;

use crate::{
    program::Program,
    scenario::Scenario,
    subject::{Backend, Store},
};

/// Compares whole programs that do the same over HTTP, under the load of wrk.
#[derive(Debug, Parser)]
#[command(name = "users-bench", max_term_width = 110)]
pub struct Args {
    /// The server of PostgreSQL, such as `postgres://postgres@127.0.0.1/test`; SQLite alone without it
    #[arg(long, value_name = "URL")]
    pub postgres: Option<Url>,
    /// A Redis for sessions of the generated program, such as `redis://127.0.0.1`; left out without it
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// The interpreter of a venv with the requirements of the Python peers; they are left out without it
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Users in the table of each Rust program
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2_000..))]
    pub users: u32,
    /// Users that register at each Python peer
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(100..))]
    pub peer_users: u32,
    /// How long each program is measured in a round
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub seconds: u32,
    /// How often each program is measured; medians count
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rounds: u32,
    /// How many seconds the machine rests before each program. A virtual one gives its host back what the last program freed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub pause: u64,
    /// One round of one second each, which shows that everything runs and no more
    #[arg(long)]
    pub quick: bool,
    /// Only these scenarios
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<Scenario>,
    /// Only these programs
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub programs: Vec<Program>,
    /// Only these backends
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub backends: Vec<Backend>,
    /// Only these stores of sessions
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub stores: Vec<Store>,
    /// Take the programs as they were built last
    #[arg(long)]
    pub no_build: bool,
    /// Write every round's figures and what the machine is
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write plots
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

impl Args {
    pub fn seconds(&self) -> u32 {
        if self.quick { 1 } else { self.seconds.max(1) }
    }

    pub fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds.max(1) }
    }

    /// Whether a list of the command line takes this: an empty one takes all.
    pub fn takes<T: PartialEq>(list: &[T], item: &T) -> bool {
        list.is_empty() || list.contains(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let args = ["users-bench", "--programs", "generated+cache,handwritten", "--only", "read"];
        let args = Args::parse_from(args);
        assert_eq!(args.programs, [Program::GeneratedCache, Program::Handwritten]);
        assert!(Args::takes(&args.only, &Scenario::Read));
        assert!(!Args::takes(&args.only, &Scenario::Login));
        assert!(Args::takes(&args.stores, &Store::File));
        assert!(Args::try_parse_from(["users-bench", "--only", "reed"]).is_err());
    }
}
