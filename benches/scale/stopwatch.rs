//! How long a login spends on the hash, without a change to the library: from the end of the statement that reads the
//! account, which sqlx logs, to the hook `before_login`. Between the two there is the comparison of the password alone.

use std::{
    fmt::Debug,
    sync::{
        LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry,
    util::SubscriberInitExt,
};

use crate::Failure;

/// What sqlx logs statements under.
const TARGET: &str = "sqlx::query";
/// What only the statement that reads the account of a login holds.
const READ_OF_ACCOUNT: &str = "WHERE u.\"email_canonical\" = ";

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Off, nothing is logged, so that nothing else takes longer.
static RUNNING: AtomicBool = AtomicBool::new(false);
/// In nanoseconds since `START`; 0 is never.
static READ_ENDED: AtomicU64 = AtomicU64::new(0);
static HASHING_ENDED: AtomicU64 = AtomicU64::new(0);

/// Listens to sqlx, once a process.
pub fn install() -> Result<(), Failure> {
    LazyLock::force(&START);
    registry().with(Listener).try_init()?;
    Ok(())
}

/// Called by the hook.
pub fn hashing_ended() {
    HASHING_ENDED.store(now(), Ordering::Release);
}

/// Runs one login and tells how much of its time was the hash.
pub fn hashing_of<T>(login: impl FnOnce() -> Result<T, Failure>) -> Result<(T, Duration), Failure> {
    READ_ENDED.store(0, Ordering::Release);
    HASHING_ENDED.store(0, Ordering::Release);
    RUNNING.store(true, Ordering::Release);
    let answer = login();
    RUNNING.store(false, Ordering::Release);
    let answer = answer?;
    let (from, to) = (READ_ENDED.load(Ordering::Acquire), HASHING_ENDED.load(Ordering::Acquire));
    match to.checked_sub(from) {
        Some(hashing) if from > 0 => Ok((answer, Duration::from_nanos(hashing))),
        _ => Err("the statement that reads the account of a login was not seen before the hook".into()),
    }
}

fn now() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == TARGET { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        metadata.target() == TARGET && RUNNING.load(Ordering::Acquire)
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let now = now();
        let mut statement = Statement(false);
        event.record(&mut statement);
        if statement.0 {
            READ_ENDED.store(now, Ordering::Release);
        }
    }
}

/// Whether it is the one that is waited for.
struct Statement(bool);

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 |= field.name() == "db.statement" && value.contains(READ_OF_ACCOUNT);
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn Debug) {}
}
