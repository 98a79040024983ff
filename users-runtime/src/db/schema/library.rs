//! The library's own tables, which it alone creates and migrates.

use super::{Dialect, Found, Table, Tables};
use crate::model::ColumnRole;

/// The version of the library's tables that this program knows.
pub(super) const VERSION: i64 = 1;

/// A table of the library's.
struct OwnTable {
    name: &'static str,
    columns: &'static [&'static str],
    /// Columns that hold the key of a user or of a role.
    references: &'static [(&'static str, Target)],
    /// Indexes: the end of the name, and the columns.
    indexes: &'static [(&'static str, &'static str)],
    /// Whether its key says where a row is, so that SQLite needs no other one.
    by_key: bool,
}

#[derive(Clone, Copy)]
enum Target {
    User,
    Role,
}

/// The tables of version 1. Words in braces are the types of a database; times are milliseconds since 1970. A version
/// that was released is never edited: a change is a new one.
const TABLES: &[OwnTable] = &[
    OwnTable {
        name: "users_sessions",
        columns: &[
            "id_hash {bytes} NOT NULL PRIMARY KEY",
            "user_id {user}",
            "fingerprint {bytes}",
            "created_at {number} NOT NULL",
            "seen_at {number} NOT NULL",
            "expires_at {number} NOT NULL",
            "revision {number} NOT NULL",
            "content {text}",
        ],
        references: &[("user_id", Target::User)],
        indexes: &[("user", "user_id"), ("expiry", "expires_at"), ("seen", "seen_at")],
        by_key: true,
    },
    OwnTable {
        name: "users_one_time_tokens",
        columns: &[
            "user_id {user} NOT NULL",
            "purpose {word} NOT NULL",
            "token_hash {bytes} NOT NULL UNIQUE",
            "fingerprint {bytes} NOT NULL",
            "new_identifier {identifier}",
            "issued_at {number} NOT NULL",
            "expires_at {number} NOT NULL",
            "PRIMARY KEY (user_id, purpose)",
        ],
        references: &[("user_id", Target::User)],
        indexes: &[("expiry", "expires_at")],
        by_key: true,
    },
    OwnTable {
        name: "users_outbox",
        columns: &[
            "id {serial}",
            "nonce {bytes} NOT NULL",
            "fingerprint {bytes}",
            "message {text} NOT NULL",
            "created_at {number} NOT NULL",
            "due_at {number} NOT NULL",
            "attempts {number} NOT NULL",
        ],
        references: &[],
        indexes: &[("due", "due_at, id")],
        by_key: false,
    },
    // Invitations that were redeemed, until they would have expired.
    OwnTable {
        name: "users_invitations",
        columns: &["id {bytes} NOT NULL PRIMARY KEY", "expires_at {number} NOT NULL"],
        references: &[],
        indexes: &[("expiry", "expires_at")],
        by_key: true,
    },
    OwnTable {
        name: "users_entries",
        columns: &[
            "entry_key {key} NOT NULL PRIMARY KEY",
            "owner {key}",
            "revision {number} NOT NULL",
            "value {content} NOT NULL",
            "expires_at {number} NOT NULL",
        ],
        references: &[],
        indexes: &[("owner", "owner"), ("expiry", "expires_at")],
        by_key: true,
    },
    OwnTable {
        name: "users_events",
        columns: &[
            "id {serial}",
            "occurred_at {number} NOT NULL",
            "kind {word} NOT NULL",
            "outcome {word} NOT NULL",
            // What is recorded outlives the account, so nothing refers to it.
            "user_id {key}",
            "tenant {text} NOT NULL",
            "actor {key}",
            "address {key}",
            "client {text}",
            "detail {text}",
        ],
        references: &[],
        indexes: &[("user", "user_id, id"), ("time", "occurred_at")],
        by_key: false,
    },
    OwnTable {
        name: "users_deletions",
        columns: &[
            "user_id {user} NOT NULL PRIMARY KEY",
            "tenant {text} NOT NULL",
            "due_at {number} NOT NULL",
            "cancellable {number} NOT NULL",
        ],
        references: &[("user_id", Target::User)],
        indexes: &[("due", "due_at")],
        by_key: true,
    },
    OwnTable {
        name: "users_imports",
        columns: &[
            "fingerprint {bytes} NOT NULL PRIMARY KEY",
            "rows_done {number} NOT NULL",
            "bytes_done {number} NOT NULL",
            "updated_at {number} NOT NULL",
        ],
        references: &[],
        indexes: &[],
        by_key: true,
    },
];

/// The name of [`ROLE_MEMBERS`].
pub(super) const ROLE_MEMBERS_NAME: &str = "users_role_members";

/// Who has which role.
const ROLE_MEMBERS: OwnTable = OwnTable {
    name: ROLE_MEMBERS_NAME,
    columns: &["user_id {user} NOT NULL", "role_id {role} NOT NULL", "PRIMARY KEY (user_id, role_id)"],
    references: &[("user_id", Target::User), ("role_id", Target::Role)],
    indexes: &[("role", "role_id")],
    by_key: true,
};

/// A table that others refer to: its quoted name, its quoted key and the type of that.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) kind: String,
}

impl Key {
    /// The key of a table, of the type that it has if the table is there already.
    pub(super) fn of(dialect: Dialect, table: &Table, found: Option<&Found>) -> Self {
        let column = table.column(ColumnRole::Id);
        let name = column.map_or("id", |column| column.name);
        // MySQL refuses a reference whose type differs in the least.
        let existing = found.filter(|_| dialect == Dialect::MySql).and_then(|found| found.column(name));
        let kind = existing
            .map(|existing| existing.sql_type.clone())
            .or_else(|| column.map(|column| dialect.column_type(column)))
            .unwrap_or_default();
        Self { table: dialect.quoted(&table.name), name: dialect.quoted(name), kind }
    }
}

/// The keys that the library's tables refer to.
pub(super) struct Keys {
    users: Key,
    roles: Option<Key>,
}

impl Keys {
    pub(super) fn of(
        dialect: Dialect,
        tables: &Tables,
        users: Option<&Found>,
        roles: Option<&Found>,
    ) -> Self {
        Self {
            users: Key::of(dialect, &tables.users, users),
            roles: tables.roles.as_ref().map(|table| Key::of(dialect, table, roles)),
        }
    }
}

impl Dialect {
    /// The table that the versions of the others are noted in.
    pub(super) fn versions_table(self) -> String {
        self.with_types(
            "CREATE TABLE IF NOT EXISTS users_migrations (version {number} NOT NULL PRIMARY KEY, \
             applied_at {number} NOT NULL){end}",
        )
    }

    /// The statements that bring the library's tables from the version before to this one.
    pub(super) fn migration(self, version: i64, keys: &Keys) -> Vec<String> {
        if version != VERSION {
            return Vec::new();
        }
        TABLES.iter().flat_map(|table| self.own_table(table, keys)).collect()
    }

    /// The statements that create the table of who has which role. It has no part in the versions: a model may be given
    /// roles at any time.
    pub(super) fn role_members(self, keys: &Keys) -> Vec<String> {
        keys.roles.as_ref().map(|_| self.own_table(&ROLE_MEMBERS, keys)).unwrap_or_default()
    }

    fn own_table(self, table: &OwnTable, keys: &Keys) -> Vec<String> {
        let mut parts: Vec<_> = table.columns.iter().map(|column| (*column).to_owned()).collect();
        for (column, target) in table.references {
            let key = match target {
                Target::User => Some(&keys.users),
                Target::Role => keys.roles.as_ref(),
            };
            parts.extend(key.map(|Key { table, name, .. }| {
                format!("FOREIGN KEY ({column}) REFERENCES {table} ({name}) ON DELETE CASCADE")
            }));
        }
        let name = table.name;
        let index = |(suffix, columns): &(&str, &str)| match self {
            Self::MySql => format!("INDEX {name}_{suffix} ({columns})"),
            _ => format!("CREATE INDEX {name}_{suffix} ON {name} ({columns})"),
        };
        let mut indexes: Vec<_> = table.indexes.iter().map(index).collect();
        if self == Self::MySql {
            // A statement is all that MySQL does as a whole, so the indexes are part of it.
            parts.append(&mut indexes);
        }
        let absent = if self == Self::MySql { "IF NOT EXISTS " } else { "" };
        let end = if self == Self::Sqlite && table.by_key { " WITHOUT ROWID" } else { "{end}" };
        let create = format!("CREATE TABLE {absent}{name} (\n    {}\n){end}", parts.join(",\n    "));
        let role = keys.roles.as_ref().map_or("", |key| key.kind.as_str());
        let create = self.with_types(&create).replace("{user}", &keys.users.kind).replace("{role}", role);
        std::iter::once(create).chain(indexes).collect()
    }

    fn with_types(self, sql: &str) -> String {
        let exact = super::types::EXACT;
        let identifier = format!("VARCHAR(320) {exact}");
        let end = format!(" ENGINE=InnoDB DEFAULT {exact}");
        let types: [(&str, &str); 9] = match self {
            Self::Sqlite => [
                ("{bytes}", "BLOB"),
                ("{content}", "BLOB"),
                ("{key}", "TEXT"),
                ("{number}", "INTEGER"),
                ("{word}", "TEXT"),
                ("{text}", "TEXT"),
                ("{identifier}", "TEXT"),
                ("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
                ("{end}", ""),
            ],
            Self::Postgres => [
                ("{bytes}", "BYTEA"),
                ("{content}", "BYTEA"),
                ("{key}", "TEXT"),
                ("{number}", "BIGINT"),
                ("{word}", "TEXT"),
                ("{text}", "TEXT"),
                ("{identifier}", "TEXT"),
                ("{serial}", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
                ("{end}", ""),
            ],
            Self::MySql => [
                ("{bytes}", "VARBINARY(64)"),
                ("{content}", "LONGBLOB"),
                ("{key}", "VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin"),
                ("{number}", "BIGINT"),
                ("{word}", "VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin"),
                ("{text}", "LONGTEXT"),
                ("{identifier}", &identifier),
                ("{serial}", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"),
                ("{end}", &end),
            ],
        };
        types.iter().fold(sql.to_owned(), |sql, (word, kind)| sql.replace(word, kind))
    }
}
