//! The database of an application: its pool, and one method a statement that runs by itself.

use std::sync::Arc;

use tokio::sync::Notify;

#[cfg(feature = "mysql")]
use super::mysql;
#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use super::{
    Difference, Found, Id, OneTime, Purpose, Role, SchemaMode, Storable, Tenant, Transaction, lender::Lender,
    list::Listing, loan::Loan, outbox, transaction::Inner,
};
#[cfg(feature = "user-cache")]
use crate::cache::{Kept, UserCache};
use crate::{
    cache::Cache, error::Error, event::Outlet, model::SortColumn, principal::Principal,
    session::SessionRecord, token::TokenHash,
};

/// A pool of connections that the application already has.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Pool {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for Pool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::PgPool> for Pool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self::Postgres(pool)
    }
}

#[cfg(feature = "mysql")]
impl From<sqlx::MySqlPool> for Pool {
    fn from(pool: sqlx::MySqlPool) -> Self {
        Self::MySql(pool)
    }
}

/// Who lends the connections of a pool.
#[derive(Debug, Clone)]
pub(super) enum Lenders {
    #[cfg(feature = "sqlite")]
    Sqlite(Lender<sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Lender<sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(Lender<sqlx::MySql>),
}

/// The database of an application: one method a statement.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(super) pool: Lenders,
    /// Where events go once they are committed.
    pub(crate) events: Outlet,
    /// Wakes the worker that sends mail.
    pub(crate) outbox: Arc<Notify>,
    /// What is kept of what was read from it.
    pub(crate) cache: Cache,
}

impl Database {
    /// Opens a pool by URL, of so many connections or the number that suits the database.
    pub(crate) async fn connect(url: &str, max_connections: Option<u32>) -> Result<Self, Error> {
        let scheme = url.split(':').next().unwrap_or_default();
        let pool = match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                Lenders::Sqlite(Lender::of_own(sqlite::connect(url, max_connections).await?).one_writer())
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                Lenders::Postgres(Lender::of_own(postgres::connect(url, max_connections).await?))
            }
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => {
                Lenders::MySql(Lender::of_own(mysql::connect(url, max_connections).await?))
            }
            _ => return Err(unknown_scheme(scheme)),
        };
        Ok(Self::lent_by(pool))
    }

    /// A database whose connections the application uses too.
    pub(crate) fn over(pool: Pool) -> Self {
        Self::lent_by(match pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => Lenders::Sqlite(Lender::of_shared(pool).one_writer()),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => Lenders::Postgres(Lender::of_shared(pool)),
            #[cfg(feature = "mysql")]
            Pool::MySql(pool) => Lenders::MySql(Lender::of_shared(pool)),
        })
    }

    fn lent_by(pool: Lenders) -> Self {
        Self { pool, events: Outlet::default(), outbox: Arc::default(), cache: Cache::default() }
    }

    /// The same with what is kept of what is read from it.
    #[cfg(feature = "user-cache")]
    pub(crate) fn with_cache(self, settings: Option<UserCache>) -> Self {
        let Some(settings) = settings else { return self };
        // Over other databases nobody tells of changes, so that there is nothing to wait for.
        #[cfg(feature = "postgres")]
        let hears = !matches!(self.pool, Lenders::Postgres(_));
        #[cfg(not(feature = "postgres"))]
        let hears = true;
        Self { cache: Cache::new(Kept::new(settings, hears)), ..self }
    }

    /// Listens for changes that other nodes make, if there is a cache and a database that tells of them.
    #[cfg(all(feature = "user-cache", feature = "postgres"))]
    pub(crate) fn listen(&self) {
        if let (Lenders::Postgres(pool), Some(kept)) = (&self.pool, self.cache.kept()) {
            tokio::spawn(postgres::listen((**pool).clone(), Arc::downgrade(kept), Arc::clone(&kept.closed)));
        }
    }

    /// Closes every connection, as when the database is gone.
    #[cfg(feature = "conformance")]
    pub(crate) async fn close(&self) {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Lenders::Sqlite(pool) => pool.close().await,
            #[cfg(feature = "postgres")]
            Lenders::Postgres(pool) => pool.close().await,
            #[cfg(feature = "mysql")]
            Lenders::MySql(pool) => pool.close().await,
        }
    }

    /// Creates and migrates the library's tables, and creates or checks the user's.
    pub(crate) async fn migrate<U: Storable>(&self, mode: SchemaMode) -> Result<(), Error> {
        dispatch!(unlimited self, migrate::<U>(mode))
    }

    /// What sets the tables apart from the structs; nothing is written.
    pub(crate) async fn drift<U: Storable>(&self) -> Result<Vec<Difference>, Error> {
        dispatch!(unlimited self, drift::<U>())
    }

    /// Ends the differences that need no decision; the statements that did.
    pub(crate) async fn apply<U: Storable>(&self, mode: SchemaMode) -> Result<Vec<String>, Error> {
        dispatch!(unlimited self, apply::<U>(mode))
    }

    /// A transaction that may write from its first statement.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        let inner = match &self.pool {
            #[cfg(feature = "sqlite")]
            Lenders::Sqlite(pool) => Inner::Sqlite(Loan::begin(pool, sqlite::BEGIN).await?),
            #[cfg(feature = "postgres")]
            Lenders::Postgres(pool) => Inner::Postgres(Loan::begin(pool, postgres::BEGIN).await?),
            #[cfg(feature = "mysql")]
            Lenders::MySql(pool) => Inner::MySql(Loan::begin(pool, mysql::BEGIN).await?),
        };
        Ok(Transaction {
            inner,
            recorded: Vec::new(),
            events: self.events.clone(),
            changes: self.cache.changes(),
            was_lent: false,
            promises_mail: false,
            outbox: Arc::clone(&self.outbox),
        })
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        dispatch!(pool self, ping())
    }

    pub(crate) async fn user_by_id<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        id: Id<U>,
    ) -> Result<Option<Principal<U>>, Error> {
        dispatch!(pool self, user_by_id::<U>(tenant, id))
    }

    pub(crate) async fn user_by_canonical<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        canonical: &str,
    ) -> Result<Option<Principal<U>>, Error> {
        dispatch!(pool self, user_by_canonical::<U>(tenant, canonical))
    }

    /// A session and its user, in one statement.
    pub(crate) async fn user_by_session<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        id: TokenHash,
    ) -> Result<Option<Found<U>>, Error> {
        dispatch!(pool self, user_by_session::<U>(tenant, id))
    }

    /// The sessions that there are of some, each named once and no more than [`SESSIONS`](super::SESSIONS), with their
    /// users. What cannot be read of one is no error of the others.
    pub(crate) async fn users_by_sessions<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        ids: &[TokenHash],
    ) -> Result<Vec<(TokenHash, Result<Found<U>, Error>)>, Error> {
        dispatch!(pool self, users_by_sessions::<U>(tenant, ids))
    }

    /// A session, whoever it belongs to.
    pub(crate) async fn session_by_id<U: Storable>(
        &self,
        id: TokenHash,
    ) -> Result<Option<SessionRecord>, Error> {
        dispatch!(pool self, session_by_id::<U>(id))
    }

    /// The sessions of a user, ended ones among them.
    pub(crate) async fn sessions_of<U: Storable>(
        &self,
        user_id: Id<U>,
    ) -> Result<Vec<(TokenHash, SessionRecord)>, Error> {
        dispatch!(pool self, sessions_of::<U>(user_id))
    }

    /// A one-time token, left where it is. Its tenant is that of its user.
    pub(crate) async fn peek_one_time<U: Storable>(
        &self,
        hash: TokenHash,
        purpose: Purpose,
    ) -> Result<Option<OneTime<Id<U>>>, Error> {
        dispatch!(pool self, peek_one_time::<U>(hash, purpose))
    }

    /// Notes that a session is in use.
    pub(crate) async fn touch_session(&self, id: TokenHash, seen_at: i64) -> Result<(), Error> {
        dispatch!(pool self, touch_session(id, seen_at))
    }

    /// Deletes what time has made worthless.
    pub(crate) async fn delete_expired(&self, now: i64, idle: i64) -> Result<(), Error> {
        dispatch!(within super::CLEANING; self, delete_expired(now, idle))
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

    /// Every role of a tenant, by name.
    pub(crate) async fn roles<U: Storable>(&self, tenant: &Tenant<U>) -> Result<Vec<Role<U>>, Error> {
        dispatch!(pool self, roles::<U>(tenant))
    }

    /// A page of users, and the first of the next if there is one.
    pub(crate) async fn list_users<U: Storable>(
        &self,
        listing: &Listing<'_, U>,
    ) -> Result<Vec<Principal<U>>, Error> {
        dispatch!(pool self, list_users::<U>(listing))
    }

    /// How many users all pages hold.
    pub(crate) async fn count_users<U: Storable>(&self, listing: &Listing<'_, U>) -> Result<i64, Error> {
        dispatch!(pool self, count_users::<U>(listing))
    }

    /// The columns of the application's own that lists may be sorted by.
    pub(crate) fn sort_columns<U: Storable>(&self) -> &'static [SortColumn] {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Lenders::Sqlite(_) => sqlite::sort_columns::<U>(),
            #[cfg(feature = "postgres")]
            Lenders::Postgres(_) => postgres::sort_columns::<U>(),
            #[cfg(feature = "mysql")]
            Lenders::MySql(_) => mysql::sort_columns::<U>(),
        }
    }

    /// Whether the model has the flag `active`.
    pub(crate) fn has_active_flag<U: Storable>(&self) -> bool {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Lenders::Sqlite(_) => sqlite::has_active_flag::<U>(),
            #[cfg(feature = "postgres")]
            Lenders::Postgres(_) => postgres::has_active_flag::<U>(),
            #[cfg(feature = "mysql")]
            Lenders::MySql(_) => mysql::has_active_flag::<U>(),
        }
    }

    /// The text of the statement behind a page.
    pub(crate) fn page_sql<U: Storable>(&self, listing: &Listing<'_, U>) -> Result<String, Error> {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Lenders::Sqlite(_) => sqlite::page_sql::<U>(listing),
            #[cfg(feature = "postgres")]
            Lenders::Postgres(_) => postgres::page_sql::<U>(listing),
            #[cfg(feature = "mysql")]
            Lenders::MySql(_) => mysql::page_sql::<U>(listing),
        }
    }

    /// How many users with a role of this name may use their accounts.
    pub(crate) async fn active_members<U: Storable>(
        &self,
        tenant: &Tenant<U>,
        role: &str,
    ) -> Result<i64, Error> {
        dispatch!(pool self, active_members::<U>(tenant, role))
    }
}

fn unknown_scheme(scheme: &str) -> Error {
    let known: &[(bool, &str)] = &[
        (cfg!(feature = "sqlite"), "`sqlite://app.db`"),
        (cfg!(feature = "postgres"), "`postgres://user@host/database`"),
        (cfg!(feature = "mysql"), "`mysql://user@host/database`"),
    ];
    let examples: Vec<_> = known.iter().filter(|(on, _)| *on).map(|(_, example)| *example).collect();
    Error::Setting {
        name: "DATABASE_URL",
        problem: format!(
            "`{scheme}` is not the scheme of a database that is switched on; write for example {}",
            examples.join(" or ")
        ),
    }
}

pub(super) fn wrong_url(error: &sqlx::Error) -> Error {
    Error::Setting { name: "DATABASE_URL", problem: error.to_string() }
}
