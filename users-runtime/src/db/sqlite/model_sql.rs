//! The model's statements, put together while compiling from the names of its columns.

/// The model's statements for SQLite, put together while compiling from the names of its columns.
#[doc(hidden)]
#[macro_export]
macro_rules! __sqlite_sql {
    (
        table: $table:literal,
        width: $width:literal,
        id: $id:literal,
        identifier: $identifier:literal,
        canonical: $canonical:literal,
        password_hash: $password_hash:literal,
        active: $active:tt,
        verified: $verified:tt,
        select: $select:literal,
        insert: $insert:literal,
        values: $values:literal,
        update: $update:tt $(,)?
    ) => {
        $crate::ModelSql {
            table: $table,
            width: $width,
            insert: ::core::concat!(
                "INSERT INTO ", $table, " (", $insert, ") VALUES (", $values, ") RETURNING ", $id
            ),
            by_id: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                " FROM ", $table, " u WHERE u.", $id, " = ?1"
            ),
            by_canonical: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                " FROM ", $table, " u WHERE u.", $canonical, " = ?1"
            ),
            by_session: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                ", s.fingerprint, s.created_at, s.seen_at, s.expires_at",
                " FROM users_sessions s JOIN ", $table, " u ON u.", $id, " = s.user_id WHERE s.id_hash = ?1"
            ),
            by_token: ::core::concat!(
                "SELECT ", $select, ", ", $crate::__sqlite_roles!($id),
                ", EXISTS (SELECT 1 FROM users_revoked_tokens t WHERE t.id_hash = ?2)",
                " FROM ", $table, " u WHERE u.", $id, " = ?1"
            ),
            update: $crate::__sqlite_optional!(
                $update => "UPDATE ", $table, " SET ", $update, " WHERE ", $id, " = ?1"
            ),
            set_password: ::core::concat!(
                "UPDATE ", $table, " SET ", $password_hash, " = ?3 WHERE ", $id, " = ?1 AND ",
                $password_hash, " = ?2"
            ),
            set_identifier: ::core::concat!(
                "UPDATE ", $table, " SET ", $identifier, " = ?3, ", $canonical, " = ?4 WHERE ", $id,
                " = ?1 AND ", $identifier, " = ?2"
            ),
            set_active: $crate::__sqlite_optional!(
                $active => "UPDATE ", $table, " SET ", $active, " = ?2 WHERE ", $id, " = ?1"
            ),
            set_verified: $crate::__sqlite_optional!(
                $verified => "UPDATE ", $table, " SET ", $verified, " = ?2 WHERE ", $id, " = ?1"
            ),
            delete: ::core::concat!("DELETE FROM ", $table, " WHERE ", $id, " = ?1"),
        }
    };
}

/// A statement that exists only for a model with the column.
#[doc(hidden)]
#[macro_export]
macro_rules! __sqlite_optional {
    (none => $($part:tt)*) => {
        ::core::option::Option::None
    };
    ($column:literal => $($part:tt)*) => {
        ::core::option::Option::Some(::core::concat!($($part)*))
    };
}

/// The names of a user's roles as one column, so that they arrive with the user.
#[doc(hidden)]
#[macro_export]
macro_rules! __sqlite_roles {
    ($id:literal) => {
        ::core::concat!(
            "(SELECT group_concat(r.name, char(10)) FROM users_role_members m",
            " JOIN users_roles r ON r.id = m.role_id WHERE m.user_id = u.",
            $id,
            ")"
        )
    };
}
