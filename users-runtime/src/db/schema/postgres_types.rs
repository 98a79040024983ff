//! The names of PostgreSQL's types: those of sqlx, of the standard and of the catalogue.

use super::define::is_compared;
use crate::model::Column;

/// The name that PostgreSQL itself has for a type, without length and collation; `[]` behind an array.
fn name(declared: &str) -> String {
    let lower = declared.to_ascii_lowercase();
    let bare = lower.split(" collate ").next().unwrap_or_default();
    // `timestamp(3) with time zone` and `numeric(10,2)` carry their modifiers in the middle or at the end.
    let mut text = String::with_capacity(bare.len());
    let mut depth = 0_u32;
    for character in bare.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => text.push(character),
            _ => {}
        }
    }
    let array = if text.trim_end().ends_with("[]") { "[]" } else { "" };
    let text = text.replace("[]", "");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = match words.as_str() {
        "bigint" | "bigserial" => "int8",
        "integer" | "int" | "serial" => "int4",
        "smallint" | "smallserial" => "int2",
        "boolean" => "bool",
        "character varying" => "varchar",
        "character" | "char" => "bpchar",
        "double precision" => "float8",
        "real" => "float4",
        "decimal" => "numeric",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        "bit varying" => "varbit",
        // A type of the application's own may be told with its schema.
        other => other.rsplit('.').next().unwrap_or_default().trim_matches('"'),
    };
    format!("{name}{array}")
}

/// Whether values of the field keep their form in a column of the declared type. The protocol is binary, so the types
/// are the same but for those of text.
pub(super) fn fits(column: &Column, declared: &str) -> bool {
    let (expected, found) = (name(&column.sql_type), name(declared));
    let is_text = |name: &str| matches!(name, "text" | "varchar" | "bpchar" | "citext");
    if is_compared(column) && is_text(&expected) {
        // An index over one of the other two does not serve a comparison with a text.
        return matches!(found.as_str(), "text" | "varchar");
    }
    expected == found || (is_text(&expected) && is_text(&found))
}

/// Whether a type is one that the application would have created, by the form of its name.
#[cfg(feature = "postgres")]
pub(in crate::db) fn is_plain_name(declared: &str) -> bool {
    declared.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '[' | ']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_catalogue() {
        for (declared, expected) in [
            ("INT8", "int8"),
            ("bigint", "int8"),
            ("character varying(320)", "varchar"),
            ("VARCHAR(20) COLLATE \"C\"", "varchar"),
            ("timestamp(3) with time zone", "timestamptz"),
            ("TIMESTAMPTZ", "timestamptz"),
            ("numeric(10,2)", "numeric"),
            ("TEXT[]", "text[]"),
            ("character varying(3)[]", "varchar[]"),
            ("app.\"Color\"", "color"),
            ("CHAR", "bpchar"),
        ] {
            assert_eq!(name(declared), expected, "{declared}");
        }
    }
}
