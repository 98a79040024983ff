//! What the library adds to the table of linked accounts.

use super::{Dialect, Table, library::Key};
use crate::model::{Column, ColumnRole};

impl Dialect {
    /// The columns that every table of linked accounts has behind those of its struct.
    pub(super) fn of_linked_accounts(self) -> Vec<Column> {
        let [text, long, number] = match self {
            Self::Sqlite => ["TEXT", "TEXT", "INTEGER"],
            Self::Postgres => ["TEXT", "TEXT", "INT8"],
            Self::MySql => ["VARCHAR", "LONGTEXT", "BIGINT"],
        };
        let column = |name, sql_type: &str, role| Column {
            name,
            sql_type: sql_type.to_owned(),
            nullable: false,
            role,
            indexed: false,
            sql_default: None,
        };
        vec![
            // The type is that of the key that it refers to.
            column("user_id", "", ColumnRole::UserId),
            column("issuer", text, ColumnRole::Issuer),
            column("tokens", long, ColumnRole::Tokens).nullable(),
            column("tokens_expire_at", number, ColumnRole::Time).nullable(),
            column("created_at", number, ColumnRole::Time),
            column("updated_at", number, ColumnRole::Time),
        ]
    }

    /// The part of a table's definition by which an account goes with its user.
    pub(super) fn reference(self, table: &Table) -> Option<String> {
        let Key { table: users, name: key, .. } = table.owner.as_ref()?;
        let column = self.quoted(table.column(ColumnRole::UserId)?.name);
        Some(format!("FOREIGN KEY ({column}) REFERENCES {users} ({key}) ON DELETE CASCADE"))
    }
}

impl Table {
    /// The table of linked accounts of the users with this key.
    pub(super) fn owned_by(mut self, key: Key) -> Self {
        for column in self.columns.iter_mut().filter(|column| column.role == ColumnRole::UserId) {
            column.sql_type.clone_from(&key.kind);
        }
        Self { owner: Some(key), ..self }
    }
}
