//! What the figures were measured on.

use std::{collections::BTreeMap, fs, path::Path, process::Command, thread};

use serde::Serialize;

use crate::{args::Args, usage};

/// The machine and the versions of what takes part.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: f64,
    pub kernel: String,
    /// What each program says about its version.
    pub versions: BTreeMap<&'static str, String>,
    pub users: u32,
    pub seconds: u32,
    pub rounds: u32,
}

impl Machine {
    pub fn read(args: &Args, postgres: Option<String>) -> Self {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processors = file("/proc/cpuinfo");
        let model = processors.lines().find(|line| line.starts_with("model name"));
        let memory = usage::kibibytes(Path::new("/proc/meminfo")).unwrap_or_default();
        let mut versions = BTreeMap::from([
            ("rustc", said(Command::new("rustc").arg("--version"))),
            ("wrk", said(Command::new("wrk").arg("--version"))),
        ]);
        if let Some(version) = postgres {
            versions.insert("PostgreSQL", version);
        }
        if let Some(python) = &args.python {
            versions.insert("Python", said(Command::new(python).arg("--version")));
        }
        Self {
            processor: model.and_then(|line| line.split_once(": ")).map_or("", |(_, name)| name).to_owned(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            memory_gib: memory.get("MemTotal").copied().unwrap_or_default() / 1_048_576.0,
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
            versions,
            users: args.users,
            seconds: args.seconds(),
            rounds: args.rounds(),
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let versions: Vec<_> =
            self.versions.iter().map(|(name, version)| format!("{name}: {version}")).collect();
        format!(
            "{}, {} cores, {:.1} GiB, Linux {}; {}. {} users, {} rounds of {} s.",
            self.processor,
            self.cores,
            self.memory_gib,
            self.kernel,
            versions.join("; "),
            self.users,
            self.rounds,
            self.seconds
        )
    }
}

/// The first line that a command prints; empty when it is not there.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned()
}
