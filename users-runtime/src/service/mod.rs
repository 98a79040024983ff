//! The application's state, and what it does for people: no HTTP, no SQL.

mod account;
mod login;
mod mailer;
mod password_reset;
mod register;
mod verify;

use std::sync::Arc;

use http::request::Parts;

use crate::{
    app::Application,
    config::Config,
    db::{Database, Pool},
    directory::Directory,
    error::Error,
    model::UserModel,
    validate::{CanonicalIdentifier, FieldErrors, Violation, canonicalise},
};

/// The state of an application: its users and everything that is done with them. Cloning shares it.
///
/// It is axum state like any other: a router of yours takes it with `State<accounts::Users>`, alone or out of your own
/// state through `FromRef`.
pub struct Users<A: Application>(Arc<Inner<A>>);

struct Inner<A: Application> {
    directory: Directory<A::User>,
    backend: A::Auth,
    hooks: A::Hooks,
}

impl<A: Application> Clone for Users<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Application> std::fmt::Debug for Users<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").field("config", &self.0.directory.config).finish_non_exhaustive()
    }
}

impl<A: Application> Users<A>
where
    A::Auth: Default,
    A::Hooks: Default,
{
    /// Opens a database by URL, such as `sqlite://app.db`, and makes its tables ready.
    ///
    /// # Errors
    /// When a setting makes no sense, the database does not answer, or the user's table does not fit the struct; the
    /// message says what to write instead.
    pub async fn connect(url: &str, config: Config) -> Result<Self, Error> {
        Self::builder(config).connect(url).await
    }

    /// The same over a pool that the application already has.
    ///
    /// # Errors
    /// As [`Users::connect`].
    pub async fn with_pool(pool: impl Into<Pool>, config: Config) -> Result<Self, Error> {
        Self::builder(config).with_pool(pool).await
    }

    /// For a backend or hooks that hold something: they are given as values instead of made by `Default`.
    #[must_use]
    pub fn builder(config: Config) -> UsersBuilder<A> {
        UsersBuilder { config, backend: A::Auth::default(), hooks: A::Hooks::default() }
    }
}

/// An application's state before it has a database.
pub struct UsersBuilder<A: Application> {
    config: Config,
    backend: A::Auth,
    hooks: A::Hooks,
}

impl<A: Application> std::fmt::Debug for UsersBuilder<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsersBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<A: Application> UsersBuilder<A> {
    /// With a backend and hooks that have no `Default`.
    pub fn new(config: Config, backend: A::Auth, hooks: A::Hooks) -> Self {
        Self { config, backend, hooks }
    }

    /// With this backend.
    #[must_use]
    pub fn backend(self, backend: A::Auth) -> Self {
        Self { backend, ..self }
    }

    /// With these hooks.
    #[must_use]
    pub fn hooks(self, hooks: A::Hooks) -> Self {
        Self { hooks, ..self }
    }

    /// Opens a database by URL.
    ///
    /// # Errors
    /// As [`Users::connect`].
    pub async fn connect(self, url: &str) -> Result<Users<A>, Error> {
        self.config.check()?;
        let database = Database::connect(url).await?;
        self.start(database).await
    }

    /// Takes a pool that the application already has.
    ///
    /// # Errors
    /// As [`Users::connect`].
    pub async fn with_pool(self, pool: impl Into<Pool>) -> Result<Users<A>, Error> {
        self.start(Database::over(pool.into())).await
    }

    async fn start(self, database: Database) -> Result<Users<A>, Error> {
        let transport = self.config.transport()?;
        let directory = Directory::new(self.config, database)?;
        directory.database.migrate::<A::User>().await?;
        let inner = Arc::new(Inner { directory, backend: self.backend, hooks: self.hooks });
        mailer::spawn(&inner, transport);
        Ok(Users(inner))
    }
}

impl<A: Application> Users<A> {
    /// The users as a backend looks them up.
    #[must_use]
    pub fn directory(&self) -> &Directory<A::User> {
        &self.0.directory
    }

    /// How many passwords were hashed or checked since the start: for metrics. A login costs one, whether or not the
    /// account exists (S11).
    #[must_use]
    pub fn password_computations(&self) -> u64 {
        self.directory().passwords.hashes()
    }

    pub(crate) fn backend(&self) -> &A::Auth {
        &self.0.backend
    }

    /// The largest body of a generated route, in bytes.
    pub(crate) fn body_limit(&self) -> usize {
        self.directory().config.body_limit
    }

    fn hooks(&self) -> &A::Hooks {
        &self.0.hooks
    }

    /// Whether the database answers: for a readiness probe.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.directory().database.ping().await
    }

    /// Stores a user without a request, as seeding and scripts do: the rules and hooks of registration apply, no mail
    /// is sent, and the mailbox counts as proven.
    ///
    /// # Errors
    /// [`Error::Validation`] and [`Error::IdentifierTaken`], and what hooks and database say.
    pub async fn create_user(
        &self,
        registration: <A::User as UserModel>::Registration,
    ) -> Result<A::User, Error> {
        self.store_registration(&no_request(), registration, true).await
    }

    /// Lets an account be used, or not. Its credentials are refused from the next request on (S23).
    ///
    /// Deactivation ends the sessions for good. A JWT is refused as long as the account is not active, and is good
    /// again for what is left of its lifetime if the account is activated before that ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user, or the model has no field `active`.
    pub async fn set_active(&self, id: <A::User as UserModel>::Id, active: bool) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        if !transaction.set_active::<A::User>(id, active).await? {
            return Err(Error::NotFound);
        }
        if !active {
            self.end_credentials(&mut transaction, id).await?;
        }
        transaction.commit().await
    }

    /// Says whether the mailbox of an account is proven.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_verified(&self, id: <A::User as UserModel>::Id, verified: bool) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        transaction.set_verified::<A::User>(id, verified).await?;
        transaction.commit().await
    }

    /// Gives a user a role, which is created if there is none of the name.
    ///
    /// # Errors
    /// [`Error::Validation`] when the name is empty, longer than 64 characters or holds control characters, and
    /// [`Error::NotFound`] when there is no such user.
    pub async fn assign_role(&self, id: <A::User as UserModel>::Id, role: &str) -> Result<(), Error> {
        if role.is_empty() || role.chars().count() > 64 || role.chars().any(char::is_control) {
            let detail = "a role is named by 1 to 64 characters without control characters";
            return Err(Error::field("role", Violation::new("invalid_role", detail)));
        }
        let mut transaction = self.directory().database.begin().await?;
        transaction.user_by_id::<A::User>(id).await?.ok_or(Error::NotFound)?;
        transaction.assign_role::<A::User>(id, role).await?;
        transaction.commit().await
    }

    /// Takes a role from a user.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_role(&self, id: <A::User as UserModel>::Id, role: &str) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        transaction.revoke_role::<A::User>(id, role).await?;
        transaction.commit().await
    }

    /// Whether anybody has a role.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_anyone_role(&self, role: &str) -> Result<bool, Error> {
        self.directory().database.role_has_members(role).await
    }

    /// Ends the sessions and one-time tokens of a user; JWTs end with the fingerprint or the flag that changed.
    async fn end_credentials(
        &self,
        transaction: &mut crate::db::Transaction,
        id: <A::User as UserModel>::Id,
    ) -> Result<(), Error> {
        transaction.delete_sessions_of::<A::User>(id).await?;
        transaction.delete_one_time_of::<A::User>(id).await?;
        match &self.directory().sessions {
            Some(store) => store.remove_all_of(&id.to_string()).await,
            None => Ok(()),
        }
    }

    /// Whether an account has to prove its mailbox before it may be used.
    fn requires_verification(&self) -> bool {
        self.directory().config.require_verification && A::ROUTES.verify.is_some()
    }

    /// Checks a new password against the policy, with the words of this account (S01 to S05).
    fn check_new_password(
        &self,
        field: &'static str,
        password: &crate::secret::Password,
        identifiers: &[&str],
        errors: &mut FieldErrors,
    ) {
        let config = &self.directory().config;
        let context: Vec<&str> = identifiers.iter().copied().chain([config.app_name.as_str()]).collect();
        errors.check(field, config.password_policy.check(password, &context));
    }
}

/// The canonical form of a new identifier, or a note of what is wrong with it.
fn new_identifier<U: UserModel>(typed: &str, errors: &mut FieldErrors) -> Option<CanonicalIdentifier> {
    match canonicalise(U::IDENTIFIER.kind, typed) {
        Ok(identifier) => Some(identifier),
        Err(violation) => {
            errors.check(U::IDENTIFIER.field, Err(violation));
            None
        }
    }
}

/// What hooks are given where there is no request.
fn no_request() -> Parts {
    http::Request::new(()).into_parts().0
}
