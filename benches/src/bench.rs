//! The run: what is prepared once, and each scenario in rounds in which every program has its turn.

use std::{
    collections::HashMap,
    env, fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use clap::ValueEnum;

use crate::{
    Failure,
    args::Args,
    binaries,
    client::Request,
    credentials::{self, Credentials},
    database::Databases,
    growth, hashing, interrupt,
    load::{Load, Outcome},
    people::{self, Crowd},
    program::Program,
    record::{Figures, Record},
    scenario::{self, Scenario},
    server::Server,
    subject::{Backend, Database, Store, Subject},
    usage::{self, Memory, Usage},
};

/// How long a load runs before it counts, in seconds.
const WARM_UP: u32 = 1;
/// How many connections log in beside the reads of a storm.
const STORM: u32 = 64;

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

    pub fn measure(&mut self) -> Result<(), Failure> {
        self.fill()?;
        for &scenario in Scenario::value_variants() {
            if !Args::takes(&self.args.only, &scenario) {
                continue;
            }
            let subjects: Vec<_> =
                self.subjects.iter().copied().filter(|subject| scenario.takes(*subject)).collect();
            for round in 1..=self.args.rounds() {
                eprintln!("{}, round {round} of {}", scenario.name(), self.args.rounds());
                if scenario == Scenario::Login {
                    let rate = hashing::limit(Duration::from_secs(self.args.seconds().into()))?;
                    self.record(scenario, None, 0, round, Figures::from([("rate", rate)]));
                }
                for turn in 0..subjects.len() {
                    // Each round begins with another, so that nobody always follows the same one.
                    let subject = subjects[(turn + round as usize - 1) % subjects.len()];
                    self.turn(scenario, subject, round).map_err(|error| {
                        format!(
                            "{}, {}, {}: {error}",
                            scenario.name(),
                            subject.label(),
                            subject.database.name()
                        )
                    })?;
                }
            }
            if scenario == Scenario::Growth {
                growth::sessions(self, &subjects)?;
            }
        }
        Ok(())
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

    fn turn(&mut self, scenario: Scenario, subject: Subject, round: u32) -> Result<(), Failure> {
        match scenario {
            Scenario::Growth => growth::connections(self, subject, round),
            Scenario::Startup => growth::startup(self, subject, round),
            Scenario::Storm => self.storm(subject, round),
            _ => {
                let server = self.start(subject)?;
                let load = self.load(scenario, subject, &server, scenario.connections())?;
                let figures = self.send(&server, &load)?;
                self.record(scenario, Some(subject), load.connections, round, figures);
                Ok(())
            }
        }
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

    /// Prepares what is sent in a scenario.
    pub fn load(
        &mut self,
        scenario: Scenario,
        subject: Subject,
        server: &Server,
        connections: u32,
    ) -> Result<Load, Failure> {
        let program = subject.program;
        let crowd = Crowd::of(program, self.args.users, self.args.peer_users);
        let (requests, expected) = match scenario {
            Scenario::Login => (scenario::logins(program, crowd), Some(program.logged_in())),
            Scenario::Register => (scenario::registration(), Some(201)),
            _ => {
                let credentials = self.credentials.of(subject, server, crowd.readers())?;
                check(server, &scenario::read(&credentials[0]))?;
                if scenario == Scenario::Mixed {
                    check(server, &scenario::update(&credentials[0]))?;
                    (scenario::mixture(program, crowd, credentials), None)
                } else {
                    (scenario::reads(credentials), None)
                }
            }
        };
        Load::write(&self.folder, scenario.name(), &requests, expected, connections)
    }

    /// Warms a program up and measures it under a load.
    pub fn send(&mut self, server: &Server, load: &Load) -> Result<Figures, Failure> {
        load.run(server.address, WARM_UP, self.next())?;
        usage::reset_peak(server.pid())?;
        let before = Usage::of(server.pid())?;
        let outcome = load.run(server.address, self.args.seconds(), self.next())?;
        let mut figures = outcome.figures();
        Usage::of(server.pid())?.since(before, outcome.requests(), &mut figures);
        let memory = Memory::of(server.pid())?;
        figures.extend([("rss_mib", memory.now), ("peak_mib", memory.peak)]);
        Ok(figures)
    }

    /// Reads, which alone are counted, beside as many logins as arrive.
    fn storm(&mut self, subject: Subject, round: u32) -> Result<(), Failure> {
        let server = self.start(subject)?;
        let connections = Scenario::Storm.connections();
        let reads = self.load(Scenario::Storm, subject, &server, connections)?;
        let logins = self.load(Scenario::Login, subject, &server, STORM)?;
        // The logins begin before the reads count and end after them.
        let seconds = self.args.seconds();
        let storm = logins.start(server.address, seconds + 2 * WARM_UP + 1, self.next())?;
        reads.run(server.address, WARM_UP, self.next())?;
        let outcome: Outcome = reads.run(server.address, seconds, self.next())?;
        let mut figures = outcome.figures();
        let logins = storm.finish()?.figures();
        figures.extend([("login_rate", logins["rate"]), ("login_p99_us", logins["p99_us"])]);
        self.record(Scenario::Storm, Some(subject), connections, round, figures);
        Ok(())
    }

    /// Where a load begins, so that none repeats what the last one sent.
    fn next(&mut self) -> u32 {
        self.loads += 1;
        self.loads * 500_009
    }

    pub fn record(
        &mut self,
        scenario: Scenario,
        subject: Option<Subject>,
        connections: u32,
        round: u32,
        figures: Figures,
    ) {
        let name = subject.map_or("this machine alone".to_owned(), |one| {
            format!("{}, {}", one.label(), one.database.name())
        });
        let rate = figures.get("rate").map_or(String::new(), |rate| format!(", {rate:.0} a second"));
        eprintln!("  {name}{rate}");
        self.records.push(Record { scenario, subject, connections, round, figures });
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A load that wrk does not look at has to begin with an answer that is right.
fn check(server: &Server, request: &Request) -> Result<(), Failure> {
    server.client()?.send(request)?.expect(200).map(drop)
}
