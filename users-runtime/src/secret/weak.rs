//! What a key made by a random number generator never looks like.
//!
//! Each rule refuses fewer than one in a million of the keys that `openssl rand` prints, raw, in hexadecimal or in
//! base64, and no list of passwords is asked: a key that passes is not therefore random, only not plainly typed.

use super::SECRET_KEY_MIN_BYTES;

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// Fewer bytes than it needs: [`SECRET_KEY_MIN_BYTES`] for a [`SecretKey`](super::SecretKey).
    #[error(
        "the secret key has {bytes} bytes and needs {needed}; make one with `openssl rand -base64 {needed}`"
    )]
    Short {
        /// The bytes that it has.
        bytes: usize,
        /// The bytes that it needs.
        needed: usize,
    },
    /// Few distinct bytes, one block over and over, or bytes that count up or down.
    #[error(
        "the secret key repeats or counts and is not random; make one with `openssl rand -base64 {SECRET_KEY_MIN_BYTES}`"
    )]
    Repetitive,
    /// A placeholder out of some documentation, or a sentence.
    #[error(
        "the secret key is made of words and is not random; make one with `openssl rand -base64 {SECRET_KEY_MIN_BYTES}`"
    )]
    Words,
    /// The operating system's random number generator failed.
    #[error("the operating system gave no randomness: {0}")]
    Randomness(String),
}

/// A key with fewer distinct bytes than this was typed by hand: 32 random hexadecimal digits, the poorest alphabet that
/// keys come in, have fewer once in 10^7.
const MIN_DISTINCT: usize = 8;

/// Words of the placeholders that documentation and templates hold. None is shorter than six letters: random base64 has
/// one of them, in any mixture of cases, once in 10^6.
const PLACEHOLDERS: [&[u8]; 12] = [
    b"change",
    b"secret",
    b"passwo",
    b"passwd",
    b"replace",
    b"example",
    b"default",
    b"insert",
    b"insecure",
    b"placeholder",
    b"keyboard",
    b"qwerty",
];

/// Refuses a key that is shorter than `needed`, or plainly not random.
pub(crate) fn check(bytes: &[u8], needed: usize) -> Result<(), WeakKey> {
    if bytes.len() < needed {
        return Err(WeakKey::Short { bytes: bytes.len(), needed });
    }
    if distinct(bytes) < MIN_DISTINCT || is_periodic(bytes) || counts(bytes) {
        return Err(WeakKey::Repetitive);
    }
    if has_placeholder(bytes) || is_sentence(bytes) {
        return Err(WeakKey::Words);
    }
    Ok(())
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for &byte in bytes {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count()
}

/// One block twice or more, which is worth no more than the block: `abc123abc123`, the last time perhaps in part.
fn is_periodic(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2).any(|period| bytes[period..] == bytes[..bytes.len() - period])
}

/// Three of four bytes are their neighbour's, one more or one less: `0123456789abcdefghij`, `aaaabbbbcccc`. Of 32 random
/// hexadecimal digits one in six is.
fn counts(bytes: &[u8]) -> bool {
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    4 * steps >= 3 * (bytes.len() - 1)
}

/// Whether one of the [`PLACEHOLDERS`] is in it, however it is written: `CHANGE_ME`, `your-secret-key`.
fn has_placeholder(bytes: &[u8]) -> bool {
    let is_in = |word: &[u8]| bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    PLACEHOLDERS.into_iter().any(is_in)
}

/// Letters, white space and punctuation alone, in words of one case: digits and the changes between cases are what random
/// text has and sentences do not. Of 44 random characters of base64 none is a digit once in 1,500; then every second letter
/// has another case than the one before, and fewer than every fifth once in 3,000.
fn is_sentence(bytes: &[u8]) -> bool {
    let is_text =
        |byte: u8| (byte.is_ascii_graphic() || byte.is_ascii_whitespace()) && !byte.is_ascii_digit();
    let changes_case = |pair: &&[u8]| {
        pair.iter().all(u8::is_ascii_alphabetic)
            && pair[0].is_ascii_lowercase() != pair[1].is_ascii_lowercase()
    };
    bytes.iter().all(|&byte| is_text(byte)) && 5 * bytes.windows(2).filter(changes_case).count() < bytes.len()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    #[test]
    fn s30_a_key_that_somebody_typed_is_refused_with_the_command_that_makes_one() {
        use WeakKey::{Repetitive, Words};
        for (key, why) in [
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Repetitive),
            ("abababcabababcabcabababcabababababcc", Repetitive),
            ("0123456789abcdef0123456789abcdef", Repetitive),
            ("12345678901234567890123456789012", Repetitive),
            ("a8f5f167a8f5f167a8f5f167a8f5f167a8f5", Repetitive),
            ("abcdefghijklmnopqrstuvwxyz012345", Repetitive),
            ("zyxwvutsrqponmlkjihgfedcba9876543210", Repetitive),
            ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", Repetitive),
            ("changeme-changeme-0-changeme-now-1", Words),
            ("CHANGE_ME_TO_32_BYTES_OR_MORE_4711", Words),
            ("your-256-bit-secret-your-512-bits", Words),
            ("SuperSecretKey2024!ForProduction1", Words),
            ("Passw0rd? no, password1 for ever 9", Words),
            ("django-insecure-4$k9!x#q2@z7&w8*e3r", Words),
            ("replace this by 32 random bytes 00", Words),
            ("correct horse battery staple and so on", Words),
            ("InternationalConfigurationManagement", Words),
            ("THE-QUICK-BROWN-FOX-JUMPS-OVER-DOGS", Words),
            ("the quick, brown fox; jumps over the dog!", Words),
        ] {
            let error = check(key.as_bytes(), SECRET_KEY_MIN_BYTES).unwrap_err();
            assert_eq!(error, why, "{key}");
            assert!(error.to_string().contains("openssl rand -base64 32"), "{error}");
        }
    }

    #[test]
    fn s30_a_short_key_is_refused_with_the_length_that_it_needs() {
        for (key, needed) in
            [("", 32), ("x7Qp", 32), ("x7Qp".repeat(8).as_str(), 48), (&"x7Qp".repeat(15), 64)]
        {
            let error = check(key.as_bytes(), needed).unwrap_err();
            assert_eq!(error, WeakKey::Short { bytes: key.len(), needed });
            assert!(error.to_string().ends_with(&format!("`openssl rand -base64 {needed}`")), "{error}");
        }
    }

    #[test]
    fn s30_random_keys_pass_in_every_form_that_they_come_in() {
        // One that openssl made, and that has no digit.
        assert_eq!(check(b"BloPIm/JGLluhJvfearz+MXSZUNtLOiLHJRWrzEJGUg=", SECRET_KEY_MIN_BYTES), Ok(()));
        for _ in 0..2000 {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).unwrap();
            let hexadecimal = format!("{:032x}", u128::from_be_bytes(bytes[..16].try_into().unwrap()));
            for key in [&bytes[..], BASE64_STANDARD.encode(bytes).as_bytes(), hexadecimal.as_bytes()] {
                assert_eq!(check(key, SECRET_KEY_MIN_BYTES), Ok(()), "{}", String::from_utf8_lossy(key));
            }
        }
    }
}
