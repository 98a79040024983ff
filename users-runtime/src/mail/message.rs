//! What a mail is about, what it is rendered from, and the rendered mail.

use std::{fmt, time::Duration};

/// The occasions on which mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// To a new account: proof that the mailbox can be read.
    Verify,
    /// To whoever forgot a password: a link that sets a new one.
    PasswordReset,
    /// To the new address of an account: proof that the mailbox can be read.
    ConfirmIdentifier,
    /// To somebody who has no account yet: a link to register with.
    Invitation,
    /// To the account: somebody tried to register with its address.
    AlreadyRegistered,
    /// To the account: its password was changed.
    PasswordChanged,
    /// To the old address of an account: somebody asked for another one.
    IdentifierChangeRequested,
    /// To the old address of an account: the account has another one now.
    IdentifierChanged,
    /// To the account: until when it can be had back before it is deleted.
    DeletionRequested,
    /// To the account: it is not deleted.
    DeletionCancelled,
}

impl MailKind {
    /// Every kind there is.
    pub const ALL: [Self; 10] = [
        Self::Verify,
        Self::PasswordReset,
        Self::ConfirmIdentifier,
        Self::Invitation,
        Self::AlreadyRegistered,
        Self::PasswordChanged,
        Self::IdentifierChangeRequested,
        Self::IdentifierChanged,
        Self::DeletionRequested,
        Self::DeletionCancelled,
    ];

    /// The name in the outbox and of the template files, such as `password_reset`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::PasswordReset => "password_reset",
            Self::ConfirmIdentifier => "confirm_identifier",
            Self::Invitation => "invitation",
            Self::AlreadyRegistered => "already_registered",
            Self::PasswordChanged => "password_changed",
            Self::IdentifierChangeRequested => "identifier_change_requested",
            Self::IdentifierChanged => "identifier_changed",
            Self::DeletionRequested => "deletion_requested",
            Self::DeletionCancelled => "deletion_cancelled",
        }
    }

    /// Whether the mail says until when something can be had back.
    #[must_use]
    pub fn names_end(self) -> bool {
        matches!(self, Self::DeletionRequested)
    }

    /// The kind with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether the mail carries a token, good for one use, and its link; the others only tell what happened.
    #[must_use]
    pub fn carries_token(self) -> bool {
        matches!(self, Self::Verify | Self::PasswordReset | Self::ConfirmIdentifier | Self::Invitation)
    }

    /// Whether the mail names another identifier than its recipient's own.
    #[must_use]
    pub fn names_new_identifier(self) -> bool {
        matches!(self, Self::ConfirmIdentifier | Self::IdentifierChangeRequested | Self::IdentifierChanged)
    }
}

/// What a mail is rendered from.
///
/// It has no `Serialize` and no revealing `Debug`: the only way out of the token is into a mail.
#[derive(Clone, Copy)]
pub struct MailContext<'a> {
    /// What the application calls itself before its users.
    pub app_name: &'a str,
    /// The address the mail goes to, in the spelling that its owner gave.
    pub recipient: &'a str,
    /// Where to redeem the token; required when [`MailKind::carries_token`].
    pub link: Option<&'a str>,
    /// The one-time token; required when [`MailKind::carries_token`].
    pub token: Option<&'a str>,
    /// How long the token is valid; required when [`MailKind::carries_token`].
    pub valid_for: Option<Duration>,
    /// The identifier that is to come; required when [`MailKind::names_new_identifier`].
    pub new_identifier: Option<&'a str>,
    /// Until when the account can be had back, such as `2030-01-31 12:05 UTC`; required when [`MailKind::names_end`].
    pub until: Option<&'a str>,
}

impl fmt::Debug for MailContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailContext").field("app_name", &self.app_name).finish_non_exhaustive()
    }
}

/// A mail that is ready to leave.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// The address it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The part for mail programs that show plain text.
    pub text: String,
    /// The part for mail programs that show HTML.
    pub html: String,
    /// The `Message-ID` without its angle brackets, such as `0198c0de@example.com`: the same for each attempt to
    /// send the same mail, so that a copy can be told from another mail.
    pub message_id: String,
}

impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A template may put the token anywhere: only what no template writes is shown.
        f.debug_struct("RenderedMail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration as people say it, such as `24 hours`; never longer than it is.
pub(super) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (amount, unit) = match seconds {
        _ if seconds >= 2 * DAY && seconds.is_multiple_of(DAY) => (seconds / DAY, "day"),
        _ if seconds >= HOUR && seconds.is_multiple_of(HOUR) => (seconds / HOUR, "hour"),
        _ if seconds >= MINUTE => (seconds / MINUTE, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if amount == 1 { "" } else { "s" };
    format!("{amount} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_their_largest_whole_unit() {
        for (seconds, words) in [
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (119, "1 minute"),
            (1800, "30 minutes"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (86_400, "24 hours"),
            (172_800, "2 days"),
            (180_000, "50 hours"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(MailKind::from_name("Verify"), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let context = MailContext {
            app_name: "Acme",
            recipient: "ann@example.com",
            link: Some("https://example.com/#token=s3cret"),
            token: Some("s3cret"),
            valid_for: None,
            new_identifier: None,
            until: None,
        };
        let mail = RenderedMail {
            to: "ann@example.com".to_owned(),
            subject: "s3cret".to_owned(),
            text: "token=s3cret".to_owned(),
            html: "s3cret".to_owned(),
            message_id: "1@example.com".to_owned(),
        };
        let shown = format!("{context:?} {context:#?} {mail:?} {mail:#?}");
        assert!(!shown.contains("s3cret") && shown.contains("1@example.com"), "{shown}");
    }
}
