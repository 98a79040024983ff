//! Argon2id on the threads for blocking work, one for each request.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::task::spawn_blocking;

use crate::error::{Error, FieldError};

/// The most characters that are hashed.
const MAX: usize = 256;

/// Where the password is the only factor (NIST SP 800-63B-4, section 3.1.1.2).
const MIN: usize = 15;

/// What unknown accounts are compared with, so that they take as long as known ones (enumeration).
static DUMMY: LazyLock<Option<String>> = LazyLock::new(|| phc("nobody's password").ok());

/// The default cost of the crate is that of OWASP: 19 MiB, 2 passes, 1 lane.
fn phc(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash: PasswordHash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
}

/// Computes the hash for unknown accounts, which the first of them would otherwise wait for.
pub(crate) fn prepare() {
    LazyLock::force(&DUMMY);
}

pub(crate) async fn hash(password: String) -> Result<String, Error> {
    spawn_blocking(move || phc(&password)).await.map_err(Error::internal)?
}

/// Whether the password is that of the account with this hash; of no account it never is.
pub(crate) async fn verify(password: String, hash: Option<String>) -> Result<bool, Error> {
    let known = hash.is_some();
    let right = spawn_blocking(move || {
        let hash = hash.as_ref().or(DUMMY.as_ref()).and_then(|hash| PasswordHash::new(hash).ok());
        hash.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    });
    Ok(right.await.map_err(Error::internal)? && known)
}

/// The rule that a login keeps as well: nothing longer is hashed.
pub(crate) fn check_length(password: &str) -> Result<(), FieldError> {
    match password.chars().nth(MAX) {
        Some(_) => Err(broken("password_too_long", "may have at most 256 characters")),
        None => Ok(()),
    }
}

/// The rules for a password that is about to be set.
pub(crate) fn check_new(password: &str, email: &str) -> Result<(), FieldError> {
    check_length(password)?;
    if password.chars().count() < MIN {
        return Err(broken("password_too_short", "needs at least 15 characters; a sentence is fine"));
    }
    let email = email.to_lowercase();
    let name = email.rsplit_once('@').map_or(&*email, |(name, _)| name);
    if name.chars().count() >= 4 && password.to_lowercase().contains(name) {
        return Err(broken("password_contains_context", "contains your name; choose another one"));
    }
    Ok(())
}

fn broken(code: &'static str, detail: &'static str) -> FieldError {
    FieldError { field: "password", code, detail }
}
