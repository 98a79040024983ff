//! The figures as a table for people and as JSON for programs.

use std::fmt::Write;

use serde_json::json;

use crate::figures::Figure;

/// What each figure may grow by from the smallest to the largest table.
const GROWTH: f64 = 2.0;

/// The figures of one kind in one database, the smallest table first.
struct Row<'a>(Vec<&'a Figure>);

impl Row<'_> {
    /// How many times as long the largest table takes; `None` where nothing is compared.
    fn growth(&self) -> Option<f64> {
        match self.0.as_slice() {
            [first, .., last] if first.is_compared => Some(last.p50.as_secs_f64() / first.p50.as_secs_f64()),
            _ => None,
        }
    }
}

fn rows(figures: &[Figure]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for figure in figures {
        let same = |row: &&mut Row<'_>| {
            row.0.first().is_some_and(|first| (first.database, first.name) == (figure.database, figure.name))
        };
        match rows.iter_mut().find(same) {
            Some(row) => row.0.push(figure),
            None => rows.push(Row(vec![figure])),
        }
    }
    rows
}

/// A table in Markdown for each database: p50 and, in brackets, p95, in milliseconds.
pub fn table(figures: &[Figure]) -> String {
    let mut text = String::new();
    let rows = rows(figures);
    let mut databases: Vec<_> = figures.iter().map(|figure| figure.database).collect();
    databases.dedup();
    databases.sort_unstable();
    databases.dedup();
    for database in databases {
        let rows: Vec<_> =
            rows.iter().filter(|row| row.0.first().is_some_and(|first| first.database == database)).collect();
        let sizes =
            rows.first().map(|row| row.0.iter().map(|figure| thousands(figure.users)).collect::<Vec<_>>());
        let sizes = sizes.unwrap_or_default();
        let _ = writeln!(text, "| {database} | {} | growth |", sizes.join(" | "));
        let _ = writeln!(text, "| --- |{} --- |", " --- |".repeat(sizes.len()));
        for row in rows {
            let name = row.0.first().map_or("", |first| first.name);
            let cells: Vec<_> = row.0.iter().map(|figure| milliseconds(figure)).collect();
            let growth = row.growth().map_or_else(String::new, |growth| {
                let verdict = if growth < GROWTH { "" } else { ", not below 2" };
                format!("{growth:.2}{verdict}")
            });
            let _ = writeln!(text, "| {name} | {} | {growth} |", cells.join(" | "));
        }
        text.push('\n');
    }
    text
}

fn milliseconds(figure: &Figure) -> String {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1_000.0;
    format!("{:.3} ({:.3})", ms(figure.p50), ms(figure.p95))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The same as JSON; times are in microseconds.
pub fn json(figures: &[Figure]) -> String {
    let rows = rows(figures);
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let growth = row.growth();
            let figures: Vec<_> = row
                .0
                .iter()
                .map(|figure| {
                    json!({
                        "users": figure.users,
                        "requests": figure.requests,
                        "p50": figure.p50.as_micros(),
                        "p95": figure.p95.as_micros(),
                    })
                })
                .collect();
            json!({
                "database": row.0.first().map(|first| first.database),
                "name": row.0.first().map(|first| first.name),
                "figures": figures,
                "growth": growth,
                "below_2": growth.map(|growth| growth < GROWTH),
            })
        })
        .collect();
    format!("{:#}\n", json!(rows))
}
