//! Keys and what is made with them: opaque tokens, fingerprints, JWTs and sealed values.

#[cfg(feature = "jwt")]
pub(crate) mod jwt;
mod keys;
#[cfg(test)]
mod mutation;
mod opaque;
#[cfg(any(feature = "oauth2", feature = "session-cookie"))]
mod seal;
mod settings;

#[cfg(feature = "jwt")]
pub use jwt::TokenKey;
pub use keys::Fingerprint;
pub(crate) use keys::{CURSOR_TAG_BYTES, Keys};
pub use opaque::TokenHash;
pub(crate) use opaque::{Nonce, OpaqueToken};
pub(crate) use settings::TokenSettings;
