//! Registration: one transaction with the hook and the promise of a mail.

use http::request::Parts;

use super::{Scope, new_identifier};
use crate::{
    app::Application,
    db::{Transaction, outbox::Message},
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::{NewUser, RegistrationDto, UserId, UserModel},
    password,
    principal::Principal,
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
    /// A provider, which may have proven the mailbox. There is no password.
    #[cfg(feature = "oauth2")]
    Provider {
        /// Whether it has.
        verified: bool,
    },
}

impl Origin {
    fn has_password(self) -> bool {
        matches!(self, Self::Client | Self::Program)
    }

    fn proves_mailbox(self) -> bool {
        match self {
            Self::Client => false,
            Self::Program => true,
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
}

impl<A: Application> Scope<A> {
    /// Registers whoever sent the request.
    pub async fn register(
        &self,
        request: &Parts,
        registration: Registration<A>,
    ) -> Result<Principal<A::User>, Error> {
        let user = self.store_registration(request, registration, Origin::Client).await?;
        Ok(Principal::new(user, Vec::new()))
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
        self.directory().outbox.notify_one();
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
        let password_hash = if origin.has_password() {
            self.directory().passwords.hash(registration.password()).await?
        } else {
            password::unusable_hash()
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
        Ok(NewcomerOf { user, canonical: identifier.canonical, origin })
    }

    /// Stores whom [`Scope::admit`] let in, with what belongs to it: the hook and the mail that proves the mailbox.
    pub(super) async fn insert_newcomer(
        &self,
        request: &Parts,
        newcomer: NewcomerOf<A::User>,
        transaction: &mut Transaction,
    ) -> Result<A::User, Error> {
        let NewcomerOf { user, canonical, origin } = newcomer;
        let user = transaction.insert_user(user, &canonical).await?;
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
