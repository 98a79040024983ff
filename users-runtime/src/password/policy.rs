//! What a password may be: long enough, not a common one, not the user's or the application's name.

use crate::{error::Error, secret::Password, validate::Violation};

use super::blocklist;

/// Shorter context words are part of too many good passwords.
const CONTEXT_WORD_MIN: usize = 4;

/// What every path that sets a password asks of it. There are no composition rules, and nothing is cut or folded
/// before hashing (NIST SP 800-63B-4, section 3.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    min: usize,
    pub(super) context_words: Vec<String>,
    /// 0 where nobody estimates it.
    #[cfg(feature = "zxcvbn")]
    pub(super) min_strength: u8,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min: Self::MIN_FLOOR,
            context_words: Vec::new(),
            #[cfg(feature = "zxcvbn")]
            min_strength: 0,
        }
    }
}

impl PasswordPolicy {
    /// The shortest minimum that can be set, in Unicode code points (NIST SP 800-63B-4, section 3.1.1.2).
    pub const MIN_FLOOR: usize = 8;

    /// The longest password, in Unicode code points: four times what has to be accepted (S02), and little to hash.
    pub const MAX: usize = 256;

    /// The longest minimum that can be set: a longer one would leave people no room.
    const MIN_CEILING: usize = Self::MAX / 2;

    /// Sets the least length in Unicode code points, from 8 to 128. 15 is the recommendation where the password is
    /// the only factor.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other number.
    pub fn with_min(self, min: usize) -> Result<Self, Error> {
        if !(Self::MIN_FLOOR..=Self::MIN_CEILING).contains(&min) {
            return Err(Error::Setting {
                name: "PasswordPolicy::with_min",
                problem: format!(
                    "{min} is no minimum for passwords; write {} to {}",
                    Self::MIN_FLOOR,
                    Self::MIN_CEILING
                ),
            });
        }
        Ok(Self { min, ..self })
    }

    /// Words that no password may contain, beside the application's name and what the account is called: those of the
    /// company and its products (S05). Words of fewer than 4 code points are ignored.
    #[must_use]
    pub fn with_context_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.context_words.extend(words.into_iter().map(Into::into));
        self
    }

    /// The least length, in Unicode code points.
    #[must_use]
    pub fn min(&self) -> usize {
        self.min
    }

    /// Checks a password that is about to be set.
    ///
    /// `context` has the words that an attacker would try for this account: the identifier and the application's
    /// name; those of [`with_context_words`](Self::with_context_words) count for every account. Of an e-mail address the part before the `@` counts. A password that contains one of them, in any case,
    /// is refused; words of fewer than 4 code points are ignored.
    ///
    /// # Errors
    /// The first of `password_too_short`, `password_too_long`, `password_too_common` and
    /// `password_contains_context`.
    pub fn check(&self, password: &Password, context: &[&str]) -> Result<(), Violation> {
        Self::check_length_cap(password)?;
        if password.expose().chars().count() < self.min {
            return Err(Violation::new(
                "password_too_short",
                format!("needs at least {} characters; a sentence is fine", self.min),
            ));
        }
        let folded = blocklist::fold(password.expose());
        if blocklist::is_common(&folded) {
            return Err(Violation::new(
                "password_too_common",
                "is one of the passwords that attackers try first; choose another one",
            ));
        }
        let words = context.iter().copied().chain(self.context_words.iter().map(String::as_str));
        let contains_context = words.map(blocklist::fold).any(|word| {
            let word = word.rsplit_once('@').map_or(word.as_str(), |(local_part, _)| local_part).trim();
            word.chars().count() >= CONTEXT_WORD_MIN && folded.contains(word)
        });
        if contains_context {
            return Err(Violation::new(
                "password_contains_context",
                "contains your name or the name of this service; choose another one",
            ));
        }
        Ok(())
    }

    /// Checks the one rule that a login has to keep as well: nothing longer than [`Self::MAX`] code points is hashed.
    ///
    /// # Errors
    /// `password_too_long`.
    pub fn check_length_cap(password: &Password) -> Result<(), Violation> {
        if password.expose().chars().nth(Self::MAX).is_some() {
            return Err(Violation::new(
                "password_too_long",
                format!("may have at most {} characters", Self::MAX),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(policy: &PasswordPolicy, password: &str, context: &[&str]) -> &'static str {
        policy.check(&Password::new(password), context).map_or_else(|violation| violation.code, |()| "ok")
    }

    fn check(password: &str, context: &[&str]) -> &'static str {
        code(&PasswordPolicy::default(), password, context)
    }

    #[test]
    fn s01_the_minimum_is_eight_code_points() {
        assert_eq!(check("xq7!kfw", &[]), "password_too_short");
        assert_eq!(check("xq7!kfwp", &[]), "ok");
        // Seven characters of four bytes, and eight.
        assert_eq!(check("🦀🦞🐙🦑🐠🐡🦐", &[]), "password_too_short");
        assert_eq!(check("🦀🦞🐙🦑🐠🐡🦐🐚", &[]), "ok");
    }

    #[test]
    fn s01_the_minimum_can_be_raised_and_not_lowered() {
        let policy = PasswordPolicy::default().with_min(15).unwrap();
        assert_eq!(policy.min(), 15);
        assert_eq!(code(&policy, "fourteen chars", &[]), "password_too_short");
        assert_eq!(code(&policy, "fifteen charact", &[]), "ok");
        for refused in [0, 7, 129, usize::MAX] {
            let error = PasswordPolicy::default().with_min(refused).unwrap_err();
            assert!(matches!(error, Error::Setting { .. }), "{refused}: {error}");
        }
        assert!(PasswordPolicy::default().with_min(8).is_ok());
        assert!(PasswordPolicy::default().with_min(128).is_ok());
    }

    #[test]
    fn s02_up_to_256_code_points_are_accepted_and_one_more_is_not() {
        let long = "🦀é".repeat(128);
        assert_eq!(check(&long, &[]), "ok");
        assert!(PasswordPolicy::check_length_cap(&Password::new(&*long)).is_ok());
        assert_eq!(check(&format!("{long}x"), &[]), "password_too_long");
        assert_eq!(
            PasswordPolicy::check_length_cap(&Password::new(format!("{long}x"))).unwrap_err().code,
            "password_too_long"
        );
        assert!(PasswordPolicy::check_length_cap(&Password::new("")).is_ok());
    }

    #[test]
    fn s03_no_kind_of_character_is_asked_for() {
        for password in
            ["vxkqwjzmtr", "VXKQWJZMTR", "0417392658", "        x ", "дыщжэхъюб", "\tq\u{301} w e r t"]
        {
            assert_eq!(check(password, &[]), "ok", "{password:?}");
        }
    }

    #[test]
    fn s04_common_passwords_are_refused_in_any_case_and_width() {
        for password in ["password", "PassWord", "12345678", "QWERTYUIOP", "ｐａｓｓｗｏｒｄ", "iloveyou1"]
        {
            assert_eq!(check(password, &[]), "password_too_common", "{password}");
        }
        assert_eq!(check("password and more of it", &[]), "ok");
    }

    #[test]
    fn s05_the_identifier_and_the_name_of_the_application_are_refused() {
        let context = ["Ada.Lovelace@example.com", "Difference Engine"];
        for password in [
            "ada.lovelace",
            "ADA.LOVELACE!",
            "my ada.lovelace password",
            "ａｄａ．ｌｏｖｅｌａｃｅ",
            "differENCE engine 1",
        ] {
            assert_eq!(check(password, &context), "password_contains_context", "{password}");
        }
        for password in ["lovelace number one", "example.com rocks", "engine difference"] {
            assert_eq!(check(password, &context), "ok", "{password}");
        }
    }

    #[test]
    fn s05_words_of_the_application_are_refused() {
        let policy = PasswordPolicy::default().with_context_words(["Acme", "Anvil 3000", "ox"]);
        assert_eq!(code(&policy, "the ACME password", &[]), "password_contains_context");
        assert_eq!(code(&policy, "an anvil 3000!", &["ada@example.com"]), "password_contains_context");
        assert_eq!(code(&policy, "a fox and an anvil", &[]), "ok");
        assert_eq!(check("the ACME password", &[]), "ok");
    }

    #[test]
    fn s05_short_words_are_ignored() {
        assert_eq!(check("madagascar plan", &["ada@example.com", "", "  "]), "ok");
        assert_eq!(check("madagascar plan", &["gas"]), "ok");
        assert_eq!(check("madagascar plan", &["mada"]), "password_contains_context");
    }
}
