//! What administrators and programs do with accounts.

use http::request::Parts;

use super::{Scope, new_identifier, no_request, register::Origin};
use crate::{
    app::Application,
    db::{Transaction, outbox::Message},
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::{AdminUpdateDto, UserModel},
    principal::Principal,
    secret::PasswordHash,
    validate::{CanonicalIdentifier, FieldErrors, IdentifierKind, Violation},
};

type User<A> = <A as Application>::User;
type Id<A> = <User<A> as UserModel>::Id;
type AdminUpdate<A> = <User<A> as UserModel>::AdminUpdate;

impl<A: Application> Scope<A> {
    /// Stores a user without a request, as seeding and scripts do: the rules and hooks of registration apply, no mail
    /// is sent, and the mailbox counts as proven.
    ///
    /// # Errors
    /// [`Error::Validation`] and [`Error::IdentifierTaken`], and what hooks and database say.
    pub async fn create_user(
        &self,
        registration: <User<A> as UserModel>::Registration,
    ) -> Result<User<A>, Error> {
        self.store_registration(&no_request(), registration, Origin::Program).await
    }

    /// The user with this key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn user(&self, id: Id<A>) -> Result<Option<Principal<User<A>>>, Error> {
        self.directory().user_by_id(id).await
    }

    /// The user with this identifier, however it is written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_user(&self, identifier: &str) -> Result<Option<Principal<User<A>>>, Error> {
        self.directory().user_by_identifier(identifier).await
    }

    /// Changes a user as an administrator may: flags, identifier, own fields. Every credential of the user ends when
    /// what it stands for changes (S22, S23).
    ///
    /// A new address counts as proven only when the change says so; otherwise the user gets a mail to prove it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Validation`], [`Error::IdentifierTaken`], and [`Error::LastAdministrator`] when
    /// nobody would be left to administer.
    pub async fn update_user(&self, id: Id<A>, update: &AdminUpdate<A>) -> Result<Principal<User<A>>, Error> {
        self.update_user_for(&no_request(), id, update).await
    }

    /// The same for an administrator's request, which the hooks are given.
    ///
    /// # Errors
    /// As [`update_user`](Self::update_user).
    pub async fn update_user_for(
        &self,
        request: &Parts,
        id: Id<A>,
        update: &AdminUpdate<A>,
    ) -> Result<Principal<User<A>>, Error> {
        let before = self.user(id).await?.ok_or(Error::NotFound)?;
        self.may_change(&before)?;
        let identifier = self.check_admin_update(&before, update)?;
        let new_hash = match update.password() {
            Some(password) => {
                self.hooks().before_password_change(request, &before).await?;
                let names: Vec<&str> = [before.identifier()].into_iter().chain(update.identifier()).collect();
                Some(self.new_hash(password, &names).await?)
            }
            None => None,
        };
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        let before = transaction.user_by_id(self.tenant(), id).await?.ok_or(Error::NotFound)?;
        self.may_change(&before)?;
        self.write_admin_update(&mut transaction, &before, update, identifier, new_hash.as_ref()).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        let after = transaction.user_by_id(self.tenant(), id).await?.ok_or(Error::NotFound)?;
        if new_hash.is_some() {
            self.hooks().after_password_change(request, &after, &mut transaction).await?;
        }
        // Last, because a store of sessions beside the database cannot be rolled back.
        if credentials_differ::<User<A>>(&before, &after) {
            self.end_credentials(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    /// Checks every field of a change; the new identifier when it is another one.
    fn check_admin_update(
        &self,
        before: &User<A>,
        update: &AdminUpdate<A>,
    ) -> Result<Option<CanonicalIdentifier>, Error> {
        let mut errors = FieldErrors::default();
        let identifier = update
            .identifier()
            .and_then(|typed| new_identifier::<User<A>>(typed, &mut errors))
            .filter(|new| new.typed != before.identifier());
        if let Some(password) = update.password() {
            if self.directory().config.admin_sets_passwords {
                let names: Vec<&str> = [before.identifier()]
                    .into_iter()
                    .chain(before.mailbox())
                    .chain(update.identifier())
                    .collect();
                self.check_new_password("password", password, &names, &mut errors);
            } else {
                let detail = "administrators do not set passwords here; send `send_password_reset` instead";
                errors.push("password", Violation::new("not_allowed", detail));
            }
        }
        if update.send_password_reset() && A::ROUTES.password_reset.is_none() {
            let detail = "this application has no route by which users choose a new password";
            errors.push("send_password_reset", Violation::new("not_available", detail));
        }
        update.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        Ok(identifier)
    }

    async fn write_admin_update(
        &self,
        transaction: &mut Transaction,
        before: &Principal<User<A>>,
        update: &AdminUpdate<A>,
        identifier: Option<CanonicalIdentifier>,
        new_hash: Option<&PasswordHash>,
    ) -> Result<(), Error> {
        let (tenant, id) = (self.tenant(), before.id());
        let mut changes = Vec::new();
        if update.changes_own_fields() {
            transaction.admin_update_user::<User<A>>(tenant, id, update).await?;
            changes.push(NewEvent::new(EventKind::AccountUpdated));
        }
        if let Some(new) = new_hash {
            let old = before.password_hash().expose_phc();
            if !transaction.set_password::<User<A>>(tenant, id, old, new.expose_phc()).await? {
                return Err(Error::ChangedMeanwhile);
            }
            self.tell_password_changed(before, transaction).await?;
            changes.push(NewEvent::new(EventKind::PasswordChanged));
        }
        let mut canonical = None;
        if let Some(new) = identifier {
            canonical = Some(new.canonical.clone());
            self.set_identifier_of(transaction, before, new, update.verified()).await?;
            changes.push(NewEvent::new(EventKind::IdentifierChanged));
        }
        if let Some(active) = update.active() {
            self.write_active(transaction, id, active).await?;
            changes.extend((active != before.is_active()).then(|| activity(active)));
        }
        if let Some(verified) = update.verified() {
            transaction.set_verified::<User<A>>(tenant, id, verified).await?;
            changes.extend((verified != before.is_verified()).then(|| proof(verified)));
        }
        if update.send_password_reset() {
            let canonical = match canonical {
                Some(canonical) => canonical,
                None => new_identifier::<User<A>>(before.identifier(), &mut FieldErrors::default())
                    .map(|identifier| identifier.canonical)
                    .ok_or_else(|| Error::internal("a stored identifier has no canonical form"))?,
            };
            transaction.enqueue(tenant, &Message::PasswordReset { canonical }).await?;
            changes.push(NewEvent::new(EventKind::PasswordResetRequested));
        }
        for change in changes {
            self.record(transaction, change.of(id).managed()).await?;
        }
        Ok(())
    }

    /// Replaces an identifier, tells the old address, and asks the new one for proof unless the change vouches for it.
    async fn set_identifier_of(
        &self,
        transaction: &mut Transaction,
        before: &User<A>,
        new: CanonicalIdentifier,
        verified: Option<bool>,
    ) -> Result<(), Error> {
        let (tenant, id) = (self.tenant(), before.id());
        let old = before.identifier().to_owned();
        if !transaction.set_identifier::<User<A>>(tenant, id, &old, &new).await? {
            return Err(Error::NotFound);
        }
        let is_address = <User<A> as UserModel>::IDENTIFIER.kind == IdentifierKind::Email;
        if is_address && verified.is_none() {
            transaction.set_verified::<User<A>>(tenant, id, false).await?;
            if A::ROUTES.verify.is_some() {
                let verify = Message::Verify { canonical: new.canonical };
                transaction.enqueue(tenant, &verify).await?;
            }
        }
        let told = if is_address { Some(old) } else { before.mailbox().map(str::to_owned) };
        if let Some(to) = told {
            let changed = Message::IdentifierChanged { to, new_identifier: new.typed };
            transaction.enqueue(tenant, &changed).await?;
        }
        Ok(())
    }

    /// Deletes a user; the user as it was.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::LastAdministrator`] when nobody would be left to administer.
    pub async fn delete_user(&self, id: Id<A>) -> Result<Principal<User<A>>, Error> {
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        let deleted = transaction.user_by_id(self.tenant(), id).await?.ok_or(Error::NotFound)?;
        self.may_change(&deleted)?;
        self.delete_in(&mut transaction, id).await?;
        self.record(&mut transaction, NewEvent::new(EventKind::Deleted).of(id).managed()).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// Deletes a user. Whoever calls it sees to what else has to end, and that somebody is left to administer.
    pub(super) async fn delete_in(&self, transaction: &mut Transaction, id: Id<A>) -> Result<(), Error> {
        if transaction.delete_user::<User<A>>(self.tenant(), id).await? {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Lets an account be used, or not. Its credentials are refused from the next request on (S23).
    ///
    /// Deactivation ends the sessions for good. A JWT is refused as long as the account is not active, and is good
    /// again for what is left of its lifetime if the account is activated before that ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user, or the model has no field `active`, and
    /// [`Error::LastAdministrator`] when nobody would be left to administer.
    pub async fn set_active(&self, id: Id<A>, active: bool) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        if !self.write_active(&mut transaction, id, active).await? {
            return Err(Error::NotFound);
        }
        self.record(&mut transaction, activity(active).of(id).managed()).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        if !active {
            self.end_credentials(&mut transaction, id).await?;
        }
        transaction.commit().await
    }

    /// Writes whether an account may be used. An account that waits for its deletion stays when it is activated, and its
    /// owner cannot bring it back when it is deactivated.
    async fn write_active(
        &self,
        transaction: &mut Transaction,
        id: Id<A>,
        active: bool,
    ) -> Result<bool, Error> {
        if active {
            transaction.delete_deletion::<User<A>>(id).await?;
        } else {
            transaction.hold_deletion::<User<A>>(id).await?;
        }
        transaction.set_active::<User<A>>(self.tenant(), id, active).await
    }

    /// Says whether the mailbox of an account is proven.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user, or the model has no field `verified`, and
    /// [`Error::LastAdministrator`] when nobody would be left to administer.
    pub async fn set_verified(&self, id: Id<A>, verified: bool) -> Result<(), Error> {
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        if !transaction.set_verified::<User<A>>(self.tenant(), id, verified).await? {
            return Err(Error::NotFound);
        }
        self.record(&mut transaction, proof(verified).of(id).managed()).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        transaction.commit().await
    }
}

fn activity(active: bool) -> NewEvent {
    NewEvent::new(if active { EventKind::Activated } else { EventKind::Deactivated })
}

fn proof(verified: bool) -> NewEvent {
    if verified {
        NewEvent::new(EventKind::Verified)
    } else {
        NewEvent::new(EventKind::AccountUpdated).with("verified", false)
    }
}

/// Whether a credential that stood for the one must not stand for the other.
fn credentials_differ<U: UserModel>(before: &U, after: &U) -> bool {
    before.password_hash() != after.password_hash()
        || before.identifier() != after.identifier()
        || before.is_verified() != after.is_verified()
        || !after.is_active()
}
