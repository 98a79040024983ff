//! The statements of an import, and how far it is.

use std::collections::HashSet;

use super::{Database, Id, RoleId, Storable, Tenant, Transaction};
use crate::{clock, error::Error};

/// How far an import comes with a transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImportStep<'a> {
    /// What the file is known by.
    pub(crate) fingerprint: &'a [u8],
    /// How many of its bytes were done before.
    pub(crate) bytes_before: i64,
    /// How many are done with it.
    pub(crate) bytes: i64,
    /// How many rows are.
    pub(crate) rows: i64,
}

/// Why the database stored none of some rows.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An identifier or a key is there already.
    Taken,
    /// A value does not fit its column, or breaks a constraint of the table.
    Broken(String),
}

impl Database {
    /// How many rows and bytes of a file are done; `None` when nothing is.
    pub(crate) async fn import_progress(&self, fingerprint: &[u8]) -> Result<Option<(i64, i64)>, Error> {
        dispatch!(pool self, import_progress(fingerprint))
    }

    /// Forgets how far a file is.
    pub(crate) async fn forget_import(&self, fingerprint: &[u8]) -> Result<(), Error> {
        dispatch!(pool self, forget_import(fingerprint))
    }
}

impl Transaction {
    /// Which of these canonical identifiers are there.
    pub(crate) async fn known_identifiers<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        canonicals: &[&str],
    ) -> Result<HashSet<String>, Error> {
        dispatch!(tx self, known_identifiers::<U>(tenant, canonicals))
    }

    /// Keys for so many users, where the database has to be asked before they are stored; none elsewhere.
    pub(crate) async fn new_keys<U: Storable>(&mut self, count: usize) -> Result<Vec<Id<U>>, Error> {
        dispatch!(tx self, new_keys::<U>(count))
    }

    /// Makes the keys that the database assigns start behind those that were given.
    pub(crate) async fn skip_keys<U: Storable>(&mut self) -> Result<(), Error> {
        dispatch!(tx self, skip_keys::<U>())
    }

    /// Stores users with their canonical identifiers. After a refusal nothing but the end of the part may follow.
    pub(crate) async fn insert_users<U: Storable>(
        &mut self,
        users: &[(&U, &str)],
    ) -> Result<Result<(), Refusal>, Error> {
        dispatch!(tx self, insert_users::<U>(users))
    }

    /// Gives a role to users who have just been stored.
    pub(crate) async fn assign_role_to<U: Storable>(
        &mut self,
        tenant: &Tenant<U>,
        role_id: RoleId<U>,
        canonicals: &[&str],
    ) -> Result<(), Error> {
        self.changes.of_everybody();
        dispatch!(tx self, assign_role_to::<U>(tenant, role_id, canonicals))
    }

    /// Starts a part that can be taken back without the rest.
    pub(crate) async fn start_part(&mut self) -> Result<(), Error> {
        dispatch!(tx self, part("SAVEPOINT users_part"))
    }

    /// Keeps what the part did.
    pub(crate) async fn end_part(&mut self) -> Result<(), Error> {
        dispatch!(tx self, part("RELEASE SAVEPOINT users_part"))
    }

    /// Takes back what the part did.
    pub(crate) async fn undo_part(&mut self) -> Result<(), Error> {
        dispatch!(tx self, part("ROLLBACK TO SAVEPOINT users_part"))
    }

    /// Notes how far a file is; `false` when somebody else has come further meanwhile.
    pub(crate) async fn advance_import(&mut self, step: &ImportStep<'_>) -> Result<bool, Error> {
        let now = clock::now();
        dispatch!(tx self, advance_import(step, now))
    }
}
