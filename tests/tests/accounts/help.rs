//! What several files of these tests do alike.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Barrier;
use users_runtime::Config;
use users_tests::{Answer, App, Kind, Options, Statement, now};

/// An application with other settings.
pub(crate) async fn app_with(kind: Kind, config: impl FnOnce(Config) -> Config + Send + 'static) -> App {
    App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await
}

/// Moves the end of every token of a mail to this many milliseconds from now.
pub(crate) async fn tokens_expire_in(app: &App, milliseconds: i64) {
    let update = app.query("UPDATE users_one_time_tokens SET expires_at = ?");
    assert!(update.bind(now() + milliseconds).execute().await > 0);
}

/// Waits until a statement answers this number.
pub(crate) async fn until(statement: Statement<'_>, number: i64) {
    let end = Instant::now() + Duration::from_secs(10);
    while statement.clone().count().await != number {
        assert!(Instant::now() < end, "{statement:?} never came to {number}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sends this many requests at the same moment; their answers.
pub(crate) async fn at_once<F>(number: usize, request: impl Fn(usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let start = Arc::new(Barrier::new(number));
    let tasks: Vec<_> = (0..number)
        .map(|index| {
            let (start, request) = (Arc::clone(&start), request(index));
            tokio::spawn(async move {
                start.wait().await;
                request.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(number);
    for task in tasks {
        answers.push(task.await.expect("no request panics"));
    }
    answers
}

/// How many answers have each status.
pub(crate) fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    counts
}

/// Fails when an answer carries a credential.
#[track_caller]
pub(crate) fn assert_no_credential(answer: &Answer) {
    for name in ["set-cookie", "authorization"] {
        assert!(!answer.headers.contains_key(name), "{name}: {}", answer.header(name));
    }
    assert!(!answer.text.contains("access_token"), "{}", answer.text);
}
