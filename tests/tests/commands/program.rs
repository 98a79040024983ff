//! The program, started with a database and a model, and what it answered.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;
use users_runtime::{Application, Config, SecretKey, Users};
use users_tests::{Database, Mailbox, Store};

/// 32 bytes and more, as `SECRET_KEY` has to be.
const SECRET_KEY: &str = "a key for tests: 0123456789abcdef";

/// The program over a database of its own.
pub struct Program {
    pub database: Database,
    model: &'static str,
}

/// What a command answered.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

impl Program {
    /// The application `plain`.
    pub async fn new() -> Self {
        Self::of("plain").await
    }

    pub async fn of(model: &'static str) -> Self {
        Self { database: Database::new().await, model }
    }

    /// The same database under another model.
    pub fn model(&mut self, model: &'static str) {
        self.model = model;
    }

    pub async fn store(&self) -> Store {
        self.database.store().await
    }

    /// The users of the same database in this process.
    pub async fn users<A>(&self) -> Users<A>
    where
        A: Application,
        A::Auth: Default,
        A::Hooks: Default,
    {
        let config = Config::new(SecretKey::new(SECRET_KEY).expect("a good key"))
            .with_insecure_cookies(true)
            .with_mail_transport(Mailbox::default());
        Users::connect(self.database.url(), config).await.expect("it starts")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_commands"));
        command
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH" || name.starts_with("LLVM_")))
            .env("DATABASE_URL", self.database.url())
            .env("MODEL", self.model)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command without a terminal, with nothing on standard input.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// The same with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        finished(self.command(arguments).env("SECRET_KEY", SECRET_KEY), input)
    }

    /// Runs a command where people register in this mode.
    pub fn run_in_mode(&self, mode: &str, arguments: &[&str]) -> Ran {
        finished(self.command(arguments).env("SECRET_KEY", SECRET_KEY).env("REGISTRATION", mode), "")
    }

    /// Runs a command without any setting.
    pub fn run_without_settings(&self, arguments: &[&str]) -> Ran {
        finished(&mut self.command(arguments), "")
    }

    /// Starts a command, to be killed.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command
            .env("SECRET_KEY", SECRET_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().expect("the program starts")
    }

    /// Stores a user with [`users_tests::PASSWORD`], and answers it.
    pub fn create(&self, identifier: &str, more: &[&str]) -> Value {
        let arguments = ["create-user", "--json", "--password-stdin", "--email", identifier];
        self.run_with(&[&arguments, more].concat(), users_tests::PASSWORD).done().json()
    }
}

fn finished(command: &mut Command, input: &str) -> Ran {
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    // A command that reads nothing may be gone already.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    Ran {
        code: output.status.code().expect("no signal"),
        output: text(output.stdout),
        errors: text(output.stderr),
    }
}

impl Ran {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    pub fn done(self) -> Self {
        self.exits(0)
    }

    /// The document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error on standard error: its code and its text.
    #[track_caller]
    pub fn error(&self) -> (String, String) {
        let line = self.errors.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let text = |name: &str| error["error"][name].as_str().expect("a text").to_owned();
        (text("code"), text("detail"))
    }
}

/// A file that goes with its owner.
pub struct File(PathBuf);

impl File {
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let file = Self::absent(name);
        fs::write(&file.0, content).expect("it can be written");
        file
    }

    /// A place where there is none yet.
    pub fn absent(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("users-commands-{}-{number}-{name}", std::process::id())))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn name(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }

    pub fn read(&self) -> String {
        fs::read_to_string(&self.0).expect("it can be read")
    }

    /// The lines of JSON in it.
    pub fn lines(&self) -> Vec<Value> {
        self.read().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
