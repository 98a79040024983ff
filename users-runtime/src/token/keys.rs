//! Keys derived from the secret key by HKDF (RFC 5869), one for each purpose.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    error::Error,
    model::UserModel,
    secret::SecretKey,
    token::{Nonce, OpaqueToken},
};

/// How many bytes of a fingerprint are kept: 128 bits, more than anybody can collide on line.
const FINGERPRINT_BYTES: usize = 16;

/// A key of SHA-256's block length needs no hashing of its own (RFC 2104, section 3).
const MAC_KEY_BYTES: usize = 64;

/// What a credential remembers of the account it was issued for: a keyed digest over key, identifier, password
/// hash and whether the mailbox is proven. When one of them changes, the credential dies with no table to keep.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprint([u8; FINGERPRINT_BYTES]);

impl Fingerprint {
    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The fingerprint in stored bytes; `None` for bytes of another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

/// The derived keys.
pub(crate) struct Keys {
    fingerprint: Zeroizing<[u8; MAC_KEY_BYTES]>,
    one_time: Zeroizing<[u8; MAC_KEY_BYTES]>,
    cursor: Zeroizing<[u8; MAC_KEY_BYTES]>,
    #[cfg(feature = "jwt")]
    pub(crate) jwt: super::jwt::JwtKeys,
}

impl Keys {
    pub(crate) fn derive(secret: &SecretKey) -> Result<Self, Error> {
        Ok(Self {
            fingerprint: derive(secret, b"users-runtime/v1/fingerprint")?,
            one_time: derive(secret, b"users-runtime/v1/one-time-token")?,
            cursor: derive(secret, b"users-runtime/v1/cursor")?,
            #[cfg(feature = "jwt")]
            jwt: super::jwt::JwtKeys::new(derive::<32>(secret, b"users-runtime/v1/jwt")?.as_slice()),
        })
    }

    /// What a credential of this user has to remember.
    pub(crate) fn fingerprint<U: UserModel>(&self, user: &U) -> Fingerprint {
        let id = user.id().to_string();
        let verified: &[u8] = if user.is_verified() { b"1" } else { b"0" };
        let parts = [
            id.as_bytes(),
            user.identifier().as_bytes(),
            user.password_hash().expose_phc().as_bytes(),
            verified,
        ];
        let mut digest = [0; FINGERPRINT_BYTES];
        digest.copy_from_slice(&mac(&self.fingerprint, &parts)[..FINGERPRINT_BYTES]);
        Fingerprint(digest)
    }

    /// The token of the mail that an outbox row asks for. The row holds the nonce and the tokens' table a hash, so
    /// reading the database gives no token; a row that is sent twice carries the same token twice.
    pub(crate) fn one_time_token(&self, nonce: &Nonce, purpose: &str) -> OpaqueToken {
        OpaqueToken::from_bytes(mac(&self.one_time, &[nonce.as_bytes(), purpose.as_bytes()]))
    }
}

/// How many bytes vouch for a cursor: 128 bits.
pub(crate) const CURSOR_TAG_BYTES: usize = 16;

impl Keys {
    /// What vouches for the cursor of a list: that it was issued here, and for this tenant.
    pub(crate) fn cursor_tag(&self, tenant: &[u8], cursor: &[u8]) -> [u8; CURSOR_TAG_BYTES] {
        let mut tag = [0; CURSOR_TAG_BYTES];
        tag.copy_from_slice(&mac(&self.cursor, &[tenant, cursor])[..CURSOR_TAG_BYTES]);
        tag
    }

    /// Whether a cursor carries the right tag.
    pub(crate) fn vouches_for(&self, tag: &[u8], tenant: &[u8], cursor: &[u8]) -> bool {
        self.cursor_tag(tenant, cursor).ct_eq(tag).into()
    }
}

fn derive<const BYTES: usize>(secret: &SecretKey, purpose: &[u8]) -> Result<Zeroizing<[u8; BYTES]>, Error> {
    let mut key = Zeroizing::new([0; BYTES]);
    Hkdf::<Sha256>::new(None, secret.expose())
        .expand(purpose, key.as_mut_slice())
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(key)
}

/// HMAC-SHA256 over parts, each behind its length, so that no two lists of parts give the same input.
fn mac(key: &[u8; MAC_KEY_BYTES], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(key.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
