//! Compares whole programs that do the same over HTTP: `benches/README.md` says how to run it and what is measured.

mod args;
mod bench;
mod binaries;
mod client;
mod credentials;
mod database;
mod growth;
mod hashing;
mod interrupt;
mod load;
mod machine;
mod people;
mod program;
mod record;
mod report;
mod scenario;
mod server;
mod subject;
mod usage;

use std::{fs, process::ExitCode};

use clap::Parser;

use crate::{args::Args, bench::Bench, machine::Machine, report::Report};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    interrupt::listen()?;
    let mut bench = Bench::prepare(args)?;
    let measured = bench.measure();
    let postgres = bench.postgres_version();
    // Databases on a server outlive this process, so they go whatever happened.
    let removed = bench.clean();
    measured?;
    removed?;
    let report = Report::of(Machine::read(args, postgres?), bench.into_records());
    if let Some(path) = &args.json {
        fs::write(path, report.json()?)?;
    }
    if let Some(path) = &args.svg {
        fs::write(path, report.svg())?;
    }
    print!("{}", report.markdown());
    Ok(())
}
