//! The backend: who a request is from that carries a key.

use users_runtime::{Backend, Directory, Error, Parts, Recognition};

use crate::{accounts::User, guards::Scopes, key::Key, store::Keys};

/// The header for clients that have `Authorization` for something else.
const HEADER: &str = "x-api-key";

/// API keys in the header `Authorization: Bearer` or `X-Api-Key`.
#[derive(Debug, Clone)]
pub struct ApiKeys(Keys);

impl ApiKeys {
    pub fn new(keys: Keys) -> Self {
        Self(keys)
    }
}

impl Backend<User> for ApiKeys {
    async fn authenticate(
        &self,
        directory: &Directory<User>,
        request: &Parts,
    ) -> Result<Recognition<User>, Error> {
        let Some(text) = presented(request) else { return Ok(Recognition::Absent) };
        let Some(key) = Key::parse(text) else { return Ok(Recognition::Refused) };
        let stored = match self.0.find(key.id).await? {
            Some(stored) if key.fits(&stored.secret_hash) => stored,
            _ => return Ok(Recognition::Refused),
        };
        // Whether the account is active is checked behind every backend.
        let Some(user) = directory.user_by_id(stored.user_id).await? else { return Ok(Recognition::Refused) };
        self.0.note_use(&stored).await?;
        Ok(Recognition::Accepted(user.with_claims(Scopes::parse(&stored.scopes))))
    }

    // A key may not make another one, so there is no login: `"session"`, next in the list, has one.

    fn is_ambient(&self, _request: &Parts) -> bool {
        // No browser adds a key by itself.
        false
    }
}

/// The key that a request means to show. `Some("")` for bytes that are no text: a key that is no good.
fn presented(request: &Parts) -> Option<&str> {
    if let Some(value) = request.headers.get(HEADER) {
        return Some(value.to_str().unwrap_or_default());
    }
    let text = request.headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    // A token of another kind is another backend's.
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && Key::is_meant_by(token)).then_some(token)
}
