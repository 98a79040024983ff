//! `migrate`: the library's tables, and what sets the application's apart from its structs.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use super::{
    args::Migrate,
    console::Console,
    failure::{Exit, Failure},
};
use crate::{app::Application, db::Difference, service::UsersBuilder};

pub(super) async fn run<A: Application>(
    builder: UsersBuilder<A>,
    url: &str,
    arguments: &Migrate,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let database = builder.database(url).await?;
    let mode = builder.config().schema_mode;
    if arguments.check {
        let differences =
            database.drift::<A::User>().await.map_err(|error| Failure::from(error).or_drift())?;
        return Ok(report(&differences, console)?);
    }
    if arguments.apply {
        let done = database.apply::<A::User>(mode).await.map_err(|error| Failure::from(error).or_drift())?;
        if !console.json {
            for statement in &done {
                writeln!(console.output, "{statement};")?;
            }
        }
        console.answer("the database fits the program", &json!({ "applied": done }))?;
        return Ok(Exit::Done);
    }
    database.migrate::<A::User>(mode).await.map_err(|error| Failure::from(error).or_drift())?;
    console.answer("the database fits the program", &json!({ "differences": [] }))?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Shown<'a> {
    table: &'a str,
    problem: &'a str,
    fix: Option<&'a str>,
    advice: Option<&'a str>,
    safe: bool,
    required: bool,
}

impl<'a> From<&'a Difference> for Shown<'a> {
    fn from(difference: &'a Difference) -> Self {
        let Difference { table, problem, fix, advice, safe, required, .. } = difference;
        let (fix, advice) = (fix.as_deref(), advice.as_deref());
        Self { table, problem, fix, advice, safe: *safe, required: *required }
    }
}

/// Says what differs, and the statements that end it.
fn report(differences: &[Difference], console: &mut Console) -> io::Result<Exit> {
    let exit = if differences.is_empty() { Exit::Done } else { Exit::Drift };
    if console.json {
        let shown: Vec<_> = differences.iter().map(Shown::from).collect();
        console.document(&json!({ "differences": shown }))?;
        return Ok(exit);
    }
    if differences.is_empty() {
        writeln!(console.output, "the database fits the program")?;
    }
    for Difference { table, problem, fix, advice, safe, .. } in differences {
        writeln!(console.output, "{table}: {problem}")?;
        if let Some(fix) = fix {
            let how = if *safe { "`migrate --apply` runs" } else { "run" };
            writeln!(console.output, "    {how}: {fix};")?;
        }
        if let Some(advice) = advice {
            writeln!(console.output, "    {advice}")?;
        }
    }
    console.output.flush()?;
    Ok(exit)
}
