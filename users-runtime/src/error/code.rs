//! The stable machine codes, in one list: what servers answer, and what clients match on.

use std::{borrow::Cow, fmt};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The stable machine code of a problem document.
        ///
        /// `From<&str>` and `From<String>` read it, [`as_str`](Self::as_str) and `Display` write it.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[$doc])* $name,)*
            /// A code of the application's own, with which a hook refused, or one of a newer server.
            Other(Cow<'static, str>),
        }

        impl ProblemCode {
            /// Every code that is known here.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is on the wire, if it was known when the program was compiled.
            pub(super) fn known(&self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    Self::Other(Cow::Borrowed(code)) => Some(code),
                    Self::Other(Cow::Owned(_)) => None,
                }
            }
        }

        impl From<Cow<'static, str>> for ProblemCode {
            fn from(code: Cow<'static, str>) -> Self {
                match &*code {
                    $($text => Self::$name,)*
                    _ => Self::Other(code),
                }
            }
        }
    };
}

codes! {
    /// The body breaks rules; each is listed with its field.
    ValidationFailed = "validation_failed",
    /// The body is not JSON.
    MalformedBody = "malformed_body",
    /// The body is not declared as JSON.
    UnsupportedMediaType = "unsupported_media_type",
    /// The body is larger than the server's limit.
    BodyTooLarge = "body_too_large",
    /// The identifier or the password is wrong, or the account may not be used.
    BadCredentials = "bad_credentials",
    /// The request carries no credential that is valid.
    Unauthenticated = "unauthenticated",
    /// The mailbox of the account is not proven.
    NotVerified = "not_verified",
    /// The credential is valid and does not suffice.
    Forbidden = "forbidden",
    /// The password that confirms a change is wrong.
    CurrentPasswordWrong = "current_password_wrong",
    /// A browser sent the request from a page of another origin.
    CrossOrigin = "cross_origin",
    /// Nobody registers here.
    RegistrationClosed = "registration_closed",
    /// An invitation is unknown, used, expired, or somebody else's.
    InvitationInvalid = "invitation_invalid",
    /// Somebody has this identifier already.
    IdentifierTaken = "identifier_taken",
    /// Somebody has given a role this name already.
    RoleNameTaken = "role_name_taken",
    /// The user has the role already.
    RoleAlreadyAssigned = "role_already_assigned",
    /// The user does not have the role.
    RoleNotAssigned = "role_not_assigned",
    /// The change would leave nobody who may administer.
    LastAdministrator = "last_administrator",
    /// Somebody else changed the same thing at the same time.
    ChangedMeanwhile = "changed_meanwhile",
    /// The login is too long ago for what the request wants.
    ReauthenticationRequired = "reauthentication_required",
    /// A one-time token is unknown, used, superseded or expired.
    TokenInvalid = "token_invalid",
    /// A sign-in through a provider does not belong to one that began in this browser.
    OAuthStateInvalid = "oauth_state_invalid",
    /// The user or the provider said no.
    OAuthDenied = "oauth_denied",
    /// The provider gave no proof of who the user is.
    OAuthFailed = "oauth_failed",
    /// The provider does not tell the mail address.
    OAuthEmailMissing = "oauth_email_missing",
    /// An account with this mail address exists, and nobody has linked it.
    OAuthAccountExists = "oauth_account_exists",
    /// The provider's account is linked to somebody already.
    OAuthIdentityTaken = "oauth_identity_taken",
    /// What a registration needs is more than the provider tells.
    OAuthRegistrationIncomplete = "oauth_registration_incomplete",
    /// No account is linked to this one of the provider's, and new ones are not made so.
    OAuthRegistrationClosed = "oauth_registration_closed",
    /// Without this linked account nobody could log in to the user's any more.
    LastWayIn = "last_way_in",
    /// No such route or thing.
    NotFound = "not_found",
    /// The route does not know this method.
    MethodNotAllowed = "method_not_allowed",
    /// Somebody failed too often, or asked for too much.
    TooManyRequests = "too_many_requests",
    /// More passwords wait to be hashed than the queue holds.
    Overloaded = "overloaded",
    /// Something that the server needs does not answer.
    Unavailable = "unavailable",
    /// A defect of the server.
    Internal = "internal",
    /// Of the group `tokens`: identifier and password, or the refresh token, are no good (RFC 6749, section 5.2).
    InvalidGrant = "invalid_grant",
    /// Of the group `tokens`: the request is malformed (RFC 6749, section 5.2).
    InvalidRequest = "invalid_request",
    /// Of the group `tokens`: this kind of grant is not served (RFC 6749, section 5.2).
    UnsupportedGrantType = "unsupported_grant_type",
}

impl ProblemCode {
    /// The code as it is on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(code) => code,
            known => known.known().unwrap_or_default(),
        }
    }
}

impl From<&str> for ProblemCode {
    fn from(code: &str) -> Self {
        Self::from(code.to_owned())
    }
}

impl From<String> for ProblemCode {
    fn from(code: String) -> Self {
        Self::from(Cow::<'static, str>::Owned(code))
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_written() {
        let texts: BTreeSet<_> = ProblemCode::ALL.iter().map(ProblemCode::as_str).collect();
        assert_eq!(texts.len(), ProblemCode::ALL.len(), "two codes are written alike");
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::from(code.as_str()), *code);
            assert_eq!(code.to_string(), code.as_str());
            assert_eq!(code.known(), Some(code.as_str()));
        }
        let other = ProblemCode::from("company_only");
        assert_eq!(other, ProblemCode::Other("company_only".into()));
        assert_eq!(other.as_str(), "company_only");
    }
}
