//! One request and its answer, without a word of what they are about.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    error::{Error, Problem},
    jar::{is_loopback, is_trustworthy},
};

/// The time for a connection to open, of the whole time that a request may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Connection {
    http: reqwest::Client,
    base: Url,
}

/// How requests are sent.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { headers: HeaderMap::new(), timeout: Duration::from_secs(30), limit: 4 * 1024 * 1024 }
    }
}

/// What a request carries.
#[derive(Debug)]
pub(super) enum Content {
    Nothing,
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
}

impl Connection {
    pub(super) fn new(base: &str, plain_http: bool) -> Result<Self, Error> {
        let base = address(base)?;
        if !plain_http && !is_trustworthy(&base) {
            return Err(Error::invalid(format!(
                "passwords would go to `{base}` in plain text; write `https://`, or call `new_insecure` on a network that \
                 encrypts by itself"
            )));
        }
        let tls = crate::tls::client_config().map_err(|error| Error::invalid(format!("TLS: {error}")))?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // A redirect would carry passwords and credentials to wherever it says.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("users-runtime/", env!("CARGO_PKG_VERSION")));
        // No proxy can reach this machine.
        let builder = if is_loopback(&base) { builder.no_proxy() } else { builder };
        Ok(Self { http: builder.build()?, base })
    }

    /// The address of a route: the path behind that of the server, and what stands for its parameters.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        let mut url = self.base.clone();
        let whole = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&whole);
        // What is no part of the path would be sent to another route.
        (url.path() == whole).then_some(url).ok_or_else(|| Error::invalid(format!("`{path}` is no path")))
    }

    /// Sends a request, and answers what the server says, whatever that is.
    pub(super) async fn send(
        &self,
        settings: &Settings,
        method: Method,
        url: Url,
        credential: HeaderMap,
        content: Content,
    ) -> Result<Answer, Error> {
        let request = self.http.request(method, url).timeout(settings.timeout);
        let request = request.header(header::ACCEPT, "application/json").headers(settings.headers.clone());
        let request = request.headers(credential);
        let typed = |content_type: &'static str| (header::CONTENT_TYPE, content_type);
        let request = match content {
            Content::Nothing => request,
            Content::Json(body) => {
                let (name, value) = typed("application/json");
                request.header(name, value).body(body.to_string())
            }
            Content::Form(pairs) => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                let (name, value) = typed("application/x-www-form-urlencoded");
                request.header(name, value).body(body)
            }
        };
        let mut response = request.send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > settings.limit {
                return Err(Error::TooLarge(settings.limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}

impl Answer {
    /// The same answer, if it is a success.
    pub(super) fn success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let retry_after = self.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        match Problem::read(self.status, retry_after, &self.body) {
            Some(problem) => Err(Error::Problem(problem)),
            None => Err(self.unexpected("it is no problem document")),
        }
    }

    /// What the body says.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.unexpected(&error.to_string()))
    }

    fn unexpected(&self, reason: &str) -> Error {
        Error::Unexpected { status: self.status, reason: reason.to_owned() }
    }
}

fn address(base: &str) -> Result<Url, Error> {
    let wrong = |reason: &str| Error::invalid(format!("`{base}` is no address of a server: {reason}"));
    let url = Url::parse(base).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("write `https://` and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("leave the user out"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("leave `?` and `#` out"));
    }
    Ok(url)
}

/// One segment of a path. Of an empty one, or of dots, the server would see another path.
pub(super) fn segment(text: &str) -> Result<String, Error> {
    if ["", ".", ".."].contains(&text) {
        return Err(Error::invalid(format!("`{text}` names nothing")));
    }
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    Ok(bytes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_a_server_and_passwords_go_over_https() {
        let new = |base: &str| Connection::new(base, false);
        for base in
            ["https://example.com", "https://example.com/api/", "http://127.0.0.1:3000", "http://[::1]:80"]
        {
            assert!(new(base).is_ok(), "{base}");
        }
        for base in [
            "",
            "example.com",
            "ftp://example.com",
            "https://ada:secret@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
        ] {
            assert!(matches!(new(base), Err(Error::Invalid(_))), "{base}");
        }
        let plain = new("http://example.com").unwrap_err().to_string();
        assert!(plain.contains("in plain text"), "{plain}");
        assert!(Connection::new("http://example.com", true).is_ok());
    }

    #[test]
    fn paths_stand_behind_that_of_the_server() {
        let connection = Connection::new("https://example.com/api/", false).unwrap();
        let url = |path: &str| connection.url(path).map(|url| url.to_string());
        assert_eq!(url("/users/me").unwrap(), "https://example.com/api/users/me");
        let id = segment("a/b?c%d..").unwrap();
        assert_eq!(
            url(&format!("/sessions/{id}")).unwrap(),
            "https://example.com/api/sessions/a%2Fb%3Fc%25d.."
        );
        // `DELETE /users/me/sessions/..` would end every session, or more.
        for text in ["", ".", ".."] {
            assert!(segment(text).is_err(), "{text}");
        }
        for path in ["/sessions/..", "/sessions/%2e%2E", "/a?b=c", "/a#b"] {
            assert!(url(path).is_err(), "{path}");
        }
    }
}
