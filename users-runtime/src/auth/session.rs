//! `"session"`: a cookie names a session that the server keeps.

use http::request::Parts;
use serde_json::{Map, Value};

use super::{
    Backend, Credential, Login, Recognition, SecurityScheme, cookie,
    login::{Lifetime, begin, recognise},
};
use crate::{
    clock,
    config::Config,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    session::{Content, DataChanges, SessionRecord, random_revision},
    token::{OpaqueToken, TokenHash},
};

/// The cookie's name, without its prefix.
const COOKIE: &str = "session";

/// How often a change of data starts again when another request was faster.
const ATTEMPTS: usize = 16;

/// Server-side sessions: the cookie holds 256 random bits, the store their hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct Session;

/// The identifier in a request's cookie, if it can be one.
fn named<U: Storable>(directory: &Directory<U>, request: &Parts) -> Option<TokenHash> {
    let text = cookie::read(&directory.config, request, COOKIE)?;
    OpaqueToken::parse(text).map(|token| token.hash())
}

impl<U: Storable> Backend<U> for Session {
    async fn authenticate(&self, directory: &Directory<U>, request: &Parts) -> Result<Recognition<U>, Error> {
        if cookie::read(&directory.config, request, COOKIE).is_none() {
            return Ok(Recognition::Absent);
        }
        let Some(id) = named(directory, request) else { return Ok(Recognition::Refused) };
        match recognise(directory, id).await? {
            // A session that nobody has logged in with is no credential, good or bad.
            Recognition::Refused if directory.session_record(id).await?.is_some() => Ok(Recognition::Absent),
            recognised => Ok(recognised),
        }
    }

    fn challenge(&self) -> &'static str {
        "Session"
    }

    fn security(config: &Config) -> Vec<SecurityScheme> {
        vec![SecurityScheme::cookie(cookie::full_name(config, COOKIE))]
    }

    async fn log_in(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        login: &Login<'_, U>,
        transaction: &mut Transaction,
    ) -> Result<Option<Credential>, Error> {
        if login.wants_token {
            return Ok(None);
        }
        // The old identifier dies and one that a stranger planted is never adopted: session fixation (S19).
        let mut content = Content::default();
        if let Some(old) = named(directory, request) {
            let user_id = Some(login.user.id().to_string());
            let record = directory.session_record_in(transaction, old).await?;
            // What one user left behind is not shown to the next.
            let own = record.filter(|record| record.user_id.is_none() || record.user_id == user_id);
            content.data = own.map(|record| record.content.data).unwrap_or_default();
            directory.end_session(transaction, old).await?;
        }
        let lifetime = Lifetime::of(&directory.config, login);
        let token = OpaqueToken::random()?;
        begin(directory, request, login, (token.hash(), lifetime, content), transaction).await?;
        let value = cookie::give(&directory.config, COOKIE, &token.expose(), lifetime.cookie)?;
        Ok(Some(Credential::default().with_cookie(value)))
    }

    async fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> Result<Credential, Error> {
        if let Some(id) = named(directory, request) {
            directory.end_session(transaction, id).await?;
        }
        Ok(Credential::default().with_cookie(cookie::take(&directory.config, COOKIE)?))
    }

    const CARRIES_DATA: bool = true;

    async fn read_data(
        &self,
        directory: &Directory<U>,
        request: &Parts,
    ) -> Result<Map<String, Value>, Error> {
        let Some(id) = named(directory, request) else { return Ok(Map::new()) };
        let Some(record) = directory.session_record(id).await? else { return Ok(Map::new()) };
        let data = record.content.data.clone();
        // Nobody logs a visitor in: this is the use that keeps the session of one from being idle (S20).
        directory.touch_session(id, record).await?;
        Ok(data)
    }

    async fn write_data(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        changes: &DataChanges,
    ) -> Result<Credential, Error> {
        for _ in 0..ATTEMPTS {
            let Some(id) = named(directory, request) else {
                return begin_anonymous(directory, changes).await;
            };
            let Some(mut record) = directory.session_record(id).await? else {
                return begin_anonymous(directory, changes).await;
            };
            let read = record.revision;
            changes.apply(&mut record.content.data);
            record.seen_at = clock::now();
            record.revision = random_revision()?;
            if directory.replace_session(id, read, &record).await? {
                return Ok(Credential::default());
            }
        }
        Err(Error::Overloaded)
    }
}

/// Begins a session that nobody has logged in with, if there is something for it to carry.
async fn begin_anonymous<U: Storable>(
    directory: &Directory<U>,
    changes: &DataChanges,
) -> Result<Credential, Error> {
    if changes.adds_nothing() {
        return Ok(Credential::default());
    }
    let mut content = Content::default();
    changes.apply(&mut content.data);
    let config = &directory.config;
    let expires_at = clock::now().saturating_add(clock::millis(config.session_absolute));
    let record = SessionRecord::new(expires_at, content)?;
    let token = OpaqueToken::random()?;
    let mut transaction = directory.database.begin().await?;
    directory.open_session(&mut transaction, token.hash(), &record).await?;
    transaction.commit().await?;
    let value = cookie::give(config, COOKIE, &token.expose(), Some(config.session_absolute))?;
    Ok(Credential::default().with_cookie(value))
}
