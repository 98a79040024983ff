//! Which figures are drawn.

use super::{
    Report,
    svg::{Bar, Line, Page},
};
use crate::{
    record::Summary,
    scenario::Scenario,
    subject::{Database, Subject},
};

pub(super) fn all(report: &Report) -> String {
    let mut page = Page::default();
    for database in [Database::Sqlite, Database::Postgres] {
        let name = database.name();
        let bars = |scenario, value: &dyn Fn(Subject, &Summary) -> Option<f64>| -> Vec<Bar> {
            let found = report.of_scenario(scenario, database);
            found
                .iter()
                .filter_map(|(subject, summary)| {
                    let value = value(*subject, summary)?;
                    Some(Bar { name: subject.label(), value, colour: subject.program.place().into() })
                })
                .collect()
        };
        let reads = bars(Scenario::Read, &|subject, summary| report.ratio(subject, summary));
        let unit = "requests a second, by those of the handwritten program (more is better)";
        page.bars(&format!("GET /users/me, {name}"), unit, Some(1.0), &reads);
        let logins = bars(Scenario::Login, &|_, summary| report.of_hashing(summary));
        let unit = "logins a second, by the hashes that the machine makes alone (more is better)";
        page.bars(&format!("POST /login, {name}"), unit, Some(1.0), &logins);
        let storm = bars(Scenario::Storm, &|_, summary| Some(summary.figure("p99_us")? / 1_000.0));
        let unit = "p99 of the reads, ms (less is better)";
        page.bars(&format!("GET /users/me beside a storm of logins, {name}"), unit, None, &storm);
        let title = format!("GET /users/me over more connections, {name}");
        page.lines(&title, "connections", "requests a second", &growth(report, database));
        let memory = bars(Scenario::Growth, &|_, summary| summary.figure("thousand_sessions_kib"));
        page.bars("Memory of sessions", "KiB for a thousand sessions (less is better)", None, &memory);
    }
    page.finish()
}

fn growth(report: &Report, database: Database) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (subject, summary) in report.of_scenario(Scenario::Growth, database) {
        let Some(rate) = summary.figure("rate") else { continue };
        let (name, point) = (subject.label(), (f64::from(summary.connections), rate));
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;

    /// Every element that begins also ends, in order.
    fn is_well_formed(text: &str) -> bool {
        let mut open: Vec<Option<&str>> = Vec::new();
        for tag in text.split('<').skip(1) {
            let Some((tag, _)) = tag.split_once('>') else { return false };
            let name = tag.split([' ', '/']).find(|part| !part.is_empty());
            if tag.matches('"').count() % 2 == 1 {
                return false;
            }
            if tag.starts_with('/') {
                if open.pop() != Some(name) {
                    return false;
                }
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        open.is_empty()
    }

    #[test]
    fn the_page_shows_every_plot() {
        let text = super::all(&example());
        assert!(is_well_formed(&text), "{text}");
        for label in [
            ">GET /users/me, SQLite<",
            ">POST /login, SQLite<",
            ">GET /users/me beside a storm of logins, SQLite<",
            ">connections<",
            ">requests a second<",
            ">Memory of sessions<",
            ">generated jwt_cookie memory<",
            ">0.90<",
            ">0.72<",
            "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
        ] {
            assert!(text.contains(label), "{label}\n{text}");
        }
        assert!(!text.contains("PostgreSQL") && !text.contains("NaN"), "{text}");
        assert!(!is_well_formed("<a><b></a></b>") && !is_well_formed("<a x=\"1></a>"));
    }
}
