//! The client secret that Apple takes: a JWT by ES256, made for each request.
//!
//! The claims are those of "Creating a client secret",
//! <https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret>.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER as CRYPTO};
use serde_json::json;

use crate::{clock, error::Error};

/// How long a secret is good for, in seconds. Apple takes six months; a request needs less.
const LIFETIME: i64 = 300;

/// What an application registered with Apple has.
pub(super) struct AppleKey {
    team_id: String,
    key_id: String,
    key: EncodingKey,
}

impl AppleKey {
    /// The key, if the text is one of the curve P-256 in PEM.
    pub(super) fn new(team_id: &str, key_id: &str, pem: &str) -> Option<Self> {
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).ok()?;
        let new = Self { team_id: team_id.to_owned(), key_id: key_id.to_owned(), key };
        // A key of another curve parses, and signs nothing.
        new.client_secret("", "").ok()?;
        Some(new)
    }

    pub(super) fn client_secret(&self, client_id: &str, issuer: &str) -> Result<String, Error> {
        let now = clock::now() / 1000;
        let header = json!({ "alg": "ES256", "kid": self.key_id });
        let claims = json!({
            "iss": self.team_id,
            "iat": now,
            "exp": now + LIFETIME,
            "aud": issuer,
            "sub": client_id,
        });
        let message =
            format!("{}.{}", BASE64_URL.encode(header.to_string()), BASE64_URL.encode(claims.to_string()));
        // The provider of cryptography is named, because a process that has two has none by default.
        let signer = (CRYPTO.signer_factory)(&Algorithm::ES256, &self.key).map_err(Error::internal)?;
        let signature = signer.try_sign(message.as_bytes()).map_err(Error::internal)?;
        Ok(format!("{message}.{}", BASE64_URL.encode(signature)))
    }
}
