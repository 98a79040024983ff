//! What a row of a table is: a program with a database, a backend and a store of sessions.

use clap::ValueEnum;
use serde::Serialize;

use crate::{args::Args, program::Program};

/// Where the users are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Database {
    #[serde(rename = "SQLite")]
    Sqlite,
    #[serde(rename = "PostgreSQL")]
    Postgres,
}

impl Database {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// How a request proves who it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    JwtCookie,
    Session,
    Jwt,
    SessionCookie,
}

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Self::JwtCookie => "jwt_cookie",
            Self::Session => "session",
            Self::Jwt => "jwt",
            Self::SessionCookie => "session_cookie",
        }
    }

    /// The one of the two that every program has.
    fn common(self) -> Self {
        match self {
            Self::JwtCookie | Self::Jwt => Self::JwtCookie,
            Self::Session | Self::SessionCookie => Self::Session,
        }
    }
}

/// Where the sessions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    Database,
    Memory,
    File,
    Redis,
}

impl Store {
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Memory => "memory",
            Self::File => "file",
            Self::Redis => "redis",
        }
    }
}

/// What is measured as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Subject {
    pub program: Program,
    pub database: Database,
    pub backend: Backend,
    pub store: Store,
}

impl Subject {
    /// All that the command line asks for; those of a database stand together.
    pub fn all(args: &Args) -> Vec<Self> {
        let postgres = args.postgres.as_ref().map(|_| Database::Postgres);
        let databases = [Database::Sqlite].into_iter().chain(postgres);
        let subjects = databases.flat_map(|database| {
            Program::value_variants().iter().flat_map(move |&program| {
                variants(program).into_iter().map(move |(backend, store)| Self {
                    program,
                    database,
                    backend,
                    store,
                })
            })
        });
        subjects.filter(|subject| subject.is_wanted(args)).collect()
    }

    fn is_wanted(self, args: &Args) -> bool {
        Args::takes(&args.programs, &self.program)
            && Args::takes(&args.backends, &self.backend)
            && Args::takes(&args.stores, &self.store)
            && (self.store != Store::Redis || args.redis.is_some())
            && (self.program.script().is_none() || args.python.is_some())
    }

    /// Part of the names of files and databases.
    pub fn id(self) -> String {
        let id = format!("{}_{}_{}", self.program.name(), self.backend.name(), self.store.name());
        id.replace(['-', '+'], "_")
    }

    pub fn label(self) -> String {
        let store = if self.store == Store::Database { "" } else { self.store.name() };
        format!("{} {} {store}", self.program.name(), self.backend.name()).trim_end().to_owned()
    }

    /// What this is compared with.
    pub fn baseline(self) -> Self {
        Self { program: Program::Handwritten, backend: self.backend.common(), store: Store::Database, ..self }
    }
}

/// The backends and stores that a program has.
fn variants(program: Program) -> Vec<(Backend, Store)> {
    let stores: &[Store] = match program {
        Program::Generated => Store::value_variants(),
        // What a cache saves shows with the slowest and the fastest store.
        Program::GeneratedCache => &[Store::Database, Store::Memory],
        _ => &[Store::Database],
    };
    let common: &[Backend] = match program {
        Program::AxumLogin => &[Backend::Session],
        _ => &[Backend::JwtCookie, Backend::Session],
    };
    let mut variants: Vec<_> =
        stores.iter().flat_map(|&store| common.iter().map(move |&backend| (backend, store))).collect();
    if program == Program::Generated {
        variants.extend([(Backend::SessionCookie, Store::Database), (Backend::Jwt, Store::Database)]);
    }
    variants
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn subjects(words: &str) -> Vec<Subject> {
        Subject::all(&Args::parse_from(words.split(' ')))
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let alone = subjects("users-bench");
        let all = subjects(
            "users-bench --redis redis://127.0.0.1 --python python3 --postgres postgres://127.0.0.1/test",
        );
        assert!(alone.iter().all(|subject| subject.program.script().is_none()));
        assert!(
            alone.iter().all(|subject| (subject.database, subject.store) != (Database::Sqlite, Store::Redis))
        );
        assert!(all.iter().any(|subject| subject.program == Program::FastapiUsers));
        assert!(all.iter().any(|subject| subject.store == Store::Redis));
        assert!(all.iter().any(|subject| subject.database == Database::Postgres));
    }

    #[test]
    fn a_token_is_compared_with_the_handwritten_one() {
        let subject = subjects("users-bench --programs generated --backends jwt")[0];
        assert_eq!(subject.label(), "generated jwt");
        assert_eq!(subject.baseline().label(), "handwritten jwt_cookie");
    }
}
