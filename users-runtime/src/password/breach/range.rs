//! A check by the range API of Have I Been Pwned (<https://haveibeenpwned.com/API/v3#PwnedPasswords>), or of a mirror.

use std::fmt::Write;

use http::StatusCode;
use sha1::{Digest, Sha1};
use url::Url;
use zeroize::Zeroizing;

use super::BreachCheck;
use crate::{
    error::{BoxError, Error},
    future::BoxFuture,
    secret::Password,
};

/// Where the public service is.
const PUBLIC: &str = "https://api.pwnedpasswords.com/range";

/// How many hexadecimal digits of the SHA-1 leave: some hundred thousand of passwords begin alike (k-anonymity).
const PREFIX: usize = 5;

/// The other digits.
const SUFFIX: usize = 40 - PREFIX;

/// The largest answer, in bytes; those of the public service have some 80 KiB.
const BODY_LIMIT: usize = 1024 * 1024;

/// Asks the range API of Have I Been Pwned, or of a mirror of it, which learns the first 5 hexadecimal digits of the
/// password's SHA-1 and nothing else. The answer is padded, so that its length says nothing either.
#[derive(Debug, Clone)]
pub struct PwnedPasswords {
    url: Url,
    client: reqwest::Client,
}

impl PwnedPasswords {
    /// Asks the public service.
    ///
    /// # Errors
    /// [`Error::Internal`] when TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Self::at(PUBLIC)
    }

    /// Asks at this address, below which the first digits are put: `https://mirror.example/range`.
    ///
    /// # Errors
    /// [`Error::Setting`] when it is not an `http` or `https` URL, and as [`new`](Self::new).
    pub fn at(url: &str) -> Result<Self, Error> {
        let setting = |problem: &str| Error::Setting {
            name: "PwnedPasswords::at",
            problem: format!("`{url}` {problem}; write for example `{PUBLIC}`"),
        };
        let mut parsed = Url::parse(url).map_err(|_| setting("is not a URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.query().is_some() {
            return Err(setting("is not an http or https URL without a query"));
        }
        // The digits are one more segment.
        if !parsed.path().ends_with('/') {
            parsed.set_path(&format!("{}/", parsed.path()));
        }
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(crate::tls::client_config().map_err(Error::internal)?)
            // Server-side request forgery: whoever answers does not choose who is asked next.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("users-runtime/", env!("CARGO_PKG_VERSION")));
        let loopback = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        // No proxy reaches this machine.
        let builder = if loopback { builder.no_proxy() } else { builder };
        Ok(Self { url: parsed, client: builder.build().map_err(Error::internal)? })
    }

    async fn ask(&self, password: &Password) -> Result<bool, BoxError> {
        let digits = digits(password);
        let (prefix, suffix) = digits.split_at(PREFIX);
        let request = self.client.get(self.url.join(prefix)?).header("add-padding", "true");
        // The address has the digits in it, which belong in no log.
        let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
        if response.status() != StatusCode::OK {
            return Err(format!("the range was answered with {}", response.status()).into());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err("the range is longer than 1 MiB".into());
            }
            body.extend_from_slice(&chunk);
        }
        is_listed(&body, suffix)
    }
}

impl BreachCheck for PwnedPasswords {
    fn is_breached<'a>(&'a self, password: &'a Password) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(self.ask(password))
    }
}

/// The SHA-1 in hexadecimal digits. What it is worth as a hash is no matter: it is what the lists are kept by.
fn digits(password: &Password) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(String::with_capacity(PREFIX + SUFFIX));
    for byte in Sha1::digest(password.expose().as_bytes()) {
        let _ = write!(digits, "{byte:02X}");
    }
    digits
}

/// Whether a range lists a suffix. Entries that were seen no time at all are padding. A body that is something else, as
/// of a page that asks to log in to a network, is no range without the suffix, but an error.
fn is_listed(body: &[u8], suffix: &str) -> Result<bool, BoxError> {
    let body = std::str::from_utf8(body).map_err(|_| "the range is no text")?;
    let mut listed = false;
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        let entry = line.trim().split_once(':').and_then(|(digits, count)| {
            let hexadecimal = digits.len() == SUFFIX && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some((digits, count.trim().parse::<u64>().ok().filter(|_| hexadecimal)?))
        });
        let (digits, count) = entry.ok_or("the range has a line that is no entry of it")?;
        listed |= count > 0 && digits.eq_ignore_ascii_case(suffix);
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s06_the_digits_are_those_of_the_sha_1() {
        assert_eq!(*digits(&Password::new("password")), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
    }

    #[test]
    fn s06_padding_does_not_count_and_other_texts_are_errors() {
        let suffix = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
        for (body, listed) in [
            (format!("{suffix}:3"), Some(true)),
            (format!("{}:3\r\n{}:1\r\n", "0".repeat(35), suffix.to_lowercase()), Some(true)),
            (format!("{suffix}:0\r\n"), Some(false)),
            (format!("{}:3", "0".repeat(35)), Some(false)),
            (String::new(), Some(false)),
            ("<html>log in</html>".to_owned(), None),
            (suffix.to_owned(), None),
            (format!("{suffix}:many"), None),
            (format!("{suffix}:3\nand more"), None),
            (format!("{}:3", "0".repeat(34)), None),
        ] {
            assert_eq!(is_listed(body.as_bytes(), suffix).ok(), listed, "{body}");
        }
        assert!(is_listed(&[0xff], suffix).is_err());
    }

    #[test]
    fn s06_an_address_that_is_none_is_refused() {
        for wrong in ["range", "ftp://example.com/range", "https://example.com/range?x=1"] {
            let problem = PwnedPasswords::at(wrong).unwrap_err().to_string();
            assert!(problem.contains(PUBLIC), "{problem}");
        }
        assert!(PwnedPasswords::new().is_ok());
    }
}
