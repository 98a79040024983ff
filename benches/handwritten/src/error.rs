//! What goes wrong, and the problem documents that clients are answered with (RFC 9457).

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
pub(crate) enum Error {
    BadCredentials,
    BodyTooLarge,
    CrossOrigin,
    Fields(Vec<FieldError>),
    IdentifierTaken,
    /// The cause is for the log alone.
    Internal(Cause),
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    NotVerified,
    TokenInvalid,
    Unauthenticated,
    /// The cause is for the log alone.
    Unavailable(Cause),
    UnsupportedMediaType,
}

/// A rule that a field of the request breaks.
#[derive(Debug, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: &'static str,
    pub(crate) code: &'static str,
    pub(crate) detail: &'static str,
}

impl Error {
    pub(crate) fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    fn facts(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadCredentials => {
                (S::UNAUTHORIZED, "bad_credentials", "the identifier or the password is wrong")
            }
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large"),
            Self::CrossOrigin => (S::FORBIDDEN, "cross_origin", "this came from a page of another origin"),
            Self::Fields(_) => {
                (S::UNPROCESSABLE_ENTITY, "validation_failed", "the body breaks rules; see `errors`")
            }
            Self::IdentifierTaken => {
                (S::CONFLICT, "identifier_taken", "somebody has this identifier already")
            }
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "an internal error"),
            Self::MalformedBody => {
                (S::BAD_REQUEST, "malformed_body", "the body is not the JSON that is wanted")
            }
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "the route does not know this method")
            }
            Self::NotFound => (S::NOT_FOUND, "not_found", "there is no such route"),
            Self::NotVerified => (S::FORBIDDEN, "not_verified", "the address has to be verified first"),
            Self::TokenInvalid => (S::BAD_REQUEST, "token_invalid", "the token is invalid or has expired"),
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "this needs a login"),
            Self::Unavailable(_) => (S::SERVICE_UNAVAILABLE, "unavailable", "try again in a moment"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "send `application/json`")
            }
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            _ => Self::MalformedBody,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code, detail) = self.facts();
        let mut problem = json!({
            "type": format!("urn:users:problem:{code}"),
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
        });
        match self {
            Self::Fields(errors) => problem["errors"] = json!(errors),
            Self::Internal(cause) | Self::Unavailable(cause) => eprintln!("request failed: {cause}"),
            _ => {}
        }
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => drop(headers.insert(header::WWW_AUTHENTICATE, challenge())),
            StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(header::RETRY_AFTER, 1.into())),
            _ => {}
        }
        response
    }
}

/// What RFC 9110, section 11.6.1, asks of each 401.
fn challenge() -> HeaderValue {
    HeaderValue::from_static("Bearer")
}
