//! Forgotten passwords: a mail to the owner of the mailbox, and a new password for its token.

use http::request::Parts;

use super::Scope;
use crate::{
    app::Application,
    db::{Purpose, outbox::Message},
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::UserModel,
    secret::Password,
    token::OpaqueToken,
    validate::FieldErrors,
};

impl<A: Application> Scope<A> {
    /// Asks for a reset mail. The account is looked up when the mail is sent, so nothing here depends on whether
    /// there is one (S10).
    pub async fn forgot_password(&self, request: &Parts, identifier: &str) -> Result<(), Error> {
        if self.may_mail(request, "forgot_password", identifier).await? {
            self.send_password_reset(identifier).await?;
        }
        Ok(())
    }

    /// Sends the user with this identifier the mail by which a password is chosen; silent when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn send_password_reset(&self, identifier: &str) -> Result<(), Error> {
        self.promise_mail(identifier, |canonical| Message::PasswordReset { canonical }).await
    }

    /// Redeems the token of a reset mail for a new password. It logs nobody in (S36).
    pub async fn reset_password(
        &self,
        request: &Parts,
        token: &str,
        password: &Password,
    ) -> Result<(), Error> {
        let work = Box::pin(self.redeem_reset(request, token, password));
        let identifier = self.attempt(request, "reset_password", None, work).await?;
        // Whoever reads the mailbox is no guesser.
        self.forget_failures(&identifier).await
    }

    /// The identifier whose password was set.
    async fn redeem_reset(&self, request: &Parts, token: &str, password: &Password) -> Result<String, Error> {
        let directory = self.directory();
        let hash = OpaqueToken::parse(token).ok_or(Error::TokenInvalid)?.hash();
        let (principal, _) =
            self.redeemable(hash, Purpose::PasswordReset).await?.ok_or(Error::TokenInvalid)?;
        let mut errors = FieldErrors::default();
        let names: Vec<&str> = [principal.identifier()].into_iter().chain(principal.mailbox()).collect();
        self.check_new_password("password", password, &names, &mut errors);
        // A password that is refused leaves the token for another try.
        errors.into_result().map_err(Error::Validation)?;
        self.hooks().before_password_change(request, &principal).await?;
        let new = self.new_hash(password, &names).await?;

        let id = principal.id();
        let old = principal.password_hash().expose_phc();
        let mut transaction = directory.database.begin().await?;
        transaction
            .take_one_time::<A::User>(hash, Purpose::PasswordReset)
            .await?
            .ok_or(Error::TokenInvalid)?;
        if !transaction.set_password::<A::User>(self.tenant(), id, old, new.expose_phc()).await? {
            return Err(Error::TokenInvalid);
        }
        // The token came by mail. If somebody else had registered the address, their password and sessions end here
        // and the account is its owner's (S38).
        transaction.set_verified::<A::User>(self.tenant(), id, true).await?;
        let changed =
            transaction.user_by_id::<A::User>(self.tenant(), id).await?.ok_or(Error::TokenInvalid)?;
        #[cfg(feature = "oauth2")]
        if !principal.is_verified() {
            self.unlink_all(&mut transaction, id).await?;
        }
        self.record(&mut transaction, NewEvent::new(EventKind::PasswordReset).of(id)).await?;
        self.tell_password_changed(&changed, &mut transaction).await?;
        self.hooks().after_password_change(request, &changed, &mut transaction).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(changed.identifier().to_owned())
    }

    pub(super) async fn tell_password_changed(
        &self,
        user: &A::User,
        transaction: &mut crate::db::Transaction,
    ) -> Result<(), Error> {
        match user.mailbox() {
            Some(to) => {
                transaction.enqueue(self.tenant(), &Message::PasswordChanged { to: to.to_owned() }).await
            }
            None => Ok(()),
        }
    }
}
