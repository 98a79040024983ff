//! Who may register.

use std::str::FromStr;

use crate::error::Error;

/// Who may register, by `POST /register` or by signing in through a provider for the first time. What programs and
/// operators do is no registration: [`Scope::create_user`](crate::Scope::create_user) and the command `create-user` store
/// users in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Registration {
    /// Everybody. An identifier that is taken is answered 409, so anybody can find out who has an account.
    #[default]
    Open,
    /// Everybody, and nobody learns who has an account (S10): the answer is 202 without a body whether or not the
    /// identifier is taken, after the same work. Whoever has the account is told by mail; a newcomer gets the mail that
    /// proves the mailbox. Until it is proven, a login is answered as if there were no account, for the same reason.
    ///
    /// It needs a mail address as identifier, the route group `verify` and required verification.
    ///
    /// An error of the hook [`after_register`](crate::Hooks::after_register), which newcomers alone come to, is logged and
    /// not answered. What is refused for its own sake belongs in
    /// [`before_register`](crate::Hooks::before_register), which is asked about everybody.
    Private,
    /// Whoever was invited: by an administrator through `POST /users/invitations`, or by an operator with the command
    /// `invite`. The body of the registration has the invitation's token under the key `invitation`.
    InviteOnly,
    /// Nobody: 403 with the code `registration_closed`.
    Closed,
}

impl Registration {
    /// Whether somebody may get an account without being asked for.
    pub(crate) fn is_for_everybody(self) -> bool {
        matches!(self, Self::Open | Self::Private)
    }
}

/// The form of the variable `REGISTRATION`: `open`, `private`, `invite` or `closed`.
impl FromStr for Registration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "open" => Ok(Self::Open),
            "private" => Ok(Self::Private),
            "invite" => Ok(Self::InviteOnly),
            "closed" => Ok(Self::Closed),
            other => Err(Error::Setting {
                name: "REGISTRATION",
                problem: format!("`{other}` is no mode; write `open`, `private`, `invite` or `closed`"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_word_and_others_are_refused_with_the_words() {
        for (word, mode) in [
            ("open", Registration::Open),
            ("private", Registration::Private),
            (" invite\n", Registration::InviteOnly),
            ("closed", Registration::Closed),
        ] {
            assert_eq!(word.parse::<Registration>().unwrap(), mode);
        }
        for wrong in ["Open", "invite-only", ""] {
            let problem = wrong.parse::<Registration>().unwrap_err().to_string();
            assert!(problem.starts_with("REGISTRATION: ") && problem.contains("`invite`"), "{problem}");
        }
    }
}
