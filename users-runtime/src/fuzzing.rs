//! What must hold for any bytes that a stranger sends: for the fuzzer, and for its corpus as a regression test.

use std::sync::OnceLock;

use http::{HeaderValue, header, request::Parts};

use crate::{
    auth::fuzzing::{bearer_of, cookie_of, refresh_token},
    config::Config,
    layer::covers,
    secret::SecretKey,
    token::Keys,
    validate::{IdentifierKind, canonicalise},
};

/// The settings and keys of an application, which the fuzzer does not know.
fn application() -> &'static (Config, Keys) {
    static APPLICATION: OnceLock<(Config, Keys)> = OnceLock::new();
    APPLICATION.get_or_init(|| {
        let secret = SecretKey::generate().expect("randomness");
        let config = Config::new(secret).with_insecure_cookies(true);
        let keys = Keys::derive(&config.secret_key, &[], &config.tokens, config.base_url.as_str());
        (config, keys.expect("keys"))
    })
}

fn request(name: header::HeaderName, bytes: &[u8]) -> Option<Parts> {
    let value = HeaderValue::from_bytes(bytes).ok()?;
    let mut request = http::Request::new(()).into_parts().0;
    request.headers.insert(name, value);
    Some(request)
}

/// A header `Cookie`: nothing in it is sealed, signed or otherwise good, and reading it ends.
pub fn cookie(bytes: &[u8]) {
    let Some(request) = request(header::COOKIE, bytes) else { return };
    let (config, keys) = application();
    for name in ["session", "token", "refresh"] {
        let Some(text) = cookie_of(config, &request, name) else { continue };
        assert!(keys.open(name, text, 0).is_none());
        assert!(keys.jwt.verify(text).is_none());
    }
}

/// A header `Authorization`: no token in it was signed here, and a refresh token has one text.
pub fn token(bytes: &[u8]) {
    let (_, keys) = application();
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(keys.jwt.verify(text).is_none());
        assert!(refresh_token(text).is_none_or(|only| *only == text));
    }
    let Some(request) = request(header::AUTHORIZATION, bytes) else { return };
    if let Some(text) = bearer_of(&request) {
        assert!(keys.jwt.verify(text).is_none());
    }
}

/// A pattern of `exclude` and a route, one a line: without parameters it opens what it spells, and never more segments
/// than it has.
pub fn pattern(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((pattern, route)) = text.split_once('\n') else { return };
    let covered = covers(pattern, route);
    if !pattern.contains('{') {
        assert_eq!(covered, pattern == route);
    }
    if covered && !pattern.contains("{*") {
        assert_eq!(pattern.split('/').count(), route.split('/').count());
        assert!(!route.contains("{*"));
    }
    if covered {
        let spelled: Vec<_> = pattern.split('/').take_while(|segment| !segment.contains('{')).collect();
        assert!(spelled.iter().copied().eq(route.split('/').take(spelled.len())));
    }
}

/// An identifier as typed: its canonical form is its own canonical form, and holds nothing that breaks a header or a line.
pub fn identifier(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in [IdentifierKind::Email, IdentifierKind::Username] {
        let Ok(identifier) = canonicalise(kind, text) else { continue };
        for form in [&identifier.typed, &identifier.canonical] {
            assert!(
                !form.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == ',')
            );
        }
        let again = canonicalise(kind, &identifier.canonical).expect("what is canonical is an identifier");
        assert_eq!(again.canonical, identifier.canonical);
        assert_eq!(
            canonicalise(kind, &identifier.typed).map(|it| it.canonical).ok(),
            Some(identifier.canonical)
        );
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn corpus(name: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
        let mut inputs = 0;
        for file in fs::read_dir(&folder).expect("the corpus") {
            run(&fs::read(file.expect("a file").path()).expect("an input"));
            inputs += 1;
        }
        assert!(inputs > 10, "the corpus of `{name}` has {inputs} inputs");
    }

    #[test]
    fn s31_the_corpus_of_cookies_is_refused() {
        corpus("cookie", super::cookie);
    }

    #[test]
    fn s31_the_corpus_of_tokens_is_refused() {
        corpus("token", super::token);
    }

    #[test]
    fn s54_the_corpus_of_patterns_opens_what_it_spells() {
        corpus("pattern", super::pattern);
    }

    #[test]
    fn s57_the_corpus_of_identifiers_has_one_form() {
        corpus("identifier", super::identifier);
    }
}
