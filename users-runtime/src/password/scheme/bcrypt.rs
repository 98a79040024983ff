//! Hashes of bcrypt.

use super::PasswordScheme;

/// bcrypt hashes: `$2a$`, `$2b$` and `$2y$`, of cost 4 to 16.
///
/// As bcrypt does, this compares the first 72 bytes of a password: the hash says nothing about the rest. `$2x$` marks
/// hashes of a defective implementation and is not recognised.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bcrypt;

/// Some seconds of work; every step up doubles it, and 31 takes days.
const COST_MAX: u32 = 16;

impl PasswordScheme for Bcrypt {
    fn recognises(&self, stored: &str) -> bool {
        let Some((variant, rest)) = stored.split_at_checked(4) else { return false };
        matches!(variant, "$2a$" | "$2b$" | "$2y$")
            && stored.len() == 60
            && rest.split_once('$').is_some_and(|(cost, _)| {
                cost.len() == 2 && cost.parse().is_ok_and(|cost: u32| (4..=COST_MAX).contains(&cost))
            })
    }

    fn verify(&self, password: &[u8], stored: &str) -> bool {
        // bcrypt repeats a password and its closing NUL, so `a` and `a\0a` would be one (collision).
        !password.contains(&0) && bcrypt::verify(password, stored).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Test vectors of crypt_blowfish.
    const SHORT: (&str, &str) = ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    const LONG: (&str, &str) = (
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    );

    #[test]
    fn s09_bcrypt_hashes_of_all_three_variants_verify() {
        let (password, stored) = SHORT;
        for variant in ["$2a$", "$2b$", "$2y$"] {
            let stored = stored.replace("$2a$", variant);
            assert!(Bcrypt.recognises(&stored));
            assert!(Bcrypt.verify(password.as_bytes(), &stored));
            assert!(!Bcrypt.verify(b"U*V", &stored));
            assert!(!Bcrypt.verify(b"", &stored));
        }
    }

    #[test]
    fn bcrypt_compares_the_first_72_bytes_as_bcrypt_does() {
        let (password, stored) = LONG;
        assert!(Bcrypt.verify(password.as_bytes(), stored));
        assert!(Bcrypt.verify(&password.as_bytes()[..72], stored));
        assert!(!Bcrypt.verify(&password.as_bytes()[..71], stored));
    }

    #[test]
    fn a_password_with_nul_is_no_repetition_of_another() {
        let (password, stored) = SHORT;
        assert!(!Bcrypt.verify(format!("{password}\0{password}").as_bytes(), stored));
    }

    #[test]
    fn other_damaged_and_absurd_hashes_are_not_recognised() {
        let (_, stored) = SHORT;
        assert!(Bcrypt.recognises(&stored.replace("$05$", "$16$")));
        for other in [
            "",
            "$2a",
            "$2a$05$",
            "🦀🦀",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            &stored.replace("$2a$", "$2x$"),
            &stored.replace("$2a$", "$2$0"),
            &stored.replace("$05$", "$17$"),
            &stored.replace("$05$", "$03$"),
            &stored[..59],
            &format!("{stored}x"),
        ] {
            assert!(!Bcrypt.recognises(other), "{other}");
        }
        // Recognised by its shape, and still no hash: an answer, not a panic.
        let damaged = format!("$2a$05${}", "!".repeat(53));
        assert!(Bcrypt.recognises(&damaged) && !Bcrypt.verify(b"U*U", &damaged));
    }
}
