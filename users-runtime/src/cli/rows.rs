//! Files of users: CSV and JSON lines, read one row at a time, from the start or from where an import stopped.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    marker::PhantomData,
    path::Path,
};

use csv::{Position, StringRecord};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};
use sha2::{Digest, Sha256};

use crate::text::{self, Texts};

/// The column, or the key, with the names of a user's roles.
pub(super) const ROLES: &str = "roles";

/// Between the names of roles in a cell.
pub(super) const ROLE_SEPARATOR: char = ';';

/// Longer lines are refused: no user is that large, and memory stays flat whatever the file is.
const LINE_MAX: u64 = 1024 * 1024;

/// How much of a file is read at once.
const BUFFER: usize = 256 * 1024;

/// How a file holds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A line of names, then a line a user, as RFC 4180 has it.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl Format {
    /// The format that a file's name ends in.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?.to_ascii_lowercase();
        match end.as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// A place between two rows of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// How many bytes are before it.
    pub(super) bytes: u64,
    /// How many rows are before it, good ones and others.
    pub(super) rows: u64,
}

/// One user of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<T> {
    pub(super) user: T,
    /// The names of the user's roles.
    pub(super) roles: Vec<String>,
}

/// One row of a file, and what is wrong with it if it cannot be read.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// The line it starts on, counted from 1.
    pub(super) line: u64,
    /// The place behind it.
    pub(super) end: Place,
    pub(super) row: Result<Row<T>, String>,
}

/// The rows of a file.
pub(super) enum Rows<T> {
    Csv(Box<CsvRows>, PhantomData<fn() -> T>),
    Jsonl(JsonRows),
}

impl<T: DeserializeOwned> Rows<T> {
    /// Opens a file at a place that an [`Entry`] had as its end, or at its start.
    pub(super) fn open(path: &Path, format: Format, start: Place) -> Result<Self, OpenError> {
        let line = 1 + newlines(path, start.bytes)?;
        let file = File::open(path)?;
        match format {
            Format::Csv => {
                let rows = CsvRows::open(file, start, line, text::fields::<T>())?;
                Ok(Self::Csv(Box::new(rows), PhantomData))
            }
            Format::Jsonl => Ok(Self::Jsonl(JsonRows::open(file, start, line)?)),
        }
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry<T>>> {
        match self {
            Self::Csv(rows, _) => rows.next(),
            Self::Jsonl(rows) => rows.next(),
        }
    }
}

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its first line does not name the fields of a user.
    #[error("{0}")]
    Header(String),
}

/// Counts the line breaks before a place.
fn newlines(path: &Path, bytes: u64) -> io::Result<u64> {
    let mut count = 0;
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?.take(bytes));
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(count);
        }
        count += chunk.iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>();
        let length = chunk.len();
        reader.consume(length);
    }
}

/// What a file is known by: its content, and whatever else makes importing it another task. Also its length in bytes.
pub(super) fn fingerprint(path: &Path, context: &[&str]) -> io::Result<([u8; 32], u64)> {
    let mut hash = Sha256::new();
    for word in context {
        hash.update(word.len().to_le_bytes());
        hash.update(word);
    }
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hash.finalize().into(), length));
        }
        length += read as u64;
        hash.update(&buffer[..read]);
    }
}

/// A table with the names of the fields in its first line.
pub(super) struct CsvRows {
    reader: csv::Reader<File>,
    headers: Vec<String>,
    record: StringRecord,
    rows: u64,
}

impl CsvRows {
    fn open(file: File, start: Place, line: u64, fields: &[&str]) -> Result<Self, OpenError> {
        let mut reader =
            csv::ReaderBuilder::new().buffer_capacity(BUFFER).trim(csv::Trim::Headers).from_reader(file);
        let headers: Vec<String> = reader.headers().map_err(csv_error)?.iter().map(str::to_owned).collect();
        check_headers(&headers, fields)?;
        if start.bytes > 0 {
            let mut position = Position::new();
            position.set_byte(start.bytes).set_line(line).set_record(start.rows + 1);
            reader.seek(position).map_err(csv_error)?;
        }
        Ok(Self { reader, headers, record: StringRecord::new(), rows: start.rows })
    }

    fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<Entry<T>>> {
        let line = self.reader.position().line();
        let row = match self.reader.read_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) => self.row(),
            Err(error) if error.is_io_error() => return Err(csv_error(error)),
            Err(error) => Err(csv_problem(&error)),
        };
        self.rows += 1;
        // A record starts with the blank lines before it.
        let line = self.record.position().map_or(line, Position::line);
        let end = Place { bytes: self.reader.position().byte(), rows: self.rows };
        Ok(Some(Entry { line, end, row }))
    }

    fn row<T: DeserializeOwned>(&self) -> Result<Row<T>, String> {
        let cells: Vec<(&str, _)> =
            self.headers.iter().map(String::as_str).zip(self.record.iter().map(unguarded)).collect();
        let cell = |wanted: bool| {
            cells
                .iter()
                .filter(move |(name, _)| (*name == ROLES) == wanted)
                .map(|(name, text)| (*name, *text))
        };
        let user = T::deserialize(Texts::row(cell(false))).map_err(|error| error.to_string())?;
        let roles = cell(true).flat_map(|(_, text)| text.split(ROLE_SEPARATOR)).map(str::trim);
        Ok(Row { user, roles: roles.filter(|name| !name.is_empty()).map(str::to_owned).collect() })
    }
}

/// Refuses a file whose every row would be refused.
fn check_headers(headers: &[String], fields: &[&str]) -> Result<(), OpenError> {
    let known = |name: &&String| name.as_str() == ROLES || fields.contains(&name.as_str());
    if let Some(unknown) = headers.iter().find(|name| !known(name)) {
        let there: Vec<_> = fields.iter().chain([&ROLES]).map(|field| format!("`{field}`")).collect();
        return Err(OpenError::Header(format!(
            "line 1: there is no field `{unknown}`; the first line of a CSV file names the columns, out of {}, with \
             commas between them",
            there.join(", ")
        )));
    }
    let doubled = headers.iter().enumerate().find(|(index, name)| headers[..*index].contains(name));
    match doubled {
        Some((_, name)) => Err(OpenError::Header(format!("line 1: the column `{name}` is there twice"))),
        None => Ok(()),
    }
}

/// What reading or writing a table failed with, as what it was.
pub(super) fn csv_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        csv::ErrorKind::Utf8 { .. } => {
            io::Error::new(io::ErrorKind::InvalidData, "the first line is not UTF-8")
        }
        _ => io::Error::new(io::ErrorKind::InvalidData, "the first line cannot be read"),
    }
}

/// What is wrong with a record, without its content.
fn csv_problem(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells, and the first line names {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => "cannot be read".to_owned(),
    }
}

/// Spreadsheets run a cell that starts like this as a formula (CSV injection, OWASP ASVS 1.2.10).
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text as a cell that no spreadsheet runs; [`unguarded`] is the way back.
pub(super) fn guarded(text: String) -> String {
    if is_formula(&text) { format!("'{text}") } else { text }
}

/// The text of a cell.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

/// An object a line.
pub(super) struct JsonRows {
    reader: BufReader<File>,
    buffer: Vec<u8>,
    place: Place,
    line: u64,
}

impl JsonRows {
    fn open(mut file: File, start: Place, line: u64) -> Result<Self, OpenError> {
        file.seek(SeekFrom::Start(start.bytes))?;
        let reader = BufReader::with_capacity(BUFFER, file);
        Ok(Self { reader, buffer: Vec::new(), place: start, line })
    }

    fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<Entry<T>>> {
        loop {
            let line = self.line;
            let Some(complete) = self.read_line()? else { return Ok(None) };
            let text = self.buffer.trim_ascii();
            let text = if self.line == 2 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
            if complete && text.is_empty() {
                continue;
            }
            self.place.rows += 1;
            let row = if complete { json_row(text) } else { Err(format!("is longer than {LINE_MAX} bytes")) };
            return Ok(Some(Entry { line, end: self.place, row }));
        }
    }

    /// Reads a line into the buffer: `None` at the end, `false` when the line is too long, which is skipped.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.buffer.clear();
        let read = (&mut self.reader).take(LINE_MAX).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.place.bytes += read as u64;
        let complete = self.buffer.ends_with(b"\n") || self.reader.fill_buf()?.is_empty();
        if !complete {
            self.place.bytes += self.reader.skip_until(b'\n')? as u64;
        }
        Ok(Some(complete))
    }
}

/// A user out of a JSON object, and the roles beside it. What is wrong is said without the value of a secret.
fn json_row<T: DeserializeOwned>(text: &[u8]) -> Result<Row<T>, String> {
    let mut aside = Aside::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let user = deserializer
        .deserialize_map(UserVisitor { aside: &mut aside, user: PhantomData })
        .and_then(|user| deserializer.end().map(|()| user));
    match user {
        Ok(user) => Ok(Row { user, roles: aside.roles.unwrap_or_default() }),
        Err(error) => Err(json_problem(&error, aside.field.as_deref())),
    }
}

fn json_problem(error: &serde_json::Error, field: Option<&str>) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    match field {
        _ if !error.is_data() => format!("is no JSON object: {message} at column {}", error.column()),
        // serde says what it found, which may be the password.
        Some(field) if field.starts_with("password") => format!("`{field}`: is not a string"),
        Some(field) => format!("`{field}`: {message}"),
        None => message.to_owned(),
    }
}

/// What is kept of a row beside the user.
#[derive(Default)]
struct Aside {
    roles: Option<Vec<String>>,
    /// The field whose value is being read.
    field: Option<String>,
}

struct UserVisitor<'a, T> {
    aside: &'a mut Aside,
    user: PhantomData<fn() -> T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for UserVisitor<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with the fields of a user")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::deserialize(MapAccessDeserializer::new(WithoutRoles {
            map,
            name: String::new(),
            aside: self.aside,
        }))
    }
}

/// An object without its roles, which are put aside.
struct WithoutRoles<'a, M> {
    map: M,
    /// The key that was read last.
    name: String,
    aside: &'a mut Aside,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for WithoutRoles<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        self.aside.field = None;
        while let Some(name) = self.map.next_key::<String>()? {
            if name != ROLES {
                self.name = name;
                return seed.deserialize(self.name.as_str().into_deserializer()).map(Some);
            }
            if self.aside.roles.is_some() {
                return Err(serde::de::Error::duplicate_field(ROLES));
            }
            self.aside.roles = Some(self.map.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.aside.field = Some(std::mem::take(&mut self.name));
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests;
