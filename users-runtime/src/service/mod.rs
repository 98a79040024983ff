//! The application's state, and what it does for people: no HTTP, no SQL.

mod account;
mod audit;
mod deletion;
mod export;
mod import;
mod invitation;
mod list;
mod login;
mod mailer;
mod manage;
#[cfg(feature = "oauth2")]
mod oauth;
mod operator;
mod password_reset;
mod register;
mod roles;
mod sessions;
mod shortcuts;
mod throttle;
mod verify;

pub use account::Updated;
pub use import::{Imported, NewAccount, Refused};
pub(crate) use invitation::is_address;
pub use invitation::{Invitation, InvitationLink, NewInvitation};
pub use login::LogIn;
#[cfg(feature = "oauth2")]
pub use oauth::LinkedAccount;
#[cfg(feature = "oauth2")]
pub(crate) use oauth::{Begun, PATIENCE, Pending, ProviderAnswer, TRANSACTION, Wishes};
pub use sessions::SessionInfo;
pub use throttle::AccountLock;

use std::sync::Arc;

use http::request::Parts;

use crate::{
    app::Application,
    config::Config,
    db::{Database, Lookups, Pool},
    directory::{Directory, Shared},
    error::Error,
    event::Source,
    future::BoxFuture,
    model::{ResolveTenant, RoleModel, Tenant, UserModel},
    principal::Principal,
    validate::{CanonicalIdentifier, FieldErrors, canonicalise},
};

/// The state of an application: its users and everything that is done with them. Cloning shares it.
///
/// It is axum state like any other: a router of yours takes it with `State<accounts::Users>`, alone or out of your own
/// state through `FromRef`.
pub struct Users<A: Application>(Arc<Inner<A>>);

struct Inner<A: Application> {
    shared: Arc<Shared>,
    lookups: Arc<Lookups<A::User>>,
    backend: A::Auth,
    hooks: A::Hooks,
}

impl<A: Application> Clone for Users<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The users of one tenant, and everything that is done with them; all users when the model has no tenants. Cloning
/// shares it.
pub struct Scope<A: Application> {
    inner: Arc<Inner<A>>,
    directory: Directory<A::User>,
    /// On whose behalf things are done; `None` for a program, which may do everything.
    actor: Option<Arc<Principal<A::User>>>,
    /// Where the request comes from that things are done for; `None` for a program.
    source: Option<Source>,
}

impl<A: Application> Clone for Scope<A> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            directory: self.directory.clone(),
            actor: self.actor.clone(),
            source: self.source.clone(),
        }
    }
}

impl<A: Application> std::fmt::Debug for Scope<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("tenant", self.tenant()).finish_non_exhaustive()
    }
}

impl<A: Application> std::fmt::Debug for Users<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").field("config", &self.0.shared.config).finish_non_exhaustive()
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
        config.into()
    }
}

/// An application's state before it has a database.
pub struct UsersBuilder<A: Application> {
    config: Config,
    backend: A::Auth,
    hooks: A::Hooks,
}

impl<A: Application> From<Config> for UsersBuilder<A>
where
    A::Auth: Default,
    A::Hooks: Default,
{
    fn from(config: Config) -> Self {
        Self { config, backend: A::Auth::default(), hooks: A::Hooks::default() }
    }
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
        // What happens once and never again needs no room in the future of whoever starts an application.
        let database = Box::pin(self.database(url)).await?;
        Box::pin(self.start(database)).await
    }

    #[cfg(feature = "cli")]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The database by its URL, with nothing done to it.
    pub(crate) async fn database(&self, url: &str) -> Result<Database, Error> {
        self.config.check()?;
        Database::connect(url, self.config.max_connections).await
    }

    /// Takes a pool that the application already has.
    ///
    /// # Errors
    /// As [`Users::connect`].
    pub async fn with_pool(self, pool: impl Into<Pool>) -> Result<Users<A>, Error> {
        Box::pin(self.start(Database::over(pool.into()))).await
    }

    async fn start(self, database: Database) -> Result<Users<A>, Error> {
        let transport = self.config.transport()?;
        let users = self.open(database).await?;
        mailer::spawn(&users.0, transport);
        #[cfg(all(feature = "user-cache", feature = "postgres"))]
        users.0.shared.database.listen();
        audit::spawn(&users.0);
        Ok(users)
    }

    /// The state without the worker that sends mail: what a command promises, a server sends.
    pub(crate) async fn open(self, database: Database) -> Result<Users<A>, Error> {
        register::check_mode::<A>(&self.config)?;
        if self.config.deletion_grace.is_some() && !database.has_active_flag::<A::User>() {
            return Err(Error::Setting {
                name: "with_deletion_grace",
                problem:
                    "needs a field that is marked `#[user(active)]`, by which an account is refused meanwhile"
                        .to_owned(),
            });
        }
        let shared = Arc::new(Shared::new(self.config, database, A::ROUTES.tokens.is_some())?);
        if let Some(store) = &shared.store {
            store.ping().await?;
        }
        shared.database.migrate::<A::User>(shared.config.schema_mode).await?;
        let lookups = Lookups::new(shared.database.clone());
        let users = Users(Arc::new(Inner { shared, lookups, backend: self.backend, hooks: self.hooks }));
        // Tenants come and go, so the roles of theirs are made when somebody is given one.
        if let Some(tenant) = Tenant::parse(None) {
            users.scope(tenant).seed_roles(&A::SEED.names()).await?;
        }
        Ok(users)
    }
}

impl<A: Application> Users<A> {
    /// The users of one tenant.
    #[must_use]
    pub fn scope(&self, tenant: <A::User as UserModel>::Tenant) -> Scope<A> {
        let Inner { shared, lookups, .. } = &*self.0;
        let directory = Directory::new(Arc::clone(shared), Arc::clone(lookups), tenant.trimmed());
        Scope { inner: Arc::clone(&self.0), directory, actor: None, source: None }
    }

    /// The users of the tenant that a request belongs to.
    ///
    /// # Errors
    /// What the application's [`ResolveTenant`] says.
    pub async fn scope_of(&self, request: &Parts) -> Result<Scope<A>, Error> {
        let scope = self.scope(self.0.hooks.tenant(request).await?);
        Ok(Scope { source: Some(Source::of(request)), ..scope })
    }

    /// Who a request is from; `None` when it carries no credential.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a credential that is no good, [`Error::NotVerified`] for one of an account that
    /// has to prove its mailbox first, and 5xx when it cannot be found out.
    pub async fn authenticate(&self, request: &Parts) -> Result<Option<Principal<A::User>>, Error> {
        let scope = self.scope_of(request).await?;
        // In a box, for every route and every extractor has this in its future.
        let work: BoxFuture<'_, _> = Box::pin(scope.authenticate(request));
        work.await
    }

    /// How many passwords were hashed or checked since the start: for metrics. A login costs one, whether or not the
    /// account exists (S11).
    #[must_use]
    pub fn password_computations(&self) -> u64 {
        self.0.shared.passwords.hashes()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.shared.config
    }

    pub(crate) fn backend(&self) -> &A::Auth {
        &self.0.backend
    }

    /// Whether the database answers, and the store of sessions: for a readiness probe.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when one does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.0.shared.database.ping().await?;
        match &self.0.shared.store {
            Some(store) => store.ping().await,
            None => Ok(()),
        }
    }
}

impl<A: Application> Scope<A> {
    /// The users as a backend looks them up.
    #[must_use]
    pub fn directory(&self) -> &Directory<A::User> {
        &self.directory
    }

    pub(crate) fn tenant(&self) -> &<A::User as UserModel>::Tenant {
        self.directory.tenant()
    }

    pub(crate) fn backend(&self) -> &A::Auth {
        &self.inner.backend
    }

    /// The largest body of a generated route, in bytes.
    pub(crate) fn body_limit(&self) -> usize {
        self.directory.config.body_limit
    }

    /// Whether a login may say that it wants to be remembered.
    pub(crate) fn asks_to_remember(&self) -> bool {
        self.directory.config.session_unremembered.is_some()
    }

    /// On whose behalf things are done, if it is a user.
    pub(crate) fn actor(&self) -> Option<&Principal<A::User>> {
        self.actor.as_deref()
    }

    fn hooks(&self) -> &A::Hooks {
        &self.inner.hooks
    }

    /// The same on behalf of a user, who may do less than a program.
    #[must_use]
    pub(crate) fn on_behalf_of(self, actor: Option<Arc<Principal<A::User>>>) -> Self {
        Self { actor, ..self }
    }

    /// Whoever manages users without being an administrator must not become one by changing who is: a support desk
    /// that could give an administrator's account another address would own it.
    fn may_change_holder_of<'n>(&self, mut roles: impl Iterator<Item = &'n str>) -> Result<(), Error> {
        let administrator = self.directory.config.administrator_role.as_str();
        match &self.actor {
            Some(actor) if !actor.has_role(administrator) && roles.any(|role| role == administrator) => {
                Err(Error::Forbidden)
            }
            _ => Ok(()),
        }
    }

    fn may_change(&self, target: &Principal<A::User>) -> Result<(), Error> {
        self.may_change_holder_of(target.roles().iter().map(RoleModel::name))
    }

    /// Ends the sessions and one-time tokens of a user; with its session every token ends.
    async fn end_credentials(
        &self,
        transaction: &mut crate::db::Transaction,
        id: <A::User as UserModel>::Id,
    ) -> Result<(), Error> {
        transaction.delete_one_time_of::<A::User>(id).await?;
        self.directory().end_sessions_of(transaction, id).await
    }

    /// Whether an account has to prove its mailbox before it may be used.
    fn requires_verification(&self) -> bool {
        self.directory().config.require_verification && A::ROUTES.verify.is_some()
    }

    /// The hash of a new password, once what asks about it elsewhere has let it pass: how strong it is, and whether it is
    /// known from a breach (S06). Every path that sets a password ends here, behind
    /// [`check_new_password`](Self::check_new_password).
    async fn new_hash(
        &self,
        password: &crate::secret::Password,
        identifiers: &[&str],
    ) -> Result<crate::secret::PasswordHash, Error> {
        let directory = self.directory();
        let config = &directory.config;
        #[cfg(feature = "zxcvbn")]
        {
            let context: Vec<&str> = identifiers.iter().copied().chain([config.app_name.as_str()]).collect();
            let strength =
                config.password_policy.check_strength(password, &context, &directory.passwords).await?;
            strength.map_err(|violation| Error::field("password", violation))?;
        }
        #[cfg(not(feature = "zxcvbn"))]
        let _ = identifiers;
        config.breaches.check(password).await?.map_err(|violation| Error::field("password", violation))?;
        directory.passwords.hash(password).await
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
