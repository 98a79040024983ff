//! The run: the databases that are prepared once, and how programs are started on them.

mod rounds;

use std::{
    collections::HashMap,
    env, fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Command,
    thread,
};

use crate::{
    Failure,
    args::Args,
    binaries,
    credentials::{self, Credentials},
    database::Databases,
    interrupt, people,
    program::Program,
    record::Record,
    server::Server,
    subject::{Backend, Database, Store, Subject},
};

/// Everything that a run needs.
pub struct Bench<'a> {
    pub args: &'a Args,
    subjects: Vec<Subject>,
    folder: PathBuf,
    databases: Databases,
    /// The tokens of a program name its address.
    addresses: HashMap<Subject, SocketAddr>,
    credentials: Credentials,
    /// The same at each start of a program, so that its sessions stay.
    secret: String,
    /// How many loads were sent, by which each begins elsewhere.
    loads: u32,
    records: Vec<Record>,
}

impl<'a> Bench<'a> {
    pub fn prepare(args: &'a Args) -> Result<Self, Failure> {
        let subjects = Subject::all(args);
        binaries::prepare(args, &subjects)?;
        for (option, what) in [
            (args.postgres.is_none(), "--postgres is not given: without PostgreSQL"),
            (args.redis.is_none(), "--redis is not given: without Redis"),
            (args.python.is_none(), "--python is not given: without litestar-users and fastapi-users"),
        ] {
            if option {
                eprintln!("{what}");
            }
        }
        let folder = env::temp_dir().join(format!("users-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let databases = Databases::new(&folder, args.postgres.as_ref())?;
        let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        Ok(Self {
            args,
            subjects,
            folder,
            databases,
            addresses: HashMap::new(),
            credentials: Credentials::default(),
            secret,
            loads: 0,
            records: Vec::new(),
        })
    }

    /// Removes what is not in the temporary folder.
    pub fn clean(&mut self) -> Result<(), Failure> {
        self.databases.remove()
    }

    pub fn postgres_version(&self) -> Result<Option<String>, Failure> {
        self.databases.version()
    }

    pub fn into_records(mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Makes the databases.
    fn fill(&mut self) -> Result<(), Failure> {
        let subjects = self.subjects.clone();
        for database in [Database::Sqlite, Database::Postgres] {
            let of_rust = |one: &Subject| one.database == database && one.program.script().is_none();
            if subjects.iter().any(of_rust) {
                eprintln!("storing {} users in {} ...", self.args.users, database.name());
                self.fill_template(database)?;
            }
        }
        for subject in subjects {
            if subject.program.script().is_none() {
                self.databases.copy(subject)?;
                continue;
            }
            eprintln!("registering {} users at {} ...", self.args.peer_users, subject.label());
            self.databases.make_empty(subject)?;
            let emails: Vec<_> = (0..self.args.peer_users).map(people::email).collect();
            // Several workers would make the tables at once.
            let mut command = self.command(subject)?;
            command.env("WORKERS", "1");
            let (address, log) = (self.address(subject)?, self.folder.join("registration.log"));
            credentials::register(&Server::start(command, address, &log)?, &emails)?;
        }
        Ok(())
    }

    /// The library makes its tables and the hash that all users then have.
    fn fill_template(&mut self, database: Database) -> Result<(), Failure> {
        self.databases.make_template(database)?;
        let program = Program::Generated;
        let subject = Subject { program, database, backend: Backend::JwtCookie, store: Store::Database };
        let mut command = self.command(subject)?;
        command.env("DATABASE_URL", self.databases.template(database));
        let address = self.address(subject)?;
        let server = Server::start(command, address, &self.folder.join("template.log"))?;
        credentials::register(&server, &[people::SEED.to_owned()])?;
        drop(server);
        self.databases.fill(database, self.args.users)
    }

    /// Starts a program on its own database.
    pub fn start(&mut self, subject: Subject) -> Result<Server, Failure> {
        interrupt::check()?;
        let (command, address) = (self.command(subject)?, self.address(subject)?);
        Server::start(command, address, &self.folder.join(format!("{}.log", subject.id())))
    }

    /// Any free port, and the same one each time.
    fn address(&mut self, subject: Subject) -> Result<SocketAddr, Failure> {
        if let Some(address) = self.addresses.get(&subject) {
            return Ok(*address);
        }
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        self.addresses.insert(subject, address);
        Ok(address)
    }

    fn command(&self, subject: Subject) -> Result<Command, Failure> {
        let mut command = binaries::command(self.args, subject.program)?;
        let folder = |name: &str| -> Result<String, Failure> {
            let folder = self.folder.join(format!("{}_{}_{name}", subject.database.name(), subject.id()));
            fs::create_dir_all(&folder)?;
            Ok(folder.display().to_string())
        };
        let store = match subject.store {
            Store::File => format!("file:{}", folder("sessions")?),
            Store::Redis => self.args.redis.clone().ok_or("--redis is not given")?,
            Store::Memory | Store::Database => subject.store.name().to_owned(),
        };
        command
            .env("DATABASE_URL", self.databases.url(subject))
            .env("AUTH", subject.backend.name())
            .env("SECRET_KEY", &self.secret)
            .env("SESSION_STORE", store)
            .env("MAIL", folder("mail")?)
            .env("INSECURE_COOKIES", "1")
            .env("THROTTLE", "off")
            .env("RUST_LOG", "warn")
            .env("WORKERS", thread::available_parallelism()?.to_string());
        if subject.program == Program::GeneratedCache {
            command.env("USER_CACHE", "on");
        }
        Ok(command)
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
