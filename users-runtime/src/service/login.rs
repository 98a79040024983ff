//! Login, logout and who a request is from.

use http::request::Parts;

use super::Scope;
use crate::{
    app::Application,
    auth::{Backend, Credential, Login, Recognition},
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::UserModel,
    password::{PasswordPolicy, Verdict},
    principal::Principal,
    registration::Registration,
    secret::{Password, PasswordHash},
};

/// What a login is asked with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogIn {
    /// The identifier as typed.
    pub identifier: String,
    /// The password.
    pub password: Password,
    /// Whether the client asked to be remembered; `true` where it is not asked.
    pub remember: bool,
    /// Whether the client wants tokens in the body (RFC 6749, section 4.3) and no cookie.
    pub wants_token: bool,
}

impl LogIn {
    /// A login that is remembered, by the backend's usual credential.
    pub fn new(identifier: impl Into<String>, password: Password) -> Self {
        Self { identifier: identifier.into(), password, remember: true, wants_token: false }
    }
}

/// How somebody has shown who they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// By a password.
    Password(&'a LogIn),
    /// By the word of a provider.
    #[cfg(feature = "oauth2")]
    Provider(&'a str),
}

impl Way<'_> {
    /// What is recorded of it.
    pub(super) fn event(self) -> NewEvent {
        match self {
            Self::Password(_) => NewEvent::new(EventKind::Login),
            #[cfg(feature = "oauth2")]
            Self::Provider(name) => NewEvent::new(EventKind::ProviderLogin).with("provider", name),
        }
    }

    /// What is answered when the account may not be used. A password tells nobody that there is one.
    fn closed(self) -> Error {
        match self {
            Self::Password(_) => Error::BadCredentials,
            #[cfg(feature = "oauth2")]
            Self::Provider(_) => Error::Forbidden,
        }
    }
}

/// How often a login starts again when the account changed under it. Twice in one login is a storm of changes.
pub(super) const LOGIN_ATTEMPTS: usize = 3;

impl<A: Application> Scope<A> {
    /// Who a request is from; `None` when it carries no credential.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a credential that is no good, [`Error::NotVerified`] for one of an account that
    /// has to prove its mailbox first, and 5xx when it cannot be found out.
    pub(crate) async fn authenticate(&self, request: &Parts) -> Result<Option<Principal<A::User>>, Error> {
        let found = match self.backend().authenticate(self.directory(), request).await? {
            Recognition::Absent => return Ok(None),
            Recognition::Refused => return Err(Error::Unauthenticated),
            Recognition::Accepted(principal) => self.hooks().retrieve_user(request, principal).await?,
        };
        match found {
            // Every request reads the flags afresh, whatever the credential says (S23).
            Some(principal) if !principal.is_active() => Err(Error::Unauthenticated),
            Some(principal) if self.requires_verification() && !principal.is_verified() => {
                Err(Error::NotVerified)
            }
            Some(principal) => Ok(Some(principal)),
            None => Err(Error::Unauthenticated),
        }
    }

    /// Checks identifier and password and gives the client a credential.
    pub async fn log_in(
        &self,
        request: &Parts,
        login: &LogIn,
    ) -> Result<(Principal<A::User>, Credential), Error> {
        PasswordPolicy::check_length_cap(&login.password)
            .map_err(|violation| Error::field("password", violation))?;
        self.attempt(request, "log_in", Some(&login.identifier), Box::pin(self.try_log_in(request, login)))
            .await
    }

    async fn try_log_in(
        &self,
        request: &Parts,
        login: &LogIn,
    ) -> Result<(Principal<A::User>, Credential), Error> {
        for _ in 0..LOGIN_ATTEMPTS {
            let (principal, upgraded) = self.check_password(login).await?;
            if let Some(logged_in) = self.enter(request, Way::Password(login), &principal, upgraded).await? {
                return Ok(logged_in);
            }
        }
        Err(Error::Overloaded)
    }

    /// The account that identifier and password belong to, and a new hash of the password when the stored one is of
    /// an older scheme or cost (S09).
    async fn check_password(
        &self,
        login: &LogIn,
    ) -> Result<(Principal<A::User>, Option<PasswordHash>), Error> {
        let LogIn { identifier, password, .. } = login;
        let directory = self.directory();
        let found = directory.user_by_identifier(identifier).await?;
        // Unknown accounts cost the same hash: no early return tells them apart (S11).
        let stored = found.as_ref().map(|principal| principal.password_hash());
        let verdict = directory.passwords.verify(password, stored).await?;
        let way = Way::Password(login);
        let failure = match found {
            Some(principal) if verdict != Verdict::Wrong => Ok(principal),
            Some(principal) => Err(way.event().of(principal.id()).failed("wrong_password")),
            None => Err(way.event().failed("unknown_account")),
        };
        let principal = match failure {
            Ok(principal) => principal,
            Err(event) => {
                // One row for either, which costs the same (S11). It does not say what was typed: it may be a password.
                self.record_alone(event).await?;
                return Err(Error::BadCredentials);
            }
        };
        self.check_entry(way, &principal).await?;
        let upgraded = match verdict {
            Verdict::RightButOutdated => Some(directory.passwords.hash(password).await?),
            _ => None,
        };
        Ok((principal, upgraded))
    }

    /// Refuses whoever may not come in though they have shown to be who they say.
    pub(super) async fn check_entry(&self, way: Way<'_>, user: &Principal<A::User>) -> Result<(), Error> {
        let (reason, refusal) = if !user.is_active() && !self.may_come_back(user.id()).await? {
            ("inactive", way.closed())
        } else if self.requires_verification() && !user.is_verified() {
            // A private registration would show by this that the identifier was free (enumeration).
            let private = self.directory().config.registration == Registration::Private;
            let hidden = private && matches!(way, Way::Password(_));
            ("not_verified", if hidden { Error::BadCredentials } else { Error::NotVerified })
        } else {
            return Ok(());
        };
        self.record_alone(way.event().of(user.id()).refused(reason)).await?;
        Err(refusal)
    }

    /// The last steps of a login, in which hooks have a say; `None` as for [`Scope::issue`].
    pub(super) async fn enter(
        &self,
        request: &Parts,
        way: Way<'_>,
        user: &Principal<A::User>,
        upgraded: Option<PasswordHash>,
    ) -> Result<Option<(Principal<A::User>, Credential)>, Error> {
        let entered = async {
            self.hooks().before_login(request, user).await?;
            self.issue(request, way, user, upgraded).await
        };
        match entered.await {
            Err(veto) if veto.status().is_client_error() => {
                self.record_alone(way.event().of(user.id()).refused("vetoed")).await?;
                Err(veto)
            }
            entered => entered,
        }
    }

    /// Issues the credential; `None` when the account is no longer what it was when the login was checked. A sign-in
    /// through a provider is remembered, by the backend's usual credential.
    async fn issue(
        &self,
        request: &Parts,
        way: Way<'_>,
        checked: &Principal<A::User>,
        upgraded: Option<PasswordHash>,
    ) -> Result<Option<(Principal<A::User>, Credential)>, Error> {
        let directory = self.directory();
        let id = checked.id();
        let mut transaction = directory.database.begin().await?;
        if let Some(new) = &upgraded {
            let old = checked.password_hash().expose_phc();
            if !transaction.set_password::<A::User>(self.tenant(), id, old, new.expose_phc()).await? {
                return Ok(None);
            }
            self.record(&mut transaction, NewEvent::new(EventKind::HashUpgraded).of(id)).await?;
        }
        if !checked.is_active() && !self.cancel_deletion(&mut transaction, checked).await? {
            return Ok(None);
        }
        let hash = upgraded.as_ref().unwrap_or(checked.password_hash());
        let current = match transaction.user_by_id::<A::User>(self.tenant(), id).await? {
            Some(current) if current.password_hash() == hash && current.is_active() => current,
            _ => return Ok(None),
        };
        self.hooks().after_login(request, &current, &mut transaction).await?;
        // A hook with the connection may have written to the row that the credential is for and that the client is shown.
        let shown = if transaction.was_lent() {
            transaction.changes.of_user(&id);
            match transaction.user_by_id::<A::User>(self.tenant(), id).await? {
                Some(changed) => changed,
                None => return Ok(None),
            }
        } else {
            current
        };
        self.record(&mut transaction, way.event().of(id)).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        let usual = Login::of(&*shown);
        let login = match way {
            Way::Password(&LogIn { remember, wants_token, .. }) => Login { remember, wants_token, ..usual },
            #[cfg(feature = "oauth2")]
            Way::Provider(_) => usual,
        };
        let credential = self
            .backend()
            .log_in(directory, request, &login, &mut transaction)
            .await?
            .ok_or_else(|| Error::internal("the authentication backend issues no credential"))?;
        transaction.commit().await?;
        Ok(Some((shown, credential)))
    }

    /// Ends the credential of a request.
    pub async fn log_out(&self, request: &Parts) -> Result<Credential, Error> {
        let mut transaction = self.directory().database.begin().await?;
        if let Some(actor) = &self.actor {
            self.record(&mut transaction, NewEvent::new(EventKind::Logout).of(actor.id())).await?;
        }
        let credential = self.backend().log_out(self.directory(), request, &mut transaction).await?;
        transaction.commit().await?;
        Ok(credential)
    }
}
