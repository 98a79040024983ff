//! What the built-in backends do alike: a session stands behind every credential.

use std::time::Duration;

use http::request::Parts;

use super::{Login, Recognition};
use crate::{
    clock,
    config::Config,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    session::{Content, SessionRecord, client_of},
    token::TokenHash,
};

/// For how long a login is good, and for how long the client keeps its cookie: `None` until the browser is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    pub(super) absolute: Duration,
    pub(super) cookie: Option<Duration>,
}

impl Lifetime {
    pub(super) fn of<U>(config: &Config, login: &Login<'_, U>) -> Self {
        match config.session_unremembered.filter(|_| !login.remember) {
            Some(otherwise) => Self { absolute: otherwise.min(config.session_absolute), cookie: None },
            None => Self { absolute: config.session_absolute, cookie: Some(config.session_absolute) },
        }
    }
}

/// Who the session with this identifier stands for.
pub(super) async fn recognise<U: Storable>(
    directory: &Directory<U>,
    id: TokenHash,
) -> Result<Recognition<U>, Error> {
    let Some((principal, seen)) = directory.recognise(id).await? else { return Ok(Recognition::Refused) };
    Ok(Recognition::Accepted(
        principal.with_authenticated_at(seen.created_at).with_session(id, seen.transient),
    ))
}

/// Begins the session of a login, and says when it ends, in milliseconds since 1970.
pub(super) async fn begin<U: Storable>(
    directory: &Directory<U>,
    request: &Parts,
    login: &Login<'_, U>,
    (id, lifetime, content): (TokenHash, Lifetime, Content),
    transaction: &mut Transaction,
) -> Result<i64, Error> {
    let expires_at = clock::now().saturating_add(clock::millis(lifetime.absolute));
    let content = Content { client: client_of(request), transient: lifetime.cookie.is_none(), ..content };
    let record = SessionRecord {
        user_id: Some(login.user.id().to_string()),
        fingerprint: Some(directory.keys.fingerprint(login.user)),
        ..SessionRecord::new(expires_at, content)?
    };
    directory.make_room(transaction, login.user.id()).await?;
    directory.open_session(transaction, id, &record).await?;
    Ok(expires_at)
}

/// How long it is until then.
pub(super) fn left(until: i64) -> Duration {
    Duration::from_millis(u64::try_from(until - clock::now()).unwrap_or_default())
}
