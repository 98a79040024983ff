//! How far an import is, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::{
    fmt::Write as _,
    io::{self, Write},
    time::{Duration, Instant},
};

use super::console::Console;

/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// The bar's width, in characters.
const WIDTH: usize = 30;

/// The progress of one run.
pub(super) struct Progress {
    started: Instant,
    shown: Instant,
    /// Bytes of the whole file.
    total: u64,
    /// Where this run began.
    first_byte: u64,
    bytes: u64,
    rows: u64,
    drawn: bool,
}

impl Progress {
    pub(super) fn new(total: u64, first_byte: u64) -> Self {
        let now = Instant::now();
        Self { started: now, shown: now, total, first_byte, bytes: first_byte, rows: 0, drawn: false }
    }

    /// Notes that the file is done up to a byte, `rows` further than before.
    pub(super) fn advance(&mut self, bytes: u64, rows: u64, console: &mut Console) -> io::Result<()> {
        self.bytes = bytes;
        self.rows += rows;
        let pause = if console.errors_are_terminal { FRAME } else { LINE };
        if console.json || self.shown.elapsed() < pause {
            return Ok(());
        }
        self.shown = Instant::now();
        let elapsed = self.started.elapsed();
        if console.errors_are_terminal {
            self.drawn = true;
            write!(console.errors, "\r{}\x1b[K", self.bar(elapsed))?;
            console.errors.flush()
        } else {
            writeln!(console.errors, "{}", self.line(elapsed))
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&mut self, console: &mut Console) -> io::Result<()> {
        if std::mem::take(&mut self.drawn) {
            write!(console.errors, "\r\x1b[K")?;
        }
        console.errors.flush()
    }

    /// How many rows this run has done.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many seconds this run has taken.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn percent(&self) -> u64 {
        (self.bytes * 100).checked_div(self.total).unwrap_or(100).min(100)
    }

    fn bar(&self, elapsed: Duration) -> String {
        let filled = usize::try_from(self.percent()).unwrap_or_default() * WIDTH / 100;
        format!("[{}{}] {}", "#".repeat(filled), ".".repeat(WIDTH - filled), self.line(elapsed))
    }

    fn line(&self, elapsed: Duration) -> String {
        let rate = rate(self.rows, elapsed.as_secs_f64());
        let mut line =
            format!("{}%, {} rows, {} rows/s", self.percent(), thousands(self.rows), thousands(rate));
        let done = self.bytes.saturating_sub(self.first_byte);
        let left = self.total.saturating_sub(self.bytes);
        if let Some(seconds) = (left * elapsed.as_secs()).checked_div(done) {
            // Writing to a `String` cannot fail.
            let _ = write!(line, ", {seconds} s left");
        }
        line
    }
}

/// Rows a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people needs no more than 52 bits and is never negative"
)]
pub(super) fn rate(rows: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (rows as f64 / seconds) as u64 } else { 0 }
}

/// A number with commas between its thousands.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_between_their_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn the_bar_says_how_far_how_fast_and_how_long() {
        let progress = Progress { bytes: 3_500, rows: 50_000, first_byte: 500, ..Progress::new(7_000, 500) };
        assert_eq!(
            progress.bar(Duration::from_secs(6)),
            "[###############...............] 50%, 50,000 rows, 8,333 rows/s, 7 s left"
        );
        let empty = Progress::new(0, 0);
        assert_eq!(empty.line(Duration::ZERO), "100%, 0 rows, 0 rows/s");
    }
}
