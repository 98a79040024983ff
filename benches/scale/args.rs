//! What the command line asks for.

use std::path::PathBuf;

use url::Url;

use crate::{Failure, people::People, postgres::PostgresPlace, sqlite::SqlitePlace, target::Place};

const HELP: &str = "\
usage: scale [options]
  --postgres SIZES   users in PostgreSQL, a database for each size; `none` for no PostgreSQL [1000,1000000,10000000]
  --sqlite SIZES     users in SQLite, a file for each size; `none` for no SQLite [1000,1000000]
  --requests N       requests of each kind to each size [500]
  --only WORDS       only the figures whose names hold one of these words
  --url URL          the PostgreSQL server [postgres://postgres@127.0.0.1:5432/postgres]
  --folder PATH      where the files of SQLite are [target/scale]
  --json             the figures as JSON
  --fill             make the databases and end
  --clean            remove the databases of these sizes and end";

/// The options.
#[derive(Debug)]
pub struct Args {
    postgres: Vec<u64>,
    sqlite: Vec<u64>,
    url: Url,
    folder: PathBuf,
    pub requests: usize,
    pub only: Vec<String>,
    pub json: bool,
    pub fill: bool,
    pub clean: bool,
}

impl Args {
    pub fn from_command_line() -> Result<Self, Failure> {
        let mut args = Self {
            postgres: vec![1_000, 1_000_000, 10_000_000],
            sqlite: vec![1_000, 1_000_000],
            url: "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable".parse()?,
            folder: "target/scale".into(),
            requests: 500,
            only: Vec::new(),
            json: false,
            fill: false,
            clean: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} takes a value\n\n{HELP}"));
            match word.as_str() {
                "--postgres" => args.postgres = sizes(&value()?)?,
                "--sqlite" => args.sqlite = sizes(&value()?)?,
                "--requests" => args.requests = value()?.parse()?,
                "--only" => args.only = value()?.split(',').map(ToOwned::to_owned).collect(),
                "--url" => args.url = value()?.parse()?,
                "--folder" => args.folder = value()?.into(),
                "--help" => {
                    println!("{HELP}");
                    std::process::exit(0);
                }
                "--json" => args.json = true,
                "--fill" => args.fill = true,
                "--clean" => args.clean = true,
                _ => return Err(format!("`{word}` is no option\n\n{HELP}").into()),
            }
        }
        Ok(args)
    }

    /// Where the users are, the smallest table of each database first.
    pub fn places(&self) -> Vec<Place> {
        let postgres = self.postgres.iter().map(|&count| {
            Place::Postgres(PostgresPlace { server: self.url.clone(), people: People { count } })
        });
        let sqlite = self.sqlite.iter().map(|&count| {
            Place::Sqlite(SqlitePlace { folder: self.folder.clone(), people: People { count } })
        });
        postgres.chain(sqlite).collect()
    }
}

fn sizes(text: &str) -> Result<Vec<u64>, Failure> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let mut sizes =
        text.split(',').map(|size| size.replace('_', "").parse()).collect::<Result<Vec<u64>, _>>()?;
    sizes.sort_unstable();
    // A digit and zeros, which is what the shuffle of addresses counts on.
    if sizes.iter().any(|&size| size < 1_000 || !size.to_string()[1..].bytes().all(|digit| digit == b'0')) {
        return Err("write sizes like 1000, 20000 or 1000000".into());
    }
    Ok(sizes)
}
