//! A connection on loan from the pool: what it is asked is answered in time or cut off, and a connection that was cut off
//! goes back only if it still answers.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{Connection, Database, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit, time::timeout};

use super::{
    ANSWER, PATIENCE,
    lender::{Lender, Lent},
};
use crate::{error::Error, future::BoxFuture};

/// How the last thing was answered that a connection was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    /// Not at all: it was cut off, or is under way.
    Not,
    /// With an error, after which the pool looks at the connection.
    Badly,
    Well,
}

/// A connection on loan from a pool.
#[derive(Debug)]
pub(super) struct Loan<D: Database> {
    /// There until it goes back.
    lent: Option<Lent<D>>,
    in_transaction: bool,
    answered: Answered,
    /// Of a transaction; given back after the connection.
    turn: Option<OwnedSemaphorePermit>,
}

impl<D: Database> Loan<D> {
    /// A connection for one statement. How long to wait for it is a setting of the pool.
    pub(super) async fn of(lender: &Lender<D>) -> Result<Self, Error> {
        let lent = Some(lender.lend().await?);
        Ok(Self { lent, in_transaction: false, answered: Answered::Not, turn: None })
    }

    /// A connection with a transaction, which ends without a trace unless it is committed.
    pub(super) async fn begin(lender: &Lender<D>, statement: &'static str) -> Result<Self, Error> {
        let turn = lender.turn().await?;
        let mut loan = Self::of(lender).await?;
        loan.turn = Some(turn);
        // What is cut off may have begun all the same.
        loan.in_transaction = true;
        let begin = Box::pin(D::TransactionManager::begin(&mut loan, Some(statement.into_sql_str())));
        in_time(ANSWER, begin).await??;
        Ok(loan)
    }

    pub(super) async fn commit(mut self) -> Result<(), Error> {
        in_time(ANSWER, Box::pin(D::TransactionManager::commit(&mut self))).await??;
        self.in_transaction = false;
        self.settle(true);
        Ok(())
    }

    /// Notes that everything that was asked was answered, and whether without an error.
    pub(super) fn settle(&mut self, well: bool) {
        self.answered = if well { Answered::Well } else { Answered::Badly };
    }
}

impl<D: Database> Deref for Loan<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        self.lent.as_ref().map_or_else(|| unreachable!("it goes back at the end"), |lent| &lent.connection)
    }
}

impl<D: Database> DerefMut for Loan<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        self.lent
            .as_mut()
            .map_or_else(|| unreachable!("it goes back at the end"), |lent| &mut lent.connection)
    }
}

impl<D: Database> Drop for Loan<D> {
    fn drop(&mut self) {
        let Some(mut lent) = self.lent.take() else { return };
        if self.in_transaction {
            D::TransactionManager::start_rollback(&mut lent.connection);
        }
        match self.answered {
            Answered::Well if !self.in_transaction => return lent.give_back(),
            Answered::Well | Answered::Badly => return,
            Answered::Not => {}
        }
        // The statement was cut off by its limit, or by a client that left. The pool would ask without a limit whether the
        // connection is good, and count it as lent until then: a network that swallows everything would take them all.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if !matches!(timeout(PATIENCE, lent.connection.ping()).await, Ok(Ok(()))) {
                lent.connection.close_on_drop();
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
