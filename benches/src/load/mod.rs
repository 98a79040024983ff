//! The load generator: wrk with scripts that send prepared requests and print what they measured as JSON.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde::Deserialize;

use crate::{Failure, client::Request, record::Figures};

/// More than this of a load's requests may not fail.
const ERRORS: f64 = 0.001;
/// Between two requests of a file.
const SEPARATOR: &str = "\u{1}";

/// What is sent to a program.
pub struct Load {
    script: PathBuf,
    requests: PathBuf,
    expected: Option<u16>,
    pub connections: u32,
}

impl Load {
    /// Writes the requests and their script to a folder. With an expected status every answer is looked at, which
    /// takes the generator time; without one wrk itself counts statuses of 400 and more.
    pub fn write(
        folder: &Path,
        name: &str,
        requests: &[Request],
        expected: Option<u16>,
        connections: u32,
    ) -> Result<Self, Failure> {
        let texts: Vec<_> = requests.iter().map(Request::text).collect();
        let is_fresh = texts.iter().any(|text| text.contains("new0000000000"));
        let mut script = format!("fresh = {is_fresh}\n{}", include_str!("cycle.lua"));
        if expected.is_some() {
            let _ = write!(script, "\n{}", include_str!("statuses.lua"));
        }
        let _ = write!(script, "\n{}", include_str!("done.lua"));
        let load = Self {
            script: folder.join(format!("{name}.lua")),
            requests: folder.join(format!("{name}.requests")),
            expected,
            connections,
        };
        fs::write(&load.script, script)?;
        fs::write(&load.requests, texts.join(SEPARATOR))?;
        Ok(load)
    }

    pub fn run(&self, address: SocketAddr, seconds: u32, first: u32) -> Result<Outcome, Failure> {
        let outcome = self.start(address, seconds, first)?.finish()?;
        if outcome.requests == 0 { Err("no request was answered".into()) } else { Ok(outcome) }
    }

    /// Sends what does not count.
    pub fn warm_up(&self, address: SocketAddr, seconds: u32, first: u32) -> Result<(), Failure> {
        self.start(address, seconds, first)?.finish().map(drop)
    }

    /// Starts to send, from the request of the given number on.
    pub fn start(&self, address: SocketAddr, seconds: u32, first: u32) -> Result<Running, Failure> {
        let mut command = Command::new("wrk");
        command.args(["--threads", "1", "--timeout", "60s"]);
        command.args(["--connections", &self.connections.to_string(), "--duration", &format!("{seconds}s")]);
        command.arg("--script").arg(&self.script).arg(format!("http://{address}")).arg("--");
        command.arg(&self.requests).arg(first.to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        Ok(Running { child: Some(child), expected: self.expected })
    }
}

/// A load that is being sent.
pub struct Running {
    child: Option<Child>,
    expected: Option<u16>,
}

impl Running {
    /// Waits for its end.
    pub fn finish(mut self) -> Result<Outcome, Failure> {
        let output = self.child.take().ok_or("the load was waited for")?.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Outcome::parse(&text, self.expected).map_err(|error| {
            format!("wrk: {error}\n{text}{}", String::from_utf8_lossy(&output.stderr)).into()
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // One that has ended by itself needs neither.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What wrk measured; times are in microseconds.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    requests: u32,
    duration: u32,
    p50: u32,
    p99: u32,
    max: u32,
    connect: u32,
    read: u32,
    write: u32,
    timeout: u32,
    status: u32,
    statuses: BTreeMap<u16, u32>,
}

impl Outcome {
    /// Reads the line that the script prints, and fails when too many requests did.
    fn parse(output: &str, expected: Option<u16>) -> Result<Self, Failure> {
        let line = output.lines().find_map(|line| line.strip_prefix("figures "));
        let mut outcome: Self = serde_json::from_str(line.ok_or("the script printed no figures")?)?;
        if let Some(expected) = expected {
            let others = outcome.statuses.iter().filter(|(status, _)| **status != expected);
            outcome.status = others.map(|(_, count)| count).sum();
        }
        if f64::from(outcome.errors()) > f64::from(outcome.requests) * ERRORS {
            return Err(format!("more than 0.1 % of the requests failed: {outcome:?}").into());
        }
        Ok(outcome)
    }

    fn errors(&self) -> u32 {
        self.connect + self.read + self.write + self.timeout + self.status
    }

    pub fn requests(&self) -> f64 {
        f64::from(self.requests)
    }

    pub fn figures(&self) -> Figures {
        Figures::from([
            ("rate", self.requests() * 1e6 / f64::from(self.duration)),
            ("requests", self.requests()),
            ("errors", f64::from(self.errors())),
            ("p50_us", f64::from(self.p50)),
            ("p99_us", f64::from(self.p99)),
            ("max_us", f64::from(self.max)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(status: u32, statuses: &str) -> String {
        format!(
            "Running 2s test @ http://127.0.0.1:1\n  1 threads and 1 connections\nfigures {{\"requests\":4000,\
             \"duration\":2000000,\"p50\":510,\"p99\":990,\"max\":1200,\"connect\":0,\"read\":1,\"write\":0,\
             \"timeout\":0,\"status\":{status},\"statuses\":{{{statuses}}}}}\n"
        )
    }

    #[test]
    fn figures_are_read_among_other_lines() {
        let figures = Outcome::parse(&output(0, ""), None).expect("this is what the script prints").figures();
        let expected = [("rate", 2_000.0), ("p50_us", 510.0), ("p99_us", 990.0), ("errors", 1.0)];
        for (name, value) in expected {
            assert!((figures[name] - value).abs() < f64::EPSILON, "{name}: {}", figures[name]);
        }
    }

    #[test]
    fn more_errors_than_one_in_a_thousand_fail() {
        assert!(Outcome::parse(&output(3, ""), None).is_ok());
        let error = Outcome::parse(&output(4, ""), None).expect_err("there are five").to_string();
        assert!(error.starts_with("more than 0.1 %"), "{error}");
        assert!(Outcome::parse("", None).is_err());
    }

    #[test]
    fn any_other_status_is_an_error() {
        assert!(Outcome::parse(&output(0, "\"201\":3999,\"202\":1"), Some(201)).is_ok());
        assert!(Outcome::parse(&output(0, "\"201\":3900,\"202\":100"), Some(201)).is_err());
    }
}
