//! What an application does at each step of an account's life.

use std::future::{Future, ready};

use http::request::Parts;

#[cfg(feature = "oauth2")]
use crate::oauth::OAuthIdentity;
use crate::{db::Transaction, error::Error, event::Event, model::UserModel, principal::Principal};

/// An attempt that may be a guess, before it is made. The counts are the same whether or not there is such an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// What is attempted: `log_in`, `register`, `verify`, `resend_verification`, `forgot_password`, `reset_password`,
    /// `update_account` or `delete_account`.
    pub operation: &'static str,
    /// How often somebody failed at this account lately; 0 for an attempt that names none.
    pub account_failures: u32,
    /// How often this client failed at this route lately; 0 when its address is not known.
    pub client_failures: u32,
}

/// The application's part in an account's life, named by `#[users_app(hooks = ...)]`.
///
/// Every method has a default that does nothing, so an implementation states only what it wants:
///
/// ```
/// use users_runtime::{Error, Hooks, Parts, Transaction, UserModel};
///
/// #[derive(Default)]
/// struct CompanyOnly;
///
/// impl<U: UserModel> Hooks<U> for CompanyOnly {
///     async fn before_login(&self, _request: &Parts, user: &U) -> Result<(), Error> {
///         if user.identifier().ends_with("@example.com") {
///             Ok(())
///         } else {
///             Err(Error::refused("company_only", "log in with your company address"))
///         }
///     }
/// }
/// ```
///
/// An error stops the step. [`Error::refused`] answers 403 with a code of your choice; [`Error::internal`] answers
/// 500 and logs the cause. The `after_*` methods that are given the transaction run inside it: what they write is
/// stored together with the step, and their error rolls the step back. Called where no request is at hand, such as
/// seeding at start-up, `request` is an empty one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks for `{U}`",
    label = "write `impl Hooks<{U}> for {Self} {{}}`; every method has a default",
    note = "`hooks` names a type of yours that implements `users_runtime::Hooks`"
)]
pub trait Hooks<U: UserModel>: Send + Sync + 'static {
    /// Before a registration is stored; may change or refuse it. It has been validated, and is again afterwards.
    fn before_register(
        &self,
        request: &Parts,
        registration: &mut U::Registration,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, registration);
        ready(Ok(()))
    }

    /// After a user is stored, in the same transaction.
    fn after_register(
        &self,
        request: &Parts,
        user: &U,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user, transaction);
        ready(Ok(()))
    }

    /// Before an attempt that may be a guess: the place to ask for a captcha. What is refused here is not counted as a
    /// failure. Limits hold whatever this says.
    ///
    /// ```
    /// use users_runtime::{Attempt, Error, Hooks, Parts, UserModel};
    ///
    /// #[derive(Default)]
    /// struct Captchas;
    ///
    /// async fn is_solved(request: &Parts) -> bool {
    ///     // Ask the captcha's service about the header that the page has sent.
    ///     request.headers.contains_key("x-captcha")
    /// }
    ///
    /// impl<U: UserModel> Hooks<U> for Captchas {
    ///     async fn before_attempt(&self, request: &Parts, attempt: &Attempt) -> Result<(), Error> {
    ///         let suspicious = attempt.account_failures >= 2 || attempt.client_failures >= 4;
    ///         if suspicious && !is_solved(request).await {
    ///             return Err(Error::refused("captcha_required", "solve the captcha, then try again"));
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    fn before_attempt(
        &self,
        request: &Parts,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, attempt);
        ready(Ok(()))
    }

    /// After the password was right and before the credential is issued: the place for a veto.
    fn before_login(&self, request: &Parts, user: &U) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user);
        ready(Ok(()))
    }

    /// After a login has succeeded, in the transaction that issues its credential.
    fn after_login(
        &self,
        request: &Parts,
        user: &U,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user, transaction);
        ready(Ok(()))
    }

    /// After a backend accepted the credential of a request, at every one of them: the place for an application's own
    /// word on who that is. It answers the user who was found, with claims of its own perhaps, another one, or `None` for
    /// a credential that counts as no good (401). Whether the user is active and verified is checked afterwards, whoever
    /// it is.
    ///
    /// ```
    /// use users_runtime::{Error, Hooks, Parts, Principal, UserModel};
    ///
    /// /// What a request may do, by the network that it comes from.
    /// pub struct Reach {
    ///     pub inside: bool,
    /// }
    ///
    /// #[derive(Default)]
    /// struct Networks;
    ///
    /// impl<U: UserModel> Hooks<U> for Networks {
    ///     async fn retrieve_user(&self, request: &Parts, found: Principal<U>) -> Result<Option<Principal<U>>, Error> {
    ///         let inside = request.headers.get("x-network").is_some_and(|network| network == "office");
    ///         Ok(Some(found.with_claims(Reach { inside })))
    ///     }
    /// }
    /// ```
    fn retrieve_user(
        &self,
        request: &Parts,
        found: Principal<U>,
    ) -> impl Future<Output = Result<Option<Principal<U>>, Error>> + Send {
        let _ = request;
        ready(Ok(Some(found)))
    }

    /// Before a mailbox counts as proven.
    fn before_verify(&self, request: &Parts, user: &U) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user);
        ready(Ok(()))
    }

    /// After a mailbox counts as proven, in the same transaction.
    fn after_verify(
        &self,
        request: &Parts,
        user: &U,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user, transaction);
        ready(Ok(()))
    }

    /// Before a password is replaced, by its owner or through a reset.
    fn before_password_change(
        &self,
        request: &Parts,
        user: &U,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user);
        ready(Ok(()))
    }

    /// After a password is replaced, in the same transaction.
    fn after_password_change(
        &self,
        request: &Parts,
        user: &U,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user, transaction);
        ready(Ok(()))
    }

    /// After an event is recorded for good: the place to tell other systems of it, such as one that watches for attacks.
    ///
    /// It runs beside the request, in the order of the events, and can change nothing about the answer: an error or a panic
    /// is logged. What it hears is a best effort. Of a process that ends, or falls behind by a thousand events, it does not
    /// hear the rest, and of what commands record it hears nothing. The table is the record, and
    /// [`Users::events_after`](crate::Users::events_after) is how everything in it is carried elsewhere.
    fn on_event(&self, event: &Event) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = event;
        ready(Ok(()))
    }

    /// What the application itself holds about a user, for the export of the route `GET /users/me/export`, where it stands
    /// under the key `application`.
    fn export(
        &self,
        user: &U,
    ) -> impl Future<Output = Result<serde_json::Map<String, serde_json::Value>, Error>> + Send {
        let _ = user;
        ready(Ok(serde_json::Map::new()))
    }

    /// Before somebody whom a provider vouches for is registered: the place for what the registration has to say beside
    /// the identifier. `fields` are those of the registration's body, with the identifier in them where the provider
    /// tells it; for a model with a name as identifier, this names it. The registration then goes the way of every
    /// other one, [`before_register`](Self::before_register) included.
    ///
    /// ```
    /// use serde_json::{Map, Value};
    /// use users_runtime::{Error, Hooks, OAuthIdentity, Parts, UserModel};
    ///
    /// #[derive(Default)]
    /// struct Names;
    ///
    /// impl<U: UserModel> Hooks<U> for Names {
    ///     async fn before_oauth_register(
    ///         &self,
    ///         _request: &Parts,
    ///         identity: &OAuthIdentity,
    ///         fields: &mut Map<String, Value>,
    ///     ) -> Result<(), Error> {
    ///         if let Some(name) = &identity.name {
    ///             fields.insert("display_name".to_owned(), name.as_str().into());
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[cfg(feature = "oauth2")]
    fn before_oauth_register(
        &self,
        request: &Parts,
        identity: &OAuthIdentity,
        fields: &mut serde_json::Map<String, serde_json::Value>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, identity, fields);
        ready(Ok(()))
    }

    /// Before a provider's account is linked to a user, at registration or later: the place for a veto, and for columns of
    /// the application's own in `account`.
    #[cfg(feature = "oauth2")]
    fn before_oauth_link(
        &self,
        request: &Parts,
        user: &U,
        identity: &OAuthIdentity,
        account: &mut U::OAuthAccount,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user, identity, account);
        ready(Ok(()))
    }

    /// After a provider's account is linked to a user, in the same transaction.
    #[cfg(feature = "oauth2")]
    fn after_oauth_link(
        &self,
        request: &Parts,
        user: &U,
        identity: &OAuthIdentity,
        transaction: &mut Transaction,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (request, user, identity, transaction);
        ready(Ok(()))
    }
}

/// No hooks: every step happens as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHooks;

impl<U: UserModel> Hooks<U> for NoHooks {}
