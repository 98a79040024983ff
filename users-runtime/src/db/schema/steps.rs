//! What is done with a database, in which order: the same for each of them, over its [`Catalog`].

use std::{fmt::Write, future::Future};

use super::{
    Dialect, Difference, Found, SchemaMode, Table, Tables,
    library::{Key, Keys, ROLE_MEMBERS_NAME, VERSION},
};
use crate::error::Error;

/// The tables of roles and of linked accounts of those who name none. They are called like the library's other tables and
/// treated like them.
const DEFAULTS: [&str; 2] = ["users_roles", "users_oauth_accounts"];

/// What a database tells of itself and does, on one connection that has the lock.
pub(in crate::db) trait Catalog: Send {
    const DIALECT: Dialect;

    /// A table as it is; `None` when there is none.
    fn find(&mut self, table: &str) -> impl Future<Output = Result<Option<Found>, Error>> + Send;
    /// The types that columns name and that are not there.
    fn unknown_types(&mut self, table: &Table) -> impl Future<Output = Result<Vec<String>, Error>> + Send;
    /// Executes a definition.
    fn run(&mut self, statement: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    /// The newest version in `users_migrations`; 0 when it is empty, `None` when it is not there.
    fn version(&mut self) -> impl Future<Output = Result<Option<i64>, Error>> + Send;
    /// Notes that a version is there.
    fn note_version(&mut self, version: i64) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The tables of the models as they are.
struct State {
    users: Option<Found>,
    roles: Option<Found>,
    oauth_accounts: Option<Found>,
    differences: Vec<Difference>,
}

/// Creates what is missing. Nothing is written when a table does not fit.
pub(in crate::db) async fn migrate<C: Catalog>(
    catalog: &mut C,
    tables: &Tables,
    mode: SchemaMode,
) -> Result<(), Error> {
    let state = look(catalog, tables).await?;
    let version = known_version(catalog).await?;
    // What creates a table or its indexes is no difference here, unless the table is not the library's to create.
    let missing = |difference: &Difference| {
        let is = |table: Option<&Table>| table.is_some_and(|table| difference.table == table.name);
        let there = if is(Some(&tables.users)) {
            &state.users
        } else if is(tables.roles.as_ref()) {
            &state.roles
        } else {
            &state.oauth_accounts
        };
        there.is_none() && difference.safe && is_managed(mode, tables, &difference.table)
    };
    let problems = state.differences.iter().filter(|difference| difference.required && !missing(difference));
    report(problems, false)?;
    let mut done = Vec::new();
    for difference in state.differences.iter().filter(|difference| missing(difference)) {
        run(catalog, difference.fix.clone(), &mut done).await?;
    }
    own_tables(catalog, tables, &state, version, &mut done).await
}

/// Every difference; nothing is written.
pub(in crate::db) async fn drift<C: Catalog>(
    catalog: &mut C,
    tables: &Tables,
) -> Result<Vec<Difference>, Error> {
    let mut differences = look(catalog, tables).await?.differences;
    let version = known_version(catalog).await?.unwrap_or(0);
    if version < VERSION {
        differences.push(Difference {
            table: "users_migrations".to_owned(),
            problem: format!("expected the library's tables at version {VERSION}, found version {version}"),
            fix: None,
            advice: Some("a start of the program or `users migrate` brings them there".to_owned()),
            safe: true,
            required: true,
        });
    }
    Ok(differences)
}

/// Ends every difference that needs no decision, and answers the statements that were run. Nothing is written when there
/// is one that does.
pub(in crate::db) async fn apply<C: Catalog>(
    catalog: &mut C,
    tables: &Tables,
    mode: SchemaMode,
) -> Result<Vec<String>, Error> {
    let state = look(catalog, tables).await?;
    let version = known_version(catalog).await?;
    let applicable = |difference: &Difference| difference.safe && is_managed(mode, tables, &difference.table);
    let problems =
        state.differences.iter().filter(|difference| difference.required && !applicable(difference));
    report(problems, true)?;
    let mut done = Vec::new();
    for difference in state.differences.iter().filter(|difference| applicable(difference)) {
        run(catalog, difference.fix.clone(), &mut done).await?;
    }
    own_tables(catalog, tables, &state, version, &mut done).await?;
    Ok(done)
}

fn is_managed(mode: SchemaMode, tables: &Tables, table: &str) -> bool {
    mode == SchemaMode::Managed || (DEFAULTS.contains(&table) && table != tables.users.name)
}

async fn look<C: Catalog>(catalog: &mut C, tables: &Tables) -> Result<State, Error> {
    let mut differences = Vec::new();
    let users = look_at(catalog, &tables.users, &mut differences).await?;
    let roles = match &tables.roles {
        Some(table) => look_at(catalog, table, &mut differences).await?,
        None => None,
    };
    let oauth_accounts = match &tables.oauth_accounts {
        Some(table) => {
            let key = Key::of(C::DIALECT, &tables.users, users.as_ref());
            look_at(catalog, &table.clone().owned_by(key), &mut differences).await?
        }
        None => None,
    };
    Ok(State { users, roles, oauth_accounts, differences })
}

async fn look_at<C: Catalog>(
    catalog: &mut C,
    table: &Table,
    differences: &mut Vec<Difference>,
) -> Result<Option<Found>, Error> {
    let found = catalog.find(&table.name).await?;
    for name in catalog.unknown_types(table).await? {
        differences.push(Difference {
            table: table.name.clone(),
            problem: format!(
                "expected the type `{name}`, found none; create it, as in CREATE TYPE {name} AS ENUM (...)"
            ),
            fix: None,
            advice: None,
            safe: false,
            required: true,
        });
    }
    differences.extend(C::DIALECT.compare(table, found.as_ref()));
    Ok(found)
}

/// The version that the library's tables have, which is not newer than the program.
async fn known_version<C: Catalog>(catalog: &mut C) -> Result<Option<i64>, Error> {
    let version = catalog.version().await?;
    match version {
        Some(applied) if applied > VERSION => Err(Error::Schema(format!(
            "the library's tables are at version {applied} and this program knows {VERSION}: a newer program has \
             migrated them; deploy that one, or go back to a backup"
        ))),
        version => Ok(version),
    }
}

async fn own_tables<C: Catalog>(
    catalog: &mut C,
    tables: &Tables,
    state: &State,
    version: Option<i64>,
    done: &mut Vec<String>,
) -> Result<(), Error> {
    if version.is_none() {
        run(catalog, Some(C::DIALECT.versions_table()), done).await?;
    }
    let keys = Keys::of(C::DIALECT, tables, state.users.as_ref(), state.roles.as_ref());
    for version in version.unwrap_or(0) + 1..=VERSION {
        for statement in C::DIALECT.migration(version, &keys) {
            run(catalog, Some(statement), done).await?;
        }
        // Last, so that a process which dies before it is done is followed by one that begins again.
        catalog.note_version(version).await?;
    }
    if tables.roles.is_some() && catalog.find(ROLE_MEMBERS_NAME).await?.is_none() {
        for statement in C::DIALECT.role_members(&keys) {
            run(catalog, Some(statement), done).await?;
        }
    }
    Ok(())
}

async fn run<C: Catalog>(
    catalog: &mut C,
    statement: Option<String>,
    done: &mut Vec<String>,
) -> Result<(), Error> {
    let Some(statement) = statement else { return Ok(()) };
    match catalog.run(&statement).await {
        // The person who starts the program has to see what the database said; no request ever causes this.
        Err(sqlx::Error::Database(error)) => {
            Err(Error::Schema(format!("the database refused a statement: {error}\n{statement}")))
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            done.push(statement);
            Ok(())
        }
    }
}

/// An error that names every difference, table by table.
fn report<'a>(differences: impl Iterator<Item = &'a Difference>, advise: bool) -> Result<(), Error> {
    let mut message = String::new();
    let mut table = None;
    for difference in differences {
        // Writing to a `String` cannot fail.
        if table != Some(&difference.table) {
            table = Some(&difference.table);
            let line = if message.is_empty() { "" } else { "\n" };
            let _ = write!(message, "{line}the table `{}` does not fit the struct:", difference.table);
        }
        let _ = write!(message, "\n  - {difference}");
        if let Some(advice) = difference.advice.as_ref().filter(|_| advise) {
            let _ = write!(message, "; {advice}");
        }
    }
    if message.is_empty() { Ok(()) } else { Err(Error::Schema(message)) }
}
