//! Passwords: what may be one, and how it is hashed and verified.

mod blocklist;
mod breach;
mod cost;
mod hash;
mod policy;
mod pool;
mod scheme;
#[cfg(feature = "zxcvbn")]
mod strength;

#[cfg(feature = "breach-check")]
pub use self::breach::PwnedPasswords;
#[cfg(feature = "bcrypt")]
pub use self::scheme::Bcrypt;
#[cfg(feature = "pbkdf2")]
pub use self::scheme::Pbkdf2;
pub(crate) use self::{
    breach::BreachRules,
    pool::{PasswordPool, Verdict},
};
pub use self::{
    breach::{BreachCheck, FailMode},
    cost::Argon2Cost,
    policy::PasswordPolicy,
    scheme::PasswordScheme,
};

use std::sync::Arc;

use crate::secret::PasswordHash;

/// Whether a stored hash is of Argon2 or of a scheme that is configured, so that its owner can log in.
pub(crate) fn is_known(stored: &str, schemes: &[Arc<dyn PasswordScheme>]) -> bool {
    hash::Argon2Hash::parse(stored).is_some() || schemes.iter().any(|scheme| scheme.recognises(stored))
}

/// What stands in the place of a hash until a user without a password chooses one. It is of no scheme, and each is another
/// one, so that nothing that is derived from it is good for somebody else.
pub(crate) fn unusable_hash() -> PasswordHash {
    PasswordHash::from_phc(format!("!{}", uuid::Uuid::new_v4().simple()))
}
