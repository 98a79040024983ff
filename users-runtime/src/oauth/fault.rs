//! What a provider did wrong, for the log alone: it quotes no token, no code and no secret.

use crate::error::{BoxError, Error, OAuthFailure};

/// What a provider did wrong, and where.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It cannot be reached.
    #[error("{place} cannot be reached")]
    Unreachable {
        place: Place,
        #[source]
        cause: BoxError,
    },
    /// Its answer is not there in time.
    #[error("the provider took longer than {0} ms")]
    TimedOut(u128),
    /// It answers with another status, such as a redirect, which is not followed.
    #[error("{place} answered {status}")]
    Status { place: Place, status: u16 },
    /// Its answer is larger than any honest one.
    #[error("{place} answered with more than {limit} bytes")]
    TooLarge { place: Place, limit: usize },
    /// It refused, by RFC 6749, section 5.2.
    #[error("{place} refused: {reason}")]
    Refused { place: Place, reason: String },
    /// It answers something else than the standard says.
    #[error("{place}: {problem}")]
    Invalid { place: Place, problem: String },
}

/// Where it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Answer,
    Discovery,
    KeySet,
    Token,
    IdToken,
    UserInfo,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answer => "the authorization response",
            Self::Discovery => "the provider's configuration",
            Self::KeySet => "the provider's key set",
            Self::Token => "the token endpoint",
            Self::IdToken => "the ID token",
            Self::UserInfo => "the user information",
        })
    }
}

impl Place {
    pub(super) fn invalid(self, problem: impl Into<String>) -> Fault {
        Fault::Invalid { place: self, problem: problem.into() }
    }
}

impl Fault {
    /// Whether another try in a while may find the provider well.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut(_) => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            Self::TooLarge { .. } | Self::Refused { .. } | Self::Invalid { .. } => false,
        }
    }

    /// As the failure of a sign-in.
    pub(super) fn into_failure(self) -> Error {
        Error::OAuth(OAuthFailure::Provider(Box::new(self)))
    }

    /// As something that does not answer.
    pub(super) fn into_unavailable(self) -> Error {
        Error::unavailable(self)
    }
}

/// A provider's own words for the log: those that may be one of the secrets left out, on one line, and short.
pub(super) fn quotable(text: &str, secrets: &[&str]) -> String {
    /// No word of a language is longer than most codes and tokens.
    const WORD_MAX: usize = 32;
    const MAX: usize = 200;
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[..]");
    }
    let words =
        text.split_whitespace().map(|word| if word.chars().count() > WORD_MAX { "[..]" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|character| !character.is_control()).take(MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s48_a_providers_words_are_quoted_without_secrets() {
        for (text, expected) in [
            ("Bad Request", "Bad Request"),
            ("code abc is\r\nwrong", "code [..] is wrong"),
            (&format!("expired: {}", "x".repeat(33)), "expired: [..]"),
            ("bell\u{7}", "bell"),
            ("", ""),
        ] {
            assert_eq!(quotable(text, &["abc", ""]), expected);
        }
        assert_eq!(quotable(&"word ".repeat(100), &[]).len(), 200);
    }
}
