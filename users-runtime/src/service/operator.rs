//! What an operator does on the machine itself, where no administrator's request is.

use super::{Scope, no_request};
use crate::{
    app::Application,
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::UserModel,
    secret::Password,
    validate::FieldErrors,
};

impl<A: Application> Scope<A> {
    /// Forgets what is kept of a user, here and on the nodes that can be told: after a change of the row or of the roles past
    /// the library, which it would otherwise see after the staleness of [`UserCache`](crate::UserCache).
    ///
    /// # Errors
    /// When the database does not answer.
    #[cfg(feature = "user-cache")]
    pub async fn forget_cached(&self, id: <A::User as UserModel>::Id) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        transaction.changes.of_user(&id);
        transaction.commit().await
    }

    /// Sets the password of a user, who is told by mail. The policy and the hooks of a password change apply, and every
    /// credential of the user ends (S22).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Validation`], and what hooks and database say.
    pub async fn set_password(
        &self,
        id: <A::User as UserModel>::Id,
        password: &Password,
    ) -> Result<(), Error> {
        let request = no_request();
        let before = self.user(id).await?.ok_or(Error::NotFound)?;
        let mut errors = FieldErrors::default();
        let names: Vec<&str> = [before.identifier()].into_iter().chain(before.mailbox()).collect();
        self.check_new_password("password", password, &names, &mut errors);
        errors.into_result().map_err(Error::Validation)?;
        self.hooks().before_password_change(&request, &before).await?;
        let new = self.new_hash(password, &names).await?;
        let (tenant, old) = (self.tenant(), before.password_hash().expose_phc());
        let mut transaction = self.directory().database.begin().await?;
        if !transaction.set_password::<A::User>(tenant, id, old, new.expose_phc()).await? {
            // Somebody has set another one at the same moment, or deleted the account.
            return Err(Error::NotFound);
        }
        let after = transaction.user_by_id::<A::User>(tenant, id).await?.ok_or(Error::NotFound)?;
        self.record(&mut transaction, NewEvent::new(EventKind::PasswordChanged).of(id).managed()).await?;
        self.tell_password_changed(&after, &mut transaction).await?;
        self.hooks().after_password_change(&request, &after, &mut transaction).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(())
    }
}
