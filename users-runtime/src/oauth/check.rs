//! The rules of what an application may set of a provider, each with what to write instead.

use std::borrow::Cow;

use url::Url;

use super::{issuer::is_tenant_id, redirect::is_safe_transport};

/// What is wrong and what to write instead.
pub(super) type Mistake = Cow<'static, str>;

pub(super) fn require(holds: bool, otherwise: &'static str) -> Result<(), Mistake> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// An address to which codes and secrets may be sent.
pub(super) fn http_url(text: &str) -> Result<Url, Mistake> {
    let url = Url::parse(text).map_err(|error| {
        Mistake::from(format!(
            "`{text}` is not a URL ({error}); write for example `https://login.example.com`"
        ))
    })?;
    if !is_safe_transport(&url) {
        return Err(
            format!("`{text}` is neither https nor http on loopback, so others would read secrets").into()
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address has a user name or a password in it, which is not sent".into());
    }
    Ok(url)
}

/// The scopes of the settings, with `openid` first where it has to be.
pub(super) fn scopes(scopes: &[String], openid: bool) -> Result<Vec<String>, Mistake> {
    const OPENID: &str = "openid";
    if let Some(scope) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(format!("the scope `{}` is none; give each scope by itself", scope.escape_debug()).into());
    }
    let added = (openid && !scopes.iter().any(|scope| scope == OPENID)).then(|| OPENID.to_owned());
    let mut all: Vec<String> = Vec::new();
    for scope in added.into_iter().chain(scopes.iter().cloned()) {
        if !all.contains(&scope) {
            all.push(scope);
        }
    }
    Ok(all)
}

/// Whether a text is a scope (RFC 6749, section 3.3).
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// The parameters that are not the application's to choose.
const RESERVED: [&str; 9] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

pub(super) fn parameters(parameters: Vec<(String, String)>) -> Result<Vec<(String, String)>, Mistake> {
    match parameters.iter().find(|(name, _)| name.is_empty() || RESERVED.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("the parameter `{name}` is set by the library; leave it out").into()),
        None => Ok(parameters),
    }
}

/// A directory of Microsoft, in the form that stands in addresses.
pub(super) fn tenant(text: &str) -> Result<String, Mistake> {
    let lower = text.to_ascii_lowercase();
    let is_word = ["common", "consumers", "organizations"].contains(&lower.as_str());
    let is_domain = lower.contains('.')
        && lower.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if is_word || is_domain || is_tenant_id(&lower) {
        return Ok(lower);
    }
    Err(format!(
        "`{}` is no directory; write its identifier, its domain, `organizations`, `consumers` or `common`",
        text.escape_debug()
    )
    .into())
}
