//! Static SQL: statements put together while compiling, out of the names that the macros state.

/// What sets one database's SQL apart from another's.
#[derive(Debug, Clone, Copy)]
pub struct Syntax {
    /// Whether arguments are written `$1`, `$2` and not `?`.
    pub numbered: bool,
    /// What an `INSERT` ends with to answer the key that it stored, before the key's name; empty where it cannot.
    pub returning: &'static str,
    /// What a `SELECT` ends with to lock its rows; empty where a transaction that writes is alone.
    pub for_update: &'static str,
    /// What an `INSERT` ends with to leave a row that is there alone, around the key's name.
    pub keep: (&'static str, &'static str),
    /// Several sessions as `s`, around the arguments that name them.
    pub sessions: (&'static str, &'static str),
}

/// SQLite.
pub const SQLITE: Syntax = Syntax {
    numbered: false,
    returning: " RETURNING ",
    for_update: "",
    keep: (" ON CONFLICT DO NOTHING", ""),
    sessions: ("(SELECT * FROM users_sessions WHERE id_hash IN (", ")) s"),
};

/// PostgreSQL.
pub const POSTGRES: Syntax = Syntax {
    numbered: true,
    returning: " RETURNING ",
    for_update: " FOR UPDATE",
    keep: SQLITE.keep,
    // Each by the index. A plan for any arguments of `IN` would rather read a table of thousands.
    sessions: (
        "unnest(ARRAY[",
        "]::bytea[]) w (id_hash) CROSS JOIN LATERAL \
         (SELECT * FROM users_sessions WHERE id_hash = w.id_hash LIMIT 1) s",
    ),
};

/// MySQL and MariaDB.
pub const MYSQL: Syntax = Syntax {
    numbered: false,
    returning: "",
    for_update: " FOR UPDATE",
    keep: (" ON DUPLICATE KEY UPDATE ", " = "),
    sessions: SQLITE.sessions,
};

/// The arguments of a statement that reads several sessions. Sixteen take PostgreSQL 0.14 to 0.21 ms and one 0.03 (`EXPLAIN
/// ANALYZE`, a thousand sessions), beside what any statement takes: more would make those wait who are first.
pub const SESSIONS: &str = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

/// A statement out of its parts. Its arguments are written `?` and numbered where the database wants numbers.
#[doc(hidden)]
#[macro_export]
macro_rules! __sql {
    ($syntax:expr; $($part:expr),+ $(,)?) => {{
        const PARTS: &[&::core::primitive::str] = &[$($part),+];
        const LENGTH: ::core::primitive::usize = $crate::__private::sql::length($syntax, PARTS);
        const BYTES: [::core::primitive::u8; LENGTH] = $crate::__private::sql::join($syntax, PARTS);
        $crate::__private::sql::text(&BYTES)
    }};
}

/// How many bytes [`join`] writes.
#[must_use]
pub const fn length(syntax: Syntax, parts: &[&str]) -> usize {
    write(syntax, parts, &mut [])
}

/// The parts in one, with the arguments as the database wants them.
#[must_use]
pub const fn join<const N: usize>(syntax: Syntax, parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    write(syntax, parts, &mut bytes);
    bytes
}

/// The text of a statement; only for what [`join`] wrote.
#[must_use]
pub const fn text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Writes as far as `bytes` reaches, and counts on.
const fn write(syntax: Syntax, parts: &[&str], bytes: &mut [u8]) -> usize {
    let mut written = 0;
    let mut arguments = 0;
    let mut quote = 0;
    let mut part = 0;
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut index = 0;
        while index < text.len() {
            let byte = text[index];
            let outside = quote == 0;
            if byte == quote {
                quote = 0;
            } else if outside && matches!(byte, b'"' | b'\'' | b'`') {
                quote = byte;
            }
            if outside && byte == b'?' && syntax.numbered {
                arguments += 1;
                written = put(bytes, written, b'$');
                written = put_number(bytes, written, arguments);
            } else {
                written = put(bytes, written, byte);
            }
            index += 1;
        }
        part += 1;
    }
    written
}

const fn put(bytes: &mut [u8], at: usize, byte: u8) -> usize {
    if at < bytes.len() {
        bytes[at] = byte;
    }
    at + 1
}

#[expect(clippy::cast_possible_truncation, reason = "a digit fits")]
const fn put_number(bytes: &mut [u8], mut at: usize, number: usize) -> usize {
    let mut power = 1;
    while number / power >= 10 {
        power *= 10;
    }
    while power > 0 {
        at = put(bytes, at, b'0' + (number / power % 10) as u8);
        power /= 10;
    }
    at
}

/// The same while the program runs, for a statement whose parts a request chooses.
pub(crate) fn number(syntax: Syntax, sql: &str) -> String {
    if !syntax.numbered {
        return sql.to_owned();
    }
    let mut bytes = vec![0; length(syntax, &[sql])];
    write(syntax, &[sql], &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// The model's statements for one database.
#[doc(hidden)]
#[macro_export]
macro_rules! __model_sql {
    (
        syntax: $syntax:ident,
        database: $database:ty,
        role: $role:ty,
        oauth_account: $account:ty,
        table: $table:literal,
        width: $width:literal,
        id: $id:literal,
        identifier: $identifier:literal,
        canonical: $canonical:literal,
        password_hash: $password_hash:literal,
        active: $active:tt,
        verified: $verified:tt,
        tenant: $tenant:tt,
        select: $select:literal,
        insert: $insert:literal,
        values: $values:literal,
        update: $update:tt,
        admin_update: $admin_update:tt,
        sorts: [ $( ($key:literal, $column:literal) ),* $(,)? ] $(,)?
    ) => {{
        use $crate::__private::sql as __sql;
        const SYNTAX: __sql::Syntax = __sql::$syntax;
        const ROLE: $crate::RoleSql = <$role as $crate::StoredRole<$database>>::SQL;
        const ROLES: ::core::primitive::bool = <$role as $crate::RoleModel>::PRESENT;
        const ACCOUNT: $crate::OAuthAccountSql =
            <$account as $crate::StoredOAuthAccount<$database>>::SQL;
        const COMMA: &::core::primitive::str = if ROLES { ", " } else { "" };
        const JOIN: &::core::primitive::str = if ROLES {
            $crate::__sql!(
                __sql::SQLITE;
                " LEFT JOIN users_role_members m ON m.user_id = u.", $id,
                " LEFT JOIN ", ROLE.table, " r ON r.", ROLE.id, " = m.role_id"
            )
        } else {
            ""
        };
        const AND_TENANT: &::core::primitive::str =
            $crate::__sql_if!($tenant => concat!(" AND ", $tenant, " = ?"), "");
        const AND_USER_TENANT: &::core::primitive::str =
            $crate::__sql_if!($tenant => concat!(" AND u.", $tenant, " = ?"), "");
        // The column that the library adds to the roles and linked accounts of a model with tenants.
        const AND_ROLE_TENANT: &::core::primitive::str = $crate::__sql_if!($tenant => " AND tenant = ?", "");
        const WHERE_ROLE_TENANT: &::core::primitive::str = $crate::__sql_if!($tenant => " WHERE tenant = ?", "");
        const ROLE_TENANT: &::core::primitive::str = $crate::__sql_if!($tenant => ", tenant", "");
        const ROLE_TENANT_VALUE: &::core::primitive::str = $crate::__sql_if!($tenant => ", ?", "");
        const USABLE: &::core::primitive::str = ::core::concat!(
            $crate::__sql_if!($active => concat!(" AND u.", $active), ""),
            $crate::__sql_if!($verified => concat!(" AND u.", $verified), "")
        );
        const RETURNING: &::core::primitive::str = if SYNTAX.returning.is_empty() {
            ""
        } else {
            $crate::__sql!(__sql::SQLITE; SYNTAX.returning, $id)
        };
        const ROLE_RETURNING: &::core::primitive::str = if SYNTAX.returning.is_empty() {
            ""
        } else {
            $crate::__sql!(__sql::SQLITE; SYNTAX.returning, ROLE.id)
        };
        const KEEP_ROLE: &::core::primitive::str = if SYNTAX.keep.1.is_empty() {
            SYNTAX.keep.0
        } else {
            $crate::__sql!(__sql::SQLITE; SYNTAX.keep.0, ROLE.id, SYNTAX.keep.1, ROLE.id)
        };
        const ACCOUNT_RETURNING: &::core::primitive::str = if SYNTAX.returning.is_empty() {
            ""
        } else {
            $crate::__sql!(__sql::SQLITE; SYNTAX.returning, ACCOUNT.id)
        };
        const SET_EMAIL: &::core::primitive::str = match ACCOUNT.email {
            ::core::option::Option::Some(_) => {
                $crate::__sql!(__sql::SQLITE; __sql::or_empty(ACCOUNT.email), " = ?, ")
            }
            ::core::option::Option::None => "",
        };
        const ACCOUNT_BY_ID: &::core::primitive::str = $crate::__sql!(
            __sql::SQLITE;
            "SELECT ", ACCOUNT.select, ", a.tokens, a.tokens_expire_at FROM ", ACCOUNT.table, " a WHERE a.",
            ACCOUNT.id, " = ? AND a.user_id = ?", AND_ROLE_TENANT
        );
        $crate::ModelSql {
            table: $table,
            width: $width,
            role_width: ROLE.width,
            insert: $crate::__sql!(
                SYNTAX;
                "INSERT INTO ", $table, " (", $insert, ") VALUES (", $values, ")", RETURNING
            ),
            insert_head: ::core::concat!("INSERT INTO ", $table, " (", $insert, ") VALUES "),
            insert_row: ::core::concat!("(", $values, ")"),
            by_id: $crate::__sql!(
                SYNTAX;
                "SELECT ", $select, COMMA, ROLE.select,
                " FROM ", $table, " u", JOIN, " WHERE u.", $id, " = ?", AND_USER_TENANT
            ),
            by_canonical: $crate::__sql!(
                SYNTAX;
                "SELECT ", $select, COMMA, ROLE.select,
                " FROM ", $table, " u", JOIN, " WHERE u.", $canonical, " = ?", AND_USER_TENANT
            ),
            by_session: $crate::__sql!(
                SYNTAX;
                "SELECT ", $select, COMMA, ROLE.select,
                ", s.fingerprint, s.created_at, s.seen_at, s.expires_at, s.revision, s.content",
                " FROM users_sessions s JOIN ", $table, " u ON u.", $id, " = s.user_id", JOIN,
                " WHERE s.id_hash = ?", AND_USER_TENANT
            ),
            by_sessions: $crate::__sql!(
                SYNTAX;
                "SELECT ", $select, COMMA, ROLE.select,
                ", s.fingerprint, s.created_at, s.seen_at, s.expires_at, s.revision, s.content, s.id_hash",
                " FROM ", SYNTAX.sessions.0, __sql::SESSIONS, SYNTAX.sessions.1,
                " JOIN ", $table, " u ON u.", $id, " = s.user_id", AND_USER_TENANT, JOIN, " ORDER BY s.id_hash"
            ),
            update: $crate::__sql_if!(
                $update => ::core::option::Option::Some($crate::__sql!(
                    SYNTAX;
                    "UPDATE ", $table, " SET ", $update, " WHERE ", $id, " = ?", AND_TENANT
                )),
                ::core::option::Option::None
            ),
            admin_update: $crate::__sql_if!(
                $admin_update => ::core::option::Option::Some($crate::__sql!(
                    SYNTAX;
                    "UPDATE ", $table, " SET ", $admin_update, " WHERE ", $id, " = ?", AND_TENANT
                )),
                ::core::option::Option::None
            ),
            set_password: $crate::__sql!(
                SYNTAX;
                "UPDATE ", $table, " SET ", $password_hash, " = ? WHERE ", $id, " = ? AND ",
                $password_hash, " = ?", AND_TENANT
            ),
            set_identifier: $crate::__sql!(
                SYNTAX;
                "UPDATE ", $table, " SET ", $identifier, " = ?, ", $canonical, " = ? WHERE ", $id,
                " = ? AND ", $identifier, " = ?", AND_TENANT
            ),
            set_active: $crate::__sql_if!(
                $active => ::core::option::Option::Some($crate::__sql!(
                    SYNTAX;
                    "UPDATE ", $table, " SET ", $active, " = ? WHERE ", $id, " = ?", AND_TENANT
                )),
                ::core::option::Option::None
            ),
            set_verified: $crate::__sql_if!(
                $verified => ::core::option::Option::Some($crate::__sql!(
                    SYNTAX;
                    "UPDATE ", $table, " SET ", $verified, " = ? WHERE ", $id, " = ?", AND_TENANT
                )),
                ::core::option::Option::None
            ),
            delete: $crate::__sql!(SYNTAX; "DELETE FROM ", $table, " WHERE ", $id, " = ?", AND_TENANT),
            list: $crate::ListSql {
                select: $select,
                role_select: ROLE.select,
                join: JOIN,
                id: ::core::concat!("u.", $id),
                canonical: ::core::concat!("u.", $canonical),
                active: $crate::__sql_if!(
                    $active => ::core::option::Option::Some(concat!("u.", $active)),
                    ::core::option::Option::None
                ),
                tenant: $crate::__sql_if!(
                    $tenant => ::core::option::Option::Some(concat!("u.", $tenant)),
                    ::core::option::Option::None
                ),
                sorts: &[ $( $crate::SortColumn { key: $key, column: $column } ),* ],
            },
            roles: $crate::RoleStatements {
                insert: $crate::__sql!(
                    SYNTAX;
                    "INSERT INTO ", ROLE.table, " (", ROLE.insert, ROLE_TENANT, ") VALUES (",
                    ROLE.values, ROLE_TENANT_VALUE, ")", ROLE_RETURNING
                ),
                insert_missing: $crate::__sql!(
                    SYNTAX;
                    "INSERT INTO ", ROLE.table, " (", ROLE.insert, ROLE_TENANT, ") VALUES (",
                    ROLE.values, ROLE_TENANT_VALUE, ")", KEEP_ROLE
                ),
                all: $crate::__sql!(
                    SYNTAX;
                    "SELECT ", ROLE.select, " FROM ", ROLE.table, " r", WHERE_ROLE_TENANT,
                    " ORDER BY r.", ROLE.name
                ),
                by_id: $crate::__sql!(
                    SYNTAX;
                    "SELECT ", ROLE.select, " FROM ", ROLE.table, " r WHERE r.", ROLE.id, " = ?",
                    AND_ROLE_TENANT
                ),
                by_name: $crate::__sql!(
                    SYNTAX;
                    "SELECT ", ROLE.select, " FROM ", ROLE.table, " r WHERE r.", ROLE.name, " = ?",
                    AND_ROLE_TENANT
                ),
                lock_by_name: $crate::__sql!(
                    SYNTAX;
                    "SELECT ", ROLE.select, " FROM ", ROLE.table, " r WHERE r.", ROLE.name, " = ?",
                    AND_ROLE_TENANT, SYNTAX.for_update
                ),
                // Not an `Option` in the facts of a role that a macro could match, so it is there or empty.
                update: match ROLE.update {
                    ::core::option::Option::Some(_) => ::core::option::Option::Some($crate::__sql!(
                        SYNTAX;
                        "UPDATE ", ROLE.table, " SET ", __sql::or_empty(ROLE.update), " WHERE ", ROLE.id,
                        " = ?", AND_ROLE_TENANT
                    )),
                    ::core::option::Option::None => ::core::option::Option::None,
                },
                rename: $crate::__sql!(
                    SYNTAX;
                    "UPDATE ", ROLE.table, " SET ", ROLE.name, " = ? WHERE ", ROLE.id, " = ?",
                    AND_ROLE_TENANT
                ),
                delete: $crate::__sql!(
                    SYNTAX;
                    "DELETE FROM ", ROLE.table, " WHERE ", ROLE.id, " = ?", AND_ROLE_TENANT
                ),
                active_members: $crate::__sql!(
                    SYNTAX;
                    "SELECT COUNT(*) FROM ", ROLE.table, " r JOIN users_role_members m ON m.role_id = r.",
                    ROLE.id, " JOIN ", $table, " u ON u.", $id, " = m.user_id WHERE r.", ROLE.name,
                    " = ?", USABLE, AND_USER_TENANT
                ),
            },
            oauth_accounts: $crate::OAuthAccountStatements {
                insert: $crate::__sql!(
                    SYNTAX;
                    "INSERT INTO ", ACCOUNT.table, " (", ACCOUNT.insert,
                    ", user_id, issuer, tokens, tokens_expire_at, created_at, updated_at", ROLE_TENANT,
                    ") VALUES (", ACCOUNT.values, ", ?, ?, ?, ?, ?, ?", ROLE_TENANT_VALUE, ")",
                    ACCOUNT_RETURNING
                ),
                by_identity: $crate::__sql!(
                    SYNTAX;
                    "SELECT ", ACCOUNT.select, ", a.user_id FROM ", ACCOUNT.table,
                    " a WHERE a.issuer = ? AND a.", ACCOUNT.subject, " = ?", AND_ROLE_TENANT
                ),
                of_user: $crate::__sql!(
                    SYNTAX;
                    "SELECT ", ACCOUNT.select, ", a.issuer, a.created_at FROM ", ACCOUNT.table,
                    " a WHERE a.user_id = ?", AND_ROLE_TENANT, " ORDER BY a.created_at, a.", ACCOUNT.id
                ),
                by_id: $crate::__sql!(SYNTAX; ACCOUNT_BY_ID),
                lock_by_id: $crate::__sql!(SYNTAX; ACCOUNT_BY_ID, SYNTAX.for_update),
                set_tokens: $crate::__sql!(
                    SYNTAX;
                    "UPDATE ", ACCOUNT.table, " SET tokens = ?, tokens_expire_at = ?, updated_at = ? WHERE ",
                    ACCOUNT.id, " = ?", AND_ROLE_TENANT
                ),
                update: $crate::__sql!(
                    SYNTAX;
                    "UPDATE ", ACCOUNT.table, " SET ", SET_EMAIL,
                    "tokens = ?, tokens_expire_at = ?, updated_at = ? WHERE ", ACCOUNT.id, " = ?",
                    AND_ROLE_TENANT
                ),
                delete: $crate::__sql!(
                    SYNTAX;
                    "DELETE FROM ", ACCOUNT.table, " WHERE ", ACCOUNT.id, " = ? AND user_id = ?",
                    AND_ROLE_TENANT
                ),
                delete_of_user: $crate::__sql!(
                    SYNTAX;
                    "DELETE FROM ", ACCOUNT.table, " WHERE user_id = ?", AND_ROLE_TENANT
                ),
            },
        }
    }};
}

/// One expression for a model with the column, another one for a model without it.
#[doc(hidden)]
#[macro_export]
macro_rules! __sql_if {
    (none => $there:expr, $absent:expr) => {
        $absent
    };
    ($column:literal => concat!($($part:tt)*), $absent:expr) => {
        ::core::concat!($($part)*)
    };
    ($column:literal => ::core::option::Option::Some(concat!($($part:tt)*)), $absent:expr) => {
        ::core::option::Option::Some(::core::concat!($($part)*))
    };
    ($column:literal => $there:expr, $absent:expr) => {
        $there
    };
}

/// The text of an optional part.
#[must_use]
pub const fn or_empty(text: Option<&'static str>) -> &'static str {
    match text {
        Some(text) => text,
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_numbered_outside_of_quotes() {
        let parts = &["SELECT \"a?\", '?' FROM t WHERE x = ?", " AND y IN (?, ?)"];
        let text = parts.concat();
        assert_eq!(number(SQLITE, &text), text);
        assert_eq!(number(POSTGRES, &text), "SELECT \"a?\", '?' FROM t WHERE x = $1 AND y IN ($2, $3)");
        let many = "?,".repeat(12);
        assert!(number(POSTGRES, &many).ends_with("$9,$10,$11,$12,"));
    }

    #[test]
    fn a_statement_is_put_together_while_compiling() {
        const TEXT: &str = crate::__sql!(POSTGRES; "a = ?", " AND ", "b = ?");
        assert_eq!(TEXT, "a = $1 AND b = $2");
    }
}
