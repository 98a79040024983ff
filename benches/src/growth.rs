//! What grows: throughput with connections, memory with sessions; and what a program takes before it has either.

use std::{thread, time::Duration};

use crate::{
    Failure,
    bench::Bench,
    credentials,
    people::email,
    record::Figures,
    scenario::Scenario,
    subject::{Database, Subject},
    usage::Memory,
};

/// How many connections read at once.
const CONNECTIONS: [u32; 4] = [1, 8, 64, 512];
/// How many users log in before memory is read, and how many more before it is read again.
const SESSIONS: (u32, u32) = (1_000, 4_000);
const QUICK_SESSIONS: (u32, u32) = (100, 200);
/// How long a program has nothing to do before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// Reads over ever more connections.
pub fn connections(bench: &mut Bench<'_>, subject: Subject, round: u32) -> Result<(), Failure> {
    let server = bench.start(subject)?;
    for connections in CONNECTIONS {
        let load = bench.load(Scenario::Growth, subject, &server, connections)?;
        let figures = bench.send(&server, &load, Scenario::Growth.seconds(bench.args))?;
        bench.record(Scenario::Growth, Some(subject), connections, round, figures);
    }
    Ok(())
}

/// Memory after many logins, once for each program: it is the same each time, and the hashes take long. The database
/// has no part in it, so that SQLite stands for both.
pub fn sessions(bench: &mut Bench<'_>, subjects: &[Subject]) -> Result<(), Failure> {
    let (first, more) = if bench.args.quick { QUICK_SESSIONS } else { SESSIONS };
    eprintln!("growth, memory of {} sessions", first + more);
    for &subject in subjects.iter().filter(|subject| subject.database == Database::Sqlite) {
        let server = bench.start(subject)?;
        let start = Memory::of(server.pid())?.now;
        // Users have several sessions when there are fewer of them.
        let emails: Vec<_> = (0..first + more).map(|number| email(number % bench.args.users)).collect();
        let after = |emails: &[String]| -> Result<f64, Failure> {
            credentials::log_in(subject.program, &server, emails)?;
            Ok(Memory::of(server.pid())?.now)
        };
        let (few, many) = emails.split_at(first as usize);
        let (few, many) = (after(few)?, after(many)?);
        let figures = Figures::from([
            ("start_mib", start),
            ("few_sessions_mib", few),
            ("many_sessions_mib", many),
            ("thousand_sessions_kib", (many - few) * 1_024.0 * 1_000.0 / f64::from(more)),
        ]);
        bench.record(Scenario::Growth, Some(subject), 0, 1, figures);
    }
    Ok(())
}

/// The time until the first answer over a database that is there, and the memory of a program that nobody uses.
pub fn startup(bench: &mut Bench<'_>, subject: Subject, round: u32) -> Result<(), Failure> {
    let server = bench.start(subject)?;
    thread::sleep(IDLE);
    let figures = Figures::from([
        ("start_ms", server.started_in.as_secs_f64() * 1_000.0),
        ("idle_mib", Memory::of(server.pid())?.now),
    ]);
    bench.record(Scenario::Startup, Some(subject), 0, round, figures);
    Ok(())
}
