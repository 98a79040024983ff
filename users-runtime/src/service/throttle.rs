//! What stands before attempts that may be guesses, and before mails that strangers ask for.

use std::future::Future;

use http::request::Parts;
use serde::Serialize;

use super::Scope;
use crate::{
    app::Application,
    clock,
    directory::Directory,
    error::{Error, display_chain},
    event::{EventKind, NewEvent},
    hooks::{Attempt, Hooks},
    model::UserModel,
    peer::ClientAddress,
    throttle::{Counts, Taken, client_key},
};

type Id<A> = <<A as Application>::User as UserModel>::Id;

/// The name of the count of all mails.
const ALL_MAIL: &str = "throttle:mail";

/// How often somebody failed at an account lately, and whether it is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "client", derive(serde::Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AccountLock))]
#[non_exhaustive]
pub struct AccountLock {
    /// How many wrong passwords were tried within the time of the limit.
    pub failures: u32,
    /// Until when every password is refused, as RFC 3339 writes it; `None` when the account is not locked.
    #[serde(serialize_with = "clock::moment::optional::serialize")]
    #[cfg_attr(feature = "client", serde(deserialize_with = "clock::moment::optional::deserialize"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub locked_until: Option<i64>,
}

/// What was counted of an attempt before it is made.
struct Counted {
    account: Option<Taken>,
    client: Option<Taken>,
}

impl<A: Application> Scope<A> {
    fn counts(&self) -> Counts<'_> {
        Counts(&*self.directory().counts)
    }

    /// The name of what is counted for an identifier. One that no account can have is counted alike (S14).
    fn account_key(&self, kind: &str, identifier: &str) -> Result<String, Error> {
        let canonical = Directory::<A::User>::canonical(identifier).map(|identifier| identifier.canonical);
        let tenant = serde_json::to_vec(self.tenant()).map_err(Error::internal)?;
        let name = self.directory().keys.throttle_name(&tenant, canonical.as_deref().unwrap_or(identifier));
        Ok(format!("throttle:{kind}-{name}"))
    }

    /// Makes an attempt, unless the client or the account of this identifier has failed too often.
    ///
    /// It is counted before it is made, so that attempts side by side cannot pass the limit (S14), and given back when it
    /// was no failure. One that is dropped half-way counts. Nothing may hold a transaction meanwhile: the counts may be in
    /// the same database. The work comes in a box, or its future would be in this one twice.
    pub(super) async fn attempt<T>(
        &self,
        request: &Parts,
        operation: &'static str,
        identifier: Option<&str>,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let client = self.count_client(request, operation).await?;
        let account = match (self.directory().config.throttle.account(), identifier) {
            (Some(limit), Some(identifier)) => {
                Some(self.counts().take(self.account_key("account", identifier)?, limit).await?)
            }
            _ => None,
        };
        let counted = Counted { account, client };
        self.ask_hook(request, operation, &counted).await?;
        let done = work.await;
        match &done {
            Err(
                Error::BadCredentials
                | Error::CurrentPasswordWrong
                | Error::InvitationInvalid
                | Error::TokenInvalid
                | Error::IdentifierTaken,
            ) => self.record_lock(&counted, identifier).await?,
            // The password was right.
            Ok(_) | Err(Error::NotVerified) => self.succeeded(&counted).await,
            Err(_) => self.give_back(&counted).await,
        }
        done
    }

    /// Writes down that an account is locked now, or what there is none of.
    async fn record_lock(&self, counted: &Counted, identifier: Option<&str>) -> Result<(), Error> {
        let until = counted.account.as_ref().and_then(Taken::locked_until);
        let (Some(until), Some(identifier)) = (until, identifier) else { return Ok(()) };
        let event =
            NewEvent::new(EventKind::Locked).with("until", clock::rfc3339(until).map_err(Error::internal)?);
        // Looked up either way, so that it takes as long for accounts that there are not (S11).
        let event = match self.find_user(identifier).await? {
            Some(user) => event.of(user.id()),
            None => event,
        };
        self.record_alone(event).await
    }

    /// What the application says of an attempt; one that it refuses is not counted.
    async fn ask_hook(
        &self,
        request: &Parts,
        operation: &'static str,
        counted: &Counted,
    ) -> Result<(), Error> {
        let times = |taken: &Option<Taken>| taken.as_ref().map_or(0, Taken::times_before);
        let attempt = Attempt {
            operation,
            account_failures: times(&counted.account),
            client_failures: times(&counted.client),
        };
        let allowed = self.hooks().before_attempt(request, &attempt).await;
        if allowed.is_err() {
            self.give_back(counted).await;
        }
        allowed
    }

    /// Counts a request of a client's at a route, if its address is known.
    async fn count_client(&self, request: &Parts, operation: &'static str) -> Result<Option<Taken>, Error> {
        let limit = self.directory().config.throttle.client(operation);
        let (Some(limit), Some(address)) = (limit, ClientAddress::of(request)) else { return Ok(None) };
        self.counts().take(client_key(operation, address), limit).await.map(Some)
    }

    /// Ends what was counted of the account; of the client, this attempt alone (S15).
    async fn succeeded(&self, counted: &Counted) {
        if let Some(account) = &counted.account {
            noted(self.counts().clear(account.key()).await);
        }
        if let Some(client) = &counted.client {
            noted(self.counts().give_back(client).await);
        }
    }

    async fn give_back(&self, counted: &Counted) {
        for taken in [&counted.account, &counted.client].into_iter().flatten() {
            noted(self.counts().give_back(taken).await);
        }
    }

    /// Whether a mail that somebody asks for may leave to this address: one in so long, whether or not there is such an
    /// account (S10, S17).
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when all mails together, or those of the client, are too many.
    pub(super) async fn may_mail(
        &self,
        request: &Parts,
        operation: &'static str,
        identifier: &str,
    ) -> Result<bool, Error> {
        let client = self.count_client(request, operation).await?;
        self.ask_hook(request, operation, &Counted { account: None, client }).await?;
        if let Some(limit) = self.directory().config.throttle.mail() {
            let key = self.account_key(operation, identifier)?;
            match self.counts().take(key, limit).await {
                Ok(_) => {}
                Err(Error::TooManyRequests(_)) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.count_mail().await.map(|()| true)
    }

    /// Counts a mail among all that strangers cause (S17).
    pub(super) async fn count_mail(&self) -> Result<(), Error> {
        match self.directory().config.throttle.all_mail() {
            Some(limit) => self.counts().take(ALL_MAIL.to_owned(), limit).await.map(drop),
            None => Ok(()),
        }
    }

    /// How often somebody failed at a user's account lately, and whether it is locked.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn account_lock(&self, id: Id<A>) -> Result<AccountLock, Error> {
        let user = self.user(id).await?.ok_or(Error::NotFound)?;
        let key = self.account_key("account", user.identifier())?;
        let (failures, locked_until) = self.counts().look(&key).await?;
        Ok(AccountLock { failures, locked_until })
    }

    /// Ends the lock of a user's account, and what was counted.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn lift_account_lock(&self, id: Id<A>) -> Result<(), Error> {
        let user = self.user(id).await?.ok_or(Error::NotFound)?;
        self.may_change(&user)?;
        self.forget_failures(user.identifier()).await?;
        self.record_alone(NewEvent::new(EventKind::LockLifted).of(id).managed()).await
    }

    /// Ends what was counted for an identifier, whose owner has shown another way who they are.
    pub(super) async fn forget_failures(&self, identifier: &str) -> Result<(), Error> {
        self.counts().clear(&self.account_key("account", identifier)?).await
    }
}

/// What comes after the answer is known does not change it; the count ends by itself.
fn noted(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(cause = %display_chain(&error), "what was counted could not be given back");
    }
}
