//! Linked accounts.

#![cfg_attr(
    not(feature = "oauth2"),
    allow(dead_code, reason = "only sign-in through providers links accounts")
)]

use sqlx::{Executor, Row, query_with};

use super::{Connection, Db, DbArguments, DbRow, in_tenant, insert_returning_key};
use crate::{
    db::{
        Storable,
        oauth::{Linked, NewLink, SealedTokens, SignedIn},
    },
    error::{Error, OAuthFailure},
    model::{OAuthAccountModel, OAuthAccountStatements, StoredOAuthAccount, UserModel},
};

type AccountId<U> = <<U as UserModel>::OAuthAccount as OAuthAccountModel>::Id;

fn statements<U: Storable>() -> OAuthAccountStatements {
    super::model_sql::<U>().oauth_accounts
}

/// How many columns of a row are the account's; those that the library adds follow.
fn width<U: Storable>() -> usize {
    <U::OAuthAccount as StoredOAuthAccount<Db>>::SQL.width
}

fn account<U: Storable>(row: &DbRow) -> Result<U::OAuthAccount, sqlx::Error> {
    <U::OAuthAccount as StoredOAuthAccount<Db>>::from_row(row, 0)
}

/// The account that an issuer knows by this subject, and whose it is.
pub(in crate::db) async fn oauth_account_by_identity<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    issuer: &str,
    subject: &str,
) -> Result<Option<(U::OAuthAccount, U::Id)>, Error> {
    let arguments = in_tenant::<U>(values![issuer, subject], tenant)?;
    let row = query_with(statements::<U>().by_identity, arguments).fetch_optional(executor).await?;
    let Some(row) = row else { return Ok(None) };
    let account = account::<U>(&row)?;
    // MySQL sees no difference in spaces at the end, and somebody else at the provider may be called so (S44).
    if account.subject() != subject {
        return Ok(None);
    }
    Ok(Some((account, row.try_get(width::<U>())?)))
}

pub(in crate::db) async fn insert_oauth_account<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    user_id: U::Id,
    account: U::OAuthAccount,
    link: NewLink<'_>,
) -> Result<U::OAuthAccount, Error> {
    let account = super::oauth_account_with_key::<U>(connection, account).await?;
    let mut arguments = DbArguments::default();
    <U::OAuthAccount as StoredOAuthAccount<Db>>::add_insert(&account, &mut arguments)
        .map_err(Error::internal)?;
    let NewLink { issuer, tokens, tokens_expire_at, now } = link;
    add_values!(arguments, user_id, issuer, tokens, tokens_expire_at, now, now);
    let arguments = in_tenant::<U>(arguments, tenant)?;
    let stored = insert_returning_key(connection, statements::<U>().insert, arguments, account.id()).await;
    let id = stored.map_err(|error| match error.as_database_error() {
        Some(broken) if broken.is_unique_violation() => Error::OAuth(OAuthFailure::IdentityTaken),
        // The user was deleted since they were read.
        Some(broken) if broken.is_foreign_key_violation() => Error::NotFound,
        _ => error.into(),
    })?;
    Ok(account.with_id(id))
}

/// The accounts that a user has linked, the oldest first.
pub(in crate::db) async fn oauth_accounts_of<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    user_id: U::Id,
) -> Result<Vec<Linked<U>>, Error> {
    let arguments = in_tenant::<U>(values![user_id], tenant)?;
    let rows = query_with(statements::<U>().of_user, arguments).fetch_all(executor).await?;
    let linked = |row: &DbRow| {
        let behind = width::<U>();
        Ok(Linked {
            account: account::<U>(row)?,
            issuer: row.try_get(behind)?,
            created_at: row.try_get(behind + 1)?,
        })
    };
    Ok(rows.iter().map(linked).collect::<Result<_, sqlx::Error>>()?)
}

async fn with_tokens<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    statement: &'static str,
    tenant: &U::Tenant,
    user_id: U::Id,
    id: AccountId<U>,
) -> Result<Option<(U::OAuthAccount, SealedTokens)>, Error> {
    let arguments = in_tenant::<U>(values![id, user_id], tenant)?;
    let row = query_with(statement, arguments).fetch_optional(executor).await?;
    let Some(row) = row else { return Ok(None) };
    let behind = width::<U>();
    let tokens = SealedTokens { tokens: row.try_get(behind)?, expire_at: row.try_get(behind + 1)? };
    Ok(Some((account::<U>(&row)?, tokens)))
}

/// An account of this user, with its tokens.
pub(in crate::db) async fn oauth_account<U: Storable>(
    executor: impl Executor<'_, Database = Db>,
    tenant: &U::Tenant,
    user_id: U::Id,
    id: AccountId<U>,
) -> Result<Option<(U::OAuthAccount, SealedTokens)>, Error> {
    with_tokens::<U>(executor, statements::<U>().by_id, tenant, user_id, id).await
}

/// The same, and nobody else gets it so until the transaction ends.
pub(in crate::db) async fn lock_oauth_account<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    user_id: U::Id,
    id: AccountId<U>,
) -> Result<Option<(U::OAuthAccount, SealedTokens)>, Error> {
    with_tokens::<U>(connection, statements::<U>().lock_by_id, tenant, user_id, id).await
}

pub(in crate::db) async fn set_oauth_tokens<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: AccountId<U>,
    tokens: Option<&str>,
    expire_at: Option<i64>,
    now: i64,
) -> Result<(), Error> {
    let arguments = in_tenant::<U>(values![tokens, expire_at, now, id], tenant)?;
    query_with(statements::<U>().set_tokens, arguments).execute(connection).await?;
    Ok(())
}

/// Stores what a later sign-in brought.
pub(in crate::db) async fn update_oauth_account<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    id: AccountId<U>,
    signed_in: SignedIn<'_>,
) -> Result<(), Error> {
    let SignedIn { email, tokens, tokens_expire_at, now } = signed_in;
    let mut arguments = DbArguments::default();
    if <U::OAuthAccount as StoredOAuthAccount<Db>>::SQL.email.is_some() {
        add_values!(arguments, email);
    }
    add_values!(arguments, tokens, tokens_expire_at, now, id);
    let arguments = in_tenant::<U>(arguments, tenant)?;
    query_with(statements::<U>().update, arguments).execute(connection).await?;
    Ok(())
}

/// Unlinks an account of this user; `false` when it is none.
pub(in crate::db) async fn delete_oauth_account<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    user_id: U::Id,
    id: AccountId<U>,
) -> Result<bool, Error> {
    let arguments = in_tenant::<U>(values![id, user_id], tenant)?;
    let done = query_with(statements::<U>().delete, arguments).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::db) async fn delete_oauth_accounts_of<U: Storable>(
    connection: &mut Connection,
    tenant: &U::Tenant,
    user_id: U::Id,
) -> Result<(), Error> {
    let arguments = in_tenant::<U>(values![user_id], tenant)?;
    query_with(statements::<U>().delete_of_user, arguments).execute(connection).await?;
    Ok(())
}
