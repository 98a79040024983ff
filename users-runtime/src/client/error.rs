//! What goes wrong between a client and a server.

use std::{fmt, time::Duration};

use http::StatusCode;
use serde::Deserialize;

use crate::error::ProblemCode;

/// Everything that can go wrong with a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused, in a problem document (RFC 9457) or in the words of RFC 6749.
    #[error(transparent)]
    Problem(Problem),
    /// The answer is none of such a server: a proxy's page, another server's, or a user in another form than the
    /// generated one.
    #[error("the answer with status {status} is not what the route answers: {reason}")]
    Unexpected {
        /// Its status.
        status: StatusCode,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is larger than the limit.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// What was given makes no request.
    #[error("{0}")]
    Invalid(String),
    /// The server cannot be reached, or not in time.
    #[error("the server cannot be reached")]
    Http(#[from] reqwest::Error),
}

impl Error {
    /// The machine code, when the server refused.
    #[must_use]
    pub fn code(&self) -> Option<&ProblemCode> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid(what.into())
    }
}

/// A refusal of the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The stable machine code.
    pub code: ProblemCode,
    /// The status in words.
    pub title: String,
    /// What to do about it, for people.
    pub detail: String,
    /// The rules that were broken, each with its field.
    pub errors: Vec<FieldError>,
    /// How long to wait before the next try, if the server says so.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.status.as_u16(), self.code, self.detail)?;
        for FieldError { field, detail, .. } in &self.errors {
            write!(f, "; `{field}` {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// A rule that a field of a request broke.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FieldError {
    /// The key in the request's body.
    pub field: String,
    /// A stable machine code, such as `too_short`.
    pub code: String,
    /// What to do about it, for people.
    pub detail: String,
}

/// A problem as it is on the wire: of RFC 9457, or of RFC 6749, section 5.2.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Problem {
        code: String,
        #[serde(default)]
        title: String,
        #[serde(default)]
        detail: String,
        #[serde(default)]
        errors: Vec<FieldError>,
    },
    Token {
        error: String,
        #[serde(default)]
        error_description: String,
    },
}

impl Problem {
    /// The problem in the body of an answer, if it is one.
    pub(super) fn read(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Option<Self> {
        let in_words = || status.canonical_reason().unwrap_or("Error").to_owned();
        Some(match serde_json::from_slice(body).ok()? {
            Document::Problem { code, title, detail, errors } => {
                Self { status, code: code.into(), title, detail, errors, retry_after }
            }
            Document::Token { error, error_description } => Self {
                status,
                code: error.into(),
                title: in_words(),
                detail: error_description,
                errors: Vec::new(),
                retry_after,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_problems_are_read() {
        let body = br#"{"type": "urn:x", "status": 422, "title": "Unprocessable Content", "code": "validation_failed",
            "detail": "the request breaks rules of its fields", "more": 1,
            "errors": [{"field": "age", "code": "out_of_range", "detail": "too young"}]}"#;
        let problem = Problem::read(StatusCode::UNPROCESSABLE_ENTITY, None, body).unwrap();
        assert_eq!(problem.code, ProblemCode::ValidationFailed);
        assert_eq!(problem.errors[0].field, "age");
        assert_eq!(
            problem.to_string(),
            "422 (validation_failed): the request breaks rules of its fields; `age` too young"
        );

        let body = br#"{"error": "invalid_grant", "error_description": "log in again"}"#;
        let wait = Some(Duration::from_secs(1));
        let problem = Problem::read(StatusCode::BAD_REQUEST, wait, body).unwrap();
        assert_eq!((problem.code, problem.title.as_str()), (ProblemCode::InvalidGrant, "Bad Request"));
        assert_eq!((problem.detail.as_str(), problem.retry_after), ("log in again", wait));

        for body in [&b"<html>"[..], b"{}", b"[]", b"\"code\"", b""] {
            assert_eq!(Problem::read(StatusCode::BAD_GATEWAY, None, body), None);
        }
    }
}
