//! What a key is: a name that is no secret, and 256 random bits that are one.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use users_runtime::Error;
use uuid::Uuid;

/// What keys begin with, so that people and scanners of repositories know one when they see it.
const PREFIX: &str = "ak_";

/// A key as a client sends it: `ak_<id>_<secret>`.
pub struct Key {
    pub id: Uuid,
    secret: [u8; 32],
}

/// No key in a log.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Key {
    /// A new key.
    pub fn random() -> Result<Self, Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(Error::internal)?;
        Ok(Self { id: Uuid::now_v7(), secret })
    }

    /// Whether a text means to be a key, right or not.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Reads a key; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        // The key's name has no underscore; the secret may.
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { id: Uuid::try_parse(id).ok()?, secret })
    }

    /// The key in clear, for the one response that shows it.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}_{}", self.id.simple(), BASE64_URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// What is stored of the secret. One round is enough: nobody guesses 256 random bits, whatever a guess costs.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// Whether this is what was stored.
    pub fn fits(&self, hash: &[u8]) -> bool {
        // In constant time: how long it takes says nothing of how many bytes are right.
        self.hash().ct_eq(hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_shown_and_fits_its_hash_alone() {
        let (key, other) = (Key::random().unwrap(), Key::random().unwrap());
        let read = Key::parse(&key.expose()).unwrap();
        assert_eq!(read.id, key.id);
        assert!(read.fits(&key.hash()) && !other.fits(&key.hash()));
        assert!(!key.fits(&[]) && !key.fits(&key.hash()[..31]));
        assert!(!format!("{key:?}").contains(&BASE64_URL_SAFE_NO_PAD.encode(key.secret)));
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        let key = Key::random().unwrap().expose();
        for text in [
            "",
            "ak_",
            "ak__",
            &key[3..],
            &key[..key.len() - 1],
            &format!("{key}A"),
            &format!("{key}="),
            &key.to_uppercase(),
            &key.replacen("ak_", "ak_x", 1),
        ] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
    }
}
