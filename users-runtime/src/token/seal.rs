//! Values that a client keeps and cannot read: AES-256-GCM (NIST SP 800-38D), each under a key of its own.
//!
//! A sealed value is, in base64url without padding:
//!
//! | bytes | |
//! | --- | --- |
//! | 1 | the version of this format |
//! | 4 | the key's identifier |
//! | 8 | when it expires, in milliseconds since 1970, big-endian |
//! | 24 | random: 12 that its own key is derived with, 12 as nonce |
//! | any | the value, encrypted |
//! | 16 | the tag, which vouches for all of this and for the name that the value was sealed under |
//!
//! A key of AES-GCM may seal 2^32 values under random nonces (SP 800-38D, section 8.3), which a busy server would reach
//! in weeks. So no two values share a key and a nonce unless 192 random bits are the same: after 2^80 values that is as
//! likely as the standard allows, one in 2^32.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use zeroize::Zeroizing;

use super::{
    keys::{MacKey, derive, mac},
    opaque::random_bytes,
};
use crate::{error::Error, secret::SecretKey};

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
/// The bytes before the random ones.
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + 8;
/// The bytes that a value's own key is derived with, and as many of its nonce.
const HALF_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The longest sealed text: servers refuse headers of more than 32 KiB or so. Over how many cookies a text is split, and
/// that none is too long, is up to whoever sets them.
pub(super) const SEALED_MAX_BYTES: usize = 24 * 1024;

/// The key that the keys of values are derived from.
pub(super) struct SealKey {
    key: MacKey,
    /// Which key this is, to whoever reads a cookie; of two with the same one, both are tried.
    id: [u8; KEY_ID_BYTES],
}

impl SealKey {
    pub(super) fn of(secret: &SecretKey) -> Result<Self, Error> {
        Ok(Self {
            key: derive(secret, b"users-runtime/v1/seal")?,
            id: *derive(secret, b"users-runtime/v1/seal-id")?,
        })
    }

    fn cipher(&self, salt: &[u8; HALF_BYTES]) -> Aes256Gcm {
        let key = Zeroizing::new(mac(&self.key, &[salt]));
        let key: &[u8; 32] = &key;
        Aes256Gcm::new(key.into())
    }

    pub(super) fn seal(&self, name: &str, expires_at: i64, plain: &[u8]) -> Result<String, Error> {
        let salt: [u8; HALF_BYTES] = random_bytes()?;
        let nonce: [u8; HALF_BYTES] = random_bytes()?;
        let mut head = [0; HEAD_BYTES];
        head[0] = VERSION;
        head[1..=KEY_ID_BYTES].copy_from_slice(&self.id);
        head[1 + KEY_ID_BYTES..].copy_from_slice(&expires_at.to_be_bytes());
        let mut sealed = [&head[..], &salt, &nonce, plain].concat();
        let tag = self
            .cipher(&salt)
            .encrypt_inout_detached(
                &Nonce::from(nonce),
                &associated(&head, name),
                (&mut sealed[HEAD_BYTES + 2 * HALF_BYTES..]).into(),
            )
            .map_err(|error| Error::internal(error.to_string()))?;
        sealed.extend_from_slice(&tag);
        let text = BASE64_URL.encode(sealed);
        if text.len() > SEALED_MAX_BYTES {
            return Err(Error::internal("the value is too long for cookies"));
        }
        Ok(text)
    }

    /// The value, if this key sealed it under this name.
    pub(super) fn open(&self, name: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.head[1..=KEY_ID_BYTES] != self.id {
            return None;
        }
        let mut value = Zeroizing::new(sealed.value.clone());
        self.cipher(&sealed.salt)
            .decrypt_inout_detached(
                &Nonce::from(sealed.nonce),
                &associated(&sealed.head, name),
                value.as_mut_slice().into(),
                &Tag::from(sealed.tag),
            )
            .ok()?;
        Some(value)
    }
}

/// What the tag vouches for beside the value. The head has a fixed length, so no two pairs give the same bytes.
fn associated(head: &[u8; HEAD_BYTES], name: &str) -> Vec<u8> {
    [head, name.as_bytes()].concat()
}

/// A text that may be a sealed value, in its parts.
pub(super) struct Sealed {
    head: [u8; HEAD_BYTES],
    salt: [u8; HALF_BYTES],
    nonce: [u8; HALF_BYTES],
    value: Vec<u8>,
    tag: [u8; TAG_BYTES],
}

impl Sealed {
    /// The parts of a text, unless it says itself that it has expired.
    pub(super) fn parse(text: &str, now: i64) -> Option<Self> {
        if text.len() > SEALED_MAX_BYTES {
            return None;
        }
        // Strict: of the texts that stand for the same bytes in laxer readings, this takes one.
        let bytes = BASE64_URL.decode(text).ok()?;
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (value, tag) = rest.split_last_chunk()?;
        let expires_at = i64::from_be_bytes(*head.last_chunk()?);
        (head[0] == VERSION && now < expires_at).then(|| Self {
            head: *head,
            salt: *salt,
            nonce: *nonce,
            value: value.to_vec(),
            tag: *tag,
        })
    }
}

#[cfg(test)]
mod tests;
