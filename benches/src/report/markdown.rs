//! Tables in Markdown: the medians of the rounds, and what they are to the handwritten program's.

use std::fmt::Write;

use clap::ValueEnum;

use super::Report;
use crate::{
    record::Summary,
    scenario::Scenario,
    subject::{Database, Subject},
};

/// A column: its heading, the figure it shows, by what that is divided and how many decimals are left.
type Column = (&'static str, &'static str, f64, usize);

const LOAD: &[Column] = &[
    ("requests/s", "rate", 1.0, 0),
    ("p50, ms", "p50_us", 1_000.0, 2),
    ("p99, ms", "p99_us", 1_000.0, 2),
    ("CPU a request, us", "cpu_us", 1.0, 0),
    ("PostgreSQL's CPU, us", "postgres_cpu_us", 1.0, 0),
    ("peak memory, MiB", "peak_mib", 1.0, 1),
    ("memory after it, MiB", "rss_mib", 1.0, 1),
];
const STORM: &[Column] = &[
    ("reads/s", "rate", 1.0, 0),
    ("reads p50, ms", "p50_us", 1_000.0, 2),
    ("reads p99, ms", "p99_us", 1_000.0, 2),
    ("logins/s", "login_rate", 1.0, 1),
    ("logins p99, ms", "login_p99_us", 1_000.0, 0),
];
const SESSIONS: &[Column] = &[
    ("at the start, MiB", "start_mib", 1.0, 1),
    ("after the first sessions, MiB", "few_sessions_mib", 1.0, 1),
    ("after all sessions, MiB", "many_sessions_mib", 1.0, 1),
    ("a thousand sessions, KiB", "thousand_sessions_kib", 1.0, 0),
];
const STARTUP: &[Column] =
    &[("first answer, ms", "start_ms", 1.0, 1), ("idle memory, MiB", "idle_mib", 1.0, 1)];

pub(super) fn tables(report: &Report) -> String {
    let mut text = format!("{}\n", report.machine.line());
    for &scenario in Scenario::value_variants() {
        for database in [Database::Sqlite, Database::Postgres] {
            let rows = report.of_scenario(scenario, database);
            let mut groups: Vec<u32> = rows.iter().map(|(_, summary)| summary.connections).collect();
            groups.sort_unstable();
            groups.dedup();
            for connections in groups {
                let rows: Vec<_> =
                    rows.iter().filter(|(_, summary)| summary.connections == connections).collect();
                let _ = write!(text, "\n## {}, {}", scenario.name(), database.name());
                let _ = match connections {
                    0 => writeln!(text, "\n"),
                    1 => writeln!(text, ", 1 connection\n"),
                    _ => writeln!(text, ", {connections} connections\n"),
                };
                text.push_str(&table(report, scenario, &rows));
            }
        }
    }
    if let Some(limit) = report.hash_limit() {
        let _ = writeln!(
            text,
            "\nThis machine alone makes {limit:.1} hashes a second, one thread for each core."
        );
    }
    text
}

fn table(report: &Report, scenario: Scenario, rows: &[&(Subject, &Summary)]) -> String {
    let columns = match scenario {
        Scenario::Storm => STORM,
        Scenario::Startup => STARTUP,
        Scenario::Growth if rows.iter().all(|(_, summary)| summary.connections == 0) => SESSIONS,
        _ => LOAD,
    };
    let limit = report.hash_limit().filter(|_| scenario == Scenario::Login);
    let has_rate = columns.iter().any(|(_, name, ..)| *name == "rate");
    let mut headings = vec!["program"];
    headings.extend(columns.iter().map(|(heading, ..)| *heading));
    headings.extend(has_rate.then_some("to handwritten"));
    headings.extend(limit.map(|_| "to hashing alone"));
    let mut text = format!("| {} |\n|{}\n", headings.join(" | "), " --- |".repeat(headings.len()));
    for (subject, summary) in rows {
        let mut cells = vec![subject.label()];
        cells.extend(columns.iter().map(|&(_, name, unit, decimals)| {
            summary.figure(name).map_or(String::new(), |figure| format!("{:.decimals$}", figure / unit))
        }));
        if has_rate {
            cells.push(report.ratio(*subject, summary).map_or(String::new(), |ratio| format!("{ratio:.2}")));
        }
        if limit.is_some() {
            cells.push(report.of_hashing(summary).map_or(String::new(), |part| format!("{part:.2}")));
        }
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;

    #[test]
    fn tables_show_figures_and_ratios() {
        let text = super::tables(&example());
        for line in [
            "## read, SQLite, 32 connections",
            "| handwritten session | 10000 | 1.50 | 4.00 | 80 |  |  |  | 1.00 |",
            "| generated jwt_cookie | 90 | 1.50 | 4.00 | 80 |  |  |  | 0.90 | 0.72 |",
            "| generated session memory |  |  |  | 250 |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
