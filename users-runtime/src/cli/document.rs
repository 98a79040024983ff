//! The OpenAPI document of an application, and clients that are written from one. No command here asks the database.

use std::{fs, io, path::Path};

use serde_json::Value;

use super::{
    args::{Document, GenerateClient},
    console::Console,
    failure::{Exit, Failure},
    typescript,
};
use crate::{app::Application, config::Config, error::Error, routes::UsersRouter, service::UsersBuilder};

/// Prints the document, or writes it to a file.
pub(super) fn print<A: Application>(
    config: &Config,
    arguments: &Document,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let document = serde_json::to_value(UsersRouter::<A>::openapi_for(config))?;
    let text = format!("{document:#}\n");
    give(&text, &document, arguments.output.as_deref(), console)
}

/// Writes a client from the application's document, or from another one.
pub(super) fn generate_client<A: Application>(
    builder: impl FnOnce() -> Result<UsersBuilder<A>, Error>,
    arguments: &GenerateClient,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let document = match &arguments.document {
        Some(file) => read(file, console)?,
        None => serde_json::to_value(UsersRouter::<A>::openapi_for(builder()?.config()))?,
    };
    let client = typescript::client(&document);
    let answer = serde_json::json!({ "typescript": client });
    give(&client, &answer, arguments.output.as_deref(), console)
}

/// A document that the application serves, or one of its own.
fn read(file: &Path, console: &mut Console) -> Result<Value, Failure> {
    let text = if file == Path::new("-") {
        io::read_to_string(&mut console.input)?
    } else {
        fs::read_to_string(file)?
    };
    let wrong = |reason: String| {
        Failure::Said(Exit::Failed, "file", format!("`{}` is no OpenAPI document: {reason}", file.display()))
    };
    let document: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if document.get("paths").is_some_and(Value::is_object) {
        Ok(document)
    } else {
        Err(wrong("it has no `paths`".to_owned()))
    }
}

/// Text to a file, or on standard output: as it is for people, and as a document for programs.
fn give(text: &str, document: &Value, file: Option<&Path>, console: &mut Console) -> Result<Exit, Failure> {
    match file {
        Some(file) => {
            fs::write(file, text)?;
            let name = file.display().to_string();
            console.answer(format!("wrote {name}"), &serde_json::json!({ "output": name }))?;
        }
        None => console.answer(text.trim_end(), document)?,
    }
    Ok(Exit::Done)
}
