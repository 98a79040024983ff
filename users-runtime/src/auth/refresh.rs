//! Refresh tokens: each is good once, and one that comes twice ends its session (S29; RFC 9700, section 4.14).

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::request::Parts;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    clock,
    db::Storable,
    directory::Directory,
    error::Error,
    event::{EventKind, NewEvent, Source},
    principal::Principal,
    session::{Content, SessionRecord, random_revision},
    token::{OpaqueToken, TokenHash},
};

const SESSION_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// How often a rotation starts again when another request noted that the session is in use.
const ATTEMPTS: usize = 16;

/// The session's name, and 256 random bits that are good for one exchange.
pub(super) struct RefreshToken {
    session: Uuid,
    secret: OpaqueToken,
}

impl RefreshToken {
    pub(super) fn new(session: Uuid) -> Result<Self, Error> {
        Ok(Self { session, secret: OpaqueToken::random()? })
    }

    /// The token in what a client sent; `None` for anything that this crate would not have issued.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        let (session, secret) = bytes.split_at_checked(SESSION_BYTES)?;
        let secret: [u8; SECRET_BYTES] = secret.try_into().ok()?;
        Some(Self { session: Uuid::from_slice(session).ok()?, secret: OpaqueToken::from_bytes(secret) })
    }

    /// The text that goes to the client, 64 characters of base64url.
    pub(super) fn expose(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(self.session.as_bytes().to_vec());
        bytes.extend_from_slice(self.secret.expose_bytes());
        Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    pub(super) fn session(&self) -> Uuid {
        self.session
    }

    /// What stores keep.
    pub(super) fn hash(&self) -> TokenHash {
        self.secret.hash()
    }

    /// Whether this is the token that the session waits for.
    pub(super) fn is_current(&self, record: &SessionRecord) -> bool {
        let current = record.content.refresh;
        current.is_some_and(|current| current.as_bytes().ct_eq(self.hash().as_bytes()).into())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// Exchanges a token for the next one. Of several that bring the same token one gets the next, and the others end the
/// session: one of them is a thief, and nobody can tell which.
pub(super) async fn refreshed<U: Storable>(
    directory: &Directory<U>,
    request: &Parts,
    id: TokenHash,
    token: &RefreshToken,
) -> Result<(Principal<U>, SessionRecord, RefreshToken), Error> {
    for _ in 0..ATTEMPTS {
        let (principal, record) = directory.session(id).await?.ok_or(Error::TokenInvalid)?;
        if record.content.refresh.is_none() {
            return Err(Error::TokenInvalid);
        }
        if !token.is_current(&record) {
            tracing::warn!(user = %principal.id(), "a refresh token came twice; its session has ended");
            let mut transaction = directory.database.begin().await?;
            let event = NewEvent::new(EventKind::RefreshTokenReused).of(principal.id());
            directory.record(&mut transaction, event.from(&Source::of(request))).await?;
            directory.end_session(&mut transaction, id).await?;
            transaction.commit().await?;
            return Err(Error::TokenInvalid);
        }
        let next = RefreshToken::new(token.session)?;
        let read = record.revision;
        let content = Content { refresh: Some(next.hash()), ..record.content };
        let record = SessionRecord { seen_at: clock::now(), revision: random_revision()?, content, ..record };
        if directory.replace_session(id, read, &record).await? {
            return Ok((principal, record, next));
        }
    }
    Err(Error::Overloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_was_issued() {
        let token = RefreshToken::new(Uuid::new_v4()).unwrap();
        let read = RefreshToken::parse(&token.expose()).unwrap();
        assert_eq!((read.session(), read.hash()), (token.session(), token.hash()));
        for text in ["", "x", &"A".repeat(43), &"A".repeat(63), &"A".repeat(65), &"=".repeat(64)] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }
}
