//! Pools, transactions, migrations and the statements around the model's own.

pub(crate) mod outbox;
#[cfg(feature = "sqlite")]
mod sqlite;

use crate::{
    error::Error,
    model::{Stored, UserModel},
    principal::Principal,
    session::SessionRecord,
    token::{Fingerprint, TokenHash},
};

/// A user model that every database which is switched on can store.
#[cfg(feature = "sqlite")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user model",
    label = "this type lacks `#[derive(UserModel)]`",
    note = "write `#[derive(UserModel)]` above the struct and mark its fields with `#[user(...)]`"
)]
pub trait Storable: UserModel + Stored<sqlx::Sqlite> {}

#[cfg(feature = "sqlite")]
#[diagnostic::do_not_recommend]
impl<U: UserModel + Stored<sqlx::Sqlite>> Storable for U {}

#[cfg(not(feature = "sqlite"))]
compile_error!(
    "`users-runtime` needs a database: switch on its cargo feature `sqlite`, \
     as in `users-runtime = { version = \"0.1\", default-features = false, features = [\"sqlite\"] }`"
);

/// A pool of connections that the application already has.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Pool {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for Pool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

/// A transaction of the library's, in which a hook may write too.
#[derive(Debug)]
pub struct Transaction {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
}

impl Transaction {
    /// The connection to run statements on, when the database is SQLite.
    ///
    /// # Errors
    /// When it is another one.
    #[cfg(feature = "sqlite")]
    #[allow(
        clippy::unnecessary_wraps,
        reason = "another database may be behind a transaction, chosen by URL"
    )]
    pub fn sqlite(&mut self) -> Result<&mut sqlx::SqliteConnection, Error> {
        let Inner::Sqlite(transaction) = &mut self.inner;
        Ok(transaction)
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => Ok(transaction.commit().await?),
        }
    }
}

/// What a one-time token was issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verify,
    PasswordReset,
    ChangeIdentifier,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::PasswordReset => "password_reset",
            Self::ChangeIdentifier => "change_identifier",
        }
    }
}

/// A one-time token as its table holds it.
#[derive(Debug)]
pub(crate) struct OneTime<Id> {
    pub(crate) user_id: Id,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) new_identifier: Option<String>,
    pub(crate) expires_at: i64,
}

/// A one-time token that is about to be sent. Times are in milliseconds since 1970.
pub(crate) struct NewOneTime<'a, Id> {
    pub(crate) user_id: Id,
    pub(crate) purpose: Purpose,
    pub(crate) hash: TokenHash,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) new_identifier: Option<&'a str>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

/// The database of an application: one method a statement.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: Pool,
}

/// Sends a call to the module of the database behind the pool or the transaction.
macro_rules! dispatch {
    (pool $self:ident, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {
        match &$self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => sqlite::$function$(::<$model>)?(pool $(, $argument)*).await,
        }
    };
    (tx $transaction:ident, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {
        match &mut $transaction.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => sqlite::$function$(::<$model>)?(transaction $(, $argument)*).await,
        }
    };
}

impl Database {
    /// Opens a pool by URL.
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Self { pool: Pool::Sqlite(sqlite::connect(url).await?) }),
            _ => Err(Error::Setting {
                name: "DATABASE_URL",
                problem: format!(
                    "`{scheme}` is not the scheme of a database that is switched on; write for example `sqlite://app.db`"
                ),
            }),
        }
    }

    pub(crate) fn over(pool: Pool) -> Self {
        Self { pool }
    }

    /// Creates and migrates the library's tables, and creates or checks the user's.
    pub(crate) async fn migrate<U: Storable>(&self) -> Result<(), Error> {
        dispatch!(pool self, migrate::<U>())
    }

    /// A transaction that may write from its first statement.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => Ok(Transaction { inner: Inner::Sqlite(sqlite::begin(pool).await?) }),
        }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        dispatch!(pool self, ping())
    }

    pub(crate) async fn user_by_id<U: Storable>(&self, id: U::Id) -> Result<Option<Principal<U>>, Error> {
        dispatch!(pool self, user_by_id::<U>(id))
    }

    pub(crate) async fn user_by_canonical<U: Storable>(
        &self,
        canonical: &str,
    ) -> Result<Option<Principal<U>>, Error> {
        dispatch!(pool self, user_by_canonical::<U>(canonical))
    }

    /// A session and its user, in one statement.
    pub(crate) async fn user_by_session<U: Storable>(
        &self,
        id: TokenHash,
    ) -> Result<Option<(Principal<U>, SessionRecord)>, Error> {
        dispatch!(pool self, user_by_session::<U>(id))
    }

    /// A user and whether the token is revoked, in one statement.
    pub(crate) async fn user_by_token<U: Storable>(
        &self,
        id: U::Id,
        token: TokenHash,
    ) -> Result<Option<(Principal<U>, bool)>, Error> {
        dispatch!(pool self, user_by_token::<U>(id, token))
    }

    /// A one-time token, left where it is.
    pub(crate) async fn peek_one_time<U: Storable>(
        &self,
        hash: TokenHash,
        purpose: Purpose,
    ) -> Result<Option<OneTime<U::Id>>, Error> {
        dispatch!(pool self, peek_one_time::<U>(hash, purpose))
    }

    /// Notes that a session is in use.
    pub(crate) async fn touch_session(&self, id: TokenHash, seen_at: i64) -> Result<(), Error> {
        dispatch!(pool self, touch_session(id, seen_at))
    }

    /// Deletes what time has made worthless.
    pub(crate) async fn delete_expired(&self, now: i64, idle: i64) -> Result<(), Error> {
        dispatch!(pool self, delete_expired(now, idle))
    }

    pub(crate) async fn claim_mail(&self, now: i64, until: i64) -> Result<Option<outbox::Claimed>, Error> {
        dispatch!(pool self, claim_mail(now, until))
    }

    pub(crate) async fn postpone_mail(&self, id: i64, until: i64) -> Result<(), Error> {
        dispatch!(pool self, postpone_mail(id, until))
    }

    pub(crate) async fn delete_mail(&self, id: i64) -> Result<(), Error> {
        dispatch!(pool self, delete_mail(id))
    }

    /// Whether somebody has a role.
    pub(crate) async fn role_has_members(&self, role: &str) -> Result<bool, Error> {
        dispatch!(pool self, role_has_members(role))
    }
}

impl Transaction {
    /// Stores a user; [`Error::IdentifierTaken`] when the canonical identifier is.
    pub(crate) async fn insert_user<U: Storable>(&mut self, user: U, canonical: &str) -> Result<U, Error> {
        dispatch!(tx self, insert_user::<U>(user, canonical))
    }

    pub(crate) async fn user_by_id<U: Storable>(&mut self, id: U::Id) -> Result<Option<Principal<U>>, Error> {
        dispatch!(tx self, user_by_id_in::<U>(id))
    }

    pub(crate) async fn user_by_canonical<U: Storable>(
        &mut self,
        canonical: &str,
    ) -> Result<Option<Principal<U>>, Error> {
        dispatch!(tx self, user_by_canonical_in::<U>(canonical))
    }

    pub(crate) async fn update_user<U: Storable>(
        &mut self,
        id: U::Id,
        update: &U::Update,
    ) -> Result<(), Error> {
        dispatch!(tx self, update_user::<U>(id, update))
    }

    /// Replaces the password hash if it is still `old`; `false` when it is not.
    pub(crate) async fn set_password<U: Storable>(
        &mut self,
        id: U::Id,
        old: &str,
        new: &str,
    ) -> Result<bool, Error> {
        dispatch!(tx self, set_password::<U>(id, old, new))
    }

    /// Replaces the identifier if it is still `old`; `false` when it is not.
    pub(crate) async fn set_identifier<U: Storable>(
        &mut self,
        id: U::Id,
        old: &str,
        new: &crate::validate::CanonicalIdentifier,
    ) -> Result<bool, Error> {
        dispatch!(tx self, set_identifier::<U>(id, old, new))
    }

    pub(crate) async fn set_verified<U: Storable>(&mut self, id: U::Id, verified: bool) -> Result<(), Error> {
        dispatch!(tx self, set_verified::<U>(id, verified))
    }

    pub(crate) async fn set_active<U: Storable>(&mut self, id: U::Id, active: bool) -> Result<bool, Error> {
        dispatch!(tx self, set_active::<U>(id, active))
    }

    pub(crate) async fn delete_user<U: Storable>(&mut self, id: U::Id) -> Result<(), Error> {
        dispatch!(tx self, delete_user::<U>(id))
    }

    pub(crate) async fn insert_session<U: Storable>(
        &mut self,
        id: TokenHash,
        user_id: U::Id,
        record: &SessionRecord,
    ) -> Result<(), Error> {
        dispatch!(tx self, insert_session::<U>(id, user_id, record))
    }

    pub(crate) async fn delete_session(&mut self, id: TokenHash) -> Result<(), Error> {
        dispatch!(tx self, delete_session(id))
    }

    pub(crate) async fn delete_sessions_of<U: Storable>(&mut self, user_id: U::Id) -> Result<(), Error> {
        dispatch!(tx self, delete_sessions_of::<U>(user_id))
    }

    pub(crate) async fn revoke_token(&mut self, token: TokenHash, expires_at: i64) -> Result<(), Error> {
        dispatch!(tx self, revoke_token(token, expires_at))
    }

    /// Stores a one-time token in place of the user's older one for the same purpose; `false` when the stored one is
    /// newer, which makes this one worthless (S33).
    pub(crate) async fn put_one_time<U: Storable>(
        &mut self,
        new: &NewOneTime<'_, U::Id>,
    ) -> Result<bool, Error> {
        dispatch!(tx self, put_one_time::<U>(new))
    }

    /// Takes a one-time token out of its table: of several at once, one gets it (S32).
    pub(crate) async fn take_one_time<U: Storable>(
        &mut self,
        hash: TokenHash,
        purpose: Purpose,
    ) -> Result<Option<OneTime<U::Id>>, Error> {
        dispatch!(tx self, take_one_time::<U>(hash, purpose))
    }

    pub(crate) async fn delete_one_time_of<U: Storable>(&mut self, user_id: U::Id) -> Result<(), Error> {
        dispatch!(tx self, delete_one_time_of::<U>(user_id))
    }

    /// Stores a mail to be sent after the commit.
    pub(crate) async fn enqueue(&mut self, message: &outbox::Message) -> Result<(), Error> {
        self.insert_mail(message, None).await
    }

    /// Stores a mail that is to be sent after the commit if the account is still what it is now.
    pub(crate) async fn enqueue_for(
        &mut self,
        message: &outbox::Message,
        fingerprint: Fingerprint,
    ) -> Result<(), Error> {
        self.insert_mail(message, Some(fingerprint)).await
    }

    async fn insert_mail(
        &mut self,
        message: &outbox::Message,
        fingerprint: Option<Fingerprint>,
    ) -> Result<(), Error> {
        let nonce = crate::token::Nonce::random()?;
        let json = serde_json::to_string(message).map_err(Error::internal)?;
        let now = crate::clock::now();
        dispatch!(tx self, insert_mail(&nonce, fingerprint, &json, now))
    }

    /// Notes what the account was when a mail's token was issued.
    pub(crate) async fn set_mail_fingerprint(
        &mut self,
        id: i64,
        fingerprint: Fingerprint,
    ) -> Result<(), Error> {
        dispatch!(tx self, set_mail_fingerprint(id, fingerprint))
    }

    /// Gives a user a role, which is created if there is none of the name.
    pub(crate) async fn assign_role<U: Storable>(&mut self, user_id: U::Id, role: &str) -> Result<(), Error> {
        dispatch!(tx self, assign_role::<U>(user_id, role))
    }

    pub(crate) async fn revoke_role<U: Storable>(&mut self, user_id: U::Id, role: &str) -> Result<(), Error> {
        dispatch!(tx self, revoke_role::<U>(user_id, role))
    }
}
