//! An application as its tests need to know it, and how they are run.

use std::{fmt, io::Write, sync::Arc};

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::{runtime, sync::Semaphore, task::JoinSet};

use super::{
    Finding, Stop,
    report::{Outcome, Report},
    site::Site,
    subject::{Subject, Traits},
    table::{Chapter, Requirement, Test, tests},
    testbed::Testbed,
};
use crate::{
    app::Application, error::BoxError, future::BoxFuture, model::UserModel, routes::UsersRouter,
    service::Users, validate::IdentifierKind,
};

/// An application that is ready to be served: a [`UsersRouter`], or the router around one and its users.
pub struct Served<A: Application> {
    users: Users<A>,
    router: axum::Router,
}

impl<A: Application> fmt::Debug for Served<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

impl<A: Application> From<UsersRouter<A>> for Served<A> {
    fn from(router: UsersRouter<A>) -> Self {
        Self { users: router.users().clone(), router: router.into_router() }
    }
}

impl<A: Application> From<(Users<A>, axum::Router)> for Served<A> {
    fn from((users, router): (Users<A>, axum::Router)) -> Self {
        Self { users, router }
    }
}

/// The same for tests, which are compiled for no application in particular.
pub(super) struct Running {
    pub(super) subject: Box<dyn Subject>,
    pub(super) traits: Traits,
    pub(super) router: axum::Router,
}

impl<A: Application> From<Served<A>> for Running {
    fn from(served: Served<A>) -> Self {
        Self { subject: Box::new(served.users), traits: Traits::of::<A>(), router: served.router }
    }
}

type Build = Arc<dyn Fn(Testbed) -> BoxFuture<'static, Result<Running, BoxError>> + Send + Sync>;

/// An application as the tests of its conformance need to know it.
///
/// What they learn from the application itself, nobody has to say: its routes and their paths, what people log in with,
/// how a login is carried. Requirements about what it does not have are not applicable.
#[derive(Clone)]
pub struct Suite {
    pub(super) build: Build,
    pub(super) registration: Arc<dyn Fn(&str) -> Value + Send + Sync>,
    pub(super) identifier: Arc<dyn Fn(&str) -> String + Send + Sync>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) prefix: String,
    pub(super) protected: Vec<String>,
    relaxed: Vec<(Requirement, String)>,
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("relaxed", &self.relaxed).finish_non_exhaustive()
    }
}

impl Suite {
    /// An application that a function builds, for each test anew: `async fn(Testbed) -> Result<UsersRouter<App>, BoxError>`,
    /// or, where layers of the application's own are around the router, `Result<(Users<App>, Router), BoxError>`.
    #[must_use]
    pub fn new<A, F, Fut, R>(build: F) -> Self
    where
        A: Application,
        F: Fn(Testbed) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, BoxError>> + Send + 'static,
        R: Into<Served<A>>,
    {
        Self {
            build: Arc::new(move |bed| {
                let application = build(bed);
                Box::pin(async move {
                    let served: Served<A> = application.await?.into();
                    Ok(Running::from(served))
                })
            }),
            registration: Arc::new(|_| json!({})),
            identifier: Arc::new(|name| match A::User::IDENTIFIER.kind {
                IdentifierKind::Email => format!("{name}@example.com"),
                IdentifierKind::Username => name.to_owned(),
            }),
            headers: Vec::new(),
            prefix: String::new(),
            protected: Vec::new(),
            relaxed: Vec::new(),
        }
    }

    /// What a registration carries beside identifier and password, for somebody of this name: fields of the application's
    /// own that have to be there, and the mail address where people log in with a name.
    #[must_use]
    pub fn with_registration(self, fields: impl Fn(&str) -> Value + Send + Sync + 'static) -> Self {
        Self { registration: Arc::new(fields), ..self }
    }

    /// What somebody of this name logs in with, where the application takes no `name@example.com`. The name is of the
    /// letters `a` to `z` and differs for each.
    #[must_use]
    pub fn with_identifiers(self, identifier: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { identifier: Arc::new(identifier), ..self }
    }

    /// A header of every request, such as the one by which the application knows the tenant.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The path under which the application nests the router.
    #[must_use]
    pub fn with_prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Paths of the application's own that answer `GET` and need a login.
    #[must_use]
    pub fn with_protected<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.protected.extend(paths.into_iter().map(Into::into));
        self
    }

    /// A requirement that the application does without on purpose, and why. Its test passes, and prints the reason.
    #[must_use]
    pub fn relaxed(mut self, requirement: Requirement, reason: impl Into<String>) -> Self {
        self.relaxed.push((requirement, reason.into()));
        self
    }

    /// Tests every requirement.
    pub async fn run(&self) -> Report {
        self.run_only(|_| true).await
    }

    /// Tests those that this picks, several at once, each on an application of its own.
    pub async fn run_only(&self, picks: impl Fn(Requirement) -> bool) -> Report {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut running = JoinSet::new();
        for test in tests().into_iter().filter(|test| picks(test.requirement)) {
            let (suite, places) = (self.clone(), Arc::clone(&places));
            running.spawn(async move {
                let place = places.acquire().await;
                let outcome = suite.outcome(&test).await;
                drop(place);
                (test.requirement, outcome)
            });
        }
        Report::new(running.join_all().await)
    }

    async fn outcome(&self, test: &Test) -> Outcome {
        let finding = self.finding(test).await;
        let relaxed = self.relaxed.iter().find(|(requirement, _)| *requirement == test.requirement);
        match (finding, relaxed) {
            (Ok(()), None) => Outcome::Held,
            (Err(Stop::Failed(seen)), None) => Outcome::Failed(seen),
            (Err(Stop::NotApplicable(reason)), _) => Outcome::NotApplicable(reason),
            (finding, Some((_, reason))) => {
                Outcome::Relaxed { reason: reason.clone(), holds: finding.is_ok() }
            }
        }
    }

    async fn finding(&self, test: &Test) -> Finding {
        let counts = test.requirement.chapter() == Chapter::Throttles;
        let site = Site::start(self, counts).await?;
        (test.run)(site).await
    }
}

/// How many tests [`Suite::run`] has under way: most of their time goes into hashing passwords.
const AT_ONCE: usize = 8;

/// Tests one requirement; what [`conformance!`](crate::conformance!) makes the body of a test of. What is relaxed and what
/// is not applicable is printed, whether or not the output of tests is captured.
///
/// # Panics
/// When it does not hold.
#[track_caller]
pub fn check(suite: &Suite, requirement: Requirement) {
    let Some(test) = tests().into_iter().find(|test| test.requirement == requirement) else { return };
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("the test has no runtime: {error}"),
    };
    match runtime.block_on(suite.outcome(&test)) {
        Outcome::Held => {}
        Outcome::Failed(seen) => panic!("{}: {seen}", requirement.name()),
        other => {
            // A report of what was not tested has to reach whoever reads that all tests passed.
            let _ = writeln!(std::io::stderr(), "{}: {other}", requirement.name());
        }
    }
}
