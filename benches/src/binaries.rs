//! The programs as files that can be started.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Failure, args::Args, program::Program, subject::Subject};

/// The root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Builds those that are asked for, and fails when one is not there.
pub fn prepare(args: &Args, subjects: &[Subject]) -> Result<(), Failure> {
    if Command::new("wrk").arg("--version").output().is_err() {
        return Err("wrk, the load generator, is not installed: apt-get install wrk".into());
    }
    let mut done: Vec<Package> = Vec::new();
    for package in subjects.iter().filter_map(|subject| Package::of(subject.program)) {
        if done.contains(&package) {
            continue;
        }
        if !args.no_build {
            package.build()?;
        }
        if !package.path().exists() {
            return Err(format!("{} is not there: leave out --no-build", package.path().display()).into());
        }
        done.push(package);
    }
    Ok(())
}

/// The command that starts a program, without its settings.
pub fn command(args: &Args, program: Program) -> Result<Command, Failure> {
    if let Some(package) = Package::of(program) {
        return Ok(Command::new(package.path()));
    }
    let mut command = Command::new(args.python.as_ref().ok_or("--python is not given")?);
    command.args(program.script());
    Ok(command)
}

/// A package of Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Package {
    name: &'static str,
    /// Its folder, when it is in a workspace of its own.
    folder: Option<&'static str>,
}

impl Package {
    fn of(program: Program) -> Option<Self> {
        match program {
            Program::Generated | Program::GeneratedCache => Some(Self { name: "reference", folder: None }),
            Program::Handwritten => Some(Self { name: "users-bench-handwritten", folder: None }),
            Program::AxumLogin => {
                Some(Self { name: "peer-axum-login", folder: Some("benches/peers/axum-login") })
            }
            Program::LitestarUsers | Program::FastapiUsers => None,
        }
    }

    fn folder(self) -> PathBuf {
        Path::new(ROOT).join(self.folder.unwrap_or_default())
    }

    fn build(self) -> Result<(), Failure> {
        eprintln!("building {} ...", self.name);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--release", "--package", self.name]);
        command.arg("--manifest-path").arg(self.folder().join("Cargo.toml"));
        if command.status()?.success() { Ok(()) } else { Err(format!("{} was not built", self.name).into()) }
    }

    fn path(self) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR");
        let target = target.map_or_else(|| self.folder().join("target"), PathBuf::from);
        target.join("release").join(self.name)
    }
}
