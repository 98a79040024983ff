//! The cookies of one server, kept as a browser would keep them (RFC 6265).

use std::{fmt, time::SystemTime};

use cookie::Cookie;
use http::{HeaderMap, HeaderValue, header};
use url::{Host, Url};
use zeroize::Zeroizing;

/// Cookies of the server that a client is for. They go to no other.
#[derive(Default)]
pub(super) struct Jar(Vec<Kept>);

struct Kept {
    name: String,
    value: Zeroizing<String>,
    path: String,
    secure: bool,
    /// Until the client is dropped where it is absent.
    until: Option<SystemTime>,
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|kept| &kept.name)).finish()
    }
}

impl Jar {
    /// Takes over what an answer from this address sets.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        let texts = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        for cookie in texts.filter_map(|text| Cookie::parse(text).ok()) {
            self.set(url, &cookie);
        }
    }

    fn set(&mut self, url: &Url, cookie: &Cookie<'_>) {
        let Some(path) = accepted(url, cookie) else { return };
        let now = SystemTime::now();
        let lasts = cookie.max_age().map(|age| u64::try_from(age.whole_seconds()).unwrap_or(0));
        let until = match lasts {
            // Beyond the end of time is never.
            Some(seconds) => now.checked_add(std::time::Duration::from_secs(seconds)),
            None => cookie.expires_datetime().map(SystemTime::from),
        };
        self.0.retain(|kept| kept.name != cookie.name() || kept.path != path);
        if until.is_none_or(|until| until > now) {
            self.0.push(Kept {
                name: cookie.name().to_owned(),
                value: Zeroizing::new(cookie.value().to_owned()),
                path,
                secure: cookie.secure().unwrap_or_default(),
                until,
            });
        }
    }

    /// The header for a request to this address.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let now = SystemTime::now();
        let sent = self.0.iter().filter(|kept| {
            kept.until.is_none_or(|until| until > now)
                && (!kept.secure || is_trustworthy(url))
                && covers(&kept.path, url.path())
        });
        let mut text = Zeroizing::new(String::new());
        for kept in sent {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&kept.name);
            text.push('=');
            text.push_str(&kept.value);
        }
        let mut value = HeaderValue::try_from(text.as_str()).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The path for which a cookie is kept, if it is kept at all.
fn accepted(url: &Url, cookie: &Cookie<'_>) -> Option<String> {
    let secure = cookie.secure().unwrap_or_default();
    let host = url.host_str()?;
    let ours = cookie.domain().is_none_or(|domain| {
        let rest = host.strip_suffix(domain.trim_start_matches('.'));
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    // A cookie of one server's must not be planted by another on the same domain.
    let of_host = secure && cookie.domain().is_none() && cookie.path() == Some("/");
    let named_rightly = match cookie.name() {
        name if name.starts_with("__Host-") => of_host,
        name if name.starts_with("__Secure-") => secure,
        _ => true,
    };
    let path = cookie.path().filter(|path| path.starts_with('/')).map(str::to_owned);
    let folder = || match url.path().rsplit_once('/') {
        None | Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    };
    (ours && named_rightly && (!secure || is_trustworthy(url))).then(|| path.unwrap_or_else(folder))
}

/// Whether what is sent stays between the client and the server: over HTTPS, or on this machine, as browsers have it.
pub(super) fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// RFC 6265, section 5.1.4.
fn covers(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://accounts.example.com/api/login";

    fn sent(at: &str, cookies: &[&str], to: &str) -> String {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        let mut jar = Jar::default();
        jar.take(&at.parse().unwrap(), &headers);
        let header = jar.header(&to.parse().unwrap());
        header.map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_is_kept_where_a_browser_would_keep_it() {
        let host = "__Host-session=s; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=60";
        for (at, cookies, wanted) in [
            (SERVER, &[host][..], "__Host-session=s"),
            ("http://127.0.0.1:3000/login", &[host], "__Host-session=s"),
            ("http://localhost/login", &["session=s; HttpOnly; Path=/"], "session=s"),
            // Over plain HTTP anybody reads it on the way.
            ("http://accounts.example.com/", &[host], ""),
            ("http://accounts.example.com/", &["session=s; Secure; Path=/"], ""),
            (SERVER, &["__Host-session=s; Path=/"], ""),
            (SERVER, &["__Host-session=s; Secure; Path=/api"], ""),
            (SERVER, &["__Host-session=s; Secure; Path=/; Domain=example.com"], ""),
            (SERVER, &["__Secure-a=b; Path=/"], ""),
            (SERVER, &["a=b; Domain=example.com; Path=/"], "a=b"),
            (SERVER, &["a=b; Domain=evil.example; Path=/"], ""),
            (SERVER, &["a=b; Domain=ccounts.example.com; Path=/"], ""),
            (SERVER, &["a=b; Path=/", "a=c; Path=/", "d=e; Path=/"], "a=c; d=e"),
            (SERVER, &["a=b; Path=/", "a=; Path=/; Max-Age=0"], ""),
            (SERVER, &["a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], ""),
            (SERVER, &["a=b; Path=/; Max-Age=99999999999999"], "a=b"),
            (SERVER, &["no cookie"], ""),
        ] {
            assert_eq!(sent(at, cookies, at), wanted, "{at} {cookies:?}");
        }
    }

    #[test]
    fn a_cookie_goes_where_its_path_covers() {
        for (path, to, wanted) in [
            ("; Path=/api", "https://accounts.example.com/api", true),
            ("; Path=/api", "https://accounts.example.com/api/users", true),
            ("; Path=/api/", "https://accounts.example.com/api/users", true),
            ("; Path=/api", "https://accounts.example.com/apiary", false),
            ("", "https://accounts.example.com/api/users", true),
            ("", "https://accounts.example.com/users", false),
            ("; Path=/; Secure", "http://accounts.example.com/", false),
        ] {
            assert_eq!(sent(SERVER, &[&format!("a=b{path}")], to) == "a=b", wanted, "{path} {to}");
        }
    }
}
