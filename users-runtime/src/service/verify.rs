//! Proof of a mailbox, of a new account or of a new identifier.

use http::request::Parts;

use super::Scope;
use crate::{
    app::Application,
    clock,
    db::{OneTime, Purpose, outbox::Message},
    directory::Directory,
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::UserModel,
    principal::Principal,
    token::{OpaqueToken, TokenHash},
};

type Id<A> = <<A as Application>::User as UserModel>::Id;

impl<A: Application> Scope<A> {
    /// Asks for another verification mail. The account is looked up when the mail is sent, so nothing here depends
    /// on whether there is one (S10).
    pub async fn resend_verification(&self, request: &Parts, identifier: &str) -> Result<(), Error> {
        if self.may_mail(request, "resend_verification", identifier).await? {
            self.promise_mail(identifier, |canonical| Message::Verify { canonical }).await?;
        }
        Ok(())
    }

    /// Promises a mail to an account, which is looked up when it leaves.
    pub(super) async fn promise_mail(
        &self,
        identifier: &str,
        message: impl FnOnce(String) -> Message,
    ) -> Result<(), Error> {
        let Some(identifier) = Directory::<A::User>::canonical(identifier) else { return Ok(()) };
        let directory = self.directory();
        let mut transaction = directory.database.begin().await?;
        transaction.enqueue_asked(self.tenant(), &message(identifier.canonical), self.asking()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Redeems the token of a verification mail, or of the mail that confirms a new identifier.
    pub async fn verify(&self, request: &Parts, token: &str) -> Result<Principal<A::User>, Error> {
        self.attempt(request, "verify", None, Box::pin(self.redeem_verification(request, token))).await
    }

    async fn redeem_verification(&self, request: &Parts, token: &str) -> Result<Principal<A::User>, Error> {
        let hash = OpaqueToken::parse(token).ok_or(Error::TokenInvalid)?.hash();
        match self.redeemable(hash, Purpose::Verify).await? {
            Some((principal, _)) => self.prove_mailbox(request, hash, &principal).await,
            None => {
                let (principal, token) =
                    self.redeemable(hash, Purpose::ChangeIdentifier).await?.ok_or(Error::TokenInvalid)?;
                self.complete_identifier_change(hash, &principal, &token).await
            }
        }
    }

    /// A one-time token that may still be redeemed, and its account: unexpired, and issued for what the account is
    /// now (S32).
    pub(super) async fn redeemable(
        &self,
        hash: TokenHash,
        purpose: Purpose,
    ) -> Result<Option<(Principal<A::User>, OneTime<Id<A>>)>, Error> {
        let directory = self.directory();
        let Some(token) = directory.database.peek_one_time::<A::User>(hash, purpose).await? else {
            return Ok(None);
        };
        let Some(principal) = directory.user_by_id(token.user_id).await? else { return Ok(None) };
        let current = token.expires_at > clock::now()
            && directory.keys.fits::<A::User>(&token.fingerprint, &principal)
            && principal.is_active();
        Ok(current.then_some((principal, token)))
    }

    async fn prove_mailbox(
        &self,
        request: &Parts,
        hash: TokenHash,
        principal: &Principal<A::User>,
    ) -> Result<Principal<A::User>, Error> {
        self.hooks().before_verify(request, principal).await?;
        let id = principal.id();
        let mut transaction = self.directory().database.begin().await?;
        // One atomic consumption: of twenty at once, one gets the row.
        transaction.take_one_time::<A::User>(hash, Purpose::Verify).await?.ok_or(Error::TokenInvalid)?;
        transaction.set_verified::<A::User>(self.tenant(), id, true).await?;
        self.record(&mut transaction, NewEvent::new(EventKind::Verified).of(id)).await?;
        let verified =
            transaction.user_by_id::<A::User>(self.tenant(), id).await?.ok_or(Error::TokenInvalid)?;
        self.hooks().after_verify(request, &verified, &mut transaction).await?;
        // Whoever registered somebody else's address and logged in before it was proven is out (S38). Last, because a
        // store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(verified)
    }

    async fn complete_identifier_change(
        &self,
        hash: TokenHash,
        principal: &Principal<A::User>,
        token: &OneTime<Id<A>>,
    ) -> Result<Principal<A::User>, Error> {
        let id = principal.id();
        let old = principal.identifier();
        let new = token.new_identifier.as_deref().and_then(Directory::<A::User>::canonical);
        let new = new.ok_or(Error::TokenInvalid)?;
        let mut transaction = self.directory().database.begin().await?;
        transaction
            .take_one_time::<A::User>(hash, Purpose::ChangeIdentifier)
            .await?
            .ok_or(Error::TokenInvalid)?;
        if !transaction.set_identifier::<A::User>(self.tenant(), id, old, &new).await? {
            return Err(Error::TokenInvalid);
        }
        // The token came by mail to the new address, so that one is proven.
        transaction.set_verified::<A::User>(self.tenant(), id, true).await?;
        self.record(&mut transaction, NewEvent::new(EventKind::IdentifierChanged).of(id)).await?;
        let told = Message::IdentifierChanged { to: old.to_owned(), new_identifier: new.typed };
        transaction.enqueue(self.tenant(), &told).await?;
        let changed =
            transaction.user_by_id::<A::User>(self.tenant(), id).await?.ok_or(Error::TokenInvalid)?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        self.end_credentials(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(changed)
    }
}
