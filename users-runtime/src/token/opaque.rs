//! Opaque tokens: 256 bits from the operating system or from a MAC, of which stores see only the SHA-256.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Error;

const TOKEN_BYTES: usize = 32;

/// A bearer secret of 256 bits: a session identifier or the token of a mail.
pub(crate) struct OpaqueToken(Zeroizing<[u8; TOKEN_BYTES]>);

impl OpaqueToken {
    /// A new one from the operating system's generator (S18).
    pub(crate) fn random() -> Result<Self, Error> {
        Ok(Self::from_bytes(random_bytes()?))
    }

    pub(crate) fn from_bytes(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The token in what a client sent; `None` for anything that this crate would not have issued.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        bytes.as_slice().try_into().ok().map(Self::from_bytes)
    }

    /// The text that goes to the client, 43 characters of base64url.
    pub(crate) fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// The bits, for a token that holds them beside something else.
    pub(crate) fn expose_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// What stores keep.
    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.as_slice())
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(..)")
    }
}

/// The SHA-256 of a token: all that a store may hold of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash in stored bytes; `None` for bytes of another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// What makes the token of one mail differ from that of every other; worthless without the key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nonce([u8; TOKEN_BYTES]);

impl Nonce {
    pub(crate) fn random() -> Result<Self, Error> {
        random_bytes().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What identifies the mail: the same for each sending, whatever key its token is made with, and no help in finding
    /// the nonce.
    pub(crate) fn message_id(&self) -> TokenHash {
        TokenHash::of(&[b"message-id".as_slice(), &self.0].concat())
    }
}

/// Bytes from the operating system's generator.
pub(super) fn random_bytes<const BYTES: usize>() -> Result<[u8; BYTES], Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s18_tokens_are_256_random_bits_and_the_hash_is_another_value() {
        let (one, two) = (OpaqueToken::random().unwrap(), OpaqueToken::random().unwrap());
        assert_eq!(one.expose().len(), 43);
        assert_ne!(*one.expose(), *two.expose());
        assert_ne!(one.hash().as_bytes(), one.0.as_slice());
        assert_eq!(OpaqueToken::parse(&one.expose()).unwrap().hash(), one.hash());
    }

    #[test]
    fn anything_else_is_no_token() {
        for text in ["", "a", "=", "AAAA", &"A".repeat(44), &"\u{e4}".repeat(43), &"+/".repeat(22)] {
            assert!(OpaqueToken::parse(text).is_none(), "{text}");
        }
    }
}
