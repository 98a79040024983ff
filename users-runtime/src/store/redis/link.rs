//! A connection that is made when it is needed, and made anew when it is lost.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, Pipeline, RedisError, RedisResult,
    ServerErrorKind, Value,
    aio::MultiplexedConnection,
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr},
    cmd,
};
use tokio::time::{Instant, timeout};

use super::{
    address::{Address, with_host},
    sentinel,
};

/// How often the Sentinels are asked for the primary while a connection is in use, and at most a Cluster for its nodes.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Why there is no answer. It goes to the log, and names no password.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    Redis(RedisError),
    Text(String),
    /// Fewer replicas than there must be.
    Replicas {
        acknowledged: usize,
        required: usize,
    },
}

impl Failure {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn unexpected() -> Self {
        Self::text("Redis answers something else")
    }

    /// Whether the server has to be sent the script itself.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// Whether another connection may answer better: this one is gone, or leads to what is no primary any more.
    fn is_of_the_connection(&self) -> bool {
        let Self::Redis(error) = self else { return false };
        match error.kind() {
            ErrorKind::Server(kind) => matches!(
                kind,
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::BusyLoading
                    | ServerErrorKind::ClusterDown
            ),
            // Redis lets go of those that wait for replicas when it becomes one.
            ErrorKind::Extension => error.code() == Some("UNBLOCKED"),
            _ => true,
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(error) => write!(f, "Redis: {error}"),
            Self::Text(text) => f.write_str(text),
            Self::Replicas { acknowledged, required } => {
                write!(f, "{acknowledged} of {required} replicas of Redis have the write")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// A connection that is made when it is needed, and made anew when it is lost. Any number of requests share it.
pub(super) struct Link(Arc<Shared>);

struct Shared {
    address: Address,
    current: Mutex<Current>,
    /// Whoever has it makes the connection. Holds how that ended last when it failed, and when.
    connecting: tokio::sync::Mutex<Option<(Instant, Failure)>>,
    /// Whether somebody looks for a better connection at the moment.
    checking: AtomicBool,
}

struct Current {
    connection: Option<Connection>,
    /// Counts the connections, to tell the one that failed from the one that took its place.
    number: u64,
    checked: Instant,
}

#[derive(Clone)]
enum Connection {
    Server { connection: MultiplexedConnection, place: Option<(String, u16)> },
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) fn new(address: Address) -> Self {
        let current = Current { connection: None, number: 0, checked: Instant::now() };
        Self(Arc::new(Shared {
            address,
            current: Mutex::new(current),
            connecting: tokio::sync::Mutex::new(None),
            checking: AtomicBool::new(false),
        }))
    }

    /// Sends commands to the primary that has the slot of a key, and waits for their answers. A second time if the
    /// connection turns out to be gone: what is sent has to bear that.
    pub(super) async fn send(
        &self,
        key: &str,
        pipeline: &Pipeline,
        patience: Duration,
    ) -> Result<Vec<Value>, Failure> {
        let mut again = true;
        loop {
            let (connection, number) = self.connection(patience).await?;
            let is_cluster = matches!(connection, Connection::Cluster(_));
            let mut unanswered =
                Unanswered { link: self, number, since: Instant::now(), patience, done: false };
            let answer = connection.send(key, pipeline).await;
            unanswered.done = true;
            drop(unanswered);
            match answer.map_err(Failure::from) {
                Err(failure) if failure.is_of_the_connection() => {
                    self.lose(number, patience);
                    // A Cluster's connection has tried again by itself.
                    if is_cluster || !std::mem::take(&mut again) {
                        return Err(failure);
                    }
                }
                other => return other,
            }
        }
    }

    async fn connection(&self, patience: Duration) -> Result<(Connection, u64), Failure> {
        if let Some(found) = self.0.current() {
            if matches!(self.0.address, Address::Sentinel { .. }) {
                self.check(patience);
            }
            return Ok(found);
        }
        let (shared, asked) = (Arc::clone(&self.0), Instant::now());
        // In a task of its own: the next request goes on with what this one began, should it end before.
        let connecting = tokio::spawn(async move { shared.connect(asked, patience).await });
        connecting.await.map_err(|panic| Failure::text(panic.to_string()))?
    }

    /// Lets go of a connection, or has it replaced.
    fn lose(&self, number: u64, patience: Duration) {
        {
            let mut current = self.0.lock();
            if current.number != number {
                return;
            }
            // The connections to the other nodes of a Cluster may be good.
            if !matches!(current.connection, Some(Connection::Cluster(_))) {
                current.connection = None;
                return;
            }
        }
        self.check(patience);
    }

    /// Looks, once in a while and beside the requests, whether there is a better connection: to another primary, or to
    /// other nodes of a Cluster when a request has failed.
    fn check(&self, patience: Duration) {
        let number = {
            let mut current = self.0.lock();
            if current.checked.elapsed() < CHECK_EVERY {
                return;
            }
            current.checked = Instant::now();
            current.number
        };
        if self.0.checking.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            shared.replace(number, patience).await;
            shared.checking.store(false, Ordering::Release);
        });
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<(Connection, u64)> {
        let current = self.lock();
        current.connection.clone().map(|connection| (connection, current.number))
    }

    fn set(&self, connection: Connection) -> (Connection, u64) {
        let mut current = self.lock();
        current.number += 1;
        current.checked = Instant::now();
        current.connection = Some(connection.clone());
        (connection, current.number)
    }

    async fn connect(&self, asked: Instant, patience: Duration) -> Result<(Connection, u64), Failure> {
        let mut last = self.connecting.lock().await;
        if let Some(found) = self.current() {
            return Ok(found);
        }
        // Of those that wait at the same time one tries for all.
        if let Some((_, failure)) = last.as_ref().filter(|(failed, _)| *failed > asked) {
            return Err(failure.clone());
        }
        match self.address.connect(patience).await {
            Ok(connection) => {
                *last = None;
                Ok(self.set(connection))
            }
            Err(failure) => {
                *last = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Finds out whether there is a better connection than the one with this number, and lets go of it or replaces it.
    async fn replace(&self, number: u64, patience: Duration) {
        let better = match &self.address {
            Address::Server(_) => return,
            Address::Sentinel { sentinels, name, .. } => {
                let Ok(primary) = sentinel::primary(sentinels, name, patience / 4).await else { return };
                let current = self.lock();
                match &current.connection {
                    Some(Connection::Server { place, .. }) if *place != Some(primary) => None,
                    _ => return,
                }
            }
            Address::Cluster(_) => match self.address.connect(patience).await {
                Ok(connection) => Some(connection),
                Err(_) => return,
            },
        };
        let mut current = self.lock();
        if current.number == number {
            current.number += 1;
            current.connection = better;
        }
    }
}

impl Address {
    async fn connect(&self, patience: Duration) -> Result<Connection, Failure> {
        let connecting = async {
            match self {
                Self::Server(info) => {
                    let connection = open(info, patience).await?;
                    Ok(Connection::Server { connection, place: None })
                }
                Self::Cluster(nodes) => Ok(Connection::Cluster(open_cluster(nodes, patience).await?)),
                Self::Sentinel { sentinels, name, primary } => {
                    let (host, port) = sentinel::primary(sentinels, name, patience / 4).await?;
                    let info = with_host(primary.clone(), host.clone(), port);
                    let mut connection = open(&info, patience).await?;
                    // A Sentinel that was cut off names a server that is none any more.
                    let role: Value = cmd("ROLE").query_async(&mut connection).await?;
                    match role {
                        Value::Array(role) if role.first().is_some_and(|role| is_text(role, b"master")) => {
                            Ok(Connection::Server { connection, place: Some((host, port)) })
                        }
                        _ => Err(Failure::text("the primary that the Sentinels name is none")),
                    }
                }
            }
        };
        match timeout(patience, connecting).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::text("Redis cannot be reached")),
        }
    }
}

fn is_text(value: &Value, expected: &[u8]) -> bool {
    match value {
        Value::BulkString(text) => text == expected,
        Value::SimpleString(text) => text.as_bytes() == expected,
        _ => false,
    }
}

/// Connects to one server.
pub(super) async fn open(info: &ConnectionInfo, patience: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    Client::open(info.clone())?.get_multiplexed_async_connection_with_config(&config).await
}

/// Connects to a Cluster. A node that hangs must not take the time of the others.
async fn open_cluster(nodes: &[ConnectionInfo], patience: Duration) -> RedisResult<ClusterConnection> {
    let client = ClusterClient::builder(nodes.to_vec())
        .connection_timeout(patience / 4)
        .response_timeout(patience)
        .overall_response_timeout(Some(patience))
        .retries(6)
        .min_retry_wait(20)
        .max_retry_wait(400)
        .build()?;
    client.get_async_connection().await
}

impl Connection {
    async fn send(self, key: &str, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let count = pipeline.len();
        let answers = match self {
            Self::Server { mut connection, .. } => {
                connection.send_packed_commands(pipeline, 0, count).await?
            }
            Self::Cluster(mut connection) => {
                // Reads too: a replica may not have heard of the last logout.
                let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master));
                connection.route_pipeline(pipeline.clone(), 0, count, route).await?
            }
        };
        answers.into_iter().map(Value::extract_error).collect()
    }
}

/// Lets go of a connection on which a request has waited for long and in vain. A request that ends early for another
/// reason, because its client has left, says nothing about the connection.
struct Unanswered<'a> {
    link: &'a Link,
    number: u64,
    since: Instant,
    patience: Duration,
    done: bool,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.done && self.since.elapsed() >= self.patience / 2 {
            self.link.lose(self.number, self.patience);
        }
    }
}
