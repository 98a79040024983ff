//! `"session_cookie"`: a sealed cookie holds what the session carries, and the server only that it is there.

use http::request::Parts;
use serde::{Deserialize, Serialize};
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
    session::{Content, DataChanges},
    token::{OpaqueToken, TokenHash},
};

/// The cookie's name, without its prefix; the pieces behind the first have a number behind it.
const COOKIE: &str = "session";

/// How long the value of one cookie may be: browsers keep 4,096 bytes of name, value and attributes (RFC 6265, section
/// 6.1).
const PIECE: usize = 3_800;

/// How many cookies a session may be split over. Servers refuse headers of more than 32 KiB or so.
const MAX_PIECES: usize = 6;

/// Client-side sessions: the cookie is sealed with AES-256-GCM, so that the client can neither read nor change what it
/// carries. The store keeps that a login is there, and no data, so that a logout ends every copy of the cookie.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionCookie;

/// What a cookie holds.
#[derive(Default, Serialize, Deserialize)]
struct Sealed {
    /// The session's identifier; `None` until somebody logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// When it ends at the latest, in milliseconds since 1970.
    ends_at: i64,
    /// Whether the client forgets it with its window.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    transient: bool,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    data: Map<String, Value>,
}

impl Sealed {
    fn session(&self) -> Option<TokenHash> {
        OpaqueToken::parse(self.id.as_deref()?).map(|token| token.hash())
    }
}

/// The cookie as it stands in a request.
enum Found {
    Absent,
    /// One that is no good.
    Refused,
    Opened(Sealed),
}

impl Found {
    fn opened(self) -> Option<Sealed> {
        match self {
            Self::Opened(sealed) => Some(sealed),
            Self::Absent | Self::Refused => None,
        }
    }
}

fn read<U: Storable>(directory: &Directory<U>, request: &Parts) -> Found {
    let Some(first) = cookie::read(&directory.config, request, COOKIE) else { return Found::Absent };
    let open = || {
        let (count, piece) = first.split_once('.')?;
        // One spelling for each number: `+1` and `01` are not what this was sent out with.
        let count = (1..=MAX_PIECES).find(|number| number.to_string() == count)?;
        let mut text = piece.to_owned();
        for number in 1..count {
            text.push_str(cookie::read(&directory.config, request, &piece_name(number))?);
        }
        let bytes = directory.keys.open(COOKIE, &text, clock::now())?;
        serde_json::from_slice(&bytes).ok()
    };
    open().map_or(Found::Refused, Found::Opened)
}

fn piece_name(number: usize) -> String {
    format!("{COOKIE}-{number}")
}

/// The cookies that carry a session, and take away pieces that it no longer needs.
fn write<U: Storable>(
    directory: &Directory<U>,
    request: &Parts,
    sealed: &Sealed,
) -> Result<Credential, Error> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(sealed).map_err(Error::internal)?);
    let text = directory.keys.seal(COOKIE, sealed.ends_at, &plain)?;
    let count = text.len().div_ceil(PIECE);
    if count > MAX_PIECES {
        return Err(Error::internal(format!(
            "the data of a session takes {count} cookies, and {MAX_PIECES} are the most; use `session` for more"
        )));
    }
    let lifetime = (!sealed.transient).then(|| super::login::left(sealed.ends_at));
    let mut credential = Credential::default();
    for number in 0..count {
        let piece = &text[number * PIECE..text.len().min((number + 1) * PIECE)];
        let cookie = if number == 0 {
            cookie::give(&directory.config, COOKIE, &format!("{count}.{piece}"), lifetime)?
        } else {
            cookie::give(&directory.config, &piece_name(number), piece, lifetime)?
        };
        credential = credential.with_cookie(cookie);
    }
    without_pieces(directory, request, count.max(1), credential)
}

/// Takes the pieces from this number on away that a request has.
fn without_pieces<U: Storable>(
    directory: &Directory<U>,
    request: &Parts,
    from: usize,
    mut credential: Credential,
) -> Result<Credential, Error> {
    for name in (from..MAX_PIECES).map(piece_name) {
        if cookie::read(&directory.config, request, &name).is_some() {
            credential = credential.with_cookie(cookie::take(&directory.config, &name)?);
        }
    }
    Ok(credential)
}

impl<U: Storable> Backend<U> for SessionCookie {
    async fn authenticate(&self, directory: &Directory<U>, request: &Parts) -> Result<Recognition<U>, Error> {
        match read(directory, request) {
            // A session that nobody has logged in with is no credential, good or bad.
            Found::Absent | Found::Opened(Sealed { id: None, .. }) => Ok(Recognition::Absent),
            Found::Refused => Ok(Recognition::Refused),
            Found::Opened(sealed) => match sealed.session() {
                Some(id) => recognise(directory, id).await,
                None => Ok(Recognition::Refused),
            },
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
        let mut data = Map::new();
        if let Found::Opened(old) = read(directory, request) {
            match old.session() {
                None => data = old.data,
                Some(id) => {
                    let record = directory.session_record_in(transaction, id).await?;
                    // What one user left behind is not shown to the next.
                    if record.is_some_and(|record| record.user_id == Some(login.user.id().to_string())) {
                        data = old.data;
                    }
                    directory.end_session(transaction, id).await?;
                }
            }
        }
        let lifetime = Lifetime::of(&directory.config, login);
        let token = OpaqueToken::random()?;
        begin(directory, request, login, (token.hash(), lifetime, Content::default()), transaction).await?;
        let sealed = Sealed {
            id: Some(token.expose().to_string()),
            ends_at: clock::now().saturating_add(clock::millis(lifetime.absolute)),
            transient: lifetime.cookie.is_none(),
            data,
        };
        write(directory, request, &sealed).map(Some)
    }

    async fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> Result<Credential, Error> {
        if let Some(id) = read(directory, request).opened().as_ref().and_then(Sealed::session) {
            directory.end_session(transaction, id).await?;
        }
        let credential = Credential::default().with_cookie(cookie::take(&directory.config, COOKIE)?);
        without_pieces(directory, request, 1, credential)
    }

    const CARRIES_DATA: bool = true;

    async fn read_data(
        &self,
        directory: &Directory<U>,
        request: &Parts,
    ) -> Result<Map<String, Value>, Error> {
        Ok(usable(directory, request).await?.map(|sealed| sealed.data).unwrap_or_default())
    }

    async fn write_data(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        changes: &DataChanges,
    ) -> Result<Credential, Error> {
        let mut sealed = match usable(directory, request).await? {
            Some(sealed) => sealed,
            None if changes.adds_nothing() => return Ok(Credential::default()),
            None => {
                let lifetime = clock::millis(directory.config.session_absolute);
                Sealed { ends_at: clock::now().saturating_add(lifetime), ..Sealed::default() }
            }
        };
        changes.apply(&mut sealed.data);
        write(directory, request, &sealed)
    }
}

/// The cookie of a request if it may still be used: nobody's, or one whose session is live.
async fn usable<U: Storable>(directory: &Directory<U>, request: &Parts) -> Result<Option<Sealed>, Error> {
    let Some(sealed) = read(directory, request).opened() else { return Ok(None) };
    let Some(id) = sealed.session() else { return Ok(Some(sealed)) };
    Ok(directory.session(id).await?.map(|_| sealed))
}
