//! The authentication backends.

use darling::{Error, Result};
use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, spanned::Spanned};

use crate::{
    report::{mistake, unknown},
    users_app::{
        args::{Arguments, ungroup},
        model::{Backend, Enabled},
    },
};

/// The words that `auth` knows.
const BACKENDS: [&str; 3] = ["session", "jwt", "jwt_cookie"];

/// The longest tuple of backends that is one itself.
const MOST_BACKENDS: usize = 4;

/// Backends of later versions.
const LATER_BACKENDS: [&str; 2] = ["session_cookie", "oauth2_password"];

pub(super) fn auth(arguments: &Arguments, enabled: Enabled) -> Result<Vec<Backend>> {
    const USAGE: &str = "write `auth = ` with one of `\"session\"`, `\"jwt\"`, `\"jwt_cookie\"` or a path to a backend of your own";
    let Some(argument) = &arguments.auth else {
        // An `auth` that could not be read has left its own mistake behind.
        let missing = mistake(Span::call_site(), format!("`auth` is missing; {USAGE}"));
        return if arguments.complete { Err(missing) } else { Ok(Vec::new()) };
    };
    let mut mistakes = Error::accumulator();
    let mut seen: Vec<String> = Vec::new();
    let mut backends = Vec::new();
    for expression in &argument.0 {
        let Some(backend) = mistakes.handle(backend(expression, enabled)) else { continue };
        let name = backend.shown();
        if seen.contains(&name) {
            mistakes.push(mistake(
                expression.span(),
                format!("the backend `{name}` stands here twice; remove one of the two"),
            ));
        }
        seen.push(name);
        backends.push(backend);
    }
    if let Some(fifth) = argument.0.get(MOST_BACKENDS) {
        mistakes.push(mistake(
            fifth.span(),
            format!("an application has at most {MOST_BACKENDS} backends; remove this"),
        ));
    }
    if argument.0.is_empty() {
        mistakes.push(mistake(argument.1, format!("an application needs a backend; {USAGE}")));
    }
    mistakes.finish_with(backends)
}

pub(super) fn backend(expression: &Expr, enabled: Enabled) -> Result<Backend> {
    let literal = match ungroup(expression) {
        Expr::Path(path) if path.qself.is_none() => return Ok(Backend::Own(path.path.clone())),
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => literal,
        other => {
            return Err(mistake(
                other.span(),
                "this is no backend; write a name such as `\"jwt\"` or a path to a type",
            ));
        }
    };
    let word = literal.value();
    let (backend, feature, on) = match word.as_str() {
        "jwt" => (Backend::Jwt, "jwt", enabled.jwt),
        "jwt_cookie" => (Backend::JwtCookie, "jwt", enabled.jwt),
        "session" => (Backend::Session, "session", enabled.session),
        _ if LATER_BACKENDS.contains(&word.as_str()) => {
            let text = format!(
                "the backend `{word}` is not part of this version; write one of {}",
                listed(&BACKENDS)
            );
            return Err(mistake(literal.span(), text));
        }
        _ => return Err(mistake(literal.span(), unknown("backend", &word, &BACKENDS))),
    };
    if on {
        return Ok(backend);
    }
    let line = format!(
        "users-runtime = {{ version = \"{}\", features = [\"{feature}\"] }}",
        env!("CARGO_PKG_VERSION")
    );
    Err(mistake(
        literal.span(),
        format!("the backend `{word}` needs the cargo feature `{feature}`; write `{line}` in Cargo.toml"),
    ))
}

impl Backend {
    /// The backend as the user writes it.
    fn shown(&self) -> String {
        match self {
            Self::Jwt => "jwt".to_owned(),
            Self::JwtCookie => "jwt_cookie".to_owned(),
            Self::Session => "session".to_owned(),
            Self::Own(path) => darling::util::path_to_string(path),
        }
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
