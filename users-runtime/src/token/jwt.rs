//! Access tokens as JWTs (RFC 7519): each key has one algorithm and one header, byte for byte.

mod key;

pub use key::TokenKey;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use self::key::Algorithm;
use super::keys::derive;
use crate::{clock, error::Error, secret::SecretKey, token::TokenSettings};

/// The only purpose there is for a JWT; one-time tokens are opaque and never JWTs.
const PURPOSE: &str = "access";

/// The longest token, in bytes: what a header of a request may hold in most servers.
pub(crate) const TOKEN_MAX_BYTES: usize = 8 * 1024;

/// The claims that this crate gives their meaning.
const REGISTERED: [&str; 9] = ["sub", "iss", "aud", "iat", "nbf", "exp", "jti", "sid", "purpose"];

/// The claims of an access token. `exp`, `nbf` and `iat` are in seconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    /// The token's own identifier.
    pub(crate) jti: String,
    /// The session's name: every token that comes of one login has the same.
    pub(crate) sid: Uuid,
    purpose: String,
    /// The application's own claims.
    #[serde(flatten)]
    pub(crate) custom: Map<String, Value>,
}

/// The claims of a token without any of the application's own, which need no map.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainClaims {
    sub: String,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    sid: Uuid,
    purpose: String,
}

impl Claims {
    /// The claims in the JSON of a token.
    fn read(json: &[u8]) -> Option<Self> {
        match serde_json::from_slice(json) {
            Ok(PlainClaims { sub, iss, aud, iat, nbf, exp, jti, sid, purpose }) => {
                Some(Self { sub, iss, aud, iat, nbf, exp, jti, sid, purpose, custom: Map::new() })
            }
            Err(_) => serde_json::from_slice(json).ok(),
        }
    }
}

/// What is to be signed.
pub(crate) struct NewToken {
    pub(crate) subject: String,
    pub(crate) token_id: String,
    pub(crate) session: Uuid,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    /// The application's own claims; none may have the name of another claim.
    pub(crate) custom: Map<String, Value>,
}

/// The parsed keys and rules, made once.
pub(crate) struct JwtKeys {
    signing: TokenKey,
    /// The one that signs, and those that did.
    verifying: Vec<TokenKey>,
    issuer: String,
    audience: String,
    /// By how many seconds the clock of whoever signed may differ.
    leeway: i64,
    jwks: String,
}

impl JwtKeys {
    /// Without a key of the application's own, one that is derived from the secret key signs, and those of old secret keys
    /// verify. With one, no derived key is good for anything.
    pub(crate) fn new(
        secret: &SecretKey,
        old: &[SecretKey],
        settings: &TokenSettings,
        home: &str,
    ) -> Result<Self, Error> {
        let derived = |secret| {
            TokenKey::secret(Algorithm::Hs256, derive::<32>(secret, b"users-runtime/v1/jwt")?.as_slice())
        };
        let (signing, mut others) = match &settings.key {
            Some(key) => (key.clone(), Vec::new()),
            None => (derived(secret)?, old.iter().map(derived).collect::<Result<_, _>>()?),
        };
        others.extend(settings.old_keys.iter().cloned());
        let verifying: Vec<_> = [vec![signing.clone()], others].concat();
        let public: Vec<_> = verifying.iter().filter_map(TokenKey::jwk).collect();
        let or_home = |value: &Option<String>| value.clone().unwrap_or_else(|| home.to_owned());
        Ok(Self {
            jwks: format!(r#"{{"keys":[{}]}}"#, public.join(",")),
            issuer: or_home(&settings.issuer),
            audience: or_home(&settings.audience),
            leeway: i64::try_from(settings.leeway.as_secs()).unwrap_or(0),
            signing,
            verifying,
        })
    }

    /// The public keys that tokens verify with, as a JSON Web Key Set (RFC 7517); none for a secret.
    pub(crate) fn jwks(&self) -> &str {
        &self.jwks
    }

    pub(crate) fn sign(&self, new: NewToken) -> Result<String, Error> {
        if let Some(name) = REGISTERED.iter().find(|name| new.custom.contains_key(**name)) {
            return Err(Error::internal(format!(
                "a custom claim has the name `{name}`, which has a meaning already"
            )));
        }
        let claims = Claims {
            sub: new.subject,
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat: new.issued_at,
            nbf: new.issued_at,
            exp: new.expires_at,
            jti: new.token_id,
            sid: new.session,
            purpose: PURPOSE.to_owned(),
            custom: new.custom,
        };
        let claims = serde_json::to_vec(&claims).map_err(Error::internal)?;
        let token = signed(&self.signing, &claims)?;
        if token.len() > TOKEN_MAX_BYTES {
            return Err(Error::internal("the custom claims make the token longer than 8 KiB"));
        }
        Ok(token)
    }

    /// The claims of a token that this application signed and that is valid now; `None` for every other text.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        self.verify_at(token, clock::now() / 1000)
    }

    fn verify_at(&self, token: &str, now: i64) -> Option<Claims> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        // Algorithm confusion, `none`, `jku`, `jwk`, `kid` and `crit`: a header that differs in one byte is not ours, and
        // one that is ours says the key, which says the algorithm.
        let key = self.verifying.iter().find(|key| key.header() == header)?;
        if !key.verifies(message, &BASE64_URL.decode(signature).ok()?) {
            return None;
        }
        let claims = Claims::read(&BASE64_URL.decode(claims).ok()?)?;
        self.hold(&claims, now).then_some(claims)
    }

    /// Whether claims were made here, for here, and for now.
    fn hold(&self, claims: &Claims, now: i64) -> bool {
        claims.purpose == PURPOSE
            && claims.iss == self.issuer
            && claims.aud == self.audience
            && claims.sid.get_version_num() == 7
            && claims.iat.saturating_sub(self.leeway) <= now
            && claims.nbf.saturating_sub(self.leeway) <= now
            // At `exp` a token is over already (RFC 7519, section 4.1.4).
            && now < claims.exp.saturating_add(self.leeway)
    }
}

/// A JSON Web Signature in its compact form (RFC 7515, section 7.1).
fn signed(key: &TokenKey, claims: &[u8]) -> Result<String, Error> {
    let message = format!("{}.{}", key.header(), BASE64_URL.encode(claims));
    let signature = BASE64_URL.encode(key.sign(&message)?);
    Ok(format!("{message}.{signature}"))
}

#[cfg(test)]
pub(crate) mod test_keys;
#[cfg(test)]
mod tests;
