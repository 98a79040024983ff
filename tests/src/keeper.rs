//! Makes and drops the databases of tests on a server, by one connection in a thread that outlives every test.
//!
//! A run holds a lock of the server's as long as it lives. What carries the number of a run whose lock is free was
//! left behind by one that was killed, and is removed by the next.

use std::sync::{LazyLock, mpsc};

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, query, query_scalar, raw_sql};
use tokio::sync::oneshot;

use crate::Engine;

const PREFIX: &str = "users_test_";

/// What tells the locks of test runs from others.
const LOCKS: i32 = 0x7573_6572;

enum Order {
    Create(oneshot::Sender<String>),
    Destroy(String, mpsc::Sender<()>),
}

/// The way to the thread, or why there is none.
static KEEPER: LazyLock<Result<mpsc::Sender<Order>, String>> = LazyLock::new(start);

fn give(order: Order) -> Result<(), String> {
    KEEPER.as_ref()?.send(order).map_err(|_| "the thread that makes databases is gone".to_owned())
}

/// A new, empty database; its name.
pub(crate) async fn create() -> String {
    let (sender, name) = oneshot::channel();
    give(Order::Create(sender)).unwrap_or_else(|problem| panic!("{problem}"));
    name.await.expect("the server makes a database")
}

/// Drops a database, and the connections to it first. Blocks, for a test that drops it may be about to end.
pub(crate) fn destroy(name: &str) {
    let (sender, done) = mpsc::channel();
    if give(Order::Destroy(name.to_owned(), sender)).is_ok() {
        let _ = done.recv();
    }
}

fn start() -> Result<mpsc::Sender<Order>, String> {
    let (orders, inbox) = mpsc::channel();
    let (ready, started) = mpsc::channel();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut keeper = match runtime.block_on(Keeper::start()) {
            Ok(keeper) => keeper,
            Err(error) => {
                let _ = ready.send(Err(error.to_string()));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        while let Ok(order) = inbox.recv() {
            runtime.block_on(keeper.obey(order));
        }
    };
    std::thread::spawn(work);
    match started.recv() {
        Ok(Ok(())) => Ok(orders),
        Ok(Err(problem)) => Err(format!("no database server: {problem}; start one with `scripts/services`")),
        Err(_) => Err("the thread that makes databases is gone".to_owned()),
    }
}

struct Keeper {
    server: Server,
    run: u32,
    made: u32,
}

enum Server {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Keeper {
    async fn start() -> Result<Self, sqlx::Error> {
        let url = Engine::chosen().server().expect("SQLite needs nobody");
        let mut server = match Engine::chosen() {
            Engine::MySql => Server::MySql(MySqlConnection::connect(url.as_str()).await?),
            _ => Server::Postgres(PgConnection::connect(url.as_str()).await?),
        };
        server.prepare().await?;
        let (run, _) = uuid::Uuid::new_v4().as_u64_pair();
        let run = u32::try_from(run >> 32).expect("half of it");
        server.lock(run).await?;
        for name in server.databases().await? {
            let other = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next());
            let Some(other) = other.and_then(|run| u32::from_str_radix(run, 16).ok()) else { continue };
            if other != run && server.lock(other).await? {
                server.destroy(&name).await?;
                server.unlock(other).await?;
            }
        }
        Ok(Self { server, run, made: 0 })
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Create(done) => {
                let name = format!("{PREFIX}{:08x}_{}", self.run, self.made);
                self.made += 1;
                match self.server.create(&name).await {
                    Ok(()) => drop(done.send(name)),
                    Err(error) => eprintln!("{name} could not be made: {error}"),
                }
            }
            Order::Destroy(name, done) => {
                if let Err(error) = self.server.destroy(&name).await {
                    // The next run tries again.
                    eprintln!("{name} could not be dropped: {error}");
                }
                let _ = done.send(());
            }
        }
    }
}

/// Either of the two kinds of connection, in the same few lines.
macro_rules! on_either {
    ($server:expr, $connection:ident => $work:expr) => {
        match $server {
            Server::Postgres($connection) => $work,
            Server::MySql($connection) => $work,
        }
    };
}

impl Server {
    async fn run(&mut self, sql: String) -> Result<(), sqlx::Error> {
        on_either!(self, connection => raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ()))
    }

    async fn prepare(&mut self) -> Result<(), sqlx::Error> {
        // A drop that waits for somebody is tried again rather than waited for.
        let patience = match self {
            Self::Postgres(_) => {
                "SET lock_timeout = '3s'; SET synchronous_commit = off; SET client_min_messages = 'warning'"
            }
            Self::MySql(_) => "SET SESSION lock_wait_timeout = 3",
        };
        self.run(patience.to_owned()).await
    }

    /// Takes the lock of a run; `false` when somebody has it.
    async fn lock(&mut self, run: u32) -> Result<bool, sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                let lock = query_scalar("SELECT pg_try_advisory_lock($1, $2)");
                lock.bind(LOCKS).bind(run.cast_signed()).fetch_one(connection).await
            }
            Self::MySql(connection) => {
                let lock = query_scalar::<_, Option<i64>>("SELECT GET_LOCK(?, 0)");
                let taken = lock.bind(format!("{PREFIX}{run:08x}")).fetch_one(connection).await?;
                Ok(taken == Some(1))
            }
        }
    }

    async fn unlock(&mut self, run: u32) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                let unlock = query("SELECT pg_advisory_unlock($1, $2)");
                unlock.bind(LOCKS).bind(run.cast_signed()).execute(connection).await?;
            }
            Self::MySql(connection) => {
                let unlock = query("SELECT RELEASE_LOCK(?)");
                unlock.bind(format!("{PREFIX}{run:08x}")).execute(connection).await?;
            }
        }
        Ok(())
    }

    /// The databases of every test run.
    async fn databases(&mut self) -> Result<Vec<String>, sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                let names = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'users\\_test\\_%'";
                query_scalar(names).fetch_all(connection).await
            }
            Self::MySql(connection) => {
                let names = "SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata \
                             WHERE schema_name LIKE 'users\\_test\\_%'";
                query_scalar(names).fetch_all(connection).await
            }
        }
    }

    async fn create(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let what = if matches!(self, Self::Postgres(_)) { "SCHEMA" } else { "DATABASE" };
        self.run(format!("CREATE {what} {name}")).await
    }

    async fn destroy(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let sql = match self {
            Self::Postgres(_) => format!("DROP SCHEMA IF EXISTS {name} CASCADE"),
            Self::MySql(_) => format!("DROP DATABASE IF EXISTS {name}"),
        };
        // An application that still runs connects again behind the back of this.
        for _ in 0..5 {
            self.disconnect(name).await?;
            if self.run(sql.clone()).await.is_ok() {
                return Ok(());
            }
        }
        self.run(sql).await
    }

    /// Ends every connection to a database, and with it the transactions that hold locks.
    async fn disconnect(&mut self, name: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                let end = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE application_name = $1";
                query(end).bind(name).execute(connection).await?;
            }
            Self::MySql(connection) => {
                let open = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = ?";
                let open: Vec<i64> = query_scalar(open).bind(name).fetch_all(&mut *connection).await?;
                for id in open {
                    // It may have ended by itself.
                    let _ = raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&mut *connection).await;
                }
            }
        }
        Ok(())
    }
}
