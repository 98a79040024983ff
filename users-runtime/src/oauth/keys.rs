//! The keys that a provider signs with (RFC 7517).

use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet};
use serde_json::Value;

use super::{
    fault::{Fault, Place},
    issuer::TENANT,
};

/// The shortest modulus of an RSA key, in bytes (RFC 7518, section 3.3).
const RSA_MIN_BYTES: usize = 256;

/// The keys that a provider signs with.
#[derive(Debug)]
pub(super) struct KeySet(Vec<(Option<String>, CoreJsonWebKey)>);

impl KeySet {
    /// The keys of a set that can be used here; others, of algorithms to come, are passed over.
    pub(super) fn of(set: Value) -> Result<Self, Fault> {
        let Value::Object(mut set) = set else { return Err(Place::KeySet.invalid("is not an object")) };
        let Some(Value::Array(keys)) = set.remove("keys") else {
            return Err(Place::KeySet.invalid("has no `keys`"));
        };
        let usable = keys.into_iter().filter(is_strong).filter_map(|key| {
            let issuer = key.get("issuer").and_then(Value::as_str).map(str::to_owned);
            Some((issuer, serde_json::from_value(key).ok()?))
        });
        let keys: Vec<_> = usable.collect();
        // Kept, it would keep everybody out for as long as keys are kept.
        if keys.is_empty() {
            Err(Place::KeySet.invalid("has no key that can be used here"))
        } else {
            Ok(Self(keys))
        }
    }

    /// The keys that may sign for this issuer, of this directory.
    ///
    /// A set that directories share says of some keys whose they are, or `{tenantid}` for everybody's, and one of them
    /// must not sign for another
    /// (<https://learn.microsoft.com/entra/identity-platform/claims-validation#validate-the-signing-key-issuer>).
    pub(super) fn of_issuer(&self, issuer: &str, tenant: Option<&str>) -> CoreJsonWebKeySet {
        let signs = |own: &Option<String>| match (own, tenant) {
            (Some(own), Some(tenant)) => own.replace(TENANT, tenant) == issuer,
            _ => true,
        };
        let keys = self.0.iter().filter(|(own, _)| signs(own)).map(|(_, key)| key.clone());
        CoreJsonWebKeySet::new(keys.collect())
    }
}

/// Whether a key is one that cannot be computed from its public half.
fn is_strong(key: &Value) -> bool {
    let text = |name| key.get(name).and_then(Value::as_str);
    match text("kty") {
        Some("RSA") => text("n").is_some_and(|modulus| modulus.len() * 3 / 4 >= RSA_MIN_BYTES),
        // A shared secret in a public place.
        Some("oct") => false,
        _ => true,
    }
}
