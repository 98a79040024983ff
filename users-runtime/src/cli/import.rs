//! `import-users`: a file of any size, a batch at a time, from where the last run stopped.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    args::ImportUsers,
    console::{Console, printable},
    failure::{Exit, Failure, code, explain},
    progress::{Progress, rate, thousands},
    rows::{self, Entry, Format, Place, Rows},
};
use crate::{
    app::Application,
    db::ImportStep,
    error::Error,
    model::{ImportDto, Tenant, UserModel},
    service::{Imported, NewAccount, Scope},
    validate::FieldErrors,
};

type User<A> = <A as Application>::User;
type Import<A> = <User<A> as UserModel>::Import;

/// A batch ends here too, however few rows it has: memory stays flat whatever the rows are.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// How many batches are read ahead while one is stored.
const AHEAD: usize = 1;

pub(super) async fn run<A: Application>(
    users: &Scope<A>,
    arguments: &ImportUsers,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let format = arguments.format.or_else(|| Format::of(path)).ok_or_else(|| {
        Failure::usage(
            "the file's name does not say how it is written; pass `--format csv` or `--format jsonl`",
        )
    })?;
    let cannot_open = |error: io::Error| Failure::from(in_file(path, &error));
    let (fingerprint, length) =
        rows::fingerprint(path, &[format.name(), &users.tenant().text()]).map_err(cannot_open)?;
    let database = &users.directory().database;
    if arguments.restart {
        database.forget_import(&fingerprint).await?;
    }
    let start = match database.import_progress(&fingerprint).await? {
        Some((rows, bytes)) if !arguments.dry_run => {
            Place { rows: rows.try_into().unwrap_or_default(), bytes: bytes.try_into().unwrap_or_default() }
        }
        _ => Place::default(),
    };
    let rows = Rows::<Import<A>>::open(path, format, start)?;
    if start.rows > 0 && !console.json {
        console.note(format_args!("goes on behind the {} rows that are done", thousands(start.rows)))?;
    }
    let mut run = Run {
        users,
        console,
        rejections: arguments.rejected.as_deref().map(open_rejections).transpose()?,
        fingerprint,
        place: start,
        progress: Progress::new(length, start.bytes),
        stored: 0,
        refused: 0,
    };
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let size = usize::try_from(arguments.batch).unwrap_or(usize::MAX);
    let reader = tokio::task::spawn_blocking(move || read(rows, size, &sender));
    while let Some(batch) = batches.recv().await {
        run.batch(batch, arguments.dry_run).await?;
    }
    reader.await.map_err(Error::internal)?.map_err(|error| in_file(path, &error))?;
    run.finish(start, arguments.dry_run)
}

pub(super) fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The file of refused rows. It is added to: a run that goes on has written to it before.
fn open_rejections(path: &Path) -> Result<File, Failure> {
    let mut options = File::options();
    options.append(true).create(true);
    only_for_owner(&mut options);
    Ok(options.open(path).map_err(|error| in_file(path, &error))?)
}

/// Makes what is created readable by nobody else, where files have owners.
pub(super) fn only_for_owner(options: &mut std::fs::OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Sends the rows of a file in batches, until it ends or nobody listens.
fn read<T: DeserializeOwned>(
    mut rows: Rows<T>,
    size: usize,
    sender: &mpsc::Sender<Vec<Entry<T>>>,
) -> io::Result<()> {
    loop {
        let mut batch = Vec::with_capacity(size);
        let mut first_byte = None;
        while batch.len() < size {
            let Some(entry) = rows.next()? else { break };
            let bytes = entry.end.bytes;
            batch.push(entry);
            if bytes - *first_byte.get_or_insert(bytes) > BATCH_BYTES {
                break;
            }
        }
        if batch.is_empty() || sender.blocking_send(batch).is_err() {
            return Ok(());
        }
    }
}

/// One run over a file.
struct Run<'a, A: Application> {
    users: &'a Scope<A>,
    console: &'a mut Console,
    rejections: Option<File>,
    fingerprint: [u8; 32],
    place: Place,
    progress: Progress,
    stored: u64,
    refused: u64,
}

impl<A: Application> Run<'_, A> {
    async fn batch(&mut self, entries: Vec<Entry<Import<A>>>, dry: bool) -> Result<(), Failure> {
        let end = entries.last().map_or(self.place, |entry| entry.end);
        let mut rejections = Vec::new();
        let mut sources = Vec::with_capacity(entries.len());
        let mut accounts = Vec::with_capacity(entries.len());
        for Entry { line, row, .. } in entries {
            match row {
                Ok(row) => {
                    sources.push((line, row.user.identifier().to_owned()));
                    accounts.push(NewAccount::new(row.user).with_roles(row.roles));
                }
                Err(detail) => rejections.push(Rejection::unreadable(line, detail)),
            }
        }
        let Self { console, rejections: file, progress, .. } = self;
        let mut tell = |imported: &Imported| {
            let refused = imported.refused.iter().filter_map(|refused| {
                let (line, identifier) = sources.get(refused.index)?;
                Some(Rejection::of(*line, identifier, &refused.error))
            });
            rejections.extend(refused);
            rejections.sort_by_key(|rejection| rejection.line);
            write_rejections(&rejections, file.as_mut(), progress, console)
        };
        let imported = if dry {
            let imported = self.users.check_import(accounts).await?;
            tell(&imported)?;
            imported
        } else {
            let step = ImportStep {
                fingerprint: &self.fingerprint,
                bytes_before: number(self.place.bytes)?,
                bytes: number(end.bytes)?,
                rows: number(end.rows)?,
            };
            self.users.import_step(accounts, Some((step, &mut tell))).await?
        };
        let rows = end.rows - self.place.rows;
        self.stored += imported.stored as u64;
        self.refused += rejections.len() as u64;
        self.place = end;
        Ok(self.progress.advance(end.bytes, rows, self.console)?)
    }

    fn finish(mut self, start: Place, dry: bool) -> Result<Exit, Failure> {
        self.progress.finish(self.console)?;
        let seconds = self.progress.seconds();
        let rate = rate(self.progress.rows(), seconds);
        let verb = if dry { "would store" } else { "stored" };
        let sentence = format!(
            "{verb} {} users and refused {} rows, {} rows/s",
            thousands(self.stored),
            thousands(self.refused),
            thousands(rate)
        );
        let document = json!({
            "rows": self.place.rows,
            "rows_before": start.rows,
            "stored": self.stored,
            "refused": self.refused,
            "dry_run": dry,
            "seconds": seconds,
            "rows_per_second": rate,
        });
        self.console.answer(sentence, &document)?;
        Ok(if self.refused > 0 { Exit::Refused } else { Exit::Done })
    }
}

fn number(count: u64) -> Result<i64, Error> {
    count.try_into().map_err(Error::internal)
}

/// A row that was not stored, as it is reported: never with a secret of it.
#[derive(Debug, Serialize)]
struct Rejection {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<FieldErrors>,
}

impl Rejection {
    fn unreadable(line: u64, detail: String) -> Self {
        Self { line, identifier: None, code: "unreadable", detail, errors: None }
    }

    fn of(line: u64, identifier: &str, error: &Error) -> Self {
        let errors = match error {
            Error::Validation(errors) => Some(errors.clone()),
            _ => None,
        };
        let identifier = Some(identifier.to_owned());
        Self { line, identifier, code: code(error), detail: explain(error), errors }
    }
}

/// Reports rows that are refused, before what is stored beside them is committed: a process that dies in between reports
/// them twice and never not at all.
fn write_rejections(
    rejections: &[Rejection],
    file: Option<&mut File>,
    progress: &mut Progress,
    console: &mut Console,
) -> io::Result<()> {
    if rejections.is_empty() {
        return Ok(());
    }
    if let Some(file) = file {
        let mut lines = Vec::new();
        for rejection in rejections {
            serde_json::to_writer(&mut lines, rejection)?;
            lines.push(b'\n');
        }
        return file.write_all(&lines);
    }
    progress.finish(console)?;
    for rejection in rejections {
        if console.json {
            serde_json::to_writer(&mut console.errors, rejection)?;
            writeln!(console.errors)?;
            continue;
        }
        let identifier = rejection.identifier.as_deref().map(printable);
        let who = identifier.map(|identifier| format!(" ({identifier})")).unwrap_or_default();
        writeln!(console.errors, "line {}{who}: {}", rejection.line, printable(&rejection.detail))?;
    }
    Ok(())
}
