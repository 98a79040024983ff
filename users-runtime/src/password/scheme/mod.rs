//! Stored hashes of other schemes: they verify, and the next login replaces them (S09).

#[cfg(feature = "bcrypt")]
mod bcrypt;
#[cfg(feature = "pbkdf2")]
mod pbkdf2;

#[cfg(feature = "bcrypt")]
pub use self::bcrypt::Bcrypt;
#[cfg(feature = "pbkdf2")]
pub use self::pbkdf2::Pbkdf2;

/// A way in which passwords were hashed before they came here.
///
/// Both methods run on a thread that does nothing but hash and may take their time there; a panic
/// is caught and answered as an internal error. `recognises` should refuse hashes that ask for absurd amounts of work.
pub trait PasswordScheme: Send + Sync + 'static {
    /// Whether `stored` is a well-formed hash of this scheme. Argon2 hashes are never asked about.
    fn recognises(&self, stored: &str) -> bool;

    /// Whether `stored`, which was recognised, is the hash of `password`, compared in constant time.
    fn verify(&self, password: &[u8], stored: &str) -> bool;
}
