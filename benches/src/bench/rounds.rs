//! The scenarios in rounds, in which every program has its turn.

use std::{thread, time::Duration};

use clap::ValueEnum;

use super::Bench;
use crate::{
    Failure,
    args::Args,
    client::Request,
    growth, hashing,
    load::Load,
    people::Crowd,
    record::{Figures, Record},
    scenario::{self, Scenario},
    server::Server,
    subject::Subject,
    usage::{self, Memory, Usage},
};

/// How long a load runs before it counts, in seconds.
const WARM_UP: u32 = 1;
/// How many connections log in beside the reads of a storm.
const STORM: u32 = 64;

impl Bench<'_> {
    pub fn measure(&mut self) -> Result<(), Failure> {
        self.fill()?;
        for &scenario in Scenario::value_variants() {
            if !Args::takes(&self.args.only, &scenario) {
                continue;
            }
            let subjects: Vec<_> =
                self.subjects.iter().copied().filter(|subject| scenario.takes(*subject)).collect();
            for round in 1..=self.args.rounds() {
                eprintln!("{}, round {round} of {}", scenario.name(), self.args.rounds());
                if scenario == Scenario::Login {
                    self.rest();
                    let rate = hashing::limit(Duration::from_secs(scenario.seconds(self.args).into()))?;
                    self.record(scenario, None, 0, round, Figures::from([("rate", rate)]));
                }
                for turn in 0..subjects.len() {
                    // Each round begins with another, so that nobody always follows the same one.
                    let subject = subjects[(turn + round as usize - 1) % subjects.len()];
                    self.turn(scenario, subject, round).map_err(|error| {
                        format!(
                            "{}, {}, {}: {error}",
                            scenario.name(),
                            subject.label(),
                            subject.database.name()
                        )
                    })?;
                }
            }
            if scenario == Scenario::Growth {
                growth::sessions(self, &subjects)?;
            }
        }
        Ok(())
    }

    /// Lets the machine get over what ran before.
    fn rest(&self) {
        thread::sleep(Duration::from_secs(self.args.pause));
    }

    fn turn(&mut self, scenario: Scenario, subject: Subject, round: u32) -> Result<(), Failure> {
        self.rest();
        match scenario {
            Scenario::Growth => growth::connections(self, subject, round),
            Scenario::Startup => growth::startup(self, subject, round),
            Scenario::Storm => self.storm(subject, round),
            _ => {
                let server = self.start(subject)?;
                let load = self.load(scenario, subject, &server, scenario.connections())?;
                let figures = self.send(&server, &load, scenario.seconds(self.args))?;
                self.record(scenario, Some(subject), load.connections, round, figures);
                Ok(())
            }
        }
    }

    /// Prepares what is sent in a scenario.
    pub fn load(
        &mut self,
        scenario: Scenario,
        subject: Subject,
        server: &Server,
        connections: u32,
    ) -> Result<Load, Failure> {
        let program = subject.program;
        let crowd = Crowd::of(program, self.args.users, self.args.peer_users);
        let (requests, expected) = match scenario {
            Scenario::Login => (scenario::logins(program, crowd), Some(program.logged_in())),
            Scenario::Register => (scenario::registration(), Some(201)),
            _ => {
                let credentials = self.credentials.of(subject, server, crowd.readers())?;
                check(server, &scenario::read(&credentials[0]))?;
                if scenario == Scenario::Mixed {
                    check(server, &scenario::update(&credentials[0]))?;
                    (scenario::mixture(program, crowd, credentials), None)
                } else {
                    (scenario::reads(credentials), None)
                }
            }
        };
        Load::write(&self.folder, scenario.name(), &requests, expected, connections)
    }

    /// Warms a program up and measures it under a load.
    pub fn send(&mut self, server: &Server, load: &Load, seconds: u32) -> Result<Figures, Failure> {
        load.warm_up(server.address, WARM_UP, self.next())?;
        usage::reset_peak(server.pid())?;
        let before = Usage::of(server.pid())?;
        let outcome = load.run(server.address, seconds, self.next())?;
        let mut figures = outcome.figures();
        Usage::of(server.pid())?.since(before, outcome.requests(), &mut figures);
        let memory = Memory::of(server.pid())?;
        figures.extend([("rss_mib", memory.now), ("peak_mib", memory.peak)]);
        Ok(figures)
    }

    /// Reads, which alone are counted, beside as many logins as arrive.
    fn storm(&mut self, subject: Subject, round: u32) -> Result<(), Failure> {
        let server = self.start(subject)?;
        let connections = Scenario::Storm.connections();
        let reads = self.load(Scenario::Storm, subject, &server, connections)?;
        let logins = self.load(Scenario::Login, subject, &server, STORM)?;
        // The logins begin before the reads count and end after them.
        let seconds = Scenario::Storm.seconds(self.args);
        let storm = logins.start(server.address, seconds + 2 * WARM_UP + 1, self.next())?;
        reads.warm_up(server.address, WARM_UP, self.next())?;
        let outcome = reads.run(server.address, seconds, self.next())?;
        let mut figures = outcome.figures();
        let logins = storm.finish()?.figures();
        figures.extend([("login_rate", logins["rate"]), ("login_p99_us", logins["p99_us"])]);
        self.record(Scenario::Storm, Some(subject), connections, round, figures);
        Ok(())
    }

    /// Where a load begins, so that none repeats what the last one sent.
    fn next(&mut self) -> u32 {
        self.loads += 1;
        self.loads * 500_009
    }

    pub fn record(
        &mut self,
        scenario: Scenario,
        subject: Option<Subject>,
        connections: u32,
        round: u32,
        figures: Figures,
    ) {
        let name = subject.map_or("this machine alone".to_owned(), |one| {
            format!("{}, {}", one.label(), one.database.name())
        });
        let rate = figures.get("rate").map_or(String::new(), |rate| format!(", {rate:.0} a second"));
        eprintln!("  {name}{rate}");
        self.records.push(Record { scenario, subject, connections, round, figures });
    }
}

/// A load that wrk does not look at has to begin with an answer that is right.
fn check(server: &Server, request: &Request) -> Result<(), Failure> {
    server.client()?.send(request)?.expect(200).map(drop)
}
