//! Types that hold secrets: redacted `Debug`, no `Serialize`, one explicit way in and one out.

mod weak;

use std::fmt;

use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use self::weak::WeakKey;
#[cfg(feature = "jwt")]
pub(crate) use self::weak::check as check_strength;

/// A password as a person typed it: never folded, trimmed or cut (NIST SP 800-63B-4, section 3.1.1.2).
///
/// It is wiped from memory when dropped and cannot be serialised.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password over.
    pub fn new(password: impl Into<String>) -> Self {
        Self(Zeroizing::new(password.into()))
    }

    /// The characters; whoever calls this decides where they go.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A stored password hash in PHC string format, such as `$argon2id$v=19$m=19456,t=2,p=1$...`.
///
/// It has no `Serialize`: a DTO that would carry it does not compile.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// Takes over a stored hash, of this crate or of a scheme that [`Config::with_scheme`] adds.
    ///
    /// [`Config::with_scheme`]: crate::Config::with_scheme
    pub fn from_phc(phc: impl Into<String>) -> Self {
        Self(Zeroizing::new(phc.into()))
    }

    /// The stored form.
    #[must_use]
    pub fn expose_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl<DB: sqlx::Database> sqlx::Type<DB> for PasswordHash
where
    String: sqlx::Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as sqlx::Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <String as sqlx::Type<DB>>::compatible(ty)
    }
}

impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for PasswordHash
where
    String: sqlx::Encode<'q, DB>,
{
    fn encode_by_ref(
        &self,
        buffer: &mut DB::ArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        self.0.encode_by_ref(buffer)
    }
}

impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for PasswordHash
where
    String: sqlx::Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        <String as sqlx::Decode<'r, DB>>::decode(value).map(Self::from_phc)
    }
}

/// The application's root secret, from which every key is derived by HKDF, one for each purpose.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

/// The least length of a [`SecretKey`], in bytes: the output length of SHA-256 (RFC 7518, section 3.2).
pub const SECRET_KEY_MIN_BYTES: usize = 32;

impl SecretKey {
    /// Takes a secret over.
    ///
    /// # Errors
    /// When it is shorter than [`SECRET_KEY_MIN_BYTES`] or plainly not random: when it repeats or counts, is made of
    /// words, or holds a placeholder such as `changeme`. The message has the command that makes a good one.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, WeakKey> {
        let bytes = Zeroizing::new(bytes.into());
        weak::check(&bytes, SECRET_KEY_MIN_BYTES)?;
        Ok(Self(bytes))
    }

    /// A random key from the operating system: every credential dies with the process that made it.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn generate() -> Result<Self, WeakKey> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_KEY_MIN_BYTES]);
        getrandom::fill(&mut bytes).map_err(|error| WeakKey::Randomness(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// The key as text, for a variable of the environment.
    #[cfg(feature = "cli")]
    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, self.expose()))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Password::new("hunter2hunter2"),
            PasswordHash::from_phc("$argon2id$abc"),
            SecretKey::generate().unwrap(),
        );
        assert_eq!(shown, "Password(..) PasswordHash(..) SecretKey(..)");
    }
}
