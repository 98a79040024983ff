//! `"session"`: a cookie names a session that the server keeps.

use http::{header, request::Parts};

use super::{Backend, Credential, Recognition, cookie};
use crate::{
    clock,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    principal::Principal,
    session::SessionRecord,
    token::{OpaqueToken, TokenHash},
};

/// The cookie's name, without its prefix.
const COOKIE: &str = "session";

/// Server-side sessions: the cookie holds 256 random bits, the store their hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct Session;

impl<U: Storable> Backend<U> for Session {
    async fn authenticate(&self, directory: &Directory<U>, request: &Parts) -> Result<Recognition<U>, Error> {
        let Some(text) = cookie::read(&directory.config, request, COOKIE) else {
            return Ok(Recognition::Absent);
        };
        let Some(id) = OpaqueToken::parse(text).map(|token| token.hash()) else {
            return Ok(Recognition::Refused);
        };
        let Some((principal, record)) = find(directory, id).await? else {
            return Ok(Recognition::Refused);
        };
        let now = clock::now();
        let live = record.is_live(now, clock::millis(directory.config.session_idle));
        // A changed password or identifier ends the session without anybody having to look for it (S22).
        if !live || record.fingerprint != directory.keys.fingerprint::<U>(&principal) {
            return Ok(Recognition::Refused);
        }
        if now - record.seen_at >= clock::millis(directory.config.session_renew_every) {
            match &directory.sessions {
                Some(store) => store.touch(id, now).await?,
                None => directory.database.touch_session(id, now).await?,
            }
        }
        Ok(Recognition::Accepted(principal.with_authenticated_at(record.created_at)))
    }

    fn challenge(&self) -> &'static str {
        "Session"
    }

    async fn log_in(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        user: &U,
        transaction: &mut Transaction,
    ) -> Result<Option<Credential>, Error> {
        // The old identifier dies and one that a stranger planted is never adopted: session fixation (S19).
        end(directory, request, transaction).await?;
        let config = &directory.config;
        let now = clock::now();
        let record = SessionRecord {
            user_id: user.id().to_string(),
            fingerprint: directory.keys.fingerprint(user),
            created_at: now,
            seen_at: now,
            expires_at: now.saturating_add(clock::millis(config.session_absolute)),
        };
        let token = OpaqueToken::random()?;
        match &directory.sessions {
            Some(store) => store.insert(token.hash(), record).await?,
            None => transaction.insert_session::<U>(token.hash(), user.id(), &record).await?,
        }
        let value = cookie::give(config, COOKIE, &token.expose(), config.session_absolute)?;
        Ok(Some(Credential::default().with_header(header::SET_COOKIE, value)))
    }

    async fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> Result<Credential, Error> {
        end(directory, request, transaction).await?;
        let value = cookie::take(&directory.config, COOKIE)?;
        Ok(Credential::default().with_header(header::SET_COOKIE, value))
    }
}

/// A session and its user: one statement when the database keeps both.
async fn find<U: Storable>(
    directory: &Directory<U>,
    id: TokenHash,
) -> Result<Option<(Principal<U>, SessionRecord)>, Error> {
    let Some(store) = &directory.sessions else {
        return directory.database.user_by_session(directory.tenant(), id).await;
    };
    let Some(record) = store.get(id).await? else { return Ok(None) };
    let Ok(user_id) = record.user_id.parse() else { return Ok(None) };
    let user = directory.user_by_id(user_id).await?;
    Ok(user.map(|user| (user, record)))
}

/// Ends the session that a request names, if any.
async fn end<U: Storable>(
    directory: &Directory<U>,
    request: &Parts,
    transaction: &mut Transaction,
) -> Result<(), Error> {
    let token = cookie::read(&directory.config, request, COOKIE).and_then(OpaqueToken::parse);
    let Some(id) = token.map(|token| token.hash()) else { return Ok(()) };
    match &directory.sessions {
        Some(store) => store.remove(id).await,
        None => transaction.delete_session(id).await,
    }
}
