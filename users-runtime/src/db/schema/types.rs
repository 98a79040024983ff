//! Which declared types hold the values of a field without a change.

use super::{Dialect, Existing, Table, define::is_compared, postgres_types};
use crate::model::{Column, ColumnRole};

/// The character set and collation of MySQL in which only equal texts are equal.
pub(super) const EXACT: &str = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

/// An Argon2id hash of the default cost, in characters.
const PASSWORD_HASH_LENGTH: u32 = 97;

/// The longest `sub` of an ID token, in characters (OpenID Connect Core 1.0, section 2), and as much for an issuer.
const IDENTITY_LENGTH: u32 = 255;

/// More than the sealed tokens of a provider come to, each of which may be a JWT with everything about its user.
const TOKENS_LENGTH: u32 = 16_000;

/// The longest name of a role, in characters.
const ROLE_NAME_LENGTH: u32 = 64;

impl Dialect {
    /// Whether the values of a field keep their form in a column that was declared otherwise.
    pub(super) fn fits(self, table: &Table, column: &Column, found: &Existing) -> bool {
        let fits = match self {
            Self::Sqlite => sqlite(&column.sql_type, &found.sql_type),
            Self::Postgres => postgres_types::fits(column, &found.sql_type),
            Self::MySql => mysql(column, &found.sql_type),
        };
        fits && (self == Self::Sqlite || is_long_enough(table, column, &found.sql_type))
    }
}

/// SQLite's column affinity (<https://sqlite.org/datatype3.html>, section 3.1).
pub(super) fn affinity(declared: &str) -> &'static str {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        "INTEGER"
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        "TEXT"
    } else if has("BLOB") || declared.is_empty() {
        "BLOB"
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        "REAL"
    } else {
        "NUMERIC"
    }
}

fn sqlite(expected: &str, declared: &str) -> bool {
    let (wanted, found) = (affinity(expected), affinity(declared));
    match expected {
        "BOOLEAN" => matches!(found, "NUMERIC" | "INTEGER"),
        "DATETIME" | "DATE" | "TIME" => matches!(found, "NUMERIC" | "TEXT"),
        _ => wanted == found || matches!((wanted, found), ("INTEGER" | "REAL", "NUMERIC")),
    }
}

/// The name of a type of MySQL without length, sign and collation, in lower case.
fn mysql_name(declared: &str) -> String {
    let declared = declared.trim().to_ascii_lowercase();
    let name = declared.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    let name = match name {
        "bool" | "boolean" => "tinyint",
        "integer" => "int",
        "dec" | "numeric" | "fixed" => "decimal",
        "real" => "double",
        "character" => "char",
        name => name,
    };
    name.to_owned()
}

/// The integers of MySQL by the bytes that they take.
fn integer_bytes(name: &str) -> Option<u32> {
    let names = ["tinyint", "smallint", "mediumint", "int", "bigint"];
    names.iter().position(|known| *known == name).and_then(|bytes| u32::try_from(bytes).ok())
}

fn mysql(column: &Column, declared: &str) -> bool {
    let expected = mysql_name(&column.sql_type);
    let found = mysql_name(declared);
    let found = found.as_str();
    let text = matches!(found, "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext");
    let bytes = matches!(found, "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob");
    let own = column.role == ColumnRole::Own;
    if is_compared(column) && is_text(&column.sql_type) {
        // A long text has no index that keeps two of them apart.
        return matches!(found, "char" | "varchar");
    }
    match expected.as_str() {
        "varchar" | "char" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            text || (own && found == "enum")
        }
        "enum" => text || found == "enum",
        // A shorter value would come back filled up with zeros.
        "blob" if !own => match found {
            "binary" => length(declared) == Some(16),
            "varbinary" => length(declared).is_some_and(|length| length >= 16),
            _ => false,
        },
        "binary" if length(&column.sql_type).is_none() => text || bytes || found == "json",
        "json" => text || found == "json",
        "blob" | "tinyblob" | "mediumblob" | "longblob" | "varbinary" => bytes,
        "binary" => bytes && (found != "binary" || length(declared) == length(&column.sql_type)),
        "tinyint" if is_boolean(&column.sql_type) => integer_bytes(found).is_some() || found == "bit",
        "float" => matches!(found, "float" | "double"),
        "timestamp" => matches!(found, "timestamp" | "datetime"),
        name => match (integer_bytes(name), integer_bytes(found)) {
            (Some(wanted), Some(there)) => {
                // The database assigns keys, and in its own column it assigns none that does not fit.
                let wide = there >= wanted || column.role == ColumnRole::Id;
                wide && is_unsigned(&column.sql_type) == is_unsigned(declared)
            }
            (None, None) => name == found,
            _ => false,
        },
    }
}

fn is_boolean(declared: &str) -> bool {
    declared.to_ascii_lowercase().starts_with("bool")
}

fn is_unsigned(declared: &str) -> bool {
    declared.to_ascii_lowercase().contains("unsigned")
}

/// Whether the longest value fits, so that what was checked as valid is not refused by the database.
fn is_long_enough(table: &Table, column: &Column, declared: &str) -> bool {
    let needed = match column.role {
        ColumnRole::Identifier | ColumnRole::Canonical => table.identifier_length,
        ColumnRole::PasswordHash => PASSWORD_HASH_LENGTH,
        ColumnRole::RoleName => ROLE_NAME_LENGTH,
        ColumnRole::Issuer | ColumnRole::Subject => IDENTITY_LENGTH,
        ColumnRole::Tokens => TOKENS_LENGTH,
        _ if is_text(&column.sql_type) => length(&column.sql_type).unwrap_or(0),
        _ => 0,
    };
    !is_text(declared) || length(declared).is_none_or(|length| length >= needed)
}

/// The number in a declaration such as `varchar(320)`.
pub(super) fn length(declared: &str) -> Option<u32> {
    let (_, rest) = declared.split_once('(')?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether a type holds text, and so has a collation.
pub(super) fn is_text(declared: &str) -> bool {
    matches!(
        mysql_name(declared).as_str(),
        "varchar" | "char" | "tinytext" | "text" | "mediumtext" | "longtext" | "bpchar" | "citext"
    )
}

/// Whether MySQL keeps values of the type beside the row, with rules of their own for defaults and indexes.
pub(super) fn is_long(declared: &str) -> bool {
    matches!(
        mysql_name(declared).as_str(),
        "tinytext"
            | "text"
            | "mediumtext"
            | "longtext"
            | "tinyblob"
            | "blob"
            | "mediumblob"
            | "longblob"
            | "json"
    )
}

pub(super) fn is_integer(declared: &str) -> bool {
    let name = mysql_name(declared);
    integer_bytes(&name).is_some() || matches!(name.as_str(), "int2" | "int4" | "int8")
}
