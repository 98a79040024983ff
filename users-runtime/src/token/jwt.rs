//! Access tokens as JWTs (RFC 7519) with one algorithm and one header, byte for byte.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{error::Error, token::Fingerprint};

/// The only purpose there is for a JWT; one-time tokens are opaque and never JWTs.
const PURPOSE: &str = "access";

/// The claims of an access token. `exp`, `nbf` and `iat` are in seconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    /// The token's own identifier, which logout revokes.
    pub(crate) jti: String,
    purpose: String,
    /// The [`Fingerprint`] of the account in base64url.
    fpr: String,
}

impl Claims {
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        Fingerprint::from_bytes(&BASE64_URL_SAFE_NO_PAD.decode(&self.fpr).ok()?)
    }
}

/// What is to be signed.
pub(crate) struct NewToken<'a> {
    pub(crate) subject: String,
    pub(crate) issuer: &'a str,
    pub(crate) token_id: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

/// The parsed keys and rules, made once.
pub(crate) struct JwtKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    /// The first segment of every token that this crate signs.
    header_segment: Option<String>,
}

impl JwtKeys {
    pub(crate) fn new(key: &[u8]) -> Self {
        // Another crate of the application may have switched a second provider on, which would panic at first use.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let encoding = EncodingKey::from_secret(key);
        let header = Header::new(Algorithm::HS256);
        let header_segment = jsonwebtoken::encode(&header, &(), &encoding)
            .ok()
            .and_then(|token| token.split('.').next().map(str::to_owned));
        Self { encoding, decoding: DecodingKey::from_secret(key), header, header_segment }
    }

    pub(crate) fn sign(&self, new: NewToken<'_>) -> Result<String, Error> {
        let claims = Claims {
            sub: new.subject,
            iss: new.issuer.to_owned(),
            aud: new.issuer.to_owned(),
            iat: new.issued_at,
            nbf: new.issued_at,
            exp: new.expires_at,
            jti: new.token_id,
            purpose: PURPOSE.to_owned(),
            fpr: BASE64_URL_SAFE_NO_PAD.encode(new.fingerprint.as_bytes()),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).map_err(Error::internal)
    }

    /// The claims of a token that this application signed and that is valid now; `None` for every other text.
    pub(crate) fn verify(&self, token: &str, issuer: &str) -> Option<Claims> {
        // Algorithm confusion, `none`, `jku`, `jwk`, `kid` and `crit`: a header that differs in one byte is not ours.
        let segment = token.split('.').next()?;
        if self.header_segment.as_deref() != Some(segment) {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation).ok()?.claims;
        let not_from_the_future = claims.iat <= crate::clock::now() / 1000;
        (claims.purpose == PURPOSE && not_from_the_future).then_some(claims)
    }
}
