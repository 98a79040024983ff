//! Proof of who signed in: an ID token of the provider, for this application and for this sign-in (S46).
//!
//! The rules are those of OpenID Connect Core 1.0, section 3.1.3.7. `openidconnect` checks the signature, the issuer, that
//! the audience has this client in it, the end and the nonce; the rest is checked here.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm},
};
use serde_json::{Map, Value};

use super::{
    fault::{Fault, Place},
    issuer::Issuer,
    keys::KeySet,
};

/// By how many seconds the provider's clock may be ahead.
const LEEWAY: i64 = 60;

/// How old an ID token may be, in seconds: it holds the nonce of a sign-in, which has ten minutes.
const MAX_AGE: i64 = 15 * 60;

/// What an ID token has to be.
pub(super) struct Expected<'e> {
    pub(super) client_id: &'e str,
    pub(super) issuer: &'e Issuer,
    pub(super) algorithms: &'e [CoreJwsSigningAlgorithm],
    pub(super) nonce: &'e str,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// Why an ID token proves nothing.
#[derive(Debug)]
pub(super) enum Rejected {
    /// It is signed by a key that is not in the set; a newer set may have it.
    UnknownKey,
    Fault(Fault),
}

impl From<Fault> for Rejected {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What an ID token proves.
pub(super) struct Proven {
    pub(super) issuer: String,
    pub(super) claims: Map<String, Value>,
}

/// The claims of an ID token that is what it has to be.
pub(super) fn verify(token: &str, expected: &Expected<'_>, keys: &KeySet) -> Result<Proven, Rejected> {
    let invalid = |problem: &str| Rejected::Fault(Place::IdToken.invalid(problem));
    // Nothing of these claims counts before the signature over them is verified.
    let claims = claims(token).ok_or_else(|| invalid("is not a JWT"))?;
    let issuer = expected.issuer.of_claims(&claims).ok_or_else(|| invalid("is of another directory"))?;
    let tenant = match expected.issuer {
        Issuer::Exact(_) => None,
        Issuer::EachTenant { .. } => claims.get("tid").and_then(Value::as_str),
    };
    let url = IssuerUrl::new(issuer.clone()).map_err(|_| invalid("is of no issuer"))?;
    let signed = CoreIdToken::from_str(token).map_err(|_| invalid("is not one by its form"))?;
    // The verifier of a public client takes no shared secret as a key, whatever the header says.
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        url,
        keys.of_issuer(&issuer, tenant),
    )
    .set_allowed_algs(expected.algorithms.iter().cloned())
    // Whether others in the audience matter is for `azp` to say.
    .set_other_audience_verifier_fn(|_| true)
    .set_issue_time_verifier_fn(|_| Ok(()));
    signed.claims(&verifier, &Nonce::new(expected.nonce.to_owned())).map_err(|error| rejected(&error))?;

    hold(&claims, expected).map_err(invalid)?;
    Ok(Proven { issuer, claims })
}

fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut segments = token.split('.');
    let (_, payload, _) = (segments.next()?, segments.next()?, segments.next()?);
    serde_json::from_slice(&BASE64_URL.decode(payload).ok()?).ok()
}

/// What `openidconnect` leaves to its users.
fn hold(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), &'static str> {
    let party = claims.get("azp");
    if party.is_some_and(|party| party.as_str() != Some(expected.client_id)) {
        return Err("is for another party");
    }
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    if audiences > 1 && party.is_none() {
        return Err("is for several and does not say for whose use");
    }
    let time = |name| claims.get(name).and_then(Value::as_f64);
    let now = seconds(expected.now);
    let issued = time("iat").ok_or("does not say when it was issued")?;
    if issued > now + seconds(LEEWAY) || time("nbf").is_some_and(|start| start > now + seconds(LEEWAY)) {
        return Err("is not valid yet");
    }
    if issued < now - seconds(MAX_AGE) {
        return Err("is too old");
    }
    Ok(())
}

/// A time as claims have it, where fractions are allowed (RFC 7519, section 2).
#[allow(clippy::cast_precision_loss, reason = "the seconds of 285 million years fit")]
fn seconds(time: i64) -> f64 {
    time as f64
}

/// What was wrong, in words that hold nothing of the token.
fn rejected(error: &ClaimsVerificationError) -> Rejected {
    use ClaimsVerificationError as Claims;
    use SignatureVerificationError as Signature;
    let problem = match error {
        Claims::SignatureVerification(Signature::NoMatchingKey) => return Rejected::UnknownKey,
        Claims::SignatureVerification(Signature::NoSignature) => "is not signed",
        Claims::SignatureVerification(Signature::DisallowedAlg(_)) => {
            "is signed by an algorithm that is not allowed"
        }
        Claims::SignatureVerification(Signature::AmbiguousKeyId(_)) => "does not say which key signed it",
        Claims::SignatureVerification(_) => "has a wrong signature",
        Claims::InvalidIssuer(_) => "is of another issuer",
        Claims::InvalidAudience(_) => "is for another audience",
        Claims::InvalidNonce(_) => "belongs to another sign-in",
        Claims::Expired(_) => "has expired",
        Claims::InvalidSubject(_) => "has no subject",
        Claims::Unsupported(_) => "has a header that is not supported",
        _ => "does not hold",
    };
    Rejected::Fault(Place::IdToken.invalid(problem))
}

#[cfg(all(test, feature = "jwt"))]
mod tests;
