//! Names of files for keys and owners, safe on every file system.

use sha2::{Digest, Sha256};

use crate::error::Error;

/// The name of a key's file: `session.abc` for `session:abc`, with `=` in front of capital letters, which some file
/// systems do not tell from small ones.
///
/// What a path could be made of is no part of a key (path traversal).
pub(super) fn of_key(key: &str) -> Result<String, Error> {
    let refused = || Error::internal("a key of the file store has the form `kind:name`");
    let (kind, rest) = key.split_once(':').ok_or_else(refused)?;
    let kind_fits = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
    let rest_fits = !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !kind_fits || !rest_fits || key.len() > super::super::KEY_MAX_BYTES {
        return Err(refused());
    }
    let mut name = format!("{kind}.");
    for character in rest.chars() {
        if character.is_ascii_uppercase() {
            name.push('=');
        }
        name.push(character.to_ascii_lowercase());
    }
    Ok(name)
}

/// The key whose file has this name, if it is one's.
pub(super) fn to_key(name: &str) -> Option<String> {
    let (kind, rest) = name.split_once('.')?;
    let mut key = format!("{kind}:");
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '=' => key.push(characters.next()?.to_ascii_uppercase()),
            other => key.push(other),
        }
    }
    // Whatever else somebody has put there has no key.
    of_key(&key).is_ok_and(|again| again == name).then_some(key)
}

/// The name of an owner's folder. An owner may be called anything.
pub(super) fn of_owner(owner: &str) -> String {
    super::super::hexadecimal(&Sha256::digest(owner))
}

/// The number of the lock for what has this name.
pub(super) fn shard(name: &str) -> u8 {
    Sha256::digest(name)[0] % super::folder::SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_again_by_the_name_of_its_file() {
        let longest = format!("k:{}", "Z".repeat(126));
        for (key, name) in [
            ("session:abc-_9", "session.abc-_9"),
            ("revoked:AbC", "revoked.=ab=c"),
            ("k:a", "k.a"),
            (&longest, &format!("k.{}", "=z".repeat(126))),
        ] {
            assert_eq!(of_key(key).expect("a name"), name);
            assert_eq!(to_key(name).as_deref(), Some(key));
            assert!(name.len() <= 255, "{name}");
        }
    }

    #[test]
    fn what_is_no_key_has_no_name() {
        for key in ["", "session", ":abc", "session:", "Session:abc", "../x:abc", "session:../abc", "a:b:c"] {
            assert!(of_key(key).is_err(), "{key}");
        }
        for key in ["session:a b", "session:a/b", "session:a\\b", "session:a\0", "session:ä", "session:a.b"]
        {
            assert!(of_key(key).is_err(), "{key}");
        }
        assert!(of_key(&format!("k:{}", "a".repeat(127))).is_err());
        for name in ["", "session", "session.", "session.A", "session.a=", ".abc", "session.=1"] {
            assert_eq!(to_key(name), None, "{name}");
        }
    }
}
