//! Hashes of PBKDF2 with HMAC-SHA-2.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use pbkdf2::{
    pbkdf2_hmac,
    sha2::{Sha256, Sha512},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::PasswordScheme;

/// PBKDF2 hashes in three notations:
///
/// - PHC: `$pbkdf2-sha256$i=600000,l=32$salt$hash`, and `pbkdf2-sha512`
/// - passlib: `$pbkdf2-sha256$29000$salt$hash`, and `pbkdf2-sha512`
/// - Django: `pbkdf2_sha256$600000$salt$hash`
#[derive(Debug, Clone, Copy, Default)]
pub struct Pbkdf2;

/// Some seconds of work; the recommendation is 600,000 (OWASP Password Storage Cheat Sheet).
const ROUNDS_MAX: u32 = 10_000_000;

/// A shorter output would match by chance, and an empty one always.
const OUTPUT_MIN_BYTES: usize = 16;
const OUTPUT_MAX_BYTES: usize = 64;

enum Digest {
    Sha256,
    Sha512,
}

struct Parsed {
    digest: Digest,
    rounds: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Parsed {
    fn parse(stored: &str) -> Option<Self> {
        let parsed = if let Some(fields) = stored.strip_prefix("pbkdf2_sha256$") {
            Self::parse_django(fields)
        } else {
            Self::parse_phc(stored.strip_prefix("$pbkdf2-")?)
        }?;
        // Whoever can write one row must not be able to occupy the machine (resource exhaustion).
        ((1..=ROUNDS_MAX).contains(&parsed.rounds)
            && (OUTPUT_MIN_BYTES..=OUTPUT_MAX_BYTES).contains(&parsed.output.len()))
        .then_some(parsed)
    }

    fn parse_django(fields: &str) -> Option<Self> {
        let [rounds, salt, output] = split(fields)?;
        Some(Self {
            digest: Digest::Sha256,
            rounds: rounds.parse().ok()?,
            salt: salt.as_bytes().to_vec(),
            output: STANDARD.decode(output).ok()?,
        })
    }

    fn parse_phc(fields: &str) -> Option<Self> {
        let [digest, params, salt, output] = split(fields)?;
        let digest = match digest {
            "sha256" => Digest::Sha256,
            "sha512" => Digest::Sha512,
            _ => return None,
        };
        // passlib writes `.` for `+`.
        let decode = |text: &str| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok();
        let (salt, output) = (decode(salt)?, decode(output)?);
        let rounds = match params.strip_prefix("i=") {
            None => params,
            Some(params) => match params.split_once(",l=") {
                None => params,
                Some((rounds, length)) if length.parse() == Ok(output.len()) => rounds,
                Some(_) => return None,
            },
        };
        Some(Self { digest, rounds: rounds.parse().ok()?, salt, output })
    }
}

/// The fields between `$`, if there are as many as wanted.
fn split<const N: usize>(fields: &str) -> Option<[&str; N]> {
    fields.split('$').collect::<Vec<_>>().try_into().ok()
}

impl PasswordScheme for Pbkdf2 {
    fn recognises(&self, stored: &str) -> bool {
        Parsed::parse(stored).is_some()
    }

    fn verify(&self, password: &[u8], stored: &str) -> bool {
        let Some(Parsed { digest, rounds, salt, output }) = Parsed::parse(stored) else { return false };
        let mut computed = Zeroizing::new([0; OUTPUT_MAX_BYTES]);
        let computed = &mut computed[..output.len()];
        match digest {
            Digest::Sha256 => pbkdf2_hmac::<Sha256>(password, &salt, rounds, computed),
            Digest::Sha512 => pbkdf2_hmac::<Sha512>(password, &salt, rounds, computed),
        }
        computed.ct_eq(&output).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Computed with Python's `hashlib.pbkdf2_hmac`; the first is also in Django's test suite.
    const KNOWN: &[(&str, &str)] = &[
        ("lètmein", "pbkdf2_sha256$12000$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s="),
        (
            "lètmein",
            "$pbkdf2-sha512$i=1000,l=64$c2FsdFNBTFRzYWx0U0FMVA$\
             d4+kHLROKaFCcgBoKXHrB00VHcnVDX8t9jeNCsShTSsdOaeEEXmWgz05QNseLozHsgnETHGPZfM7IOQ6YsLFHw",
        ),
        (
            "password",
            "$pbkdf2-sha256$i=1000,l=32$8PHy8/T19vf4+fr7/P3+/w$d5D2InnL4oi0qnBlkUtzZMs+KcGeuKJ59Lp081vm+JM",
        ),
        (
            "password",
            "$pbkdf2-sha256$i=1000$8PHy8/T19vf4+fr7/P3+/w$d5D2InnL4oi0qnBlkUtzZMs+KcGeuKJ59Lp081vm+JM",
        ),
        (
            "password",
            "$pbkdf2-sha256$1000$8PHy8/T19vf4.fr7/P3./w$d5D2InnL4oi0qnBlkUtzZMs.KcGeuKJ59Lp081vm.JM",
        ),
    ];

    #[test]
    fn s09_pbkdf2_hashes_of_all_notations_verify() {
        for (password, stored) in KNOWN {
            assert!(Pbkdf2.recognises(stored), "{stored}");
            assert!(Pbkdf2.verify(password.as_bytes(), stored), "{stored}");
            assert!(!Pbkdf2.verify(b"letmein", stored), "{stored}");
        }
    }

    #[test]
    fn other_damaged_and_absurd_hashes_are_not_recognised() {
        let salt = "8PHy8/T19vf4+fr7/P3+/w";
        let hash = "d5D2InnL4oi0qnBlkUtzZMs+KcGeuKJ59Lp081vm+JM";
        for stored in [
            String::new(),
            "pbkdf2_sha256$".into(),
            format!("$pbkdf2-sha1$i=1000,l=32${salt}${hash}"),
            format!("$pbkdf2-sha256$i=1000,l=31${salt}${hash}"),
            format!("$pbkdf2-sha256$i=0,l=32${salt}${hash}"),
            format!("$pbkdf2-sha256$i=10000001,l=32${salt}${hash}"),
            format!("$pbkdf2-sha256$i=99999999999,l=32${salt}${hash}"),
            format!("$pbkdf2-sha256$l=32,i=1000${salt}${hash}"),
            format!("$pbkdf2-sha256$i=1000,l=32${salt}"),
            format!("$pbkdf2-sha256$i=1000,l=32${salt}${hash}$"),
            format!("$pbkdf2-sha256$i=1000,l=0${salt}$"),
            format!("$pbkdf2-sha256$i=1000,l=3${salt}$AAAA"),
            format!("$pbkdf2-sha256$i=1000,l=66${salt}${}", "A".repeat(88)),
            "pbkdf2_sha256$1000$salt$".into(),
            format!("pbkdf2_sha256$1000$salt${hash}"),
        ] {
            assert!(!Pbkdf2.recognises(&stored), "{stored}");
            assert!(!Pbkdf2.verify(b"password", &stored), "{stored}");
        }
    }
}
