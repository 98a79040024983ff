//! Operations of a document as methods.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Map, Value};

use super::{
    names::{Scope, camel, comment, key, text, upper_first},
    schema::{Types, about},
};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The methods of a client, the types of their queries, and the codes of their problems.
#[derive(Default)]
pub(super) struct Operations {
    pub(super) types: String,
    pub(super) methods: String,
    pub(super) codes: BTreeSet<String>,
}

/// One operation, while its method is written.
struct Operation<'d> {
    types: &'d Types<'d>,
    method: &'d str,
    path: &'d str,
    described: &'d Value,
    parameters: Vec<&'d Value>,
}

impl Operations {
    /// Every operation of a document.
    pub(super) fn read<'d>(document: &'d Value, types: &'d Types<'d>, scope: &mut Scope) -> Self {
        let mut operations = Self::default();
        let mut names = Scope::with(["constructor", "token"]);
        let paths = document.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let item = types.resolved(item);
            for (method, operation) in
                METHODS.into_iter().filter_map(|method| Some((method, item.get(method)?)))
            {
                let name = match operation.get("operationId").and_then(Value::as_str) {
                    Some(name) => camel(name),
                    None => camel(&format!("{method} {path}")),
                };
                let name = names.claim(name, "_");
                let parameters = parameters(types, item, operation);
                let operation = Operation { types, method, path, described: operation, parameters };
                operation.write(&name, scope, &mut operations);
            }
        }
        operations
    }
}

/// The parameters of an operation, of which its own stand in the place of those of its path.
fn parameters<'d>(types: &'d Types<'d>, item: &'d Value, operation: &'d Value) -> Vec<&'d Value> {
    let of = |value: &'d Value| {
        let parameters = value.get("parameters").and_then(Value::as_array).into_iter().flatten();
        parameters.map(|parameter| types.resolved(parameter)).collect::<Vec<_>>()
    };
    let own = of(operation);
    let same =
        |one: &Value, other: &Value| one.get("name") == other.get("name") && one.get("in") == other.get("in");
    let mut all: Vec<_> =
        of(item).into_iter().filter(|general| !own.iter().any(|own| same(own, general))).collect();
    all.extend(own);
    all
}

impl Operation<'_> {
    fn write(&self, name: &str, scope: &mut Scope, operations: &mut Operations) {
        let mut arguments = Scope::with(["body", "headers", "options", "query"]);
        let mut declared = Vec::new();
        let path = self.path(&mut arguments, &mut declared);
        let mut sent = String::from("options");
        self.body(&mut declared, &mut sent);
        for (place, member) in [("query", "Query"), ("header", "Headers")] {
            if let Some(parameters) = self.grouped(place) {
                let declared_type = scope.claim(format!("{}{member}", upper_first(name)), "Type");
                let argument = if place == "query" { "query" } else { "headers" };
                let default = if self.any_required(place) { "" } else { " = {}" };
                declared.push(format!("{argument}: {declared_type}{default}"));
                let _ = write!(sent, ", {argument}");
                let _ = writeln!(operations.types, "export interface {declared_type} {parameters}\n");
            }
        }
        declared.push("options: CallOptions = {}".to_owned());
        let answer = self.answer();
        let call = format!("this.#call({}, {path}, {{ {sent} }})", text(&self.method.to_ascii_uppercase()));
        let (result, statement) = match answer.as_str() {
            "void" => ("void", format!("await {call};")),
            answer => (answer, format!("return (await {call}) as {answer};")),
        };
        let declared = declared.join(", ");
        operations.methods.push('\n');
        operations.methods.push_str(&comment("  ", &self.about(&mut operations.codes)));
        let _ = writeln!(operations.methods, "  async {name}({declared}): Promise<{result}> {{");
        let _ = writeln!(operations.methods, "    {statement}\n  }}");
    }

    fn placed(&self, place: &str) -> impl Iterator<Item = (&str, &Value)> {
        let named = self
            .parameters
            .iter()
            .filter_map(|parameter| Some((parameter.get("name")?.as_str()?, *parameter)));
        named.filter(move |(_, parameter)| parameter.get("in").and_then(Value::as_str) == Some(place))
    }

    fn any_required(&self, place: &str) -> bool {
        self.placed(place).any(|(_, parameter)| is_required(parameter))
    }

    /// The path, and an argument for each of its parameters.
    fn path(&self, scope: &mut Scope, declared: &mut Vec<String>) -> String {
        let mut pieces = Vec::new();
        let mut rest = self.path;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            let parameter = self.placed("path").find(|(of, _)| *of == name).map(|(_, parameter)| parameter);
            let argument = scope.claim(camel(name), "_");
            let ty = match parameter.map(|parameter| self.parameter_type(parameter)).as_deref() {
                Some(ty @ ("number" | "boolean")) => ty.to_owned(),
                Some(ty) if ty.starts_with('"') => ty.to_owned(),
                _ => "string".to_owned(),
            };
            declared.push(format!("{argument}: {ty}"));
            pieces.push(text(before));
            pieces.push(format!("segment({argument})"));
            rest = after;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(text(rest));
        }
        pieces.join(" + ")
    }

    fn parameter_type(&self, parameter: &Value) -> String {
        let content = parameter.get("content").and_then(Value::as_object);
        let content = content.and_then(|content| content.values().next()?.get("schema"));
        parameter
            .get("schema")
            .or(content)
            .map_or_else(|| "unknown".to_owned(), |schema| self.types.of(schema))
    }

    /// The parameters of one place as members of an object.
    fn grouped(&self, place: &str) -> Option<String> {
        let members = self.placed(place).map(|(name, parameter)| {
            let (about, ty) = (comment("  ", &about(parameter)), self.parameter_type(parameter));
            let optional = if is_required(parameter) { "" } else { "?" };
            format!("{about}  {}{optional}: {ty};\n", key(name))
        });
        let members: String = members.collect();
        (!members.is_empty()).then(|| format!("{{\n{members}}}"))
    }

    /// The argument for the body, in the first form that is known.
    fn body(&self, declared: &mut Vec<String>, sent: &mut String) {
        let Some(body) = self.described.get("requestBody").map(|body| self.types.resolved(body)) else {
            return;
        };
        let Some(content) = body.get("content").and_then(Value::as_object) else { return };
        let schema = |media: &Value| {
            media.get("schema").map_or_else(|| "unknown".to_owned(), |schema| self.types.of(schema))
        };
        let of = |fits: fn(&str) -> bool| {
            content.iter().find(|(name, _)| fits(name)).map(|(_, media)| schema(media))
        };
        let form = |name: &str| name.starts_with("application/x-www-form-urlencoded");
        let (ty, kind) = if let Some(ty) = of(is_json) {
            (ty, "json")
        } else if let Some(ty) = of(form) {
            (ty, "form")
        } else if content.keys().any(|name| name.starts_with("multipart/")) {
            ("FormData".to_owned(), "raw")
        } else {
            ("Blob | ArrayBuffer | string".to_owned(), "raw")
        };
        let optional = if is_required(body) {
            ""
        // Nothing that may be absent stands before what may not.
        } else if self.any_required("query") || self.any_required("header") {
            " | undefined"
        } else {
            "?"
        };
        declared.push(match optional {
            "?" => format!("body?: {ty}"),
            more => format!("body: {ty}{more}"),
        });
        let _ = write!(sent, ", {kind}: body");
    }

    fn responses(&self) -> impl Iterator<Item = (&str, &Value)> {
        let responses = self.described.get("responses").and_then(Value::as_object).into_iter().flatten();
        responses.map(|(status, response)| (status.as_str(), self.types.resolved(response)))
    }

    /// What the method promises: one of the successes.
    fn answer(&self) -> String {
        let mut types: Vec<String> = Vec::new();
        let successes = self.responses().filter(|(status, _)| status.starts_with('2'));
        for (_, response) in successes {
            let content =
                response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
            let ty = match content {
                None => "undefined".to_owned(),
                Some(content) => match content.iter().find(|(name, _)| is_json(name)) {
                    Some((_, media)) => media
                        .get("schema")
                        .map_or_else(|| "unknown".to_owned(), |schema| self.types.of(schema)),
                    None => "string".to_owned(),
                },
            };
            if !types.contains(&ty) {
                types.push(ty);
            }
        }
        match types.as_slice() {
            [] => "void".to_owned(),
            [one] if one == "undefined" => "void".to_owned(),
            types => types.join(" | "),
        }
    }

    /// What the document says of the operation, and how it fails.
    fn about(&self, codes: &mut BTreeSet<String>) -> String {
        let said = |word: &str| self.described.get(word).and_then(Value::as_str).unwrap_or_default();
        let (summary, description) = (said("summary"), about(self.described));
        let mut lines = vec![summary.to_owned()];
        if description.trim() != summary.trim() && !description.trim().is_empty() {
            lines.extend([String::new(), description]);
        }
        lines.extend([String::new(), format!("`{} {}`", self.method.to_ascii_uppercase(), self.path)]);
        for (status, response) in self.responses().filter(|(status, _)| !status.starts_with(['1', '2', '3']))
        {
            let mut found = BTreeSet::new();
            let media = response.get("content").and_then(Value::as_object).into_iter().flatten();
            for schema in media.filter(|(name, _)| is_json(name)).filter_map(|(_, media)| media.get("schema"))
            {
                self.words(schema, &mut found, 0);
            }
            if !found.is_empty() {
                let words: Vec<_> = found.iter().map(|word| format!("`{word}`")).collect();
                lines.push(format!("- {status}: {}", words.join(", ")));
            }
            codes.extend(found);
        }
        lines.join("\n")
    }

    /// The texts that a problem may have as its code, or as its error (RFC 6749).
    fn words(&self, schema: &Value, words: &mut BTreeSet<String>, depth: usize) {
        /// How deep problems are put together of others.
        const DEPTH: usize = 8;
        if depth > DEPTH {
            return;
        }
        let schema = self.types.resolved(schema);
        for key in ["code", "error"] {
            if let Some(word) = schema.pointer(&format!("/properties/{key}")) {
                self.texts(word, words, depth);
            }
        }
        for list in ["allOf", "anyOf", "oneOf"] {
            for part in schema.get(list).and_then(Value::as_array).into_iter().flatten() {
                self.words(part, words, depth + 1);
            }
        }
    }

    fn texts(&self, schema: &Value, texts: &mut BTreeSet<String>, depth: usize) {
        let schema = self.types.resolved(schema);
        let named =
            schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"));
        texts.extend(named.filter_map(Value::as_str).map(str::to_owned));
        let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|list| schema.get(list)?.as_array());
        for part in lists.flatten().filter(|_| depth < 16) {
            self.texts(part, texts, depth + 1);
        }
    }
}

fn is_required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}

fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    name.ends_with("/json") || name.ends_with("+json")
}

/// The title of a document, and its version.
pub(super) fn title(document: &Value) -> String {
    let info = document.get("info").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    let said = |word: &str| info.get(word).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("A client of {}, version {}.", said("title"), said("version"))
}
