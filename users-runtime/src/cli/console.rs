//! Where a command reads and writes: standard input, output and error, and the terminal for what nobody may see.

use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal, Write},
};

use serde::Serialize;

use crate::secret::Password;

/// The ends of a command.
pub(super) struct Console {
    pub(super) output: Box<dyn Write + Send>,
    pub(super) errors: Box<dyn Write + Send>,
    pub(super) input: Box<dyn BufRead + Send>,
    /// Reads a line that is not shown.
    pub(super) hidden: fn(&str) -> io::Result<String>,
    /// Whether a person sits in front of standard input.
    pub(super) input_is_terminal: bool,
    /// Whether a person reads standard error.
    pub(super) errors_are_terminal: bool,
    /// Whether answers are documents for a program.
    pub(super) json: bool,
}

impl Console {
    /// Those of this process.
    pub(super) fn of_process() -> Self {
        Self {
            output: Box::new(io::BufWriter::new(io::stdout())),
            errors: Box::new(io::stderr()),
            input: Box::new(io::BufReader::new(io::stdin())),
            hidden: |prompt| rpassword::prompt_password(prompt),
            input_is_terminal: io::stdin().is_terminal(),
            errors_are_terminal: io::stderr().is_terminal(),
            json: false,
        }
    }

    /// Answers: a sentence for people, or the document.
    pub(super) fn answer(&mut self, sentence: impl Display, document: &impl Serialize) -> io::Result<()> {
        if self.json {
            return self.document(document);
        }
        writeln!(self.output, "{sentence}")?;
        self.output.flush()
    }

    /// Answers with a document.
    pub(super) fn document(&mut self, document: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, document)?;
        writeln!(self.output)?;
        self.output.flush()
    }

    /// Says something beside the answer.
    pub(super) fn note(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.errors, "{text}")
    }

    /// A new password: typed twice without being shown, or the first line of standard input.
    pub(super) fn new_password(&mut self, from_input: bool) -> Result<Password, PasswordInput> {
        if from_input {
            return self.first_line();
        }
        if !self.input_is_terminal {
            return Err(PasswordInput::NoTerminal);
        }
        let first = Password::new((self.hidden)("Password: ")?);
        let second = Password::new((self.hidden)("The same again: ")?);
        if first.expose() == second.expose() { Ok(first) } else { Err(PasswordInput::Different) }
    }

    fn first_line(&mut self) -> Result<Password, PasswordInput> {
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        let end = line.trim_end_matches(['\n', '\r']).len();
        line.truncate(end);
        if line.is_empty() { Err(PasswordInput::Nothing) } else { Ok(Password::new(line)) }
    }
}

/// Why there is no new password.
#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordInput {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the two passwords are not the same; nothing was changed")]
    Different,
    #[error("standard input has no password in its first line")]
    Nothing,
    #[error(
        "there is no terminal to ask for the password; write it to standard input and pass `--password-stdin`"
    )]
    NoTerminal,
}

/// Text for a terminal, without the characters that would command it (terminal escape injection).
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if is_control(character) { '\u{fffd}' } else { character }).collect()
}

/// Control characters, and those that turn the direction of text around.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn console(input: &'static str, hidden: fn(&str) -> io::Result<String>, terminal: bool) -> Console {
        Console {
            output: Box::new(io::sink()),
            errors: Box::new(io::sink()),
            input: Box::new(input.as_bytes()),
            hidden,
            input_is_terminal: terminal,
            errors_are_terminal: false,
            json: false,
        }
    }

    #[test]
    fn a_password_is_typed_twice_and_has_to_be_the_same() {
        static TYPED: AtomicU32 = AtomicU32::new(0);
        let same = console("", |_| Ok("a long sentence".to_owned()), true).new_password(false);
        assert_eq!(same.unwrap().expose(), "a long sentence");
        let hidden = |_: &str| Ok(format!("{}", TYPED.fetch_add(1, Ordering::Relaxed)));
        let different = console("", hidden, true).new_password(false);
        assert!(matches!(different, Err(PasswordInput::Different)));
        assert_eq!(TYPED.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn without_a_terminal_the_password_has_to_be_asked_for_from_standard_input() {
        let hidden = |_: &str| panic!("nobody is asked");
        assert!(matches!(console("x\n", hidden, false).new_password(false), Err(PasswordInput::NoTerminal)));
        for (input, password) in [("a b \r\nc", "a b "), ("x", "x")] {
            assert_eq!(console(input, hidden, false).new_password(true).unwrap().expose(), password);
        }
        assert!(matches!(console("\nx", hidden, true).new_password(true), Err(PasswordInput::Nothing)));
    }

    #[test]
    fn what_users_called_themselves_does_not_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\r\u{202e}c ä"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c ä");
    }
}
