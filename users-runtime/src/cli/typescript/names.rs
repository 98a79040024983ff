//! Names and texts of a document in the words of TypeScript, whatever is in them.

use std::collections::BTreeSet;

/// What the words of the language, and what the file itself uses, cannot name again.
const TAKEN: &[&str] = &[
    "AbortSignal",
    "Array",
    "ArrayBuffer",
    "Blob",
    "CallOptions",
    "Client",
    "ClientOptions",
    "Error",
    "FieldProblem",
    "FormData",
    "Headers",
    "JSON",
    "Number",
    "Object",
    "Problem",
    "ProblemCode",
    "Promise",
    "Readonly",
    "Record",
    "RequestInit",
    "Response",
    "Sent",
    "String",
    "TypeError",
    "URLSearchParams",
    "UnexpectedAnswer",
    "failure",
    "globalThis",
    "isProblem",
    "parameters",
    "parsed",
    "segment",
];

const WORDS: &[&str] = &[
    "any",
    "arguments",
    "as",
    "async",
    "await",
    "bigint",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "constructor",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "never",
    "new",
    "null",
    "number",
    "object",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "string",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "type",
    "typeof",
    "undefined",
    "unknown",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Names of one scope, no two of which are the same.
#[derive(Default)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    /// The scope of the file.
    pub(super) fn of_file() -> Self {
        Self(TAKEN.iter().map(|name| (*name).to_owned()).collect())
    }

    /// A scope that has these names already.
    pub(super) fn with<const N: usize>(names: [&str; N]) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// The name, or with `suffix` behind it, as often as it takes.
    pub(super) fn claim(&mut self, mut name: String, suffix: &str) -> String {
        while WORDS.contains(&name.as_str()) || !self.0.insert(name.clone()) {
            name.push_str(suffix);
        }
        name
    }
}

/// A name as one of the language: what it may not hold becomes `_`.
pub(super) fn identifier(name: &str) -> String {
    let mut identifier: String =
        name.chars().map(|character| if is_part(character) { character } else { '_' }).collect();
    if identifier.is_empty() || identifier.starts_with(|character: char| character.is_ascii_digit()) {
        identifier.insert(0, '_');
    }
    identifier
}

/// `logIn` of `log_in`.
pub(super) fn camel(name: &str) -> String {
    let mut camel = String::new();
    for word in
        name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
    {
        let word = if camel.is_empty() { lower_first(word) } else { upper_first(word) };
        camel.push_str(&word);
    }
    identifier(&camel)
}

/// `LogIn` of `logIn`.
pub(super) fn upper_first(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn lower_first(word: &str) -> String {
    // An abbreviation in capitals stays one word.
    if word.chars().all(|letter| !letter.is_ascii_lowercase()) {
        return word.to_ascii_lowercase();
    }
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// The key of an object.
pub(super) fn key(name: &str) -> String {
    let plain =
        !name.is_empty() && name.chars().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { text(name) }
}

fn is_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$'
}

/// A literal of a text.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Lines as a comment; nothing for none.
pub(super) fn comment(indent: &str, lines: &str) -> String {
    // What ends a comment would begin code.
    let lines = lines.trim().replace("*/", "*\\/");
    match lines.lines().count() {
        0 => String::new(),
        1 => format!("{indent}/** {lines} */\n"),
        _ => {
            let lines = lines.lines().map(|line| format!("{indent} * {line}").trim_end().to_owned() + "\n");
            format!("{indent}/**\n{}{indent} */\n", lines.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers_and_no_two_are_the_same() {
        for (name, wanted) in [
            ("log_in", "logIn"),
            ("logIn", "logIn"),
            ("get /orders/{id}", "getOrdersId"),
            ("API-keys", "apiKeys"),
            ("Read", "read"),
            ("2fa", "_2fa"),
            ("", "_"),
            ("é", "_"),
        ] {
            assert_eq!(camel(name), wanted, "{name}");
        }
        let mut scope = Scope::of_file();
        assert_eq!(scope.claim("User".to_owned(), "Schema"), "User");
        assert_eq!(scope.claim("User".to_owned(), "Schema"), "UserSchema");
        assert_eq!(scope.claim("Problem".to_owned(), "Schema"), "ProblemSchema");
        assert_eq!(scope.claim("delete".to_owned(), "_"), "delete_");
    }

    #[test]
    fn texts_of_a_document_stay_texts() {
        assert_eq!(text("a\"b\\\n"), r#""a\"b\\\n""#);
        assert_eq!(
            (key("a_b"), key("a-b"), key("1"), key("")),
            ("a_b".into(), "\"a-b\"".into(), "\"1\"".into(), "\"\"".into())
        );
        assert_eq!(comment("", ""), "");
        assert_eq!(comment("", "one */ alert()"), "/** one *\\/ alert() */\n");
        assert_eq!(comment("  ", "one\n\ntwo"), "  /**\n   * one\n   *\n   * two\n   */\n");
    }
}
