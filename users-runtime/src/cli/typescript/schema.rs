//! Schemas of a document as types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::names::{Scope, comment, identifier, key, text};

/// How deep references that have no name are followed.
const DEPTH: usize = 16;

const COMPONENTS: &str = "#/components/schemas/";

/// The types of a document, by the names of its schemas.
pub(super) struct Types<'d> {
    document: &'d Value,
    names: BTreeMap<&'d str, String>,
}

/// A type, and what binds it together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Type {
    text: String,
    compound: Option<char>,
}

impl Type {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), compound: None }
    }

    fn unknown() -> Self {
        Self::plain("unknown")
    }

    /// Types with `|` or `&` between them.
    fn joined(types: impl IntoIterator<Item = Self>, operator: char) -> Option<Self> {
        let mut distinct: Vec<Self> = Vec::new();
        for ty in types {
            if !distinct.contains(&ty) {
                distinct.push(ty);
            }
        }
        match distinct.len() {
            0 => None,
            1 => distinct.pop(),
            _ => {
                let inner = distinct.iter().map(|ty| ty.inside(operator));
                let text = inner.collect::<Vec<_>>().join(&format!(" {operator} "));
                Some(Self { text, compound: Some(operator) })
            }
        }
    }

    /// The type beside others.
    fn inside(&self, operator: char) -> String {
        match self.compound {
            Some(own) if own != operator => format!("({})", self.text),
            _ => self.text.clone(),
        }
    }

    fn list(&self) -> Self {
        Self::plain(format!("{}[]", self.inside(' ')))
    }
}

impl<'d> Types<'d> {
    pub(super) fn new(document: &'d Value, scope: &mut Scope) -> Self {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let names = schemas.into_iter().flat_map(Map::keys);
        let names = names.map(|name| (name.as_str(), scope.claim(identifier(name), "Schema"))).collect();
        Self { document, names }
    }

    /// Every named type.
    pub(super) fn declarations(&self) -> String {
        let schemas = self.document.pointer("/components/schemas");
        let declared = self.names.iter().filter_map(|(name, declared)| {
            let schema = schemas?.get(name)?;
            let about = comment("", &about(schema));
            let body = match schema.as_object().filter(|schema| is_record(schema)) {
                Some(record) => format!("export interface {declared} {}\n", self.record(record)),
                None => format!("export type {declared} = {};\n", self.of(schema)),
            };
            Some(format!("{about}{body}\n"))
        });
        declared.collect()
    }

    /// The type of a schema.
    pub(super) fn of(&self, schema: &Value) -> String {
        self.schema(schema, 0).text
    }

    /// What a reference stands for, if it is one.
    pub(super) fn resolved<'v>(&self, value: &'v Value) -> &'v Value
    where
        'd: 'v,
    {
        let mut value = value;
        for _ in 0..DEPTH {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
            match reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer)) {
                Some(there) => value = there,
                None => return &Value::Null,
            }
        }
        &Value::Null
    }

    fn schema(&self, schema: &Value, depth: usize) -> Type {
        let Some(object) = schema.as_object() else {
            return Type::plain(if schema == &Value::Bool(false) { "never" } else { "unknown" });
        };
        let all = |word: &str| object.get(word).and_then(Value::as_array).into_iter().flatten();
        let types = |word: &str| all(word).map(|schema| self.schema(schema, depth));
        let mut parts: Vec<Type> = Vec::new();
        parts.extend(object.get("$ref").and_then(Value::as_str).map(|name| self.reference(name, depth)));
        parts.extend(self.itself(object, depth));
        parts.extend(types("allOf"));
        parts.extend(Type::joined(types("oneOf"), '|'));
        parts.extend(Type::joined(types("anyOf"), '|'));
        let known = parts.into_iter().filter(|part| *part != Type::unknown());
        let whole = Type::joined(known, '&').unwrap_or_else(Type::unknown);
        // The word of OpenAPI 3.0.
        match object.get("nullable") {
            Some(Value::Bool(true)) => {
                Type::joined([whole.clone(), Type::plain("null")], '|').unwrap_or(whole)
            }
            _ => whole,
        }
    }

    fn reference(&self, reference: &str, depth: usize) -> Type {
        if let Some(name) = reference.strip_prefix(COMPONENTS) {
            let name = name.replace("~1", "/").replace("~0", "~");
            return self.names.get(name.as_str()).map_or_else(Type::unknown, Type::plain);
        }
        let there = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        match there {
            Some(schema) if depth < DEPTH => self.schema(schema, depth + 1),
            _ => Type::unknown(),
        }
    }

    /// What a schema says of its own form.
    fn itself(&self, schema: &Map<String, Value>, depth: usize) -> Option<Type> {
        if let Some(value) = schema.get("const") {
            return Some(literal(value));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return Some(
                Type::joined(values.iter().map(literal), '|').unwrap_or_else(|| Type::plain("never")),
            );
        }
        let named: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ if schema.contains_key("properties") || schema.contains_key("additionalProperties") => {
                vec!["object"]
            }
            _ if schema.contains_key("items") || schema.contains_key("prefixItems") => vec!["array"],
            _ => return None,
        };
        Type::joined(named.into_iter().map(|name| self.primitive(name, schema, depth)), '|')
    }

    fn primitive(&self, name: &str, schema: &Map<String, Value>, depth: usize) -> Type {
        match name {
            "string" if schema.get("format").and_then(Value::as_str) == Some("binary") => Type::plain("Blob"),
            "string" | "boolean" | "null" | "number" => Type::plain(name),
            "integer" => Type::plain("number"),
            "array" => self.array(schema, depth),
            "object" => self.object(schema, depth),
            _ => Type::unknown(),
        }
    }

    fn array(&self, schema: &Map<String, Value>, depth: usize) -> Type {
        let items = schema.get("items").map(|items| self.schema(items, depth));
        let Some(first) = schema.get("prefixItems").and_then(Value::as_array) else {
            return items.unwrap_or_else(Type::unknown).list();
        };
        let rest = match schema.get("items") {
            Some(Value::Bool(false)) => None,
            _ => Some(format!("...{}", items.unwrap_or_else(Type::unknown).list().text)),
        };
        let first = first.iter().map(|schema| self.schema(schema, depth).text);
        Type::plain(format!("[{}]", first.chain(rest).collect::<Vec<_>>().join(", ")))
    }

    fn object(&self, schema: &Map<String, Value>, depth: usize) -> Type {
        let properties = schema.get("properties").and_then(Value::as_object).filter(|all| !all.is_empty());
        let others = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) if properties.is_none() => Some(Type::plain("Record<string, never>")),
            None | Some(Value::Bool(_)) if properties.is_none() => {
                Some(Type::plain("Record<string, unknown>"))
            }
            None | Some(Value::Bool(_)) => None,
            Some(others) => {
                // In an intersection, the others have to allow for what the properties are.
                let others = self.schema(others, depth);
                Some(Type::plain(format!("Record<string, {}>", others.text)))
            }
        };
        let required = required(schema);
        let members = properties.map(|properties| {
            let members = properties.iter().map(|(name, schema)| {
                let ty = self.schema(schema, depth);
                format!("{}{}: {}", modified(name, schema), optional(&required, name), ty.text)
            });
            Type::plain(format!("{{ {} }}", members.collect::<Vec<_>>().join("; ")))
        });
        Type::joined(members.into_iter().chain(others), '&').unwrap_or_else(Type::unknown)
    }

    /// The members of an object on lines of their own, with what is said of them.
    fn record(&self, schema: &Map<String, Value>) -> String {
        let required = required(schema);
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let members = properties.map(|(name, schema)| {
            let (about, ty) = (comment("  ", &about(schema)), self.of(schema));
            format!("{about}  {}{}: {ty};\n", modified(name, schema), optional(&required, name))
        });
        format!("{{\n{}}}", members.collect::<String>())
    }
}

/// Whether a schema is nothing but an object with properties.
fn is_record(schema: &Map<String, Value>) -> bool {
    let others = ["$ref", "allOf", "anyOf", "const", "enum", "nullable", "oneOf"];
    schema.get("type").is_none_or(|ty| ty == "object")
        && schema.get("properties").and_then(Value::as_object).is_some_and(|all| !all.is_empty())
        && schema.get("additionalProperties").is_none_or(Value::is_boolean)
        && !others.iter().any(|word| schema.contains_key(*word))
}

fn required(schema: &Map<String, Value>) -> BTreeSet<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn optional(required: &BTreeSet<&str>, name: &str) -> &'static str {
    if required.contains(name) { "" } else { "?" }
}

fn modified(name: &str, schema: &Value) -> String {
    let readonly = if schema.get("readOnly") == Some(&Value::Bool(true)) { "readonly " } else { "" };
    format!("{readonly}{}", key(name))
}

/// What a document says of something.
pub(super) fn about(value: &Value) -> String {
    let said = |word: &str| value.get(word).and_then(Value::as_str).unwrap_or_default();
    let deprecated = if value.get("deprecated") == Some(&Value::Bool(true)) { "\n@deprecated" } else { "" };
    format!("{}{deprecated}", said("description"))
}

fn literal(value: &Value) -> Type {
    match value {
        Value::String(value) => Type::plain(text(value)),
        Value::Array(_) | Value::Object(_) => Type::unknown(),
        value => Type::plain(value.to_string()),
    }
}
