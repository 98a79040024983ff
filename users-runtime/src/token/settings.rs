//! What an application says of its access tokens.

use std::time::Duration;

use crate::error::Error;

/// The most that clocks may differ by: whoever keeps time at all keeps it better than this.
const MAX_LEEWAY: Duration = Duration::from_mins(1);

/// The settings of access tokens.
#[derive(Clone, Default)]
pub(crate) struct TokenSettings {
    /// The key that signs; `None` for the one that is derived from the secret key.
    #[cfg(feature = "jwt")]
    pub(crate) key: Option<super::TokenKey>,
    /// Keys that verify and no longer sign.
    #[cfg(feature = "jwt")]
    pub(crate) old_keys: Vec<super::TokenKey>,
    /// `None` for the application itself.
    pub(crate) issuer: Option<String>,
    /// `None` for the application itself.
    pub(crate) audience: Option<String>,
    pub(crate) leeway: Duration,
}

impl TokenSettings {
    /// Checks what no single setting can know of.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |name, problem: &str| Err(Error::Setting { name, problem: problem.to_owned() });
        for (name, value) in [("with_token_issuer", &self.issuer), ("with_token_audience", &self.audience)] {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                return setting(name, "is empty; leave it out for the base URL");
            }
        }
        if self.leeway > MAX_LEEWAY {
            return setting("with_token_leeway", "is more than the 60 seconds that clocks may differ by");
        }
        if self.leeway.subsec_nanos() != 0 {
            return setting("with_token_leeway", "must be whole seconds, as the times in a token are");
        }
        #[cfg(feature = "jwt")]
        self.check_keys()?;
        Ok(())
    }

    #[cfg(feature = "jwt")]
    fn check_keys(&self) -> Result<(), Error> {
        let setting = |name, problem: &str| Err(Error::Setting { name, problem: problem.to_owned() });
        if self.key.as_ref().is_some_and(|key| !key.signs()) {
            return setting("with_token_key", "is a public key, which signs nothing; give the private one");
        }
        let keys: Vec<_> = self.key.iter().chain(&self.old_keys).collect();
        if keys.iter().enumerate().any(|(index, key)| keys[..index].iter().any(|other| key.is(other))) {
            // A key of two algorithms lets a weakness of one break the other (RFC 8725, section 3.1).
            return setting(
                "with_old_token_key",
                "one key is there twice; each has one algorithm and one place",
            );
        }
        Ok(())
    }
}
