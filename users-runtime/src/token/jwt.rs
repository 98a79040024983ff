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
        // At `exp` a token is over already (RFC 7519, section 4.1.4); the check of `jsonwebtoken` lets that second pass.
        let now = crate::clock::now() / 1000;
        (claims.purpose == PURPOSE && claims.iat <= now && now < claims.exp).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://app.example.com/";

    fn keys() -> JwtKeys {
        JwtKeys::new(&[7; 32])
    }

    fn now() -> i64 {
        crate::clock::now() / 1000
    }

    /// The claims of a token that is right.
    fn claims() -> Value {
        json!({
            "sub": "1",
            "iss": ISSUER,
            "aud": ISSUER,
            "iat": now(),
            "nbf": now(),
            "exp": now() + 60,
            "jti": "x",
            "purpose": PURPOSE,
            "fpr": "AAAAAAAAAAAAAAAAAAAAAA",
        })
    }

    /// A token with these claims, signed as this crate signs.
    fn signed(claims: &Value) -> String {
        let keys = keys();
        jsonwebtoken::encode(&keys.header, claims, &keys.encoding).unwrap()
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn s28_a_token_with_every_claim_verifies_for_its_issuer_alone() {
        let token = signed(&claims());
        assert_eq!(keys().verify(&token, ISSUER).unwrap().sub, "1");
        assert!(keys().verify(&token, "https://other.example.com/").is_none());
        assert!(JwtKeys::new(&[8; 32]).verify(&token, ISSUER).is_none());
    }

    #[test]
    fn s28_no_claim_may_be_missing_null_doubled_or_added() {
        for name in claims().as_object().unwrap().keys() {
            let mut shorter = claims();
            shorter.as_object_mut().unwrap().remove(name);
            assert!(keys().verify(&signed(&shorter), ISSUER).is_none(), "without {name}");
            for value in [Value::Null, json!([]), json!({}), json!(true), json!("")] {
                let token = signed(&with(name, value.clone()));
                let verified = keys().verify(&token, ISSUER);
                // An empty text in these three is for others to refuse: no user, no revoked token and no account fits.
                let left_to_others = value == "" && ["sub", "jti", "fpr"].contains(&name.as_str());
                assert_eq!(verified.is_some(), left_to_others, "{name}: {value}");
            }
        }
        assert!(keys().verify(&signed(&with("admin", json!(true))), ISSUER).is_none());
    }

    #[test]
    fn s28_issuer_audience_and_purpose_are_compared_whole() {
        for (name, value) in [
            ("iss", json!("https://app.example.com")),
            ("iss", json!("https://app.example.com/.evil.example")),
            ("iss", json!([ISSUER])),
            ("aud", json!("https://app.example.com")),
            ("aud", json!([ISSUER])),
            ("aud", json!(["https://evil.example", ISSUER])),
            ("purpose", json!("verify")),
            ("purpose", json!("password_reset")),
            ("purpose", json!("refresh")),
            ("purpose", json!("Access")),
            ("purpose", json!("access ")),
            ("purpose", json!(["access"])),
        ] {
            assert!(keys().verify(&signed(&with(name, value.clone())), ISSUER).is_none(), "{name}: {value}");
        }
    }

    #[test]
    fn s28_a_token_holds_between_its_times_and_no_second_longer() {
        // The clock may tick between here and the check: a minute stands on the side where that would matter.
        for (name, value, holds) in [
            ("exp", json!(now() + 60), true),
            ("exp", json!(now()), false),
            ("exp", json!(now() - 1), false),
            ("exp", json!(0), false),
            ("exp", json!(-1), false),
            ("exp", json!(i64::MAX), true),
            ("exp", json!(1e18), false),
            ("exp", json!((now() + 60).to_string()), false),
            ("nbf", json!(now() - 60), true),
            ("nbf", json!(now() + 60), false),
            ("nbf", json!(i64::MAX), false),
            ("nbf", json!("0"), false),
            ("iat", json!(now() - 60), true),
            ("iat", json!(now() + 60), false),
            ("iat", json!(i64::MAX), false),
        ] {
            let verified = keys().verify(&signed(&with(name, value.clone())), ISSUER);
            assert_eq!(verified.is_some(), holds, "{name}: {value}");
        }
    }

    #[test]
    fn s27_another_algorithm_or_header_fails_with_the_right_key() {
        let encoding = EncodingKey::from_secret(&[7; 32]);
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            let token = jsonwebtoken::encode(&Header::new(algorithm), &claims(), &encoding).unwrap();
            assert!(keys().verify(&token, ISSUER).is_none(), "{algorithm:?}");
        }
        let plain = Header::new(Algorithm::HS256);
        for header in [
            Header { kid: Some("1".to_owned()), ..plain.clone() },
            Header { jku: Some("https://evil.example/".to_owned()), ..plain.clone() },
            Header { x5u: Some("https://evil.example/".to_owned()), ..plain.clone() },
            Header { typ: None, ..plain.clone() },
            Header { typ: Some("at+jwt".to_owned()), ..plain.clone() },
            Header { cty: Some("JWT".to_owned()), ..plain.clone() },
        ] {
            let token = jsonwebtoken::encode(&header, &claims(), &encoding).unwrap();
            assert!(keys().verify(&token, ISSUER).is_none(), "{header:?}");
        }
        let token = jsonwebtoken::encode(&plain, &claims(), &encoding).unwrap();
        assert!(keys().verify(&token, ISSUER).is_some());
    }

    #[test]
    fn what_is_signed_here_verifies_here() {
        let fingerprint = Fingerprint::from_bytes(&[3; 16]).unwrap();
        let token = keys()
            .sign(NewToken {
                subject: "1".to_owned(),
                issuer: ISSUER,
                token_id: "x".to_owned(),
                fingerprint,
                issued_at: now(),
                expires_at: now() + 60,
            })
            .unwrap();
        assert_eq!(keys().verify(&token, ISSUER).unwrap().fingerprint(), Some(fingerprint));
    }
}
