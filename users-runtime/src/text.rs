//! Text that becomes a typed value: `--set name=value`, the cells of a table and the parameters of a query, read as the
//! struct's fields ask.
//!
//! A field says what it is through its `Deserialize`, so a number is parsed as a number and a string is taken as it
//! stands. What has no plain form of its own, such as a list, is written as JSON.

use std::fmt;

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::Value;

use crate::validate::Violation;

/// How an absent value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// The word `null`, as on a command line.
    Null,
    /// An empty cell. A cell with the word `null` holds that word.
    Empty,
    /// Not at all: a parameter of a query is there or is not.
    Never,
}

/// Reads a struct from the texts of its fields.
pub(crate) struct Texts<'a, I> {
    pairs: I,
    value: Option<(&'a str, &'a str)>,
    absent: Absent,
}

impl<'a, I: Iterator<Item = (&'a str, &'a str)>> Texts<'a, I> {
    /// The values of a command line.
    pub(crate) fn set(pairs: impl IntoIterator<IntoIter = I>) -> Self {
        Self { pairs: pairs.into_iter(), value: None, absent: Absent::Null }
    }

    /// The parameters of a query.
    pub(crate) fn query(pairs: impl IntoIterator<IntoIter = I>) -> Self {
        Self { pairs: pairs.into_iter(), value: None, absent: Absent::Never }
    }

    /// The cells of a row; empty ones count as not there.
    pub(crate) fn row(cells: impl IntoIterator<IntoIter = I>) -> Self {
        Self { pairs: cells.into_iter(), value: None, absent: Absent::Empty }
    }
}

/// Why texts are not a value of the struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextError {
    /// The field that is wrong, once it is known.
    field: Option<String>,
    problem: String,
    /// A stable machine code.
    code: &'static str,
}

impl TextError {
    fn new(problem: impl Into<String>) -> Self {
        Self { field: None, problem: problem.into(), code: "invalid_type" }
    }

    /// The same problem under another machine code.
    fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// The field that is wrong, and what is wrong with it.
    pub(crate) fn into_violation(self) -> (String, Violation) {
        (self.field.unwrap_or_default(), Violation::new(self.code, self.problem))
    }

    fn at(self, field: &str) -> Self {
        Self { field: Some(self.field.unwrap_or_else(|| field.to_owned())), ..self }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "`{field}`: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for TextError {}

/// Names in backticks with commas between them.
fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl de::Error for TextError {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new(problem.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("is not given and has no default").at(field).coded("required")
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let problem = match expected {
            [] => "is not known, and nothing else is".to_owned(),
            expected => format!("is not known; there are {}", list(expected)),
        };
        Self::new(problem).at(&shortened(field)).coded("unknown_field")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new("is given twice").at(field).coded("duplicate_field")
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("`{variant}` is none of {}", list(expected)))
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found {found}"))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}

impl<'de, I: Iterator<Item = (&'de str, &'de str)>> Deserializer<'de> for Texts<'de, I> {
    type Error = TextError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, I: Iterator<Item = (&'de str, &'de str)>> MapAccess<'de> for Texts<'de, I> {
    type Error = TextError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, TextError> {
        let skips_empty = self.absent == Absent::Empty;
        self.value = self.pairs.by_ref().find(|(_, text)| !(skips_empty && text.is_empty()));
        self.value.map(|(name, _)| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, TextError> {
        let (name, text) =
            self.value.take().ok_or_else(|| TextError::new("a value stands before its name"))?;
        seed.deserialize(Text { text, absent: self.absent }).map_err(|error| error.at(name))
    }
}

/// The text of one field.
#[derive(Clone, Copy)]
struct Text<'de> {
    text: &'de str,
    absent: Absent,
}

impl Text<'_> {
    fn is_absent(self) -> bool {
        match self.absent {
            Absent::Null => self.text == "null",
            Absent::Empty => self.text.is_empty(),
            Absent::Never => false,
        }
    }

    fn refused(self, expected: &str) -> TextError {
        TextError::new(format!("`{}` is not {expected}", shortened(self.text)))
    }

    fn json(self, expected: &str) -> Result<Value, TextError> {
        serde_json::from_str(self.text).map_err(|_| self.refused(expected))
    }
}

/// A value as a message shows it: the start of it.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
                let number = self.text.trim().parse::<$type>().map_err(|_| {
                    self.refused(&format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX))
                })?;
                visitor.$visit(number)
            }
        )*
    };
}

macro_rules! by_json {
    ($($method:ident($($argument:ident: $type:ty),*) $expected:literal),* $(,)?) => {
        $(
            fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, TextError> {
                self.json($expected)?.$method($($argument,)* visitor).map_err(de::Error::custom)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = TextError;

    /// For types that take anything: JSON where it is JSON, and otherwise the text.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        match serde_json::from_str::<Value>(self.text) {
            Ok(value) => value.deserialize_any(visitor).map_err(de::Error::custom),
            Err(_) => visitor.visit_borrowed_str(self.text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        match self.text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "1" => visitor.visit_bool(true),
            "false" | "f" | "no" | "0" => visitor.visit_bool(false),
            _ => Err(self.refused("`true` or `false`")),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_f32(self.text.trim().parse().map_err(|_| self.refused("a number"))?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_f64(self.text.trim().parse().map_err(|_| self.refused("a number"))?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_char(self.text.parse().map_err(|_| self.refused("one character"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_borrowed_bytes(self.text.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_borrowed_bytes(self.text.as_bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        if self.is_absent() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        if self.is_absent() { visitor.visit_unit() } else { Err(self.refused("`null`")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_newtype_struct(self)
    }

    /// A variant by its name; one that carries something is written as JSON.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        if self.text.starts_with('{') {
            let value = self.json("a JSON object")?;
            return value.deserialize_enum(name, variants, visitor).map_err(de::Error::custom);
        }
        visitor.visit_enum(IntoDeserializer::<TextError>::into_deserializer(self.text))
    }

    by_json! {
        deserialize_seq() "a list; write JSON, as in `[1, 2]`",
        deserialize_tuple(length: usize) "a list; write JSON, as in `[1, 2]`",
        deserialize_tuple_struct(name: &'static str, length: usize) "a list; write JSON, as in `[1, 2]`",
        deserialize_map() "an object; write JSON, as in `{\"key\": 1}`",
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
            "an object; write JSON, as in `{\"key\": 1}`",
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_unit()
    }
}

/// The names of the fields that a struct reads; empty for what is no struct.
pub(crate) fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It answers nothing but an error: a struct is asked for, and its fields are noted.
    let _ = T::deserialize(Fields(&mut fields));
    fields
}

/// Notes the fields that it is asked for, and has none of them.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = TextError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, TextError> {
        Err(TextError::new("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
