//! Everything that the secret key is for, and the random tokens that stand for sessions and mails.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{accounts::User, error::Error};

/// 256 random bits, of which the database sees the SHA-256 alone.
pub(crate) struct Token([u8; 32]);

pub(crate) type TokenHash = [u8; 32];

impl Token {
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self(bytes))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        BASE64_URL.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(crate) fn expose(&self) -> String {
        BASE64_URL.encode(self.0)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn hash(&self) -> TokenHash {
        Sha256::digest(self.0).into()
    }
}

pub(crate) struct Keys {
    fingerprint: Hmac<Sha256>,
    signing: EncodingKey,
    verifying: DecodingKey,
    header: Header,
    validation: Validation,
    /// Who issues the tokens, and for whom.
    home: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
    sid: String,
}

impl Keys {
    pub(crate) fn new(secret: &[u8], home: String) -> Result<Self, Error> {
        if secret.len() < 32 {
            return Err(Error::internal("SECRET_KEY needs 32 bytes"));
        }
        let key = derive(secret, b"handwritten/jwt")?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_issuer(&[&home]);
        validation.set_audience(&[&home]);
        validation.set_required_spec_claims(&["sub", "iss", "aud", "exp", "nbf"]);
        Ok(Self {
            fingerprint: Hmac::new(&derive(secret, b"users-runtime/v1/fingerprint")?.into()),
            signing: EncodingKey::from_secret(&key),
            verifying: DecodingKey::from_secret(&key),
            header: Header::new(Algorithm::HS256),
            validation,
            home,
        })
    }

    /// What a session remembers of its account: when one of these facts changes, the session is over.
    pub(crate) fn fingerprint(&self, user: &User) -> [u8; 16] {
        let id = user.id.to_string();
        let verified: &[u8] = if user.is_verified { b"1" } else { b"0" };
        let mut mac = self.fingerprint.clone();
        for part in [id.as_bytes(), user.email.as_bytes(), user.password_hash.as_bytes(), verified] {
            // Behind its length, so that no two accounts give the same input.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mac = mac.finalize().into_bytes();
        std::array::from_fn(|index| mac[index])
    }

    /// Compares in constant time.
    pub(crate) fn fits(&self, fingerprint: &[u8], user: &User) -> bool {
        self.fingerprint(user).ct_eq(fingerprint).into()
    }

    /// A JWT for a session; times are in milliseconds since 1970.
    pub(crate) fn sign(&self, user: Uuid, session: &Token, now: i64, until: i64) -> Result<String, Error> {
        let claims = Claims {
            sub: user,
            iss: self.home.clone(),
            aud: self.home.clone(),
            iat: now / 1000,
            nbf: now / 1000,
            exp: until / 1000,
            jti: Uuid::new_v4(),
            sid: session.expose(),
        };
        encode(&self.header, &claims, &self.signing).map_err(Error::internal)
    }

    /// Whom a JWT is for, and its session.
    pub(crate) fn verify(&self, jwt: &str) -> Option<(Uuid, Token)> {
        let claims = decode::<Claims>(jwt, &self.verifying, &self.validation).ok()?.claims;
        Some((claims.sub, Token::parse(&claims.sid)?))
    }
}

/// A key for one purpose (RFC 5869).
fn derive(secret: &[u8], purpose: &[u8]) -> Result<[u8; 64], Error> {
    let mut key = [0; 64];
    let expanded = Hkdf::<Sha256>::new(None, secret).expand(purpose, &mut key);
    expanded.map(|()| key).map_err(|error| Error::internal(error.to_string()))
}
