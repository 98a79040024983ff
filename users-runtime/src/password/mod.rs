//! Passwords: what may be one, and how it is hashed and verified.

mod blocklist;
mod cost;
mod hash;
mod policy;
mod pool;
mod scheme;

pub(crate) use self::pool::{PasswordPool, Verdict};
#[cfg(feature = "bcrypt")]
pub use self::scheme::Bcrypt;
#[cfg(feature = "pbkdf2")]
pub use self::scheme::Pbkdf2;
pub use self::{cost::Argon2Cost, policy::PasswordPolicy, scheme::PasswordScheme};
