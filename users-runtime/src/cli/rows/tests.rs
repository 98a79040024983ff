//! Files that are whole, damaged, and read on from every place.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Person {
    email: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    age: Option<i64>,
}

/// A file that goes with its owner.
struct Temporary(PathBuf);

impl Temporary {
    fn new(content: impl AsRef<[u8]>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("users-rows-{}-{number}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn open(file: &Temporary, format: Format, start: Place) -> Rows<Person> {
    Rows::open(&file.0, format, start).unwrap()
}

fn all(mut rows: Rows<Person>) -> Vec<Entry<Person>> {
    std::iter::from_fn(|| rows.next().unwrap()).collect()
}

fn person(email: &str, age: Option<i64>) -> Person {
    Person { email: email.to_owned(), password: None, age }
}

/// Line and problem, or line and address.
fn summary(entries: &[Entry<Person>]) -> Vec<(u64, String)> {
    let text = |entry: &Entry<Person>| match &entry.row {
        Ok(row) => row.user.email.clone(),
        Err(problem) => problem.clone(),
    };
    entries.iter().map(|entry| (entry.line, text(entry))).collect()
}

#[test]
fn a_table_is_read_by_its_header_with_roles_and_quoted_line_breaks() {
    let file = Temporary::new(
        "\u{feff}email, age ,roles\n\"a\nb@x\",1,\nc@x,,\"administrator; accountant;\"\n\n'=1,2,x\n",
    );
    let entries = all(open(&file, Format::Csv, Place::default()));
    let rows: Vec<_> = entries.iter().map(|entry| entry.row.as_ref().unwrap()).collect();
    assert_eq!(*rows[0], Row { user: person("a\nb@x", Some(1)), roles: vec![] });
    let roles = vec!["administrator".to_owned(), "accountant".to_owned()];
    assert_eq!(*rows[1], Row { user: person("c@x", None), roles });
    assert_eq!(*rows[2], Row { user: person("=1", Some(2)), roles: vec!["x".to_owned()] });
    assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(entries.last().unwrap().end.bytes, std::fs::metadata(&file.0).unwrap().len());
}

#[test]
fn a_broken_row_of_a_table_is_named_and_the_next_one_is_read() {
    let mut bytes = b"email,age\na@x,old\nb@x\nc@x,1,2\n".to_vec();
    bytes.extend(b"\xff@x,3\n,4\nd@x,5\n");
    let entries = all(open(&Temporary::new(bytes), Format::Csv, Place::default()));
    let expected = [
        (2, "`age`: `old` is not a whole number from -9223372036854775808 to 9223372036854775807"),
        (3, "has 1 cells, and the first line names 2"),
        (4, "has 3 cells, and the first line names 2"),
        (5, "is not UTF-8"),
        (6, "`email`: is not given and has no default"),
        (7, "d@x"),
    ];
    assert_eq!(summary(&entries), expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn a_header_that_names_no_field_refuses_the_file() {
    for (content, message) in [
        ("email,nam\n", "line 1: there is no field `nam`; "),
        ("email;age\na@x;1\n", "line 1: there is no field `email;age`; "),
        ("email,age,email\n", "line 1: the column `email` is there twice"),
    ] {
        let file = Temporary::new(content);
        let Err(error) = Rows::<Person>::open(&file.0, Format::Csv, Place::default()) else {
            panic!("{content} was opened");
        };
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn json_lines_are_read_with_roles_and_without_blank_lines() {
    let file = Temporary::new(
        "\u{feff}{\"email\": \"a@x\", \"age\": 1}\n\n  {\"roles\": [\"r\"], \"email\": \"b@x\"}\r\n{\"email\":\"c@x\"}",
    );
    let entries = all(open(&file, Format::Jsonl, Place::default()));
    assert_eq!(summary(&entries), [(1, "a@x".into()), (3, "b@x".into()), (4, "c@x".into())]);
    assert_eq!(entries[1].row.as_ref().unwrap().roles, ["r"]);
}

#[test]
fn a_broken_line_is_named_without_the_secret_in_it() {
    let long = format!("{{\"email\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let lines = [
        "{\"email\": \"a@x\", \"age\": \"old\"}",
        "{\"email\": \"a@x\", \"password\": 31337}",
        "{\"email\": \"a@x\", \"passwort\": \"x\"}",
        "{\"email\": \"a@x\", \"roles\": [], \"roles\": []}",
        "{\"email\": \"a@x\", \"email\": \"b@x\"}",
        "{}",
        "[1]",
        "{\"email\": \"a@x\"} x",
        "{\"email\"",
        &long,
        "{\"email\": \"b@x\"}",
    ];
    let entries = all(open(&Temporary::new(lines.join("\n")), Format::Jsonl, Place::default()));
    let summary = summary(&entries);
    let expected = [
        "`age`: invalid type: string \"old\", expected i64",
        "`password`: is not a string",
        "unknown field `passwort`, expected one of `email`, `password`, `age`",
        "duplicate field `roles`",
        "duplicate field `email`",
        "missing field `email`",
        "invalid type: sequence, expected an object with the fields of a user",
        "is no JSON object: trailing characters at column 18",
        "is no JSON object: EOF while parsing an object at column 8",
        "is longer than 1048576 bytes",
        "b@x",
    ];
    let numbered: Vec<_> = (1..).zip(expected.map(str::to_owned)).collect();
    assert_eq!(summary, numbered);
}

#[test]
fn reading_goes_on_from_every_place_as_if_it_had_not_stopped() {
    let table = "email,age\na@x,1\n\"b\n@x\",2\n\nbroken\nc@x,3\n";
    let lines = "{\"email\":\"a@x\"}\n\n{\"email\":\"b@x\"}\nbroken\n{\"email\":\"c@x\"}\n";
    for (format, content) in [(Format::Csv, table), (Format::Jsonl, lines)] {
        let file = Temporary::new(content);
        let whole = all(open(&file, format, Place::default()));
        for (index, entry) in whole.iter().enumerate() {
            let rest = all(open(&file, format, entry.end));
            assert_eq!(summary(&rest), summary(&whole[index + 1..]), "{format:?} after {index}");
            assert_eq!(rest.last().map(|last| last.end), whole[index + 1..].last().map(|last| last.end));
        }
    }
}

#[test]
fn a_formula_is_guarded_and_comes_back_as_it_was() {
    for text in ["=1+1", "+49 30", "-5", "@x", "\tx", "'=1", "''=", "'", "it's", "", "a=b", "'quoted'"] {
        let cell = guarded(text.to_owned());
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        assert_eq!(unguarded(&cell), text);
    }
}

#[test]
fn a_fingerprint_stands_for_content_and_context() {
    let (a, b) = (Temporary::new("x"), Temporary::new("y"));
    let of = |file: &Temporary, context: &[&str]| fingerprint(&file.0, context).unwrap().0;
    assert_eq!(of(&a, &["csv", ""]), of(&a, &["csv", ""]));
    assert_ne!(of(&a, &["csv", ""]), of(&b, &["csv", ""]));
    assert_ne!(of(&a, &["csv", "t"]), of(&a, &["csv", "u"]));
    assert_ne!(of(&a, &["ab", "c"]), of(&a, &["a", "bc"]));
    assert_eq!(fingerprint(&a.0, &[]).unwrap().1, 1);
}
