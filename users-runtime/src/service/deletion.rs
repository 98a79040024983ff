//! Accounts whose owners have asked for their deletion, and may come back for a while.

use std::time::Duration;

use super::{Scope, Users};
use crate::{
    app::Application,
    clock,
    db::{Transaction, outbox::Message},
    error::{Error, display_chain},
    event::{EventKind, NewEvent},
    model::UserModel,
    principal::Principal,
};

type Id<A> = <<A as Application>::User as UserModel>::Id;

impl<A: Application> Scope<A> {
    /// Closes an account until it is deleted. It is not active meanwhile, which every way in asks for, those that an
    /// application adds among them (S23); the note beside it says that its owner may come back.
    pub(super) async fn request_deletion(
        &self,
        transaction: &mut Transaction,
        principal: &Principal<A::User>,
        grace: Duration,
    ) -> Result<(), Error> {
        let id = principal.id();
        let due_at = clock::now().saturating_add(clock::millis(grace));
        let tenant = serde_json::to_string(self.tenant()).map_err(Error::internal)?;
        if !transaction.set_active::<A::User>(self.tenant(), id, false).await? {
            return Err(Error::Unauthenticated);
        }
        // An account that is active waits for nothing, so what is there is of another time.
        transaction.delete_deletion::<A::User>(id).await?;
        transaction.insert_deletion::<A::User>(id, &tenant, due_at).await?;
        self.record(transaction, NewEvent::new(EventKind::DeletionRequested).of(id)).await?;
        match principal.mailbox() {
            Some(to) => {
                let message = Message::DeletionRequested { to: to.to_owned(), due_at };
                transaction.enqueue(self.tenant(), &message).await
            }
            None => Ok(()),
        }
    }

    /// Whether the account may be had back, by whoever shows to be its owner.
    pub(super) async fn may_come_back(&self, id: Id<A>) -> Result<bool, Error> {
        self.directory().database.may_cancel_deletion::<A::User>(id, clock::now()).await
    }

    /// Gives an account back to its owner, who has logged in; `false` when it is too late.
    pub(super) async fn cancel_deletion(
        &self,
        transaction: &mut Transaction,
        principal: &Principal<A::User>,
    ) -> Result<bool, Error> {
        let id = principal.id();
        if !transaction.cancel_deletion::<A::User>(id, clock::now()).await? {
            return Ok(false);
        }
        transaction.set_active::<A::User>(self.tenant(), id, true).await?;
        self.record(transaction, NewEvent::new(EventKind::DeletionCancelled).of(id)).await?;
        if let Some(to) = principal.mailbox() {
            let message = Message::DeletionCancelled { to: to.to_owned() };
            transaction.enqueue(self.tenant(), &message).await?;
        }
        Ok(true)
    }

    /// Deletes an account whose time has come. Its owner, who logs in at the same moment, and other nodes, which do the
    /// same, want the same row: one of them gets it.
    async fn delete_due(&self, id: Id<A>) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        if !transaction.claim_deletion::<A::User>(id, clock::now()).await? {
            return Ok(());
        }
        self.delete_in(&mut transaction, id).await?;
        self.record(&mut transaction, NewEvent::new(EventKind::Deleted).of(id).managed()).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, id).await?;
        transaction.commit().await
    }
}

impl<A: Application> Users<A> {
    /// Deletes the accounts whose time has come. One that cannot be deleted, because rows of the application's refer to it
    /// perhaps, holds up no other.
    pub(super) async fn delete_due_accounts(&self) -> Result<(), Error> {
        let mut passed_over = 0;
        loop {
            let database = &self.0.shared.database;
            let due = database.due_deletions::<A::User>(clock::now(), passed_over).await?;
            if due.is_empty() {
                return Ok(());
            }
            for (id, tenant) in due {
                let tenant = serde_json::from_str(&tenant).map_err(Error::internal)?;
                if let Err(error) = self.scope(tenant).delete_due(id).await {
                    passed_over += 1;
                    let cause = display_chain(&error);
                    tracing::error!(user = %id, cause, "an account whose deletion is due could not be deleted");
                }
            }
        }
    }
}
