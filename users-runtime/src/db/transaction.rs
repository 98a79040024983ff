//! A transaction: one method a statement that belongs together with others.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Notify;

use super::{Id, NewOneTime, OneTime, Purpose, Role, RoleId, Storable, Tenant, loan::Loan, outbox};
use crate::{
    cache::Changes,
    error::Error,
    event::{Event, Outlet},
    model::RoleModel,
    principal::Principal,
    session::SessionRecord,
    token::{Fingerprint, TokenHash},
    validate::CanonicalIdentifier,
};

/// A transaction of the library's, in which a hook may write too.
#[derive(Debug)]
pub struct Transaction {
    pub(super) inner: Inner,
    /// What it records, told of after the commit.
    pub(super) recorded: Vec<Event>,
    pub(super) events: Outlet,
    /// What others may keep of what it changes.
    pub(crate) changes: Changes,
    /// Whether a hook has had its connection, and may have written anything.
    pub(super) was_lent: bool,
    /// Whether it promises mail, whose worker is woken after the commit.
    pub(super) promises_mail: bool,
    pub(super) outbox: Arc<Notify>,
}

#[derive(Debug)]
pub(super) enum Inner {
    #[cfg(feature = "sqlite")]
    Sqlite(Loan<sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Loan<sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(Loan<sqlx::MySql>),
}

/// The connection that a transaction runs on, for code that serves more than one database.
#[derive(Debug)]
#[non_exhaustive]
pub enum Connection<'t> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'t mut sqlx::SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'t mut sqlx::PgConnection),
    /// MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(&'t mut sqlx::MySqlConnection),
}

/// The connection of one database.
macro_rules! connection {
    ($function:ident, $feature:literal, $variant:ident, $connection:ident, $name:literal) => {
        #[doc = concat!("The connection to run statements on, when the database is ", $name, ".")]
        ///
        /// # Errors
        /// When it is another one.
        #[cfg(feature = $feature)]
        pub fn $function(&mut self) -> Result<&mut sqlx::$connection, Error> {
            self.was_lent = true;
            match &mut self.inner {
                Inner::$variant(loan) => Ok(loan),
                #[allow(unreachable_patterns, reason = "it may be the one database that is switched on")]
                _ => Err(Error::internal(concat!("the database is not ", $name))),
            }
        }
    };
}

impl Transaction {
    connection!(sqlite, "sqlite", Sqlite, SqliteConnection, "SQLite");
    connection!(postgres, "postgres", Postgres, PgConnection, "PostgreSQL");
    connection!(mysql, "mysql", MySql, MySqlConnection, "MySQL");

    /// The connection to run statements on, whichever database it is to.
    pub fn connection(&mut self) -> Connection<'_> {
        self.was_lent = true;
        match &mut self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(loan) => Connection::Sqlite(loan),
            #[cfg(feature = "postgres")]
            Inner::Postgres(loan) => Connection::Postgres(loan),
            #[cfg(feature = "mysql")]
            Inner::MySql(loan) => Connection::MySql(loan),
        }
    }

    /// Whether a hook has had its connection, and may have written anything.
    pub(crate) fn was_lent(&self) -> bool {
        self.was_lent
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(loan) => loan.commit().await?,
            #[cfg(feature = "postgres")]
            Inner::Postgres(mut loan) => {
                if let Some(announcement) = self.changes.announcement() {
                    let work = super::postgres::announce(&mut loan, &announcement);
                    super::loan::in_time(super::ANSWER, Box::pin(work)).await??;
                }
                loan.commit().await?;
            }
            #[cfg(feature = "mysql")]
            Inner::MySql(loan) => loan.commit().await?,
        }
        // Whoever asked for the change is answered after this.
        drop(self.changes);
        self.events.tell(self.recorded);
        if self.promises_mail {
            self.outbox.notify_one();
        }
        Ok(())
    }
}

impl Transaction {
    /// Stores a user; [`Error::IdentifierTaken`] when the canonical identifier is.
    pub(crate) async fn insert_user<U: Storable>(&mut self, user: U, canonical: &str) -> Result<U, Error> {
        dispatch!(tx self, insert_user::<U>(user, canonical))
    }

    pub(crate) async fn user_by_id<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
    ) -> Result<Option<Principal<U>>, Error> {
        dispatch!(tx self, user_by_id::<U>(tenant, id))
    }

    pub(crate) async fn user_by_canonical<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        canonical: &str,
    ) -> Result<Option<Principal<U>>, Error> {
        dispatch!(tx self, user_by_canonical::<U>(tenant, canonical))
    }

    pub(crate) async fn update_user<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
        update: &U::Update,
    ) -> Result<(), Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, update_user::<U>(tenant, id, update))
    }

    pub(crate) async fn admin_update_user<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
        update: &U::AdminUpdate,
    ) -> Result<(), Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, admin_update_user::<U>(tenant, id, update))
    }

    /// Replaces the password hash if it is still `old`; `false` when it is not.
    pub(crate) async fn set_password<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
        old: &str,
        new: &str,
    ) -> Result<bool, Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, set_password::<U>(tenant, id, old, new))
    }

    /// Replaces the identifier if it is still `old`; `false` when it is not.
    pub(crate) async fn set_identifier<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
        old: &str,
        new: &CanonicalIdentifier,
    ) -> Result<bool, Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, set_identifier::<U>(tenant, id, old, new))
    }

    /// `false` when there is no such user, or no such flag.
    pub(crate) async fn set_verified<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
        verified: bool,
    ) -> Result<bool, Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, set_verified::<U>(tenant, id, verified))
    }

    /// `false` when there is no such user, or no such flag.
    pub(crate) async fn set_active<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
        active: bool,
    ) -> Result<bool, Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, set_active::<U>(tenant, id, active))
    }

    /// `false` when there is no such user.
    pub(crate) async fn delete_user<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: Id<U>,
    ) -> Result<bool, Error> {
        self.changes.of_user(&id);
        dispatch!(tx self, delete_user::<U>(tenant, id))
    }

    pub(crate) async fn insert_session<U: Storable>(
        &mut self,
        id: TokenHash,
        record: &SessionRecord,
    ) -> Result<(), Error> {
        dispatch!(tx self, insert_session::<U>(id, record))
    }

    /// A session, whoever it belongs to.
    pub(crate) async fn session_by_id<U: Storable>(
        &mut self,
        id: TokenHash,
    ) -> Result<Option<SessionRecord>, Error> {
        dispatch!(tx self, session_by_id::<U>(id))
    }

    /// The sessions of a user, ended ones among them.
    pub(crate) async fn sessions_of<U: Storable>(
        &mut self,
        user_id: Id<U>,
    ) -> Result<Vec<(TokenHash, SessionRecord)>, Error> {
        dispatch!(tx self, sessions_of::<U>(user_id))
    }

    /// Replaces what a session carries if its revision is still this one; `false` when it is not.
    pub(crate) async fn replace_session(
        &mut self,
        id: TokenHash,
        revision: i64,
        record: &SessionRecord,
    ) -> Result<bool, Error> {
        dispatch!(tx self, replace_session(id, revision, record))
    }

    /// `false` when there was none.
    pub(crate) async fn delete_session(&mut self, id: TokenHash) -> Result<bool, Error> {
        self.changes.of_session(id);
        dispatch!(tx self, delete_session(id))
    }

    pub(crate) async fn delete_sessions_of<U: Storable>(&mut self, user_id: Id<U>) -> Result<(), Error> {
        self.changes.of_user(&user_id);
        dispatch!(tx self, delete_sessions_of::<U>(user_id))
    }

    /// Stores a one-time token in place of the user's older one for the same purpose; `false` when the stored one is
    /// newer, which makes this one worthless (S33).
    pub(crate) async fn put_one_time<U: Storable>(
        &mut self,
        new: &NewOneTime<'_, Id<U>>,
    ) -> Result<bool, Error> {
        dispatch!(tx self, put_one_time::<U>(new))
    }

    /// Takes a one-time token out of its table: of several at once, one gets it (S32).
    pub(crate) async fn take_one_time<U: Storable>(
        &mut self,
        hash: TokenHash,
        purpose: Purpose,
    ) -> Result<Option<OneTime<Id<U>>>, Error> {
        dispatch!(tx self, take_one_time::<U>(hash, purpose))
    }

    pub(crate) async fn delete_one_time_of<U: Storable>(&mut self, user_id: Id<U>) -> Result<(), Error> {
        dispatch!(tx self, delete_one_time_of::<U>(user_id))
    }

    /// Notes that an invitation was redeemed; `false` when it had been before, and then nothing may follow.
    pub(crate) async fn redeem_invitation(&mut self, id: &[u8], expires_at: i64) -> Result<bool, Error> {
        dispatch!(tx self, redeem_invitation(id, expires_at))
    }

    /// Stores a mail to be sent after the commit.
    pub(crate) async fn enqueue(
        &mut self,
        tenant: &impl Serialize,
        message: &outbox::Message,
    ) -> Result<(), Error> {
        self.insert_mail(&outbox::Envelope { tenant, message, asked: None }, None).await
    }

    /// The same for a mail that anybody may ask for.
    pub(crate) async fn enqueue_asked(
        &mut self,
        tenant: &impl Serialize,
        message: &outbox::Message,
        asked: outbox::Asked,
    ) -> Result<(), Error> {
        self.insert_mail(&outbox::Envelope { tenant, message, asked: Some(asked) }, None).await
    }

    /// Stores a mail that is to be sent after the commit if the account is still what it is now.
    pub(crate) async fn enqueue_for(
        &mut self,
        tenant: &impl Serialize,
        message: &outbox::Message,
        fingerprint: Fingerprint,
    ) -> Result<(), Error> {
        self.insert_mail(&outbox::Envelope { tenant, message, asked: None }, Some(fingerprint)).await
    }

    async fn insert_mail(
        &mut self,
        envelope: &impl Serialize,
        fingerprint: Option<Fingerprint>,
    ) -> Result<(), Error> {
        self.promises_mail = true;
        let nonce = crate::token::Nonce::random()?;
        let json = serde_json::to_string(envelope).map_err(Error::internal)?;
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

    /// Stores a role; [`Error::RoleNameTaken`] when the name is.
    pub(crate) async fn insert_role<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        role: Role<U>,
    ) -> Result<Role<U>, Error> {
        dispatch!(tx self, insert_role::<U>(tenant, role))
    }

    /// Stores a role unless one of its name is there.
    pub(crate) async fn insert_missing_role<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        role: Role<U>,
    ) -> Result<(), Error> {
        dispatch!(tx self, insert_missing_role::<U>(tenant, role))
    }

    pub(crate) async fn role_by_id<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: RoleId<U>,
    ) -> Result<Option<Role<U>>, Error> {
        dispatch!(tx self, role_by_id::<U>(tenant, id))
    }

    pub(crate) async fn role_by_name<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        name: &str,
    ) -> Result<Option<Role<U>>, Error> {
        dispatch!(tx self, role_by_name::<U>(tenant, name))
    }

    /// The same, and nobody else changes what depends on it until the transaction ends.
    pub(crate) async fn lock_role<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        name: &str,
    ) -> Result<Option<Role<U>>, Error> {
        dispatch!(tx self, lock_role::<U>(tenant, name))
    }

    pub(crate) async fn update_role<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: RoleId<U>,
        update: &<Role<U> as RoleModel>::Update,
    ) -> Result<(), Error> {
        self.changes.of_everybody();
        dispatch!(tx self, update_role::<U>(tenant, id, update))
    }

    /// Gives a role another name; [`Error::RoleNameTaken`] when another one has it.
    pub(crate) async fn rename_role<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: RoleId<U>,
        name: &str,
    ) -> Result<(), Error> {
        self.changes.of_everybody();
        dispatch!(tx self, rename_role::<U>(tenant, id, name))
    }

    /// Deletes a role, and takes it from everybody who has it.
    pub(crate) async fn delete_role<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        id: RoleId<U>,
    ) -> Result<(), Error> {
        self.changes.of_everybody();
        dispatch!(tx self, delete_role::<U>(tenant, id))
    }

    /// How many users with a role of this name may use their accounts.
    pub(crate) async fn active_members<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        role: &str,
    ) -> Result<i64, Error> {
        dispatch!(tx self, active_members::<U>(tenant, role))
    }

    /// Gives a user a role; [`Error::RoleAlreadyAssigned`] when the user has it.
    pub(crate) async fn assign_role<U: Storable>(
        &mut self,
        user_id: Id<U>,
        role_id: RoleId<U>,
    ) -> Result<(), Error> {
        self.changes.of_user(&user_id);
        dispatch!(tx self, assign_role::<U>(user_id, role_id))
    }

    /// Takes a role from a user; `false` when the user had it not.
    pub(crate) async fn revoke_role<U: Storable>(
        &mut self,
        user_id: Id<U>,
        role_id: RoleId<U>,
    ) -> Result<bool, Error> {
        self.changes.of_user(&user_id);
        dispatch!(tx self, revoke_role::<U>(user_id, role_id))
    }
}
