//! A client in TypeScript, written from an OpenAPI 3.1 document: types and methods in one file that needs no other.

mod names;
mod operation;
mod schema;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::{names::Scope, operation::Operations, schema::Types};

/// What is the same in every client.
const CLIENT: &str = include_str!("typescript/client.ts");

/// The file for a document.
pub(super) fn client(document: &Value) -> String {
    let mut scope = Scope::of_file();
    let types = Types::new(document, &mut scope);
    let operations = Operations::read(document, &types, &mut scope);
    let codes: Vec<_> = operations.codes.iter().map(|code| names::text(code)).collect();
    let codes =
        if codes.is_empty() { "string".to_owned() } else { format!("\n  | {}", codes.join("\n  | ")) };
    let about =
        operation::title(document).split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "*\\/");
    // From the end to the beginning: what a document says is not looked at again.
    let pieces = [
        ("{methods}", operations.methods),
        ("{types}", (types.declarations() + &operations.types).trim_end().to_owned() + "\n"),
        ("{codes}", codes),
        ("{about}", about),
    ];
    let mut file = String::new();
    let mut rest = CLIENT;
    for (mark, text) in pieces {
        if let Some((before, after)) = rest.rsplit_once(mark) {
            file = format!("{text}{after}{file}");
            rest = before;
        }
    }
    format!("{rest}{file}")
}
