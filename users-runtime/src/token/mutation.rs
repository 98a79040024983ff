//! Random changes to texts, for tests.

use super::opaque::random_bytes;

/// A random number below another one, which is not zero.
pub(super) fn random(below: usize) -> usize {
    let bytes: [u8; 8] = random_bytes().unwrap();
    usize::try_from(u64::from_le_bytes(bytes) % below as u64).unwrap()
}

/// The text with a few characters changed, removed, put in, doubled or cut off; sometimes as it was.
pub(super) fn mutated(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random(3) {
        if bytes.is_empty() {
            break;
        }
        let at = random(bytes.len());
        match random(6) {
            0 => bytes[at] = u8::try_from(random(128)).unwrap(),
            1 => bytes[at] = b"AZaz09-_"[random(8)],
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, b"AZaz09-_=+/. \0"[random(14)]),
            4 => bytes.extend_from_within(at..),
            _ => bytes.truncate(at),
        }
    }
    String::from_utf8(bytes).unwrap()
}
