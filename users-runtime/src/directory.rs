//! The application's users as backends and services look them up: settings, keys, database and stores in one place.

mod sessions;

use std::{ops::Deref, sync::Arc};

#[cfg(feature = "oauth2")]
use crate::oauth::{OAuthClients, Turns};
use crate::{
    config::Config,
    db::{Database, Lookups, Storable, Transaction},
    error::Error,
    event::NewEvent,
    model::UserModel,
    password::PasswordPool,
    principal::Principal,
    store::Store,
    token::Keys,
    validate::{CanonicalIdentifier, canonicalise},
};

/// What all tenants of an application share.
pub struct Shared {
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) database: Database,
    pub(crate) passwords: PasswordPool,
    /// The providers that people may sign in through.
    #[cfg(feature = "oauth2")]
    pub(crate) oauth: OAuthClients,
    /// Who refreshes which tokens of theirs.
    #[cfg(feature = "oauth2")]
    pub(crate) oauth_turns: Turns,
    /// Keeps sessions outside the database; `None` keeps them in it.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// Counts who fails how often; where sessions are.
    pub(crate) counts: Arc<dyn Store>,
    /// Whether logins come with tokens that refresh them.
    pub(crate) refreshes: bool,
}

impl Shared {
    pub(crate) fn new(config: Config, database: Database, refreshes: bool) -> Result<Self, Error> {
        config.check()?;
        #[cfg(feature = "user-cache")]
        let database = database.with_cache(config.user_cache);
        let passwords =
            PasswordPool::new(config.argon2, config.hash_threads, config.hash_queue, config.schemes.clone())?;
        Ok(Self {
            keys: Keys::derive(
                &config.secret_key,
                &config.old_secret_keys,
                &config.tokens,
                config.base_url.as_str(),
            )?,
            store: config.store.clone(),
            counts: config.store.clone().unwrap_or_else(|| Arc::new(database.clone())),
            #[cfg(feature = "oauth2")]
            oauth: OAuthClients::new(config.oauth_providers.clone())?,
            #[cfg(feature = "oauth2")]
            oauth_turns: Turns::default(),
            config,
            database,
            passwords,
            refreshes,
        })
    }
}

/// The users of an application, as an authentication backend may look them up: those of one tenant, and all of them when
/// the model has no tenants. Cloning shares it.
pub struct Directory<U: UserModel> {
    shared: Arc<Shared>,
    lookups: Arc<Lookups<U>>,
    tenant: U::Tenant,
}

impl<U: UserModel> Clone for Directory<U> {
    fn clone(&self) -> Self {
        let (shared, lookups) = (Arc::clone(&self.shared), Arc::clone(&self.lookups));
        Self { shared, lookups, tenant: self.tenant.clone() }
    }
}

impl<U: UserModel> Deref for Directory<U> {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl<U: Storable> Directory<U> {
    pub(crate) fn new(shared: Arc<Shared>, lookups: Arc<Lookups<U>>, tenant: U::Tenant) -> Self {
        Self { shared, lookups, tenant }
    }

    /// The tenant whose users these are; `()` for a model without tenants.
    #[must_use]
    pub fn tenant(&self) -> &U::Tenant {
        &self.tenant
    }

    /// The user with this key.
    pub async fn user_by_id(&self, id: U::Id) -> Result<Option<Principal<U>>, Error> {
        self.database.user_by_id(&self.tenant, id).await
    }

    /// The user with this identifier, however it is written.
    pub async fn user_by_identifier(&self, identifier: &str) -> Result<Option<Principal<U>>, Error> {
        match Self::canonical(identifier) {
            Some(identifier) => self.database.user_by_canonical(&self.tenant, &identifier.canonical).await,
            None => Ok(None),
        }
    }

    /// Writes an event of this tenant down, in the transaction of what it records.
    pub(crate) async fn record(&self, transaction: &mut Transaction, event: NewEvent) -> Result<(), Error> {
        let tenant = serde_json::to_value(&self.tenant).map_err(Error::internal)?;
        transaction.insert_event(tenant, event).await
    }

    /// The canonical form of an identifier; `None` for one that no account can have.
    pub(crate) fn canonical(identifier: &str) -> Option<CanonicalIdentifier> {
        canonicalise(<U as UserModel>::IDENTIFIER.kind, identifier).ok()
    }
}
