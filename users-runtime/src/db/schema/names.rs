//! Quoted names, and names of indexes that fit.

use super::Dialect;

/// The longest name in bytes that both PostgreSQL (63) and MySQL (64) take as it is.
const NAME_MAX_BYTES: usize = 63;

impl Dialect {
    const fn quote(self) -> char {
        match self {
            Self::Sqlite | Self::Postgres => '"',
            Self::MySql => '`',
        }
    }

    pub(crate) fn quoted(self, name: &str) -> String {
        let quote = self.quote();
        let doubled = String::from_iter([quote, quote]);
        format!("{quote}{}{quote}", name.replace(quote, &doubled))
    }

    pub(crate) fn unquoted(self, name: &str) -> String {
        let quote = self.quote();
        let doubled = String::from_iter([quote, quote]);
        let bare = name.strip_prefix(quote).and_then(|name| name.strip_suffix(quote)).unwrap_or(name);
        bare.replace(&doubled, &quote.to_string())
    }
}

/// A name of several parts. One that is too long keeps its beginning and ends in a hash of the whole, so that two of
/// them stay two.
pub(super) fn joined(parts: &[&str]) -> String {
    let name = parts.join("_");
    if name.len() <= NAME_MAX_BYTES {
        return name;
    }
    let hash = format!("_{:08x}", fnv(name.as_bytes()));
    let end = (0..=NAME_MAX_BYTES - hash.len()).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{hash}", &name[..end])
}

/// FNV-1a, 32 bits: the same in every build, which the standard library's hashers do not promise.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_unquoted() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql] {
            for name in ["users", "a \"b\"", "a `b`", "\"", "`"] {
                assert_eq!(dialect.unquoted(&dialect.quoted(name)), name);
            }
        }
        assert_eq!(Dialect::Postgres.quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(Dialect::MySql.quoted("a`b"), "`a``b`");
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        assert_eq!(joined(&["users", "age", "idx"]), "users_age_idx");
        let table = "ü".repeat(40);
        let (one, two) = (joined(&[&table, "a"]), joined(&[&table, "b"]));
        assert!(one.len() <= NAME_MAX_BYTES && two.len() <= NAME_MAX_BYTES);
        assert_ne!(one, two);
    }
}
