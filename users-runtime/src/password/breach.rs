//! Passwords that are public since a breach: who is asked about them, and what becomes of a password when nobody answers.

#[cfg(feature = "breach-check")]
mod range;

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::timeout;

#[cfg(feature = "breach-check")]
pub use self::range::PwnedPasswords;
use crate::{
    error::{BoxError, Error, display_chain},
    future::BoxFuture,
    secret::Password,
    validate::Violation,
};

/// Knows passwords that are public since a breach (S06).
///
/// It is asked about a new password on every path that sets one, once the password has kept every rule of the
/// [`PasswordPolicy`](crate::PasswordPolicy), and before it is hashed. Imports do not ask: they store what people have.
pub trait BreachCheck: Send + Sync + 'static {
    /// Whether a password is known. An error is dealt with by the [`FailMode`]; its text is logged, so it must not hold
    /// the password.
    fn is_breached<'a>(&'a self, password: &'a Password) -> BoxFuture<'a, Result<bool, BoxError>>;
}

/// What becomes of a new password when a [`BreachCheck`] fails or takes too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FailMode {
    /// It is taken, and a warning logged. The default: somebody else's outage stops no registration and no reset, and the
    /// embedded list of common passwords has been asked.
    #[default]
    Open,
    /// It is refused: 503.
    Closed,
}

/// The time-out by default: of what a person waits for, most is left to the rest of the request.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Who is asked, for how long, and what becomes of a password otherwise.
#[derive(Clone)]
pub(crate) struct BreachRules {
    pub(crate) check: Option<Arc<dyn BreachCheck>>,
    pub(crate) fail_mode: FailMode,
    pub(crate) timeout: Duration,
}

impl Default for BreachRules {
    fn default() -> Self {
        Self { check: None, fail_mode: FailMode::default(), timeout: TIMEOUT }
    }
}

impl fmt::Debug for BreachRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachRules").field("fail_mode", &self.fail_mode).finish_non_exhaustive()
    }
}

impl BreachRules {
    /// Asks about a password.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when nobody answers in time and the mode is closed.
    pub(crate) async fn check(&self, password: &Password) -> Result<Result<(), Violation>, Error> {
        let Some(check) = &self.check else { return Ok(Ok(())) };
        let failed = match timeout(self.timeout, check.is_breached(password)).await {
            Ok(Ok(false)) => return Ok(Ok(())),
            Ok(Ok(true)) => {
                return Ok(Err(Violation::new(
                    "password_breached",
                    "is known to attackers since a breach somewhere else; choose another one",
                )));
            }
            Ok(Err(error)) => error,
            Err(elapsed) => elapsed.into(),
        };
        match self.fail_mode {
            FailMode::Closed => Err(Error::Unavailable(failed)),
            FailMode::Open => {
                tracing::warn!(
                    cause = %display_chain(failed.as_ref()),
                    "nobody answered whether a new password is known from a breach; it is taken"
                );
                Ok(Ok(()))
            }
        }
    }
}
