//! Linked accounts as their table holds them, beside the columns of the application's own struct.

#![cfg_attr(
    not(feature = "oauth2"),
    allow(dead_code, reason = "only sign-in through providers links accounts")
)]

use super::{Database, Id, Storable, Tenant, Transaction};
use crate::{
    error::Error,
    model::{OAuthAccountModel, UserModel},
};

type OAuthAccount<U> = <U as UserModel>::OAuthAccount;
type OAuthAccountId<U> = <OAuthAccount<U> as OAuthAccountModel>::Id;

/// What the library stores with an account that is about to be linked. Times are in milliseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct NewLink<'a> {
    /// Who says who the account is.
    pub(crate) issuer: &'a str,
    /// The provider's tokens, sealed (S48).
    pub(crate) tokens: Option<&'a str>,
    pub(crate) tokens_expire_at: Option<i64>,
    pub(crate) now: i64,
}

/// What a later sign-in brings of an account. Times are in milliseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct SignedIn<'a> {
    /// The mail address at the provider, or none.
    pub(crate) email: Option<&'a str>,
    /// The provider's tokens, sealed (S48).
    pub(crate) tokens: Option<&'a str>,
    pub(crate) tokens_expire_at: Option<i64>,
    pub(crate) now: i64,
}

/// An account in a list of those that a user has linked.
pub(crate) struct Linked<U: UserModel> {
    pub(crate) account: U::OAuthAccount,
    /// Who says who the account is.
    pub(crate) issuer: String,
    /// In milliseconds since 1970.
    pub(crate) created_at: i64,
}

/// The tokens of a linked account, sealed (S48).
pub(crate) struct SealedTokens {
    pub(crate) tokens: Option<String>,
    /// In milliseconds since 1970.
    #[allow(
        dead_code,
        reason = "what is sealed says it too; the column is for whoever looks for tokens that are stale"
    )]
    pub(crate) expire_at: Option<i64>,
}

impl Database {
    /// The account that an issuer knows by this subject, and whose it is.
    pub(crate) async fn oauth_account_by_identity<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<(OAuthAccount<U>, Id<U>)>, Error> {
        dispatch!(pool self, oauth_account_by_identity::<U>(tenant, issuer, subject))
    }

    /// The accounts that a user has linked, the oldest first.
    pub(crate) async fn oauth_accounts_of<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        user_id: Id<U>,
    ) -> Result<Vec<Linked<U>>, Error> {
        dispatch!(pool self, oauth_accounts_of::<U>(tenant, user_id))
    }

    /// An account of this user, with its tokens.
    pub(crate) async fn oauth_account<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        user_id: Id<U>,
        id: OAuthAccountId<U>,
    ) -> Result<Option<(OAuthAccount<U>, SealedTokens)>, Error> {
        dispatch!(pool self, oauth_account::<U>(tenant, user_id, id))
    }
}

impl Transaction {
    /// Links an account to a user; [`OAuthFailure::IdentityTaken`](crate::error::OAuthFailure::IdentityTaken) when it is
    /// linked to somebody already, [`Error::NotFound`] when the user is gone.
    pub(crate) async fn insert_oauth_account<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        user_id: Id<U>,
        account: OAuthAccount<U>,
        link: NewLink<'_>,
    ) -> Result<OAuthAccount<U>, Error> {
        dispatch!(tx self, insert_oauth_account::<U>(tenant, user_id, account, link))
    }

    /// The accounts that a user has linked, the oldest first.
    pub(crate) async fn oauth_accounts_of<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        user_id: Id<U>,
    ) -> Result<Vec<Linked<U>>, Error> {
        dispatch!(tx self, oauth_accounts_of::<U>(tenant, user_id))
    }

    /// An account of this user with its tokens, which nobody else gets so until the transaction ends.
    pub(crate) async fn lock_oauth_account<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        user_id: Id<U>,
        id: OAuthAccountId<U>,
    ) -> Result<Option<(OAuthAccount<U>, SealedTokens)>, Error> {
        dispatch!(tx self, lock_oauth_account::<U>(tenant, user_id, id))
    }

    /// Replaces the tokens of an account.
    pub(crate) async fn set_oauth_tokens<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: OAuthAccountId<U>,
        tokens: Option<&str>,
        expire_at: Option<i64>,
        now: i64,
    ) -> Result<(), Error> {
        dispatch!(tx self, set_oauth_tokens::<U>(tenant, id, tokens, expire_at, now))
    }

    /// Stores what a later sign-in brought of an account.
    pub(crate) async fn update_oauth_account<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: OAuthAccountId<U>,
        signed_in: SignedIn<'_>,
    ) -> Result<(), Error> {
        dispatch!(tx self, update_oauth_account::<U>(tenant, id, signed_in))
    }

    /// Unlinks an account of this user; `false` when it is none.
    pub(crate) async fn delete_oauth_account<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        user_id: Id<U>,
        id: OAuthAccountId<U>,
    ) -> Result<bool, Error> {
        dispatch!(tx self, delete_oauth_account::<U>(tenant, user_id, id))
    }
}

#[cfg(test)]
mod tests;
