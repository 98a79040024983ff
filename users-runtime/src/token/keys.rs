//! Keys derived from the secret key by HKDF (RFC 5869), one for each purpose.

use std::iter;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    error::Error,
    model::UserModel,
    secret::{PasswordHash, SecretKey},
    token::{Nonce, OpaqueToken, TokenSettings},
};

/// How many bytes of a fingerprint are kept: 128 bits, more than anybody can collide on line.
const FINGERPRINT_BYTES: usize = 16;

/// A key of SHA-256's block length needs no hashing of its own (RFC 2104, section 3).
const MAC_KEY_BYTES: usize = 64;

/// A key for [`mac`].
pub(super) type MacKey = Zeroizing<[u8; MAC_KEY_BYTES]>;

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

/// The derived keys. What is made now is made with the current secret key; what an old one made is still known (S30).
pub(crate) struct Keys {
    current: Derived,
    old: Vec<Derived>,
    #[cfg(feature = "jwt")]
    pub(crate) jwt: super::jwt::JwtKeys,
}

/// What a fingerprint is taken of.
#[derive(Clone)]
struct Account<'u> {
    id: String,
    identifier: &'u str,
    password_hash: &'u PasswordHash,
    is_verified: bool,
}

impl<'u> Account<'u> {
    fn of<U: UserModel>(user: &'u U) -> Self {
        Self {
            id: user.id().to_string(),
            identifier: user.identifier(),
            password_hash: user.password_hash(),
            is_verified: user.is_verified(),
        }
    }
}

/// What is derived from one secret key.
struct Derived {
    fingerprint: MacKey,
    one_time: MacKey,
    cursor: MacKey,
    throttle: MacKey,
    invitation: MacKey,
    #[cfg(any(feature = "oauth2", feature = "session-cookie"))]
    seal: super::seal::SealKey,
}

impl Derived {
    fn of(secret: &SecretKey) -> Result<Self, Error> {
        Ok(Self {
            fingerprint: derive(secret, b"users-runtime/v1/fingerprint")?,
            one_time: derive(secret, b"users-runtime/v1/one-time-token")?,
            cursor: derive(secret, b"users-runtime/v1/cursor")?,
            throttle: derive(secret, b"users-runtime/v1/throttle")?,
            invitation: derive(secret, b"users-runtime/v1/invitation")?,
            #[cfg(any(feature = "oauth2", feature = "session-cookie"))]
            seal: super::seal::SealKey::of(secret)?,
        })
    }

    fn fingerprint(&self, account: &Account<'_>) -> Fingerprint {
        let verified: &[u8] = if account.is_verified { b"1" } else { b"0" };
        let parts = [
            account.id.as_bytes(),
            account.identifier.as_bytes(),
            account.password_hash.expose_phc().as_bytes(),
            verified,
        ];
        Fingerprint(shortened(mac(&self.fingerprint, &parts)))
    }

    fn one_time_token(&self, nonce: &Nonce, purpose: &str) -> OpaqueToken {
        OpaqueToken::from_bytes(mac(&self.one_time, &[nonce.as_bytes(), purpose.as_bytes()]))
    }

    fn cursor_tag(&self, tenant: &[u8], cursor: &[u8]) -> [u8; CURSOR_TAG_BYTES] {
        shortened(mac(&self.cursor, &[tenant, cursor]))
    }
}

impl Keys {
    /// The keys of an application whose tokens, unless the settings say otherwise, are issued by `home` and for it.
    pub(crate) fn derive(
        secret: &SecretKey,
        old: &[SecretKey],
        settings: &TokenSettings,
        home: &str,
    ) -> Result<Self, Error> {
        #[cfg(not(feature = "jwt"))]
        let _ = (settings, home);
        Ok(Self {
            current: Derived::of(secret)?,
            old: old.iter().map(Derived::of).collect::<Result<_, _>>()?,
            #[cfg(feature = "jwt")]
            jwt: super::jwt::JwtKeys::new(secret, old, settings, home)?,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Derived> {
        iter::once(&self.current).chain(&self.old)
    }

    /// What a credential of this user has to remember.
    pub(crate) fn fingerprint<U: UserModel>(&self, user: &U) -> Fingerprint {
        self.current.fingerprint(&Account::of(user))
    }

    /// Whether a credential remembers what this user is now, under the current secret key or an old one.
    pub(crate) fn fits<U: UserModel>(&self, fingerprint: &Fingerprint, user: &U) -> bool {
        self.fits_account(fingerprint, &Account::of(user))
    }

    fn fits_account(&self, fingerprint: &Fingerprint, account: &Account<'_>) -> bool {
        // Every key is tried, so that the time says nothing of the one that fits.
        let fits = |found: Choice, keys: &Derived| found | keys.fingerprint(account).0.ct_eq(&fingerprint.0);
        self.all().fold(Choice::from(0), fits).into()
    }

    /// The token of the mail that an outbox row asks for, and the fingerprint that goes with it. The row holds the nonce
    /// and the tokens' table a hash, so reading the database gives no token.
    ///
    /// A row that is sent twice carries the same token twice: when it remembers a fingerprint, the token is made with the
    /// key which that one is under, whatever the current key is, because the first mail may have arrived. `None` when it
    /// remembers an account that was another.
    pub(crate) fn mail_token<U: UserModel>(
        &self,
        user: &U,
        nonce: &Nonce,
        purpose: &str,
        remembered: Option<&Fingerprint>,
    ) -> Option<(Fingerprint, OpaqueToken)> {
        self.token_for(&Account::of(user), nonce, purpose, remembered)
    }

    fn token_for(
        &self,
        account: &Account<'_>,
        nonce: &Nonce,
        purpose: &str,
        remembered: Option<&Fingerprint>,
    ) -> Option<(Fingerprint, OpaqueToken)> {
        let keys = match remembered {
            Some(remembered) => self.all().find(|keys| keys.fingerprint(account) == *remembered)?,
            None => &self.current,
        };
        Some((keys.fingerprint(account), keys.one_time_token(nonce, purpose)))
    }
}

impl Keys {
    /// The name under which the attempts at an identifier are counted, which says nothing of it. After a change of the
    /// secret key, counts begin anew.
    pub(crate) fn throttle_name(&self, tenant: &[u8], identifier: &str) -> String {
        let length = u64::try_from(tenant.len()).unwrap_or(u64::MAX).to_be_bytes();
        BASE64_URL.encode(mac(&self.current.throttle, &[&length, tenant, identifier.as_bytes()]))
    }
}

/// How many bytes vouch for a cursor: 128 bits.
pub(crate) const CURSOR_TAG_BYTES: usize = 16;

impl Keys {
    /// What vouches for the cursor of a list: that it was issued here, and for this tenant.
    pub(crate) fn cursor_tag(&self, tenant: &[u8], cursor: &[u8]) -> [u8; CURSOR_TAG_BYTES] {
        self.current.cursor_tag(tenant, cursor)
    }

    /// Whether a cursor carries the right tag.
    pub(crate) fn vouches_for(&self, tag: &[u8], tenant: &[u8], cursor: &[u8]) -> bool {
        self.all().any(|keys| keys.cursor_tag(tenant, cursor).ct_eq(tag).into())
    }
}

/// The longest invitation, in bytes of text: an address and some roles fit several times.
const INVITATION_MAX_BYTES: usize = 8 * 1024;

/// How many bytes vouch for an invitation.
const INVITATION_TAG_BYTES: usize = 32;

impl Keys {
    /// The text of an invitation: what it says, readable for whoever holds it, and what vouches for that.
    pub(crate) fn invitation(&self, said: &[u8]) -> Zeroizing<String> {
        let signed = [said, &mac(&self.current.invitation, &[said])].concat();
        Zeroizing::new(BASE64_URL.encode(signed))
    }

    /// What an invitation says, if one of these keys vouches for it.
    pub(crate) fn read_invitation(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > INVITATION_MAX_BYTES {
            return None;
        }
        let signed = BASE64_URL.decode(text).ok()?;
        let (said, tag) = signed.split_last_chunk::<INVITATION_TAG_BYTES>()?;
        let vouches = |keys: &Derived| mac(&keys.invitation, &[said]).ct_eq(tag).into();
        self.all().any(vouches).then(|| said.to_vec())
    }
}

#[cfg(any(feature = "oauth2", feature = "session-cookie"))]
impl Keys {
    /// Hides a value in a text that a client keeps under `name` until `expires_at`, in milliseconds since 1970: nobody
    /// else reads it, and nobody changes it or carries it to another name.
    pub(crate) fn seal(&self, name: &str, expires_at: i64, plain: &[u8]) -> Result<String, Error> {
        self.current.seal.seal(name, expires_at, plain)
    }

    /// The value in a text that [`Keys::seal`] made for this name and that has not expired; `None` for every other text.
    pub(crate) fn open(&self, name: &str, text: &str, now: i64) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = super::seal::Sealed::parse(text, now)?;
        self.all().find_map(|keys| keys.seal.open(name, &sealed))
    }
}

/// A key for one purpose.
pub(super) fn derive<const BYTES: usize>(
    secret: &SecretKey,
    purpose: &[u8],
) -> Result<Zeroizing<[u8; BYTES]>, Error> {
    let mut key = Zeroizing::new([0; BYTES]);
    Hkdf::<Sha256>::new(None, secret.expose())
        .expand(purpose, key.as_mut_slice())
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(key)
}

/// HMAC-SHA256 over parts, each behind its length, so that no two lists of parts give the same input.
pub(super) fn mac(key: &MacKey, parts: &[&[u8]]) -> [u8; 32] {
    let key: &[u8; MAC_KEY_BYTES] = key;
    let mut mac = Hmac::<Sha256>::new(key.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The first bytes of a MAC, which vouch for as much as they are long.
fn shortened<const BYTES: usize>(mac: [u8; 32]) -> [u8; BYTES] {
    std::array::from_fn(|index| mac[index])
}

#[cfg(test)]
mod tests;
