//! What users change of their own accounts.

use http::request::Parts;

use super::{Scope, new_identifier};
use crate::{
    app::Application,
    auth::{Backend, Credential, Login},
    db::{Transaction, outbox::Message},
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::{UpdateDto, UserModel},
    password::{PasswordPolicy, Verdict},
    principal::Principal,
    registration::Registration,
    secret::{Password, PasswordHash},
    validate::{CanonicalIdentifier, FieldErrors, IdentifierKind, Violation},
};

type Update<A> = <<A as Application>::User as UserModel>::Update;

/// An account after a change of its owner's.
#[derive(Debug)]
#[non_exhaustive]
pub struct Updated<U: UserModel> {
    /// The user as it is now.
    pub user: Principal<U>,
    /// The new identifier that waits for its confirmation.
    pub pending_identifier: Option<String>,
    /// A new credential, when the change ended the one of the request.
    pub credential: Option<Credential>,
}

impl<A: Application> Scope<A> {
    /// Applies a self-service change. A new identifier or password needs the current password (S07) and ends every
    /// other session and token (S22).
    pub async fn update_account(
        &self,
        request: &Parts,
        principal: &Principal<A::User>,
        update: &Update<A>,
    ) -> Result<Updated<A::User>, Error> {
        let new_identifier = self.check_update(principal, update)?;
        if new_identifier.is_some() || update.password().is_some() {
            self.confirm_password(request, "update_account", principal, update.current_password()).await?;
        }
        if let Some(new) = new_identifier.as_ref().filter(|_| Self::confirms_identifiers()) {
            self.may_send_to(request, &new.typed).await?;
        }
        let new_hash = match update.password() {
            Some(password) => {
                self.hooks().before_password_change(request, principal).await?;
                let names: Vec<&str> =
                    [principal.identifier()].into_iter().chain(update.identifier()).collect();
                Some(self.new_hash(password, &names).await?)
            }
            None => None,
        };
        let mut transaction = self.directory().database.begin().await?;
        if update.changes_own_fields() {
            transaction.update_user::<A::User>(self.tenant(), principal.id(), update).await?;
        }
        let mut ends_credentials = false;
        if let Some(new) = &new_hash {
            self.replace_password(principal, new, &mut transaction).await?;
            let event = NewEvent::new(EventKind::PasswordChanged).of(principal.id());
            self.record(&mut transaction, event).await?;
            ends_credentials = true;
        }
        let mut pending_identifier = None;
        if let Some(new) = new_identifier {
            pending_identifier = self.change_identifier(principal, new, &mut transaction).await?;
            ends_credentials |= pending_identifier.is_none();
            let kind = match pending_identifier {
                Some(_) => EventKind::IdentifierChangeRequested,
                None => EventKind::IdentifierChanged,
            };
            self.record(&mut transaction, NewEvent::new(kind).of(principal.id())).await?;
        }
        let current = transaction
            .user_by_id::<A::User>(self.tenant(), principal.id())
            .await?
            .ok_or(Error::Unauthenticated)?;
        if new_hash.is_some() {
            self.hooks().after_password_change(request, &current, &mut transaction).await?;
        }
        let credential = if ends_credentials {
            transaction.delete_one_time_of::<A::User>(principal.id()).await?;
            let own = principal.session().map(|session| session.id);
            self.directory().end_other_sessions_of(&mut transaction, principal.id(), own).await?;
            let remember = principal.session().is_none_or(|session| !session.transient);
            let login = Login { remember, ..Login::of(&*current) };
            // The login takes over the data of the session that it ends.
            let next = self.backend().log_in(self.directory(), request, &login, &mut transaction).await?;
            if let Some(own) = own {
                // A backend that gives no credential, or one of another kind, has left it there.
                self.directory().end_session(&mut transaction, own).await?;
            }
            next
        } else {
            None
        };
        transaction.commit().await?;
        Ok(Updated { user: current, pending_identifier, credential })
    }

    /// Checks every field of a change; the new identifier when it is another one.
    fn check_update(
        &self,
        principal: &Principal<A::User>,
        update: &Update<A>,
    ) -> Result<Option<CanonicalIdentifier>, Error> {
        let mut errors = FieldErrors::default();
        let identifier = update
            .identifier()
            .and_then(|typed| new_identifier::<A::User>(typed, &mut errors))
            .filter(|new| new.typed != principal.identifier());
        if let Some(password) = update.password() {
            // Until the new identifier is confirmed, the old one is the account's name.
            let old = [principal.identifier()].into_iter().chain(principal.mailbox());
            let names: Vec<&str> = old.chain(update.identifier()).collect();
            self.check_new_password("password", password, &names, &mut errors);
        }
        if let Some(password) = update.current_password() {
            // Where nothing asks for it, it is not hashed, and too long all the same.
            errors.check("current_password", PasswordPolicy::check_length_cap(password));
        }
        update.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        Ok(identifier)
    }

    /// Whoever has found a session open may not guess either.
    async fn confirm_password(
        &self,
        request: &Parts,
        operation: &'static str,
        principal: &Principal<A::User>,
        current: Option<&Password>,
    ) -> Result<(), Error> {
        let field = "current_password";
        let password = current.ok_or_else(|| {
            Error::field(
                field,
                Violation::new("required", "send the current password to confirm this change"),
            )
        })?;
        PasswordPolicy::check_length_cap(password).map_err(|violation| Error::field(field, violation))?;
        let check = async {
            match self.directory().passwords.verify(password, Some(principal.password_hash())).await? {
                Verdict::Wrong => {
                    // Whoever found an open session guesses here.
                    let event = NewEvent::new(EventKind::Reauthentication).of(principal.id());
                    self.record_alone(event.failed("wrong_password")).await?;
                    Err(Error::CurrentPasswordWrong)
                }
                Verdict::Right | Verdict::RightButOutdated => Ok(()),
            }
        };
        self.attempt(request, operation, Some(principal.identifier()), check).await
    }

    async fn replace_password(
        &self,
        principal: &Principal<A::User>,
        new: &PasswordHash,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let old = principal.password_hash().expose_phc();
        if !transaction.set_password::<A::User>(self.tenant(), principal.id(), old, new.expose_phc()).await? {
            // It changed since it was confirmed.
            return Err(Error::CurrentPasswordWrong);
        }
        self.tell_password_changed(principal, transaction).await
    }

    /// Whether a new identifier is an address that has to confirm itself.
    fn confirms_identifiers() -> bool {
        A::User::IDENTIFIER.kind == IdentifierKind::Email && A::ROUTES.verify.is_some()
    }

    /// Whether a mail may leave to an address that the user names.
    async fn may_send_to(&self, request: &Parts, address: &str) -> Result<(), Error> {
        if self.may_mail(request, "update_account", address).await? {
            return Ok(());
        }
        Err(Error::TooManyRequests(self.directory().config.throttle.mail_pause()))
    }

    /// Changes the identifier, or asks the new address to confirm first; then the old one works until it has (S37).
    async fn change_identifier(
        &self,
        principal: &Principal<A::User>,
        new: CanonicalIdentifier,
        transaction: &mut Transaction,
    ) -> Result<Option<String>, Error> {
        let id = principal.id();
        let holder = transaction.user_by_canonical::<A::User>(self.tenant(), &new.canonical).await?;
        let taken = holder.is_some_and(|holder| holder.id() != id);
        let old = principal.identifier().to_owned();
        let is_address = A::User::IDENTIFIER.kind == IdentifierKind::Email;
        if taken && self.directory().config.registration == Registration::Private {
            // As if the new address had a mail to confirm: whose it is learns of it, and nobody else (S10).
            let tell = Message::AlreadyRegistered { canonical: new.canonical };
            transaction.enqueue(self.tenant(), &tell).await?;
            let tell = Message::IdentifierChangeRequested { to: old, new_identifier: new.typed.clone() };
            transaction.enqueue(self.tenant(), &tell).await?;
            return Ok(Some(new.typed));
        }
        if taken {
            return Err(Error::IdentifierTaken);
        }
        if Self::confirms_identifiers() {
            let confirm =
                Message::ConfirmIdentifier { user_id: id.to_string(), new_identifier: new.typed.clone() };
            // Somebody who is locked out before this mail leaves must not be let back in by it (S38).
            let current =
                transaction.user_by_id::<A::User>(self.tenant(), id).await?.ok_or(Error::Unauthenticated)?;
            let fingerprint = self.directory().keys.fingerprint::<A::User>(&current);
            transaction.enqueue_for(self.tenant(), &confirm, fingerprint).await?;
            let tell = Message::IdentifierChangeRequested { to: old, new_identifier: new.typed.clone() };
            transaction.enqueue(self.tenant(), &tell).await?;
            return Ok(Some(new.typed));
        }
        if !transaction.set_identifier::<A::User>(self.tenant(), id, &old, &new).await? {
            return Err(Error::Unauthenticated);
        }
        let told = if is_address { Some(old) } else { principal.mailbox().map(str::to_owned) };
        if let Some(to) = told {
            transaction
                .enqueue(self.tenant(), &Message::IdentifierChanged { to, new_identifier: new.typed })
                .await?;
        }
        Ok(None)
    }

    /// Deletes the account of a user who confirms it with the password, at once or when the grace is over.
    pub async fn delete_account(
        &self,
        request: &Parts,
        principal: &Principal<A::User>,
        current: &Password,
    ) -> Result<Credential, Error> {
        self.confirm_password(request, "delete_account", principal, Some(current)).await?;
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        match self.directory().config.deletion_grace {
            Some(grace) => self.request_deletion(&mut transaction, principal, grace).await?,
            None => {
                self.delete_in(&mut transaction, principal.id()).await?;
                let event = NewEvent::new(EventKind::Deleted).of(principal.id());
                self.record(&mut transaction, event).await?;
            }
        }
        self.keep_an_administrator(&mut transaction, administrators).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, principal.id()).await?;
        let credential = self.backend().log_out(self.directory(), request, &mut transaction).await?;
        transaction.commit().await?;
        Ok(credential)
    }
}
