//! `export-users`: every user in a form that `import-users` takes.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use serde::Serializer;
use serde_json::{Map, Value, json};

use super::{
    args::ExportUsers,
    console::Console,
    failure::Failure,
    import::{in_file, only_for_owner},
    output::roles,
    progress::thousands,
    rows::{Format, ROLE_SEPARATOR, ROLES, csv_error, guarded},
};
use crate::{
    app::Application,
    db::list::{Listing, Order, Position, SortKey},
    error::Error,
    model::{RoleModel, UserModel},
    principal::Principal,
    service::Scope,
    text,
};

type User<A> = <A as Application>::User;

/// How many users are read at once.
const PAGE: u32 = 1000;

/// The name of the key that holds the hash, as an import takes it.
const HASH: &str = "password_hash";

pub(super) async fn run<A: Application>(
    users: &Scope<A>,
    arguments: &ExportUsers,
    console: &mut Console,
) -> Result<(), Failure> {
    let by_name = arguments.output.as_deref().and_then(Format::of);
    let format = arguments.format.or(by_name).unwrap_or(Format::Jsonl);
    let mut columns = Columns::of::<User<A>>(arguments.with_hashes);
    let mut written = 0_u64;
    let mut position: Option<Position<_>> = None;
    let mut writer = open(arguments, format, console)?;
    loop {
        let page = page(users, position.as_ref()).await?;
        if written == 0 {
            columns.keep_known(page.first())?;
            writer.header(&columns.names)?;
        }
        for user in &page {
            writer.row(&columns.row(user)?)?;
        }
        written += page.len() as u64;
        match page.last() {
            Some(last) => position = Some(Position { value: Value::Null, id: last.id() }),
            None => break,
        }
    }
    writer.finish()?;
    if !columns.unseen.is_empty() {
        let names = columns.unseen.join("`, `");
        console.note(format_args!("`{names}` is kept out of responses, and so out of this export"))?;
    }
    let Some(path) = &arguments.output else { return Ok(()) };
    let sentence = format!("wrote {} users to {}", thousands(written), path.display());
    Ok(console.answer(sentence, &json!({ "users": written, "file": path }))?)
}

/// The users behind a place, by key: as fast at the end as at the start.
async fn page<A: Application>(
    users: &Scope<A>,
    after: Option<&Position<<User<A> as UserModel>::Id>>,
) -> Result<Vec<Principal<User<A>>>, Error> {
    let order = Order { key: SortKey::Id, descending: false };
    let filter = Default::default();
    let listing =
        Listing { tenant: users.tenant(), filter: &filter, search: None, order, after, limit: PAGE };
    users.directory().database.list_users(&listing).await
}

/// What is written of a user, in the struct's order.
struct Columns {
    names: Vec<&'static str>,
    /// What an import takes and no response shows.
    unseen: Vec<&'static str>,
    hashes: bool,
}

impl Columns {
    fn of<U: UserModel>(hashes: bool) -> Self {
        let fields = text::fields::<U::Import>().iter().copied();
        let mut names: Vec<_> =
            fields.filter(|name| *name != "password" && (hashes || *name != HASH)).collect();
        if U::Role::PRESENT {
            names.push(ROLES);
        }
        Self { names, unseen: Vec::new(), hashes }
    }

    /// Leaves out what no response shows: the first user shows as much as any.
    fn keep_known<U: UserModel>(&mut self, first: Option<&Principal<U>>) -> Result<(), Error> {
        let Some(first) = first else { return Ok(()) };
        let shown = fields(first)?;
        let (known, unseen) = self
            .names
            .iter()
            .partition(|name| shown.contains_key(**name) || **name == ROLES || **name == HASH);
        (self.names, self.unseen) = (known, unseen);
        Ok(())
    }

    fn row<U: UserModel>(&self, user: &Principal<U>) -> Result<Vec<(&'static str, Value)>, Error> {
        let mut shown = fields(user)?;
        let mut value = |name: &str| match name {
            ROLES => Value::from(roles(user)),
            HASH if self.hashes => Value::from(user.password_hash().expose_phc()),
            _ => shown.remove(name).unwrap_or_default(),
        };
        Ok(self.names.iter().map(|name| (*name, value(name))).collect())
    }
}

/// What a response shows of a user.
fn fields<U: UserModel>(user: &Principal<U>) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(user.to_read()).map_err(Error::internal)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::internal("a user is shown as something that has no fields")),
    }
}

/// The file, which nobody else may read, or standard output.
fn open<'a>(
    arguments: &ExportUsers,
    format: Format,
    console: &'a mut Console,
) -> Result<Writer<'a>, Failure> {
    let output: Box<dyn Write + 'a> = match &arguments.output {
        None => Box::new(&mut console.output),
        Some(path) => {
            let mut options = File::options();
            options.write(true).create_new(true);
            only_for_owner(&mut options);
            let file = options.open(path).map_err(|error| in_file(path, &error))?;
            Box::new(BufWriter::new(file))
        }
    };
    Ok(match format {
        Format::Csv => Writer::Csv(Box::new(csv::Writer::from_writer(output))),
        Format::Jsonl => Writer::Jsonl(output),
    })
}

enum Writer<'a> {
    Csv(Box<csv::Writer<Box<dyn Write + 'a>>>),
    Jsonl(Box<dyn Write + 'a>),
}

impl Writer<'_> {
    fn header(&mut self, names: &[&str]) -> io::Result<()> {
        match self {
            Self::Csv(writer) => writer.write_record(names).map_err(csv_error),
            Self::Jsonl(_) => Ok(()),
        }
    }

    fn row(&mut self, values: &[(&str, Value)]) -> io::Result<()> {
        match self {
            Self::Csv(writer) => {
                writer.write_record(values.iter().map(|(name, value)| cell(name, value))).map_err(csv_error)
            }
            Self::Jsonl(output) => {
                let values = values.iter().map(|(name, value)| (name, value));
                serde_json::Serializer::new(&mut *output).collect_map(values)?;
                output.write_all(b"\n")
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::Jsonl(mut output) => output.flush(),
        }
    }
}

/// A value as a cell, as an import reads it.
fn cell(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => guarded(text.clone()),
        Value::Array(names) if name == ROLES => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            guarded(names.join(&ROLE_SEPARATOR.to_string()))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_cell_that_an_import_reads() {
        for (value, text) in [
            (json!(null), ""),
            (json!("Ada"), "Ada"),
            (json!("=1+1"), "'=1+1"),
            (json!(-5), "-5"),
            (json!(true), "true"),
            (json!({"a": [1]}), "{\"a\":[1]}"),
        ] {
            assert_eq!(cell("x", &value), text);
        }
        assert_eq!(cell(ROLES, &json!(["a", "b"])), "a;b");
    }
}
