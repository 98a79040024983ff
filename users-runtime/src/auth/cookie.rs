//! Cookies that only the server reads, over HTTPS, from this host alone (S26).

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderValue, header, request::Parts};

use crate::{config::Config, error::Error};

/// The cookie's full name: the prefix makes browsers refuse it from a subdomain or over plain HTTP.
pub(super) fn full_name(config: &Config, name: &str) -> String {
    if config.insecure_cookies { name.to_owned() } else { format!("__Host-{name}") }
}

/// The value of a cookie in a request. `Some("")` for bytes that are no text: a credential that is no good.
pub(crate) fn read<'r>(config: &Config, request: &'r Parts, name: &str) -> Option<&'r str> {
    let name = full_name(config, name);
    request.headers.get_all(header::COOKIE).iter().find_map(|value| {
        let Ok(text) = std::str::from_utf8(value.as_bytes()) else {
            let ours = value.as_bytes().windows(name.len()).any(|window| window == name.as_bytes());
            return ours.then_some("");
        };
        text.split(';')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (trim(key) == name).then_some(trim(value)))
    })
}

/// Without the white space that may stand around a pair (RFC 6265, section 5.2); other white space is a part of it.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The header that gives a client a cookie, for so long or until its browser is closed.
pub(crate) fn give(
    config: &Config,
    name: &str,
    value: &str,
    lifetime: Option<Duration>,
) -> Result<HeaderValue, Error> {
    let lifetime = lifetime.map(|lifetime| time::Duration::try_from(lifetime).unwrap_or(time::Duration::MAX));
    header_value(config, name, value, lifetime)
}

/// The header that makes a client forget a cookie.
pub(crate) fn take(config: &Config, name: &str) -> Result<HeaderValue, Error> {
    header_value(config, name, "", Some(time::Duration::ZERO))
}

fn header_value(
    config: &Config,
    name: &str,
    value: &str,
    lifetime: Option<time::Duration>,
) -> Result<HeaderValue, Error> {
    let mut cookie = Cookie::build((full_name(config, name), value))
        .http_only(true)
        .secure(!config.insecure_cookies)
        .same_site(SameSite::Lax)
        .path("/")
        .build();
    cookie.set_max_age(lifetime);
    HeaderValue::try_from(cookie.to_string()).map_err(Error::internal)
}
