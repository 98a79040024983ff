//! The one error of this crate and its form on the wire, a problem document (RFC 9457).

mod code;

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

pub use self::code::ProblemCode;
use crate::{
    secret::WeakKey,
    validate::{FieldErrors, Violation},
};

/// Everything that can go wrong, in a request or at start-up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body breaks rules; each is listed with its field.
    #[error("the request breaks rules of its fields")]
    Validation(FieldErrors),
    /// The body is no JSON, or not the form that was asked for.
    #[error("the body is malformed: {0}")]
    MalformedBody(String),
    /// The body is not declared as JSON.
    #[error("the body must be sent as `Content-Type: application/json`")]
    UnsupportedMediaType,
    /// The body is larger than the configured limit.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The identifier or the password is wrong, or the account may not be used: one text for every cause.
    #[error("the identifier or the password is wrong")]
    BadCredentials,
    /// The request carries no credential that is valid.
    #[error("this needs a login")]
    Unauthenticated,
    /// The mailbox of the account is not proven.
    #[error("the account is not verified; open the link in the mail, or ask for another one")]
    NotVerified,
    /// The credential is valid and does not suffice.
    #[error("the account may not do this")]
    Forbidden,
    /// The password that confirms a change is wrong.
    #[error("the current password is wrong")]
    CurrentPasswordWrong,
    /// A browser sent the request from a page of another origin.
    #[error("the request comes from another origin")]
    CrossOrigin,
    /// Nobody registers here.
    #[error("new accounts are not made here; ask whoever runs this")]
    RegistrationClosed,
    /// A hook of the application refused.
    #[error("{detail}")]
    Refused {
        /// A stable machine code of the application's choice.
        code: &'static str,
        /// What to do about it, for people.
        detail: Cow<'static, str>,
    },
    /// Somebody has this identifier already.
    #[error("this identifier is taken")]
    IdentifierTaken,
    /// Somebody has given a role this name already.
    #[error("a role of this name exists")]
    RoleNameTaken,
    /// The user has the role already.
    #[error("the user has this role already")]
    RoleAlreadyAssigned,
    /// The user does not have the role.
    #[error("the user does not have this role")]
    RoleNotAssigned,
    /// The change would leave nobody who may administer.
    #[error("this is the last active administrator; give somebody else the role first")]
    LastAdministrator,
    /// Somebody else changed the same thing at the same time.
    #[error("somebody else changed this at the same time; look at it again")]
    ChangedMeanwhile,
    /// The login is too long ago for what the request wants.
    #[error("the last login is too long ago; log in again")]
    ReauthenticationRequired,
    /// A one-time token is unknown, used, superseded or expired: one text for every cause.
    #[error("the token is invalid or has expired; ask for a new mail")]
    TokenInvalid,
    /// An invitation is unknown, used, expired, or somebody else's: one text for every cause.
    #[error("the invitation is invalid, used or expired, or for somebody else; ask for another one")]
    InvitationInvalid,
    /// Signing in through a provider failed.
    #[error("{0}")]
    OAuth(OAuthFailure),
    /// Without this linked account nobody could log in to the user's any more.
    #[error("this is the only way into the account; set a password or link another account first")]
    LastWayIn,
    /// No such route or thing.
    #[error("there is nothing here")]
    NotFound,
    /// The route does not know this method.
    #[error("the route does not answer this method")]
    MethodNotAllowed,
    /// Somebody failed too often, or asked for too much: for so long there is no other attempt.
    #[error("too many attempts; the header `Retry-After` says in how many seconds to try again")]
    TooManyRequests(Duration),
    /// More passwords wait to be hashed than the queue holds.
    #[error("too many logins at once; try again in a moment")]
    Overloaded,
    /// The database, a store or a mail server does not answer.
    #[error("a service that this needs does not answer")]
    Unavailable(#[source] BoxError),
    /// A defect.
    #[error("an internal error")]
    Internal(#[source] BoxError),
    /// The secret key is no good.
    #[error(transparent)]
    SecretKey(#[from] WeakKey),
    /// A setting is missing or makes no sense.
    #[error("{name}: {problem}")]
    Setting {
        /// The setting's name, as environment variable or as method of `Config`.
        name: &'static str,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// The user's table does not fit the struct.
    #[error("{0}")]
    Schema(String),
}

/// Why signing in through a provider failed. What the provider did wrong is in the log alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthFailure {
    /// The answer is not to a request that this browser made of this provider a short while ago.
    #[error("this does not belong to a sign-in that began in this browser; begin again")]
    State,
    /// The user or the provider said no.
    #[error("the provider did not let you sign in; begin again")]
    Denied,
    /// What the provider answered, or that it did not, is no proof of who the user is.
    #[error("the provider gave no proof of who you are; begin again")]
    Provider(#[source] BoxError),
    /// The provider does not tell the mail address, and the account needs one.
    #[error("the provider does not tell your mail address; allow it there, or register with a password")]
    NoEmail,
    /// An account with this mail address exists, and nobody has linked it.
    #[error("an account with this mail address exists; log in to it, then link the provider's account")]
    AccountExists,
    /// The provider's account is linked to somebody already.
    #[error("this account of the provider is linked already")]
    IdentityTaken,
    /// What a registration needs is more than the provider tells.
    #[error("the provider tells too little for an account here; register with a password, then link it")]
    Incomplete,
    /// Nobody is registered through a provider here.
    #[error("no account here is linked to this one of the provider, and new ones are not made this way")]
    Closed,
}

impl OAuthFailure {
    fn code(&self) -> ProblemCode {
        match self {
            Self::State => ProblemCode::OAuthStateInvalid,
            Self::Denied => ProblemCode::OAuthDenied,
            Self::Provider(_) => ProblemCode::OAuthFailed,
            Self::NoEmail => ProblemCode::OAuthEmailMissing,
            Self::AccountExists => ProblemCode::OAuthAccountExists,
            Self::IdentityTaken => ProblemCode::OAuthIdentityTaken,
            Self::Incomplete => ProblemCode::OAuthRegistrationIncomplete,
            Self::Closed => ProblemCode::OAuthRegistrationClosed,
        }
    }
}

/// The cause of an error, for the log alone.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

impl Error {
    /// A refusal by the application, answered as 403 with `code` in the problem document.
    pub fn refused(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused { code, detail: detail.into() }
    }

    /// A defect, answered as 500 without a word of its cause.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self::Internal(cause.into())
    }

    /// Something that this needs does not answer: 503 without a word of its cause.
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// One broken rule of one field.
    pub fn field(field: impl Into<Cow<'static, str>>, violation: Violation) -> Self {
        let mut errors = FieldErrors::default();
        errors.check(field, Err(violation));
        Self::Validation(errors)
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MalformedBody(_) | Self::TokenInvalid | Self::InvitationInvalid | Self::OAuth(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::BadCredentials | Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotVerified
            | Self::Forbidden
            | Self::CurrentPasswordWrong
            | Self::CrossOrigin
            | Self::RegistrationClosed
            | Self::ReauthenticationRequired
            | Self::Refused { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::IdentifierTaken
            | Self::RoleNameTaken
            | Self::RoleAlreadyAssigned
            | Self::RoleNotAssigned
            | Self::LastAdministrator
            | Self::LastWayIn
            | Self::ChangedMeanwhile => StatusCode::CONFLICT,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Overloaded | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) | Self::SecretKey(_) | Self::Setting { .. } | Self::Schema(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The stable machine code of the problem document.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem_code().known().unwrap_or_default()
    }

    /// The same, to match on.
    #[must_use]
    pub fn problem_code(&self) -> ProblemCode {
        match self {
            Self::Validation(_) => ProblemCode::ValidationFailed,
            Self::MalformedBody(_) => ProblemCode::MalformedBody,
            Self::UnsupportedMediaType => ProblemCode::UnsupportedMediaType,
            Self::BodyTooLarge(_) => ProblemCode::BodyTooLarge,
            Self::BadCredentials => ProblemCode::BadCredentials,
            Self::Unauthenticated => ProblemCode::Unauthenticated,
            Self::NotVerified => ProblemCode::NotVerified,
            Self::Forbidden => ProblemCode::Forbidden,
            Self::CurrentPasswordWrong => ProblemCode::CurrentPasswordWrong,
            Self::CrossOrigin => ProblemCode::CrossOrigin,
            Self::RegistrationClosed => ProblemCode::RegistrationClosed,
            Self::InvitationInvalid => ProblemCode::InvitationInvalid,
            Self::Refused { code, .. } => ProblemCode::Other(Cow::Borrowed(code)),
            Self::IdentifierTaken => ProblemCode::IdentifierTaken,
            Self::RoleNameTaken => ProblemCode::RoleNameTaken,
            Self::RoleAlreadyAssigned => ProblemCode::RoleAlreadyAssigned,
            Self::RoleNotAssigned => ProblemCode::RoleNotAssigned,
            Self::LastAdministrator => ProblemCode::LastAdministrator,
            Self::ChangedMeanwhile => ProblemCode::ChangedMeanwhile,
            Self::ReauthenticationRequired => ProblemCode::ReauthenticationRequired,
            Self::TokenInvalid => ProblemCode::TokenInvalid,
            Self::OAuth(failure) => failure.code(),
            Self::LastWayIn => ProblemCode::LastWayIn,
            Self::NotFound => ProblemCode::NotFound,
            Self::MethodNotAllowed => ProblemCode::MethodNotAllowed,
            Self::TooManyRequests(_) => ProblemCode::TooManyRequests,
            Self::Overloaded => ProblemCode::Overloaded,
            Self::Unavailable(_) => ProblemCode::Unavailable,
            Self::Internal(_) | Self::SecretKey(_) | Self::Setting { .. } | Self::Schema(_) => {
                ProblemCode::Internal
            }
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::TypeNotFound { .. } => Self::internal(error),
            _ => Self::unavailable(error),
        }
    }
}

/// What went wrong (RFC 9457).
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(crate) struct Problem<'a> {
    /// The problem's kind, a URN that ends in the code.
    r#type: String,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What to do about it, for people.
    detail: String,
    /// What went wrong, for programs: stable, where the other texts are not.
    code: &'a str,
    /// Every rule that the request broke; in a 422 alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::validate::FieldError>>, nullable = false))]
    errors: Option<&'a FieldErrors>,
}

/// How long a client should wait before it tries again, in seconds: a full queue drains in about one.
const RETRY_AFTER_SECONDS: &str = "1";

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        // The body of a 5xx says nothing of its cause: paths, SQL and hosts belong in the log.
        let detail = match &self {
            Self::SecretKey(_) | Self::Setting { .. } | Self::Schema(_) => "an internal error".to_owned(),
            other => other.to_string(),
        };
        match &self {
            Self::Unavailable(cause) | Self::Internal(cause) => {
                tracing::error!(code = self.code(), cause = %display_chain(cause.as_ref()), "request failed");
            }
            Self::SecretKey(_) | Self::Setting { .. } | Self::Schema(_) => {
                tracing::error!(code = self.code(), cause = %self, "request failed");
            }
            // Whoever runs the server may have set the provider up wrongly.
            Self::OAuth(OAuthFailure::Provider(cause)) => {
                tracing::warn!(code = self.code(), cause = %display_chain(cause.as_ref()), "sign-in failed");
            }
            _ => {}
        }
        let problem = Problem {
            r#type: format!("urn:users:problem:{}", self.code()),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            code: self.code(),
            errors: match &self {
                Self::Validation(errors) => Some(errors),
                _ => None,
            },
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        match &self {
            Self::TooManyRequests(wait) => drop(headers.insert(header::RETRY_AFTER, seconds(*wait).into())),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        response
    }
}

/// A time to wait in whole seconds, one at least, after which it is over.
fn seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

/// An error and its causes on one line.
pub(crate) fn display_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
