//! The figures for people and for programs.

mod markdown;
mod plots;
mod svg;

use serde::Serialize;

use crate::{
    Failure,
    machine::Machine,
    record::{Record, Summary, median},
    scenario::Scenario,
    subject::{Database, Subject},
};

/// All that a run measured.
#[derive(Debug, Serialize)]
pub struct Report {
    machine: Machine,
    medians: Vec<Summary>,
    rounds: Vec<Record>,
}

impl Report {
    pub fn of(machine: Machine, rounds: Vec<Record>) -> Self {
        Self { machine, medians: Summary::of(&rounds), rounds }
    }

    pub fn json(&self) -> Result<String, Failure> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    pub fn markdown(&self) -> String {
        markdown::tables(self)
    }

    pub fn svg(&self) -> String {
        plots::all(self)
    }

    /// What the programs of a scenario did on a database, the handwritten one first.
    fn of_scenario(&self, scenario: Scenario, database: Database) -> Vec<(Subject, &Summary)> {
        let summaries = self.medians.iter().filter(|summary| summary.scenario == scenario);
        let mut found: Vec<_> = summaries.filter_map(|summary| Some((summary.subject?, summary))).collect();
        found.retain(|(subject, _)| subject.database == database);
        found.sort_by_key(|(subject, _)| {
            (subject.program.place(), subject.store.name(), subject.backend.name())
        });
        found
    }

    /// The hashes a second that this machine makes alone.
    fn hash_limit(&self) -> Option<f64> {
        let alone = self.medians.iter().find(|summary| summary.subject.is_none())?;
        alone.figure("rate")
    }

    /// How a program's throughput stands to the handwritten one's in the same place.
    fn ratio(&self, subject: Subject, summary: &Summary) -> Option<f64> {
        self.by(summary, (Some(subject.baseline()), summary.connections))
    }

    /// How many of the hashes that the machine makes alone a program's logins are.
    fn of_hashing(&self, summary: &Summary) -> Option<f64> {
        self.by(summary, (None, 0))
    }

    /// How a throughput stands to another one: the median of that in each round, for a shared machine is faster in one round
    /// than in the next.
    fn by(&self, summary: &Summary, (subject, connections): (Option<Subject>, u32)) -> Option<f64> {
        let rates = |subject, connections| {
            self.rounds.iter().filter(move |record| {
                (record.scenario, record.subject, record.connections)
                    == (summary.scenario, subject, connections)
            })
        };
        let ratios: Vec<_> = rates(summary.subject, summary.connections)
            .filter_map(|own| {
                let other = rates(subject, connections).find(|other| other.round == own.round)?;
                Some(own.figures.get("rate")? / other.figures.get("rate")?)
            })
            .collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{args::Args, program::Program, record::Figures};

    /// A run with round numbers: the generated program does 90 % of what the handwritten one does.
    pub(super) fn example() -> Report {
        let args = Args::parse_from(["users-bench", "--programs", "generated,handwritten"]);
        let mut rounds = Vec::new();
        let mut add = |scenario, subject, connections, figures: &[(&'static str, f64)]| {
            let figures: Figures = figures.iter().copied().collect();
            rounds.push(Record { scenario, subject, connections, round: 1, figures });
        };
        add(Scenario::Login, None, 0, &[("rate", 125.0)]);
        for subject in Subject::all(&args) {
            let rate = if subject.program == Program::Handwritten { 10_000.0 } else { 9_000.0 };
            let figures = |rate| [("rate", rate), ("p50_us", 1_500.0), ("p99_us", 4_000.0), ("cpu_us", 80.0)];
            add(Scenario::Read, Some(subject), 32, &figures(rate));
            add(Scenario::Login, Some(subject), 64, &figures(rate / 100.0));
            add(Scenario::Storm, Some(subject), 16, &figures(rate / 2.0));
            for connections in [1, 8, 64, 512] {
                add(Scenario::Growth, Some(subject), connections, &figures(rate));
            }
            add(Scenario::Growth, Some(subject), 0, &[("thousand_sessions_kib", 250.0)]);
        }
        Report::of(Machine::read(&args, None), rounds)
    }

    #[test]
    fn a_ratio_is_that_within_a_round() {
        let args = Args::parse_from(["users-bench", "--programs", "generated,handwritten"]);
        let mut rounds = Vec::new();
        // The machine slows down, more than the programs differ.
        for (round, speed) in [(1, 100.0), (2, 60.0), (3, 20.0)] {
            for subject in Subject::all(&args) {
                let part = if subject.program == Program::Handwritten { 1.0 } else { 0.8 };
                let figures = Figures::from([("rate", speed * part)]);
                let (scenario, subject) = (Scenario::Login, Some(subject));
                rounds.push(Record { scenario, subject, connections: 64, round, figures });
            }
            let figures = Figures::from([("rate", speed * 2.0)]);
            rounds.push(Record { scenario: Scenario::Login, subject: None, connections: 0, round, figures });
        }
        // In one round everything but the generated program was disturbed.
        for record in rounds.iter_mut().filter(|record| record.round == 2) {
            if record.subject.is_none_or(|subject| subject.program == Program::Handwritten) {
                record.figures.insert("rate", 1.0);
            }
        }
        let report = Report::of(Machine::read(&args, None), rounds);
        let logins = report.of_scenario(Scenario::Login, Database::Sqlite);
        let (subject, summary) =
            logins.into_iter().find(|(subject, _)| subject.program == Program::Generated).unwrap();
        assert_eq!(report.ratio(subject, summary), Some(0.8));
        assert_eq!(report.of_hashing(summary), Some(0.4));
    }

    #[test]
    fn a_ratio_is_that_to_the_handwritten_program() {
        let report = example();
        let reads = report.of_scenario(Scenario::Read, Database::Sqlite);
        assert_eq!(reads[0].0.program, Program::Handwritten);
        for (subject, summary) in reads {
            let expected = if subject.program == Program::Handwritten { 1.0 } else { 0.9 };
            assert_eq!(report.ratio(subject, summary), Some(expected));
        }
    }
}
