//! The figures for people and for programs.

mod markdown;
mod plots;
mod svg;

use serde::Serialize;

use crate::{
    Failure,
    machine::Machine,
    record::{Record, Summary},
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
        let baseline = self.medians.iter().find(|other| {
            (other.scenario, other.connections) == (summary.scenario, summary.connections)
                && other.subject == Some(subject.baseline())
        })?;
        Some(summary.figure("rate")? / baseline.figure("rate")?)
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
