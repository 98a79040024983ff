//! Keys and what is made with them: opaque tokens, fingerprints and JWTs.

#[cfg(feature = "jwt")]
pub(crate) mod jwt;
mod keys;
mod opaque;

pub use keys::Fingerprint;
pub(crate) use keys::{CURSOR_TAG_BYTES, Keys};
pub use opaque::TokenHash;
pub(crate) use opaque::{Nonce, OpaqueToken};
