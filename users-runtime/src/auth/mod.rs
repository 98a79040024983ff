//! Authentication backends: who a request is from, and what a client is given to say so.

mod cookie;
#[cfg(feature = "jwt")]
mod jwt;
mod list;
#[cfg(feature = "session")]
mod session;

use std::future::{Future, ready};

use http::{HeaderName, HeaderValue, request::Parts};

#[cfg(feature = "jwt")]
pub use jwt::{Jwt, JwtCookie};
#[cfg(feature = "session")]
pub use session::Session;

use crate::{
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    model::UserModel,
    principal::Principal,
};

/// An authentication backend. `"session"`, `"jwt"` and `"jwt_cookie"` are implementations; a type of your own is
/// named by its path, as in `#[users_app(auth = my::ApiKeys)]`, and has one method to write.
///
/// Whether the account is active and verified is checked for every backend in one place, after this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authentication backend for `{U}`",
    label = "implement `users_runtime::Backend<{U}>` for it",
    note = "the trait has one required method, `authenticate`"
)]
pub trait Backend<U: Storable>: Send + Sync + 'static {
    /// Finds out who a request is from.
    ///
    /// # Errors
    /// Only when it cannot be found out, such as when a store is gone. A credential that is no good is
    /// [`Recognition::Refused`].
    fn authenticate(
        &self,
        directory: &Directory<U>,
        request: &Parts,
    ) -> impl Future<Output = Result<Recognition<U>, Error>> + Send;

    /// The scheme of the header `WWW-Authenticate` in a 401.
    fn challenge(&self) -> &'static str {
        "Bearer"
    }

    /// Whether this request's credential is one that a browser adds by itself, so that a page of another origin
    /// could have sent it (S49). The default is the safe answer.
    fn is_ambient(&self, request: &Parts) -> bool {
        let _ = request;
        true
    }

    /// Gives a client its credential, inside the transaction of the login; `None` for a backend without a login.
    fn log_in(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        user: &U,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<Option<Credential>, Error>> + Send {
        let _ = (directory, request, user, transaction);
        ready(Ok(None))
    }

    /// Ends the credential of a request, and says how a client forgets it.
    fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<Credential, Error>> + Send {
        let _ = (directory, request, transaction);
        ready(Ok(Credential::default()))
    }
}

/// What a backend makes of a request.
#[derive(Debug)]
pub enum Recognition<U: UserModel> {
    /// There is no credential of this backend's kind.
    Absent,
    /// There is one, and it is no good.
    Refused,
    /// There is one, and it stands for this user.
    Accepted(Principal<U>),
}

/// What a client is given at login, or told at logout.
#[derive(Debug, Default)]
pub struct Credential {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) token: Option<AccessToken>,
}

impl Credential {
    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.push((name, value));
        self
    }
}

/// A token that a client may ask for in the body.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) expires_in: u64,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(..)")
    }
}
