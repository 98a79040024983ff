//! Bodies: limited, JSON alone, and strict about every key.

use std::{collections::HashMap, fmt};

use axum::{
    body::Body,
    extract::Query,
    http::{HeaderMap, Uri, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor},
};

use crate::{error::Error, secret::Password, validate::Violation};

/// A DTO from a request's body.
pub(crate) async fn dto<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<T, Error> {
    Ok(dto_beside_any(headers, body, limit, None).await?.0)
}

/// A DTO from a request's body that has one more key beside those of the DTO: a text, which has to be there.
pub(crate) async fn dto_beside<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    key: &'static str,
) -> Result<(T, Password), Error> {
    let (value, text) = dto_beside_any(headers, body, limit, Some(key)).await?;
    Ok((value, text.ok_or_else(|| Error::field(key, Violation::new("required", "must be there")))?))
}

async fn dto_beside_any<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    key: Option<&'static str>,
) -> Result<(T, Option<Password>), Error> {
    let bytes = read(headers, body, limit).await?;
    refuse_list(&bytes)?;
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let mut text = None;
    let value = match key {
        Some(key) => T::deserialize(Beside { inner: tracked, key, text: &mut text }),
        None => T::deserialize(tracked),
    };
    let value = value.map_err(|error| {
        let path = track.path().to_string();
        // A number in the place of an enum is an error of syntax to serde, and JSON all the same.
        if !error.is_data() && serde_json::from_slice::<serde_json::Value>(&bytes).is_ok() {
            return Error::field(path, Violation::new("invalid_type", "expected another value"));
        }
        refusal(&path, &error)
    })?;
    deserializer.end().map_err(|error| refusal("", &error))?;
    Ok((value, text))
}

/// An object of which one key is taken out, and the others are left to whoever reads it.
struct Beside<'t, I> {
    inner: I,
    key: &'static str,
    text: &'t mut Option<Password>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Beside<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, key, text } = self;
        inner.deserialize_map(Beside { inner: visitor, key, text })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Beside<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<V::Value, M::Error> {
        let Self { inner, key, text } = self;
        inner.visit_map(Beside { inner: map, key, text })
    }
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Beside<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(key) = self.inner.next_key::<String>()? {
            if key != self.key {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            if self.text.is_some() {
                return Err(M::Error::duplicate_field(self.key));
            }
            *self.text = Some(self.inner.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, M::Error> {
        self.inner.next_value_seed(seed)
    }
}

/// The parameters in a URL's query, in order.
pub(crate) fn parameters(uri: &Uri) -> Result<Vec<(String, String)>, Error> {
    match Query::try_from_uri(uri) {
        Ok(Query(pairs)) => Ok(pairs),
        Err(_) => Err(Error::field("", Violation::new("invalid_text", "the query of the URL is malformed"))),
    }
}

/// The values of an object that has exactly these keys, each a text. They may be secrets, so they come as such.
pub(crate) async fn texts<const N: usize>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    keys: [&'static str; N],
) -> Result<[Password; N], Error> {
    Ok(texts_and_flag(headers, body, limit, keys, None).await?.0)
}

/// The same beside a flag that may be there.
pub(crate) async fn texts_and_flag<const N: usize>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    keys: [&'static str; N],
    flag: Option<&'static str>,
) -> Result<([Password; N], Option<bool>), Error> {
    let bytes = read(headers, body, limit).await?;
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let values = Texts { keys, flag }.deserialize(tracked).map_err(|error| (track.path().to_string(), error));
    let values = values.map_err(|(path, error)| refusal(&path, &error))?;
    deserializer.end().map_err(|error| refusal("", &error))?;
    Ok(values)
}

async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Error> {
    if !is_json(headers) {
        return Err(Error::UnsupportedMediaType);
    }
    let bytes = collect(body, limit).await?;
    refuse_nul(&bytes)?;
    Ok(bytes)
}

async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, Error> {
    let body = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_some() {
            Error::BodyTooLarge(limit)
        } else {
            Error::MalformedBody("the connection ended in the middle".to_owned())
        }
    })?;
    Ok(body.to_bytes().into())
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A list would fill a struct's fields by position, so that a body without a single key could write them.
fn refuse_list(bytes: &[u8]) -> Result<(), Error> {
    match bytes.trim_ascii_start().first() {
        Some(b'[') => Err(Error::field("", Violation::new("invalid_type", "expected an object"))),
        _ => Ok(()),
    }
}

/// No text of a user's may hold U+0000: databases refuse or cut it.
fn refuse_nul(bytes: &[u8]) -> Result<(), Error> {
    let escape = b"\\u0000";
    if !bytes.windows(escape.len()).any(|window| window == escape) {
        return Ok(());
    }
    // The escape may itself be escaped; only a parse can tell.
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => match nul_at(&value) {
            Some(field) => {
                Err(Error::field(field, Violation::new("invalid_text", "must not contain U+0000")))
            }
            None => Ok(()),
        },
        Err(error) => Err(refusal("", &error)),
    }
}

/// The top-level key under which there is a U+0000.
fn nul_at(value: &serde_json::Value) -> Option<String> {
    fn has_nul(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => text.contains('\0'),
            serde_json::Value::Array(items) => items.iter().any(has_nul),
            serde_json::Value::Object(map) => {
                map.iter().any(|(key, value)| key.contains('\0') || has_nul(value))
            }
            _ => false,
        }
    }
    match value {
        serde_json::Value::Object(map) => map
            .iter()
            .find(|(key, value)| key.contains('\0') || has_nul(value))
            .map(|(key, _)| key.replace('\0', "\u{fffd}")),
        value => has_nul(value).then(String::new),
    }
}

/// How much of a client's own word for a key comes back to it.
const SHOWN_KEY_CHARACTERS: usize = 64;

/// The problem of a body that serde refused: syntax is 400, everything else 422 with the field.
fn refusal(path: &str, error: &serde_json::Error) -> Error {
    if !error.is_data() {
        // The position, and no piece of the body: it may hold a password.
        return Error::MalformedBody(format!("at line {} column {}", error.line(), error.column()));
    }
    let message = error.to_string();
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let path = if path == "." { "" } else { path };
    let (field, violation) = if message.starts_with("unknown field") {
        let allowed = message.split_once(", expected ").map_or("none", |(_, rest)| without_position(rest));
        (quoted, Violation::new("unknown_field", format!("there is no such field; expected {allowed}")))
    } else if message.starts_with("missing field") {
        (quoted, Violation::new("required", "must be there"))
    } else if message.starts_with("duplicate field") {
        (quoted, Violation::new("duplicate_field", "is there twice"))
    } else {
        let wanted =
            message.split_once("expected ").map_or("another value", |(_, rest)| without_position(rest));
        // A struct's name is nobody's business but the program's.
        let wanted = if wanted.starts_with("struct ") { "an object" } else { wanted };
        (path, Violation::new("invalid_type", format!("expected {wanted}")))
    };
    let field: String = field.chars().take(SHOWN_KEY_CHARACTERS).collect();
    Error::field(field, violation)
}

fn without_position(text: &str) -> &str {
    text.split(" at line ").next().unwrap_or(text)
}

/// An object of texts under fixed keys, and perhaps a flag.
struct Texts<const N: usize> {
    keys: [&'static str; N],
    flag: Option<&'static str>,
}

impl<const N: usize> Texts<N> {
    /// Every key in backticks.
    fn shown(&self, joined_by: &str) -> String {
        let keys: Vec<_> = self.keys.into_iter().chain(self.flag).map(|key| format!("`{key}`")).collect();
        keys.join(joined_by)
    }
}

impl<'de, const N: usize> DeserializeSeed<'de> for Texts<N> {
    type Value = ([Password; N], Option<bool>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Texts<N> {
    type Value = ([Password; N], Option<bool>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", self.shown(" and "))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut values: [Option<Password>; N] = std::array::from_fn(|_| None);
        let mut set = None;
        while let Some(key) = map.next_key::<String>()? {
            if let Some(flag) = self.flag.filter(|flag| *flag == key) {
                if set.is_some() {
                    return Err(M::Error::duplicate_field(flag));
                }
                set = Some(map.next_value()?);
                continue;
            }
            let Some(index) = self.keys.iter().position(|known| *known == key) else {
                let expected = self.shown(" or ");
                return Err(M::Error::custom(format_args!("unknown field `{key}`, expected {expected}")));
            };
            if values[index].is_some() {
                return Err(M::Error::duplicate_field(self.keys[index]));
            }
            values[index] = Some(map.next_value()?);
        }
        if let Some(missing) = values.iter().position(Option::is_none) {
            return Err(M::Error::missing_field(self.keys[missing]));
        }
        Ok((values.map(|value| value.unwrap_or_else(|| Password::new(""))), set))
    }
}

/// Whether a body is declared as a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The fields of a form, none of them twice (RFC 6749, section 3.2). They may be secrets, so they come as such.
pub(crate) async fn form(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<HashMap<String, Password>, Error> {
    if !is_form(headers) {
        return Err(Error::MalformedBody(
            "it must be sent as `application/x-www-form-urlencoded`".to_owned(),
        ));
    }
    let bytes = collect(body, limit).await?;
    let mut fields = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(&bytes) {
        if name.contains('\0') || value.contains('\0') {
            return Err(Error::field("", Violation::new("invalid_text", "must not contain U+0000")));
        }
        let shown: String = name.chars().take(SHOWN_KEY_CHARACTERS).collect();
        if fields.insert(name.into_owned(), Password::new(value)).is_some() {
            return Err(Error::field(shown, Violation::new("duplicate_field", "is there twice")));
        }
    }
    Ok(fields)
}
