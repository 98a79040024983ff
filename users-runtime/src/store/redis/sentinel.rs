//! The primary, as Sentinels know it.

use std::{collections::HashMap, time::Duration};

use ::redis::{ConnectionInfo, RedisResult, cmd};
use tokio::{task::JoinSet, time::timeout};

use super::link::{Failure, open};

/// What a Sentinel says of the primary.
struct Answer {
    /// Counts the fail-overs: the Sentinel with the highest knows of the last one.
    epoch: u64,
    host: String,
    port: u16,
}

/// Where the primary is: what the Sentinel says that knows of most fail-overs, among more than half of them, or among
/// those that answer in time.
pub(super) async fn primary(
    sentinels: &[ConnectionInfo],
    name: &str,
    patience: Duration,
) -> Result<(String, u16), Failure> {
    let mut asked = JoinSet::new();
    for sentinel in sentinels {
        let (sentinel, name) = (sentinel.clone(), name.to_owned());
        asked.spawn(async move {
            match timeout(patience, ask(&sentinel, &name, patience)).await {
                Ok(answer) => answer.map_err(Failure::from),
                Err(_) => Err(Failure::text("a Sentinel does not answer")),
            }
        });
    }
    let mut answers = Vec::new();
    let mut failure = Failure::text("no Sentinel answers");
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(answer)) => answers.push(answer),
            Ok(Err(error)) => failure = error,
            Err(panic) => failure = Failure::text(panic.to_string()),
        }
        if answers.len() > sentinels.len() / 2 {
            break;
        }
    }
    let newest = answers.into_iter().max_by_key(|answer| answer.epoch);
    newest.map(|answer| (answer.host, answer.port)).ok_or(failure)
}

async fn ask(sentinel: &ConnectionInfo, name: &str, patience: Duration) -> RedisResult<Answer> {
    let mut connection = open(sentinel, patience).await?;
    let known: HashMap<String, String> =
        cmd("SENTINEL").arg("MASTER").arg(name).query_async(&mut connection).await?;
    let field = |field: &str| known.get(field).map(String::as_str).unwrap_or_default();
    let port = field("port").parse();
    let host = field("ip");
    match port {
        Ok(port) if !host.is_empty() => Ok(Answer {
            epoch: field("config-epoch").parse().unwrap_or_default(),
            host: host.to_owned(),
            port,
        }),
        _ => Err((::redis::ErrorKind::Parse, "a Sentinel names no primary").into()),
    }
}
