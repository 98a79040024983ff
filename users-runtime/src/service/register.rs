//! Registration: one transaction with the hook and the promise of a mail, by the rules of the mode.

use http::request::Parts;

use super::{
    Scope,
    invitation::{Invitation, is_address},
    new_identifier,
};
use crate::{
    app::Application,
    config::Config,
    db::{Transaction, outbox::Message},
    error::{Error, display_chain},
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::{NewUser, RegistrationDto, RoleModel, UserId, UserModel},
    password,
    principal::Principal,
    registration::Registration as Mode,
    validate::{CanonicalIdentifier, FieldErrors},
};

type Registration<A> = <<A as Application>::User as UserModel>::Registration;

/// Who vouches for a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Whoever sent it: the mailbox is to be proven.
    Client,
    /// The program itself: the mailbox counts as proven.
    Program,
    /// Whoever invited the sender. The invitation came by mail, where the identifier is an address.
    Invited {
        /// Whether it is.
        verified: bool,
    },
    /// A provider, which may have proven the mailbox. There is no password.
    #[cfg(feature = "oauth2")]
    Provider {
        /// Whether it has.
        verified: bool,
    },
}

impl Origin {
    fn has_password(self) -> bool {
        matches!(self, Self::Client | Self::Program | Self::Invited { .. })
    }

    fn proves_mailbox(self) -> bool {
        match self {
            Self::Client => false,
            Self::Program => true,
            Self::Invited { verified } => verified,
            #[cfg(feature = "oauth2")]
            Self::Provider { verified } => verified,
        }
    }
}

/// A user who keeps every rule and is about to be stored.
pub(super) struct NewcomerOf<U> {
    user: U,
    canonical: String,
    origin: Origin,
    roles: Vec<String>,
}

impl<A: Application> Scope<A> {
    /// Registers whoever sent the request, if the mode lets them (see [`Registration`](crate::Registration)).
    ///
    /// In private mode this says whether the identifier is taken, and the route tells nobody. Where an error of
    /// `after_register` kept a newcomer from being stored, which is logged, it answers [`Error::IdentifierTaken`] too.
    pub async fn register(
        &self,
        request: &Parts,
        registration: Registration<A>,
    ) -> Result<Principal<A::User>, Error> {
        match self.directory().config.registration {
            Mode::Open => {
                if A::ROUTES.verify.is_some() {
                    self.count_mail().await?;
                }
                let work = Box::pin(self.store_registration(request, registration, Origin::Client));
                let user = self.attempt(request, "register", None, work).await?;
                Ok(Principal::new(user, Vec::new()))
            }
            Mode::Private => Box::pin(self.register_privately(request, registration)).await,
            Mode::InviteOnly => {
                let work = Box::pin(self.register_invited(request, registration));
                self.attempt(request, "register", None, work).await
            }
            Mode::Closed => Err(Error::RegistrationClosed),
        }
    }

    /// The mode that registrations are in.
    pub(crate) fn registration_mode(&self) -> Mode {
        self.directory().config.registration
    }

    /// Stores a newcomer, or tells the owner of the mailbox that there is an account: one hash and one transaction with
    /// a mail in it, either way (S10, S11).
    async fn register_privately(
        &self,
        request: &Parts,
        registration: Registration<A>,
    ) -> Result<Principal<A::User>, Error> {
        let newcomer = self.admit(request, registration, Origin::Client).await?;
        let canonical = newcomer.canonical.clone();
        // Every registration counts, or the limit would tell those that are taken from those that are not.
        if !self.may_mail(request, "register", &canonical).await? {
            return Err(Error::IdentifierTaken);
        }
        let database = &self.directory().database;
        let mut transaction = database.begin().await?;
        if transaction.user_by_canonical::<A::User>(self.tenant(), &canonical).await?.is_none() {
            match self.insert_newcomer(request, newcomer, &mut transaction).await {
                Ok(user) => {
                    transaction.commit().await?;
                    return Ok(Principal::new(user, Vec::new()));
                }
                // Somebody was faster, and the transaction is void.
                Err(Error::IdentifierTaken) => {
                    drop(transaction);
                    transaction = database.begin().await?;
                }
                Err(error) => {
                    // Whoever is told that something went wrong here is told that the identifier was free (enumeration).
                    tracing::error!(
                        cause = %display_chain(&error),
                        "a private registration was not stored, and whoever sent it is not told"
                    );
                    return Err(Error::IdentifierTaken);
                }
            }
        }
        transaction.enqueue(self.tenant(), &Message::AlreadyRegistered { canonical }).await?;
        transaction.commit().await?;
        Err(Error::IdentifierTaken)
    }

    /// Registers somebody whose request has an [`Invitation`] among its extensions.
    async fn register_invited(
        &self,
        request: &Parts,
        registration: Registration<A>,
    ) -> Result<Principal<A::User>, Error> {
        let invitation = request.extensions.get::<Invitation>().ok_or(Error::InvitationInvalid)?;
        let origin = Origin::Invited { verified: is_address::<A>() };
        let mut newcomer = self.admit(request, registration, origin).await?;
        if !self.is_invited(invitation, &newcomer.canonical) {
            return Err(Error::InvitationInvalid);
        }
        newcomer.roles.clone_from(&invitation.roles);
        let mut transaction = self.directory().database.begin().await?;
        if !transaction.redeem_invitation(invitation.id.as_bytes(), invitation.expires_at).await? {
            return Err(Error::InvitationInvalid);
        }
        let user = self.insert_newcomer(request, newcomer, &mut transaction).await?;
        let user = transaction.user_by_id(self.tenant(), user.id()).await?.ok_or(Error::NotFound)?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Stores a user.
    pub(super) async fn store_registration(
        &self,
        request: &Parts,
        registration: Registration<A>,
        origin: Origin,
    ) -> Result<A::User, Error> {
        let newcomer = self.admit(request, registration, origin).await?;
        let mut transaction = self.directory().database.begin().await?;
        let user = self.insert_newcomer(request, newcomer, &mut transaction).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Checks a registration and hashes its password; nothing is stored.
    pub(super) async fn admit(
        &self,
        request: &Parts,
        mut registration: Registration<A>,
        origin: Origin,
    ) -> Result<NewcomerOf<A::User>, Error> {
        self.check_registration(&registration, origin)?;
        self.hooks().before_register(request, &mut registration).await?;
        // The hook may have changed anything.
        let identifier = self.check_registration(&registration, origin)?;
        let password = origin.has_password().then(|| registration.password().clone());
        let password_hash = match &password {
            Some(password) => self.new_hash(password, &[&identifier.typed]).await?,
            None => password::unusable_hash(),
        };
        let user = A::User::from_registration(
            registration,
            NewUser {
                id: <A::User as UserModel>::Id::generate(),
                identifier: identifier.typed,
                password_hash,
                active: true,
                verified: origin.proves_mailbox(),
                tenant: self.tenant().clone(),
            },
        );
        if let Some(mailbox) = user.mailbox().filter(|_| !is_address::<A>()) {
            // Behind the hash, because the DTO does not say which field is the mailbox, and the user does.
            let mut errors = FieldErrors::default();
            if let Some(password) = &password {
                self.check_new_password("password", password, &[mailbox], &mut errors);
            }
            errors.into_result().map_err(Error::Validation)?;
        }
        Ok(NewcomerOf { user, canonical: identifier.canonical, origin, roles: Vec::new() })
    }

    /// Stores whom [`Scope::admit`] let in, with what belongs to it: the hook and the mail that proves the mailbox.
    pub(super) async fn insert_newcomer(
        &self,
        request: &Parts,
        newcomer: NewcomerOf<A::User>,
        transaction: &mut Transaction,
    ) -> Result<A::User, Error> {
        let NewcomerOf { user, canonical, origin, roles } = newcomer;
        let user = transaction.insert_user(user, &canonical).await?;
        for name in &roles {
            match self.invitable_role(name, transaction).await? {
                Some(role) => transaction.assign_role::<A::User>(user.id(), role.id()).await?,
                None => {
                    tracing::warn!(role = name, "an invitation names a role that is gone; it is not given");
                }
            }
        }
        let event = NewEvent::new(EventKind::Registered).of(user.id());
        let event = if origin == Origin::Program { event.managed() } else { event };
        self.record(transaction, event).await?;
        self.hooks().after_register(request, &user, transaction).await?;
        if !origin.proves_mailbox() && A::ROUTES.verify.is_some() {
            transaction.enqueue(self.tenant(), &Message::Verify { canonical }).await?;
        }
        Ok(user)
    }

    fn check_registration(
        &self,
        registration: &Registration<A>,
        origin: Origin,
    ) -> Result<CanonicalIdentifier, Error> {
        let mut errors = FieldErrors::default();
        let identifier = new_identifier::<A::User>(registration.identifier(), &mut errors);
        if origin.has_password() {
            let password = registration.password();
            self.check_new_password("password", password, &[registration.identifier()], &mut errors);
        }
        registration.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        identifier.ok_or_else(|| Error::internal("an identifier was refused without a reason"))
    }
}

/// Checks that an application can do what its mode promises.
pub(super) fn check_mode<A: Application>(config: &Config) -> Result<(), Error> {
    let refused = |problem: &str| Err(Error::Setting { name: "REGISTRATION", problem: problem.to_owned() });
    match config.registration {
        Mode::Private if !is_address::<A>() => refused(
            "`private` tells whoever has an account by mail, and people log in with names here; write `open`, `invite` or `closed`",
        ),
        Mode::Private if A::ROUTES.verify.is_none() => {
            refused("`private` proves mailboxes; add `verify` to `routes(...)` of `#[users_app]`")
        }
        // An account that works at once shows by its login that the identifier was free.
        Mode::Private if !config.require_verification => {
            refused("`private` needs required verification; leave `with_required_verification(false)` out")
        }
        Mode::InviteOnly if A::ROUTES.register.is_none() => refused(
            "`invite` needs a route to register at; add `register` to `routes(...)` of `#[users_app]`",
        ),
        _ => Ok(()),
    }
}
