//! Who may pass: keys with a scope, and people who are logged in.

use users_runtime::{Error, Guard, Principal};

use crate::accounts::User;

/// The scopes that keys may have.
pub const SCOPES: [&str; 2] = ["reports:read", "reports:write"];

/// What a key may do; the backend says it of the user whose key it is. A login comes without: it may do everything.
#[derive(Debug)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// From what is stored: words with spaces between them.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    fn has(&self, scope: &str) -> bool {
        self.0.iter().any(|own| own == scope)
    }
}

/// Lets pass keys that have this scope, and people who are logged in.
pub fn requires_scope(scope: &'static str) -> RequiresScope {
    RequiresScope(scope)
}

/// The guard that [`requires_scope`] makes.
#[derive(Debug, Clone, Copy)]
pub struct RequiresScope(&'static str);

impl Guard<User> for RequiresScope {
    fn allows(&self, user: &Principal<User>) -> bool {
        user.claims::<Scopes>().is_none_or(|scopes| scopes.has(self.0))
    }

    fn refusal(&self, _user: &Principal<User>) -> Error {
        Error::refused("insufficient_scope", format!("make a key with the scope `{}`", self.0))
    }
}

/// Lets pass people who are logged in, and no key: one that leaks must not make another that outlives it.
#[derive(Debug, Clone, Copy)]
pub struct LoggedIn;

impl Guard<User> for LoggedIn {
    fn allows(&self, user: &Principal<User>) -> bool {
        user.claims::<Scopes>().is_none()
    }

    fn refusal(&self, _user: &Principal<User>) -> Error {
        Error::refused("login_required", "log in to do this; no key is enough")
    }
}
