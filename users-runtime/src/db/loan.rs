//! A connection on loan from the pool: what it is asked is answered in time or cut off, and a connection that was cut off
//! goes back only if it still answers.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{Connection, Database, Pool, SqlSafeStr, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager;
use tokio::{runtime::Handle, time::timeout};

use super::{ANSWER, PATIENCE};
use crate::{error::Error, future::BoxFuture};

/// A connection on loan from a pool.
#[derive(Debug)]
pub(super) struct Loan<D: Database> {
    /// There until it goes back.
    connection: Option<PoolConnection<D>>,
    in_transaction: bool,
    /// Whether everything that was asked of it was answered.
    settled: bool,
}

impl<D: Database> Loan<D> {
    /// A connection for one statement. How long to wait for it is a setting of the pool.
    pub(super) async fn of(pool: &Pool<D>) -> Result<Self, Error> {
        Ok(Self { connection: Some(pool.acquire().await?), in_transaction: false, settled: false })
    }

    /// A connection with a transaction, which ends without a trace unless it is committed.
    pub(super) async fn begin(pool: &Pool<D>, statement: &'static str) -> Result<Self, Error> {
        let mut loan = Self::of(pool).await?;
        // What is cut off may have begun all the same.
        loan.in_transaction = true;
        let begin = Box::pin(D::TransactionManager::begin(&mut loan, Some(statement.into_sql_str())));
        in_time(ANSWER, begin).await??;
        Ok(loan)
    }

    pub(super) async fn commit(mut self) -> Result<(), Error> {
        in_time(ANSWER, Box::pin(D::TransactionManager::commit(&mut self))).await??;
        self.in_transaction = false;
        self.settle();
        Ok(())
    }

    /// Notes that everything that was asked was answered.
    pub(super) fn settle(&mut self) {
        self.settled = true;
    }
}

impl<D: Database> Deref for Loan<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        self.connection.as_ref().unwrap_or_else(|| unreachable!("it goes back at the end"))
    }
}

impl<D: Database> DerefMut for Loan<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        self.connection.as_mut().unwrap_or_else(|| unreachable!("it goes back at the end"))
    }
}

impl<D: Database> Drop for Loan<D> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.in_transaction {
            D::TransactionManager::start_rollback(&mut connection);
        }
        if self.settled {
            return;
        }
        // The statement was cut off by its limit, or by a client that left. The pool would ask without a limit whether the
        // connection is good, and count it as lent until then: a network that swallows everything would take them all.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if !matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(()))) {
                connection.close_on_drop();
            }
        });
    }
}

/// The answer of a database, if it comes in time. The work comes in a box: what every request is made of would otherwise
/// have the type of each statement of each database in its own, which takes the compiler minutes.
pub(super) async fn in_time<T>(limit: Duration, work: BoxFuture<'_, T>) -> Result<T, Error> {
    let late = |_| Error::unavailable(format!("the database did not answer within {limit:?}"));
    timeout(limit, work).await.map_err(late)
}
