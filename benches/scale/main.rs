//! How the time of a request grows with the number of users: `benches/README.md` says how to run it and what it found.

mod accounts;
mod args;
mod client;
mod figures;
mod operations;
mod people;
mod postgres;
mod report;
mod sqlite;
mod stopwatch;
mod target;

use std::process::ExitCode;

use crate::{args::Args, target::Target};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match Args::from_command_line().and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The servers run on the threads of the runtime, the client on this one.
fn run(args: &Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let places = args.places();
    if args.clean {
        return places.iter().try_for_each(|place| runtime.block_on(place.remove()));
    }
    for place in &places {
        runtime.block_on(place.fill())?;
    }
    if args.fill {
        return Ok(());
    }
    stopwatch::install()?;
    let mut targets = Vec::new();
    for place in places {
        targets.push(Target::start(&runtime, place)?);
    }
    let figures = operations::measure(&runtime, args, &mut targets)?;
    print!("{}", if args.json { report::json(&figures) } else { report::table(&figures) });
    Ok(())
}
