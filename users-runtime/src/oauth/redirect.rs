//! Where people may be sent after a sign-in: an allowlist compared by parsed origin (S47).

use url::{Host, Url};

/// The longest address that people are sent to, in bytes: what browsers and servers take for certain.
const TARGET_MAX_BYTES: usize = 2048;

/// An origin, or an origin and the beginning of a path, that people may be sent to.
#[derive(Debug, Clone)]
pub(crate) struct RedirectRule(Url);

impl RedirectRule {
    /// The rule in a setting; else what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains('*') {
            return Err("has a `*` in it, and is compared as it stands: name each origin");
        }
        let url = Url::parse(text).map_err(|_| "is not a URL")?;
        if !is_safe_transport(&url) {
            return Err("is neither https nor http on loopback");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user name or a password in it");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("has a query or a fragment, which are not compared");
        }
        Ok(Self(url))
    }

    fn allows(&self, target: &Url) -> bool {
        self.0.origin() == target.origin() && starts_with_segments(target.path(), self.0.path())
    }
}

/// The address to send people to, if one of the rules allows it.
pub(crate) fn redirect_target(rules: &[RedirectRule], target: &str) -> Option<Url> {
    if target.len() > TARGET_MAX_BYTES {
        return None;
    }
    let url = Url::parse(target).ok()?;
    // Open redirects live on texts that two parsers read in two ways: backslashes, tabs, missing slashes, user names,
    // odd spellings of hosts. A text that is not what its parse writes is none that anybody needs.
    let canonical = url.as_str() == target
        || (url.path() == "/" && url.query().is_none() && url.as_str().strip_suffix('/') == Some(target));
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    // What decodes to a separator or ends a text in C is another path to whoever decodes first.
    let path = url.path().to_ascii_lowercase();
    let clear = !["//", "%2f", "%5c", "%00"].iter().any(|trick| path.contains(trick));
    (canonical && plain && clear && rules.iter().any(|rule| rule.allows(&url))).then_some(url)
}

/// Whether a path begins with another, by whole segments.
fn starts_with_segments(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether what travels to this address stays on this machine or is encrypted.
pub(super) fn is_safe_transport(url: &Url) -> bool {
    url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_loopback(url)
}

/// Whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
