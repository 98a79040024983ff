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
const BACKENDS: [&str; 5] = ["session", "session_cookie", "jwt", "jwt_cookie", "oauth2_password"];

/// Those among them that give JWTs.
const JWT_BACKENDS: [&str; 3] = ["jwt", "jwt_cookie", "oauth2_password"];

/// The longest tuple of backends that is one itself.
const MOST_BACKENDS: usize = 4;

pub(super) fn auth(arguments: &Arguments, enabled: Enabled) -> Result<Vec<Backend>> {
    const USAGE: &str = "write `auth = ` with one of `\"session\"`, `\"session_cookie\"`, `\"jwt\"`, `\"jwt_cookie\"`, `\"oauth2_password\"` or a path to a backend of your own";
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

/// The backends that can be read, whatever is wrong with the others.
pub(super) fn written(arguments: &Arguments, enabled: Enabled) -> impl Iterator<Item = Backend> {
    let expressions = arguments.auth.iter().flat_map(|auth| &auth.0);
    expressions.filter_map(move |expression| backend(expression, enabled).ok())
}

/// Whether the module gets the data that a session carries.
pub(super) fn carries_data(arguments: &Arguments, enabled: Enabled) -> bool {
    written(arguments, enabled).any(|backend| backend.carries_data())
}

/// Claims of the application's own are for backends with JWTs.
pub(super) fn claims(arguments: &Arguments, backends: &[Backend]) -> Result<()> {
    match &arguments.claims {
        Some(path) => needs_jwt("`claims`", "claims", path.span(), backends),
        None => Ok(()),
    }
}

/// The group `sessions` is of logins that the library has given.
pub(super) fn sessions_group(name: Span, backends: &[Backend]) -> Result<()> {
    let what = "the route group `sessions`";
    needs(what, "sessions", name, backends, &BACKENDS, Backend::is_built_in)
}

/// The group `tokens` gives JWTs.
pub(super) fn tokens_group(name: Span, backends: &[Backend]) -> Result<()> {
    needs_jwt("the route group `tokens`", "tokens", name, backends)
}

fn needs_jwt(what: &str, word: &str, span: Span, backends: &[Backend]) -> Result<()> {
    needs(what, word, span, backends, &JWT_BACKENDS, Backend::is_jwt)
}

/// Refuses what has no use without one of these backends. None at all have left a mistake of their own behind.
fn needs(
    what: &str,
    word: &str,
    span: Span,
    backends: &[Backend],
    words: &[&str],
    fits: fn(&Backend) -> bool,
) -> Result<()> {
    if backends.is_empty() || backends.iter().any(fits) {
        return Ok(());
    }
    let words = listed(words);
    Err(mistake(
        span,
        format!("{what} needs one of the backends {words}; name one in `auth`, or remove `{word}`"),
    ))
}

fn backend(expression: &Expr, enabled: Enabled) -> Result<Backend> {
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
        "oauth2_password" => (Backend::OAuth2Password, "jwt", enabled.jwt),
        "session" => (Backend::Session, "session", enabled.session),
        "session_cookie" => (Backend::SessionCookie, "session-cookie", enabled.session_cookie),
        _ => return Err(mistake(literal.span(), unknown("backend", &word, &BACKENDS))),
    };
    if on {
        return Ok(backend);
    }
    Err(mistake(literal.span(), needs_feature("backend", &word, feature)))
}

/// What to write for a part whose cargo feature is off.
pub(super) fn needs_feature(kind: &str, word: &str, feature: &str) -> String {
    let line = format!(
        "users-runtime = {{ version = \"{}\", features = [\"{feature}\"] }}",
        env!("CARGO_PKG_VERSION")
    );
    format!("the {kind} `{word}` needs the cargo feature `{feature}`; write `{line}` in Cargo.toml")
}

impl Backend {
    /// The backend as the user writes it.
    fn shown(&self) -> String {
        match self {
            Self::Jwt => "jwt".to_owned(),
            Self::JwtCookie => "jwt_cookie".to_owned(),
            Self::OAuth2Password => "oauth2_password".to_owned(),
            Self::Session => "session".to_owned(),
            Self::SessionCookie => "session_cookie".to_owned(),
            Self::Own(path) => darling::util::path_to_string(path),
        }
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
