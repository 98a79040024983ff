//! What was measured: a record for each program, load and round, and the medians of the rounds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{scenario::Scenario, subject::Subject};

/// Numbers by name; the name ends with the unit.
pub type Figures = BTreeMap<&'static str, f64>;

/// What was measured at once.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub scenario: Scenario,
    /// `None` of what the machine can do alone.
    pub subject: Option<Subject>,
    pub connections: u32,
    pub round: u32,
    pub figures: Figures,
}

/// The medians of the rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    pub scenario: Scenario,
    pub subject: Option<Subject>,
    pub connections: u32,
    pub figures: Figures,
}

impl Summary {
    /// One for each load of each program, in the order of the records.
    pub fn of(records: &[Record]) -> Vec<Self> {
        let mut summaries: Vec<Self> = Vec::new();
        for record in records {
            let key = (record.scenario, record.subject, record.connections);
            if summaries.iter().any(|summary| (summary.scenario, summary.subject, summary.connections) == key)
            {
                continue;
            }
            let rounds: Vec<_> = records
                .iter()
                .filter(|other| (other.scenario, other.subject, other.connections) == key)
                .collect();
            let figures = record.figures.keys().map(|&name| {
                (name, median(rounds.iter().filter_map(|round| round.figures.get(name).copied()).collect()))
            });
            summaries.push(Self {
                scenario: record.scenario,
                subject: record.subject,
                connections: record.connections,
                figures: figures.collect(),
            });
        }
        summaries
    }

    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.get(name).copied()
    }
}

/// Of any order; zero of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 100.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }

    #[test]
    fn rounds_of_other_loads_do_not_count() {
        let record = |connections, round, rate| Record {
            scenario: Scenario::Growth,
            subject: None,
            connections,
            round,
            figures: Figures::from([("rate", rate)]),
        };
        let records = [record(1, 1, 10.0), record(8, 1, 70.0), record(1, 2, 12.0), record(1, 3, 90.0)];
        let rates: Vec<_> = Summary::of(&records).iter().filter_map(|one| one.figure("rate")).collect();
        assert_eq!(rates, [12.0, 70.0]);
    }
}
