//! A response, and what tests ask of it.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use serde_json::Value;

use super::{Finding, Stop, ensure};

/// A response, read to its end.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The request, as messages name it.
    pub(super) asked: String,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

/// How much of a body a message shows.
const SHOWN: usize = 300;

impl Answer {
    /// The body as JSON; `Null` for anything else.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The machine code of a problem document.
    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header as text; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The cookies that the response sets, as they are written.
    pub(super) fn set_cookies(&self) -> Vec<String> {
        let values = self.headers.get_all(header::SET_COOKIE).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    pub(super) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The request and what came of it, for messages.
    pub(super) fn shown(&self) -> String {
        let body: String = self.text.chars().take(SHOWN).collect();
        format!("{} answers {} {body}", self.asked, self.status)
    }

    /// Fails unless the request succeeded.
    pub(super) fn success(self) -> Result<Self, Stop> {
        ensure!(self.succeeded(), "{}, and should succeed", self.shown());
        Ok(self)
    }

    /// Fails unless this is the status.
    pub(super) fn status(self, status: u16) -> Result<Self, Stop> {
        ensure!(self.status == status, "{}, and should answer {status}", self.shown());
        Ok(self)
    }

    /// Fails unless the request was refused for what it is: 4xx.
    pub(super) fn refused(self) -> Result<Self, Stop> {
        ensure!((400..500).contains(&self.status), "{}, and should be refused", self.shown());
        Ok(self)
    }

    /// Fails unless nobody was recognised.
    pub(super) fn unauthenticated(self) -> Result<Self, Stop> {
        self.status(401)
    }

    /// Fails unless this is a problem that names the field.
    pub(super) fn names_field(self, field: &str) -> Result<Self, Stop> {
        let json = self.json();
        let named = json["errors"].as_array().into_iter().flatten().any(|error| error["field"] == field);
        ensure!(self.status == 422 && named, "{}, and should answer 422 about `{field}`", self.shown());
        Ok(self)
    }

    /// Fails unless two requests are answered alike: status, body, and every header but the date.
    pub(super) fn like(&self, other: &Self) -> Finding {
        ensure!(
            self.status == other.status && self.text == other.text,
            "{}, while {}",
            self.shown(),
            other.shown()
        );
        let (own, others) = (self.stable_headers(), other.stable_headers());
        ensure!(own == others, "{} with the headers {own:?}, while the other has {others:?}", self.shown());
        Ok(())
    }

    /// The headers that do not differ from one response to the next by nature.
    fn stable_headers(&self) -> BTreeMap<String, String> {
        let headers = self.headers.iter().filter(|(name, _)| *name != header::DATE);
        headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect()
    }
}
