//! Pools, transactions, migrations and the statements around the model's own.
//!
//! Each database has a module of its own for what sets it apart. What they do alike stands once, in `shared`, and is
//! compiled into each of them.

pub(crate) mod list;
pub(crate) mod outbox;
mod schema;
pub mod sql;

/// A statement of the library's, with its arguments as the database wants them.
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {
        $crate::__sql!(SYNTAX; $($part),+)
    };
}

/// The arguments of a statement.
macro_rules! values {
    ($($value:expr),+ $(,)?) => {{
        let mut arguments = DbArguments::default();
        add_values!(arguments, $($value),+);
        arguments
    }};
}

/// Further arguments of a statement.
macro_rules! add_values {
    ($arguments:ident, $($value:expr),+ $(,)?) => {
        $( sqlx::Arguments::add(&mut $arguments, $value).map_err(Error::internal)?; )+
    };
}

/// Sends a call to the module of the database behind the pool or the transaction, and waits for the answer for so long.
macro_rules! dispatch {
    // The pool itself, without a limit: for what is done at start-up and by commands.
    (unlimited $self:ident, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {
        match &$self.pool {
            #[cfg(feature = "sqlite")]
            $crate::db::database::Lenders::Sqlite(pool) => $crate::db::sqlite::$function$(::<$model>)?(pool $(, $argument)*).await,
            #[cfg(feature = "postgres")]
            $crate::db::database::Lenders::Postgres(pool) => $crate::db::postgres::$function$(::<$model>)?(pool $(, $argument)*).await,
            #[cfg(feature = "mysql")]
            $crate::db::database::Lenders::MySql(pool) => $crate::db::mysql::$function$(::<$model>)?(pool $(, $argument)*).await,
        }
    };
    (pool $self:ident, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {
        dispatch!(within $crate::db::ANSWER; $self, $function $(::<$model>)? ( $($argument),* ))
    };
    (within $limit:expr; $self:ident, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {
        match &$self.pool {
            #[cfg(feature = "sqlite")]
            $crate::db::database::Lenders::Sqlite(pool) => {
                dispatch!(on sqlite, pool, $limit, $function $(::<$model>)? ( $($argument),* ))
            }
            #[cfg(feature = "postgres")]
            $crate::db::database::Lenders::Postgres(pool) => {
                dispatch!(on postgres, pool, $limit, $function $(::<$model>)? ( $($argument),* ))
            }
            #[cfg(feature = "mysql")]
            $crate::db::database::Lenders::MySql(pool) => {
                dispatch!(on mysql, pool, $limit, $function $(::<$model>)? ( $($argument),* ))
            }
        }
    };
    (on $database:ident, $pool:ident, $limit:expr, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {{
        let mut loan = $crate::db::loan::Loan::of($pool).await?;
        let work = $crate::db::$database::$function$(::<$model>)?(&mut *loan $(, $argument)*);
        let answer = $crate::db::loan::in_time($limit, Box::pin(work)).await?;
        loan.settle(answer.is_ok());
        answer
    }};
    (tx $transaction:ident, $function:ident $(::<$model:ident>)? ( $($argument:expr),* )) => {
        match &mut $transaction.inner {
            #[cfg(feature = "sqlite")]
            $crate::db::transaction::Inner::Sqlite(loan) => {
                let work = $crate::db::sqlite::$function$(::<$model>)?(&mut **loan $(, $argument)*);
                $crate::db::loan::in_time($crate::db::ANSWER, Box::pin(work)).await?
            }
            #[cfg(feature = "postgres")]
            $crate::db::transaction::Inner::Postgres(loan) => {
                let work = $crate::db::postgres::$function$(::<$model>)?(&mut **loan $(, $argument)*);
                $crate::db::loan::in_time($crate::db::ANSWER, Box::pin(work)).await?
            }
            #[cfg(feature = "mysql")]
            $crate::db::transaction::Inner::MySql(loan) => {
                let work = $crate::db::mysql::$function$(::<$model>)?(&mut **loan $(, $argument)*);
                $crate::db::loan::in_time($crate::db::ANSWER, Box::pin(work)).await?
            }
        }
    };
}

mod database;
mod entries;
pub(crate) mod events;
mod import;
mod lender;
mod loan;
mod lookups;
#[cfg(feature = "mysql")]
mod mysql;
pub(crate) mod oauth;
#[cfg(test)]
mod place;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

use std::time::Duration;

pub(crate) use database::Database;
pub use database::Pool;
pub(crate) use import::{ImportStep, Refusal};
pub(crate) use lookups::Lookups;
pub use schema::{Difference, SchemaMode};
pub use transaction::{Connection, Transaction};

use crate::{
    error::Error,
    model::{RoleModel, Stored, UserModel},
    principal::Principal,
    session::SessionRecord,
    token::{Fingerprint, TokenHash},
};

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!(
    "`users-runtime` needs a database: switch on its cargo feature `sqlite`, `postgres` or `mysql`, \
     as in `users-runtime = { version = \"0.1\", default-features = false, features = [\"sqlite\"] }`"
);

/// How long a statement waits for another writer, and a request for a connection, before the answer is 503.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long a statement may take before it is cut off and the answer is 503 (S58): longer than it waits for another writer.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);

/// How long the deletion of what has expired may take: nobody waits for it, and there may be much.
const CLEANING: Duration = Duration::from_mins(5);

/// How many connections to a server a pool opens; `Config::with_max_connections` names another number.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const MAX_SERVER_CONNECTIONS: u32 = 10;

/// After how long without use a connection is asked whether it still stands.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const IDLE_BEFORE_PING: Duration = Duration::from_secs(1);

/// Says once for each database what is asked of a model, and nothing when it is switched off.
macro_rules! stored_in {
    ($name:ident, $feature:literal, $database:ident) => {
        /// A model that the database can store, when it is switched on.
        #[cfg(feature = $feature)]
        #[diagnostic::on_unimplemented(
            message = "`{Self}` is not a user model",
            label = "this type lacks `#[derive(UserModel)]`",
            note = "write `#[derive(UserModel)]` above the struct and mark its fields with `#[user(...)]`"
        )]
        pub trait $name: Stored<sqlx::$database> {}

        #[cfg(feature = $feature)]
        #[diagnostic::do_not_recommend]
        impl<U: Stored<sqlx::$database>> $name for U {}

        /// A model that the database can store, when it is switched on.
        #[cfg(not(feature = $feature))]
        pub trait $name {}

        #[cfg(not(feature = $feature))]
        impl<U> $name for U {}
    };
}

stored_in!(StoredInSqlite, "sqlite", Sqlite);
stored_in!(StoredInPostgres, "postgres", Postgres);
stored_in!(StoredInMySql, "mysql", MySql);

/// A user model that every database which is switched on can store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user model",
    label = "this type lacks `#[derive(UserModel)]`",
    note = "write `#[derive(UserModel)]` above the struct and mark its fields with `#[user(...)]`"
)]
pub trait Storable: UserModel + StoredInSqlite + StoredInPostgres + StoredInMySql {}

#[diagnostic::do_not_recommend]
impl<U: UserModel + StoredInSqlite + StoredInPostgres + StoredInMySql> Storable for U {}

type Id<U> = <U as UserModel>::Id;
type Tenant<U> = <U as UserModel>::Tenant;
type Role<U> = <U as UserModel>::Role;
type RoleId<U> = <Role<U> as RoleModel>::Id;

/// The columns of the application's own that lists of a model may be sorted by, in whichever database.
#[cfg(feature = "openapi")]
#[allow(unreachable_code, reason = "the first database that is switched on answers")]
pub(crate) fn sort_columns<U: Storable>() -> &'static [crate::model::SortColumn] {
    #[cfg(feature = "sqlite")]
    return sqlite::sort_columns::<U>();
    #[cfg(feature = "postgres")]
    return postgres::sort_columns::<U>();
    #[cfg(feature = "mysql")]
    return mysql::sort_columns::<U>();
}

/// A session and its user.
type Found<U> = (Principal<U>, SessionRecord);

/// For how many sessions one statement asks at the most.
const SESSIONS: usize = {
    let (marks, mut index, mut count) = (sql::SESSIONS.as_bytes(), 0, 0);
    while index < marks.len() {
        count += (marks[index] == b'?') as usize;
        index += 1;
    }
    count
};

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

fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, Error> {
    Fingerprint::from_bytes(bytes).ok_or_else(|| Error::internal("a stored fingerprint has the wrong length"))
}
