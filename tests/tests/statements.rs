//! How many statements the ways take that are walked most often. One test, because a program has one log.

use std::{
    fmt,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};
use users_runtime::{Config, SecretKey, Throttle, Users, UsersRouter};
use users_tests::{App, Client, Database, Kind, Mailbox, PASSWORD};

/// An application without hooks.
#[users_runtime::users_app(auth = "jwt_cookie", user = users_tests::apps::User)]
mod plain {}

const EMAIL: &str = "ann@example.com";

/// More than any machine has cores, each of which may have a statement of its own.
const MANY: usize = 300;

/// The statements that sqlx has logged, in their order, but for those that begin and end a transaction: it logs them of some
/// databases alone.
static STATEMENTS: LazyLock<Mutex<Vec<String>>> = LazyLock::new(Mutex::default);

struct Log;

impl<S: Subscriber> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "sqlx::query" && *metadata.level() <= Level::DEBUG
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Summary);
    }
}

/// Takes the beginning of a statement out of its line in the log.
struct Summary;

impl Visit for Summary {
    fn record_str(&mut self, field: &Field, value: &str) {
        let frames = ["BEGIN", "COMMIT", "SET TRANSACTION"].iter().any(|word| value.starts_with(word));
        if field.name() == "summary" && !frames {
            log().push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

fn log() -> std::sync::MutexGuard<'static, Vec<String>> {
    STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is done takes these statements, of each of which the beginning is given. Workers have theirs in between now and then.
async fn assert_statements(expected: &[&str], work: impl AsyncFn()) {
    let mut seen = Vec::new();
    for _ in 0..20 {
        log().clear();
        work().await;
        // The last one is logged beside its answer.
        let end = Instant::now() + Duration::from_secs(1);
        while log().len() < expected.len() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        seen.clone_from(&log());
        if seen.len() == expected.len()
            && seen.iter().zip(expected).all(|(one, begin)| one.starts_with(begin))
        {
            return;
        }
    }
    panic!("expected {expected:#?}, and there were {seen:#?}");
}

async fn log_in(client: &Client) {
    client.log_in(EMAIL, PASSWORD).await.expect(201, "");
}

async fn read(client: &Client) {
    client.me().await.expect(200, "");
}

/// A client of an application without hooks, with an account.
async fn without_hooks() -> (Client, Database) {
    let database = Database::new().await;
    let mailbox = Mailbox::default();
    let config = Config::new(SecretKey::generate().expect("randomness"))
        .with_app_name("Tests")
        .with_insecure_cookies(true)
        // Which counts, in statements of its own.
        .with_throttle(Throttle::off())
        .with_max_connections(1)
        .with_mail_transport(mailbox.clone());
    let users = Users::<plain::App>::connect(database.url(), config).await.expect("it starts");
    let router = UsersRouter::new(users).into_router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = Client::new(format!("http://{}", listener.local_addr().expect("an address")));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it runs") });
    client.register(EMAIL, PASSWORD).await.expect(201, "");
    client.verify(&mailbox.token(EMAIL, 1).await).await.expect(201, "");
    (client, database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_takes_one_statement_and_a_login_five() {
    const USER: &str = "SELECT u.";
    const EVENT: &str = "INSERT INTO users_events";
    const SESSIONS: &str = "SELECT id_hash";
    const SESSION: &str = "INSERT INTO users_sessions";

    let subscriber = tracing_subscriber::registry().with(Log);
    tracing::subscriber::set_global_default(subscriber).expect("there is no other one");
    let (client, _database) = without_hooks().await;
    // The user by identifier; and, after the hash and in the transaction, whether the account is still what it was.
    assert_statements(&[USER, USER, EVENT, SESSIONS, SESSION], async || log_in(&client.fresh()).await).await;
    log_in(&client).await;
    assert_statements(&[USER], async || read(&client).await).await;
    // Many at once share statements: over one connection most of them have to wait for it.
    log().clear();
    join_all((0..MANY).map(|_| read(&client))).await;
    let statements = log().iter().filter(|one| one.starts_with(USER)).count();
    assert!(0 < statements && statements < MANY, "{statements} statements for {MANY} requests");

    // A hook that writes costs its own, and that the user is read again.
    let with_hook = [USER, USER, "UPDATE users", USER, EVENT, SESSIONS, SESSION];
    for kind in Kind::ALL {
        let app = App::in_database(kind).await;
        let client = app.user(EMAIL).await;
        assert_statements(&[USER], async || read(&client).await).await;
        assert_statements(&with_hook, async || log_in(&app.client()).await).await;
    }
}
