//! Registration: one transaction with the hook and the promise of a mail.

use http::request::Parts;

use super::{Scope, new_identifier};
use crate::{
    app::Application,
    db::outbox::Message,
    error::Error,
    hooks::Hooks,
    model::{NewUser, RegistrationDto, UserId, UserModel},
    principal::Principal,
    validate::{CanonicalIdentifier, FieldErrors},
};

type Registration<A> = <<A as Application>::User as UserModel>::Registration;

impl<A: Application> Scope<A> {
    /// Registers whoever sent the request.
    pub async fn register(
        &self,
        request: &Parts,
        registration: Registration<A>,
    ) -> Result<Principal<A::User>, Error> {
        let user = self.store_registration(request, registration, false).await?;
        Ok(Principal::new(user, Vec::new()))
    }

    /// Stores a user; with `trusted`, the mailbox counts as proven and no mail is sent.
    pub(super) async fn store_registration(
        &self,
        request: &Parts,
        mut registration: Registration<A>,
        trusted: bool,
    ) -> Result<A::User, Error> {
        self.check_registration(&registration)?;
        self.hooks().before_register(request, &mut registration).await?;
        // The hook may have changed anything.
        let identifier = self.check_registration(&registration)?;
        let directory = self.directory();
        let password_hash = directory.passwords.hash(registration.password()).await?;
        let user = A::User::from_registration(
            registration,
            NewUser {
                id: <A::User as UserModel>::Id::generate(),
                identifier: identifier.typed,
                password_hash,
                active: true,
                verified: trusted,
                tenant: self.tenant().clone(),
            },
        );
        let mut transaction = directory.database.begin().await?;
        let user = transaction.insert_user(user, &identifier.canonical).await?;
        self.hooks().after_register(request, &user, &mut transaction).await?;
        let mail = !trusted && A::ROUTES.verify.is_some();
        if mail {
            transaction.enqueue(self.tenant(), &Message::Verify { canonical: identifier.canonical }).await?;
        }
        transaction.commit().await?;
        if mail {
            directory.outbox.notify_one();
        }
        Ok(user)
    }

    fn check_registration(&self, registration: &Registration<A>) -> Result<CanonicalIdentifier, Error> {
        let mut errors = FieldErrors::default();
        let identifier = new_identifier::<A::User>(registration.identifier(), &mut errors);
        self.check_new_password(
            "password",
            registration.password(),
            &[registration.identifier()],
            &mut errors,
        );
        registration.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        identifier.ok_or_else(|| Error::internal("an identifier was refused without a reason"))
    }
}
