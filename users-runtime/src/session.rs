//! Sessions: what stands behind every credential that a login gives, whichever way the client carries it.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    clock,
    error::Error,
    store::Entry,
    token::{Fingerprint, TokenHash},
};

/// How many characters of a client's description are kept.
const CLIENT_CHARACTERS: usize = 200;

/// A session as a store holds it, under the hash of its identifier (S18). Times are in milliseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    /// The user's key, as text; `None` for a session that nobody has logged in with.
    pub(crate) user_id: Option<String>,
    /// What the account was when the session began.
    #[serde(with = "fingerprint_text")]
    pub(crate) fingerprint: Option<Fingerprint>,
    /// When the session began.
    pub(crate) created_at: i64,
    /// When a request last renewed it.
    pub(crate) seen_at: i64,
    /// When it ends at the latest, however busy.
    pub(crate) expires_at: i64,
    #[serde(flatten)]
    pub(crate) content: Content,
    /// A random number that tells this version of the record from others.
    #[serde(skip)]
    pub(crate) revision: i64,
}

/// What a session carries beside who it stands for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// What the client called itself at login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// The hash of the secret in the refresh token that is good now (S29).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hash_text")]
    pub(crate) refresh: Option<TokenHash>,
    /// Whether the client forgets the session with its window.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) transient: bool,
    /// The application's data.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) data: Map<String, Value>,
}

impl SessionRecord {
    /// A session that begins now.
    pub(crate) fn new(expires_at: i64, content: Content) -> Result<Self, Error> {
        let now = clock::now();
        let revision = random_revision()?;
        Ok(Self {
            user_id: None,
            fingerprint: None,
            created_at: now,
            seen_at: now,
            expires_at,
            content,
            revision,
        })
    }

    /// Whether the session may still be used; sliding never passes the absolute end (S20).
    pub(crate) fn is_live(&self, now: i64, idle: i64) -> bool {
        now < self.ends_at(idle)
    }

    /// When the session ends if nobody uses it any more.
    pub(crate) fn ends_at(&self, idle: i64) -> i64 {
        self.expires_at.min(self.seen_at.saturating_add(idle))
    }

    /// The record as a store keeps it.
    pub(crate) fn to_entry(&self, idle: i64) -> Result<Entry, Error> {
        Ok(Entry {
            owner: self.user_id.clone(),
            revision: self.revision.unsigned_abs(),
            value: serde_json::to_vec(self).map_err(Error::internal)?,
            expires_at: self.ends_at(idle),
        })
    }

    /// The record in what a store keeps.
    pub(crate) fn from_entry(entry: &Entry) -> Result<Self, Error> {
        let record: Self = serde_json::from_slice(&entry.value).map_err(Error::internal)?;
        Ok(Self { revision: i64::try_from(entry.revision).map_err(Error::internal)?, ..record })
    }
}

/// What a request changes of the data that its session carries.
#[derive(Debug, Clone, Default)]
pub struct DataChanges {
    /// Whether what was there goes first.
    clears: bool,
    /// New values; `None` for those that go.
    values: BTreeMap<String, Option<Value>>,
}

impl DataChanges {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.clears && self.values.is_empty()
    }

    /// Whether nothing is added, so that there is no need for a session.
    #[must_use]
    pub fn adds_nothing(&self) -> bool {
        self.values.values().all(Option::is_none)
    }

    pub(crate) fn set(&mut self, name: &str, value: Option<Value>) {
        self.values.insert(name.to_owned(), value);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { clears: true, values: BTreeMap::new() };
    }

    /// Makes the changes.
    pub fn apply(&self, data: &mut Map<String, Value>) {
        if self.clears {
            data.clear();
        }
        for (name, value) in &self.values {
            match value {
                Some(value) => drop(data.insert(name.clone(), value.clone())),
                None => drop(data.remove(name)),
            }
        }
    }
}

/// A number that no earlier version of an entry has.
pub(crate) fn random_revision() -> Result<i64, Error> {
    let random = getrandom::u64().map_err(|error| Error::internal(error.to_string()))?;
    // Databases know no unsigned numbers.
    Ok((random >> 1).cast_signed())
}

/// What a client calls itself, without what could confuse whoever reads it.
pub(crate) fn client_of(request: &http::request::Parts) -> Option<String> {
    request.headers.get(http::header::USER_AGENT).and_then(client_name)
}

/// The same out of its header.
pub(crate) fn client_name(agent: &http::HeaderValue) -> Option<String> {
    let agent = agent.to_str().ok()?;
    let agent: String =
        agent.chars().filter(|character| !character.is_control()).take(CLIENT_CHARACTERS).collect();
    Some(agent).filter(|agent| !agent.is_empty())
}

/// The name of a session's entry in a store.
pub(crate) fn store_key(id: TokenHash) -> String {
    format!("session:{}", BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

/// The session that an entry's name stands for.
pub(crate) fn from_store_key(key: &str) -> Option<TokenHash> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(key.strip_prefix("session:")?).ok()?;
    TokenHash::from_bytes(&bytes)
}

/// Fingerprints as text.
mod fingerprint_text {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::token::Fingerprint;

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(super) fn serialize<S: Serializer>(
        fingerprint: &Option<Fingerprint>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        fingerprint
            .map(|fingerprint| BASE64_URL_SAFE_NO_PAD.encode(fingerprint.as_bytes()))
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Fingerprint>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        Fingerprint::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| D::Error::custom("a fingerprint of another length"))
    }
}

/// Hashes as text.
mod hash_text {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::token::TokenHash;

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(super) fn serialize<S: Serializer>(
        hash: &Option<TokenHash>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        hash.map(|hash| BASE64_URL_SAFE_NO_PAD.encode(hash.as_bytes())).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<TokenHash>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        TokenHash::from_bytes(&bytes).map(Some).ok_or_else(|| D::Error::custom("a hash of another length"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(seen_at: i64) -> SessionRecord {
        SessionRecord {
            user_id: Some("1".to_owned()),
            fingerprint: Fingerprint::from_bytes(&[0; 16]),
            created_at: 0,
            seen_at,
            expires_at: 1_000,
            content: Content::default(),
            revision: 7,
        }
    }

    #[test]
    fn s20_sliding_never_passes_the_absolute_end() {
        assert!(record(0).is_live(99, 100));
        assert!(!record(0).is_live(100, 100));
        assert!(record(950).is_live(999, 100));
        assert!(!record(999).is_live(1_000, 100));
    }

    #[test]
    fn a_record_survives_the_store() {
        let mut content = Content {
            client: Some("x".to_owned()),
            refresh: Some(TokenHash::of(b"y")),
            ..Content::default()
        };
        content.data.insert("cart".to_owned(), json!([1, 2]));
        let record = SessionRecord { content, ..record(5) };
        let entry = record.to_entry(100).unwrap();
        assert_eq!((entry.expires_at, entry.owner.as_deref(), entry.revision), (105, Some("1"), 7));
        let read = SessionRecord::from_entry(&entry).unwrap();
        assert_eq!(read.content, record.content);
        assert_eq!((read.user_id, read.seen_at, read.revision), (record.user_id, 5, 7));
        assert!(read.fingerprint == record.fingerprint);
    }

    #[test]
    fn a_key_names_its_session() {
        let id = TokenHash::of(b"x");
        assert_eq!(from_store_key(&store_key(id)), Some(id));
        assert_eq!(from_store_key("session:x"), None);
        assert_eq!(from_store_key("other"), None);
    }
}
