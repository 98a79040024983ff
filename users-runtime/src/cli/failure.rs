//! How a command ends, and what is said when it fails.

use std::io;

use serde::Serialize;

use super::{
    console::{Console, PasswordInput, printable},
    rows::OpenError,
};
use crate::{
    error::{Error, display_chain},
    text::TextError,
    validate::FieldErrors,
};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    Failed,
    Usage,
    /// The database does not fit the program.
    Drift,
    /// Done, but for rows that were refused.
    Refused,
}

impl Exit {
    /// The process's exit code.
    pub(super) fn code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Drift => 3,
            Self::Refused => 4,
        }
    }
}

/// Why a command did nothing, or not all.
#[derive(Debug)]
pub(super) enum Failure {
    /// Arguments that are no command, or a question for help.
    Arguments(Box<clap::Error>),
    /// What the application says.
    Application(Error),
    /// What this command says: how it ends, a stable code and what to do about it.
    Said(Exit, &'static str, String),
    /// Reading or writing failed.
    Io(io::Error),
}

impl Failure {
    /// Arguments that make no sense here.
    pub(super) fn usage(detail: impl Into<String>) -> Self {
        Self::Said(Exit::Usage, "usage", detail.into())
    }

    /// Nothing of this name.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::Said(Exit::Failed, "not_found", detail.into())
    }

    /// The same, where a table that does not fit has an exit code of its own.
    pub(super) fn or_drift(self) -> Self {
        match self {
            Self::Application(Error::Schema(problem)) => Self::Said(Exit::Drift, "drift", problem),
            other => other,
        }
    }

    /// Says what is wrong on standard error, and answers how the process ends.
    pub(super) fn report(self, console: &mut Console) -> Exit {
        let _ = console.output.flush();
        // Nobody is left to tell when this fails.
        match self.try_report(console) {
            Ok(exit) => exit,
            Err(_) => Exit::Failed,
        }
    }

    fn try_report(self, console: &mut Console) -> io::Result<Exit> {
        let (exit, code, detail, errors) = match &self {
            Self::Arguments(error) if !error.use_stderr() => {
                write!(console.output, "{error}")?;
                console.output.flush()?;
                return Ok(Exit::Done);
            }
            Self::Arguments(error) if !console.json => {
                write!(console.errors, "{error}")?;
                return Ok(Exit::Usage);
            }
            Self::Arguments(error) => (Exit::Usage, "usage", error.to_string(), None),
            // Whoever reads the output has seen enough.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Self::Io(error) => (Exit::Failed, "io", error.to_string(), None),
            Self::Said(exit, code, detail) => (*exit, *code, detail.clone(), None),
            Self::Application(error @ Error::Validation(errors)) => {
                (Exit::Failed, error.code(), explain(error), Some(errors))
            }
            Self::Application(error) => (Exit::Failed, code(error), explain(error), None),
        };
        if console.json {
            let error = Problem { error: Described { code, detail: &detail, errors } };
            serde_json::to_writer(&mut console.errors, &error)?;
            writeln!(console.errors)?;
        } else {
            writeln!(console.errors, "error: {detail}")?;
        }
        Ok(exit)
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    error: Described<'a>,
}

#[derive(Serialize)]
struct Described<'a> {
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a FieldErrors>,
}

/// The stable code of an error. Settings and tables, which are one to a client of the server, are two to an operator.
pub(super) fn code(error: &Error) -> &'static str {
    match error {
        Error::SecretKey(_) | Error::Setting { .. } => "setting",
        Error::Schema(_) => "drift",
        other => other.code(),
    }
}

/// What is wrong, with the causes that a client of the server is not shown.
pub(super) fn explain(error: &Error) -> String {
    match error {
        Error::Validation(errors) => {
            let lines: Vec<_> =
                errors.iter().map(|error| format!("{} {}", printable(&error.field), error.detail)).collect();
            lines.join("; ")
        }
        other => display_chain(other),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Application(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Application(Error::internal(error))
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Arguments(Box::new(error))
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        Self::Said(Exit::Usage, "value", error.to_string())
    }
}

impl From<PasswordInput> for Failure {
    fn from(error: PasswordInput) -> Self {
        match error {
            PasswordInput::Io(error) => Self::Io(error),
            other => Self::Said(Exit::Failed, "password", other.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::Io(error),
            other @ OpenError::Header(_) => Self::Said(Exit::Failed, "file", other.to_string()),
        }
    }
}
