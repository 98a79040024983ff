//! JWTs as somebody would forge them who has one and no key (RFC 7519).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::Stop;

/// A token in its three parts.
#[derive(Debug, Clone)]
pub(super) struct Jwt {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) signature: Vec<u8>,
    parts: [String; 3],
}

fn decoded(part: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Jwt {
    pub(super) fn parse(token: &str) -> Option<Self> {
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        let parts: [String; 3] = parts.try_into().ok()?;
        let (header, claims) = (decoded(&parts[0])?, decoded(&parts[1])?);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(&parts[2]).ok()?;
        Some(Self { header, claims, signature, parts })
    }

    /// One claim, which has to be there.
    pub(super) fn number(&self, claim: &str) -> Result<i64, Stop> {
        self.claims[claim]
            .as_i64()
            .ok_or_else(|| Stop::failed(format!("a token has no `{claim}`: {}", self.claims)))
    }

    /// The same token with another header, under the signature that it has, under none, and under one of zeros.
    pub(super) fn with_header(&self, header: &Value) -> [String; 3] {
        let [_, claims, signature] = &self.parts;
        let header = encoded(header);
        ["", signature, "AAAA"].map(|signature| format!("{header}.{claims}.{signature}"))
    }

    /// The same token with a member of its header set.
    pub(super) fn with_member(&self, name: &str, value: Value) -> [String; 3] {
        let mut header = self.header.clone();
        header[name] = value;
        self.with_header(&header)
    }

    /// The same token with other claims, under the signature that it has.
    pub(super) fn with_claims(&self, claims: &Value) -> String {
        let [header, _, signature] = &self.parts;
        format!("{header}.{}.{signature}", encoded(claims))
    }

    /// The same token with another signature.
    pub(super) fn with_signature(&self, signature: &[u8]) -> String {
        let [header, claims, _] = &self.parts;
        format!("{header}.{claims}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}
