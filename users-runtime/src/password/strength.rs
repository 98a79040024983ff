//! How many guesses a password withstands, as the crate `zxcvbn` estimates it.

use zeroize::Zeroizing;

use super::{PasswordPolicy, PasswordPool};
use crate::{error::Error, secret::Password, validate::Violation};

/// How much of a password is looked at, in code points. The estimate takes more than linear time, and whoever has a
/// hundred of them is past guessing.
const LOOKED_AT: usize = 100;

impl PasswordPolicy {
    /// Refuses a password that an attacker guesses too soon: from 1, which refuses what takes less than a thousand guesses,
    /// to 4, which asks for more than ten thousand million (`Score` of the crate `zxcvbn`); 3 is the usual choice. Off by
    /// default.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other number.
    pub fn with_min_strength(mut self, score: u8) -> Result<Self, Error> {
        if !(1..=4).contains(&score) {
            return Err(Error::Setting {
                name: "PasswordPolicy::with_min_strength",
                problem: format!("{score} is no strength; write 1 to 4"),
            });
        }
        self.min_strength = score;
        Ok(self)
    }

    /// Checks how strong a password is, on the threads that hash: it may take milliseconds.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too many wait for them.
    pub(crate) async fn check_strength(
        &self,
        password: &Password,
        context: &[&str],
        pool: &PasswordPool,
    ) -> Result<Result<(), Violation>, Error> {
        if self.min_strength == 0 {
            return Ok(Ok(()));
        }
        let least = self.min_strength;
        let looked_at: Zeroizing<String> =
            Zeroizing::new(password.expose().chars().take(LOOKED_AT).collect());
        let words = context.iter().copied().chain(self.context_words.iter().map(String::as_str));
        let words: Vec<String> = words.map(str::to_owned).collect();
        pool.beside(move || estimate(&looked_at, &words, least)).await
    }
}

fn estimate(password: &str, words: &[String], least: u8) -> Result<(), Violation> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let estimate = zxcvbn::zxcvbn(password, &words);
    if u8::from(estimate.score()) >= least {
        return Ok(());
    }
    let mut detail = "is guessed too soon; choose a longer one, such as a sentence".to_owned();
    if let Some(feedback) = estimate.feedback() {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        let said: Vec<_> = warning.into_iter().chain(suggestions).collect();
        if !said.is_empty() {
            detail = format!("is guessed too soon: {}", said.join(" "));
        }
    }
    Err(Violation::new("password_too_weak", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strength_is_one_to_four() {
        for wrong in [0, 5, u8::MAX] {
            let error = PasswordPolicy::default().with_min_strength(wrong).unwrap_err();
            assert!(matches!(error, Error::Setting { .. }), "{error}");
        }
        assert!(PasswordPolicy::default().with_min_strength(4).is_ok());
    }

    #[test]
    fn what_is_guessed_soon_is_refused_with_what_to_do_about_it() {
        let refused = estimate("abcdefghij1", &[], 3).unwrap_err();
        assert_eq!(refused.code, "password_too_weak");
        assert!(refused.detail.len() > "is guessed too soon: ".len(), "{}", refused.detail);
        assert!(estimate("correct horse battery staple", &[], 3).is_ok());
        // Words of the account are the first that are tried.
        assert!(estimate("wolpertinger", &[], 2).is_ok());
        assert!(estimate("wolpertinger", &["wolpertinger".to_owned()], 2).is_err());
    }
}
