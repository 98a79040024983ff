//! Percentiles of what was measured.

use std::time::Duration;

use crate::target::Target;

/// How long requests of one kind to one table took.
#[derive(Debug)]
pub struct Figure {
    pub name: &'static str,
    pub database: &'static str,
    pub users: u64,
    pub requests: usize,
    pub p50: Duration,
    pub p95: Duration,
    /// Whether its growth is of interest.
    pub is_compared: bool,
}

impl Figure {
    /// One for each table that has samples.
    pub fn of_each(
        name: &'static str,
        is_compared: bool,
        targets: &[Target],
        samples: Vec<Vec<Duration>>,
    ) -> Vec<Self> {
        let tables = targets.iter().zip(samples).filter(|(_, samples)| !samples.is_empty());
        tables
            .map(|(target, mut samples)| {
                samples.sort_unstable();
                Self {
                    name,
                    database: target.place.database(),
                    users: target.people().count,
                    requests: samples.len(),
                    p50: percentile(&samples, 50),
                    p95: percentile(&samples, 95),
                    is_compared,
                }
            })
            .collect()
    }
}

/// Of samples in ascending order.
fn percentile(samples: &[Duration], percent: usize) -> Duration {
    samples[(samples.len() - 1) * percent / 100]
}
