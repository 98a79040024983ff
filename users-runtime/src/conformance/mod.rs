//! What an application promises of its accounts, tested on the application itself: over HTTP, with its own hooks and
//! settings.
//!
//! [`Suite::new`] takes a function that builds the application, and [`conformance!`](crate::conformance!) makes a test of
//! each of the [`requirements`]. Their names begin with the number of the requirement in the library's own list and that
//! of [OWASP ASVS 5.0](https://owasp.org/www-project-application-security-verification-standard/), so that the run of the
//! tests reads as a report.
//!
//! ```
//! use users_runtime::{BoxError, Config, UsersRouter, conformance::{Suite, Testbed}, users_app};
//!
//! # #[users_app(auth = "session")]
//! # mod accounts {
//! #     use users_runtime::{PasswordHash, UserModel};
//! #
//! #     #[derive(Clone, Debug, UserModel)]
//! #     pub struct User {
//! #         #[user(id)]
//! #         pub id: i64,
//! #         #[user(identifier)]
//! #         pub email: String,
//! #         #[user(password_hash)]
//! #         password_hash: PasswordHash,
//! #         #[user(active)]
//! #         pub is_active: bool,
//! #         #[user(verified)]
//! #         pub is_verified: bool,
//! #     }
//! # }
//! /// The application as it is served, over the database of one test.
//! async fn app(bed: Testbed) -> Result<UsersRouter<accounts::App>, BoxError> {
//!     let users = accounts::Users::connect(bed.database_url(), bed.config(Config::development()?)).await?;
//!     Ok(accounts::router(users))
//! }
//!
//! fn suite() -> Suite {
//!     Suite::new(app)
//! }
//!
//! // In a module of tests: a hundred functions with `#[test]`.
//! users_runtime::conformance!(suite());
//! # fn main() {}
//! ```

mod answer;
mod chapters;
mod client;
mod forge;
mod mailbox;
mod report;
mod site;
mod subject;
mod suite;
mod table;
mod testbed;

pub use self::{
    report::{Outcome, Report},
    suite::{Served, Suite, check},
    table::{Chapter, Requirement, requirements},
    testbed::Testbed,
};

/// What a test came to, when it did not come to its end.
#[derive(Debug)]
enum Stop {
    /// The application has nothing that the requirement is about.
    NotApplicable(String),
    /// It does not hold.
    Failed(String),
}

/// What a test finds.
type Finding = Result<(), Stop>;

impl Stop {
    fn not_applicable(reason: impl Into<String>) -> Self {
        Self::NotApplicable(reason.into())
    }

    fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }
}

impl From<crate::Error> for Stop {
    fn from(error: crate::Error) -> Self {
        Self::Failed(format!(
            "what the test needs could not be set up: {}",
            crate::error::display_chain(&error)
        ))
    }
}

/// Ends a test as failed unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Stop::failed(format!($($message)+)));
        }
    };
}

use ensure;
