//! ID tokens, honest and otherwise.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use serde_json::{Value, json};

use super::{
    Begun, CLIENT_ID, CLIENT_SECRET, Trick,
    keys::{Keys, message, sign_shared},
    merged,
};

const HOUR: i64 = 3600;

/// The claims of an ID token, with what the trick makes of them.
fn claims(trick: Trick, issuer: &str, begun: &Begun) -> Value {
    let now = crate::now() / 1000;
    let mut claims = json!({
        "iss": issuer,
        "sub": begun.person.subject,
        "aud": CLIENT_ID,
        "azp": CLIENT_ID,
        "iat": now,
        "exp": now + HOUR,
    });
    if let Some(nonce) = &begun.nonce {
        claims["nonce"] = json!(nonce);
    }
    if begun.person.in_id_token {
        claims = merged(claims, &begun.person.profile(&begun.scope));
    }
    let others = ["azp", "iss", "exp", "nonce", "sub"];
    let mut without = |name: &str| {
        assert!(others.contains(&name));
        claims.as_object_mut().expect("an object").remove(name);
    };
    match trick {
        Trick::NoNonce => without("nonce"),
        Trick::NoIssuer => without("iss"),
        Trick::NoExpiry => without("exp"),
        Trick::NoSubject => without("sub"),
        Trick::TwoAudiences => {
            without("azp");
            claims["aud"] = json!([CLIENT_ID, "another-client"]);
        }
        Trick::WrongParty => {
            claims["aud"] = json!([CLIENT_ID, "another-client"]);
            claims["azp"] = json!("another-client");
        }
        Trick::WrongNonce => claims["nonce"] = json!("the-nonce-of-another-sign-in"),
        Trick::WrongAudience => {
            without("azp");
            claims["aud"] = json!("another-client");
        }
        Trick::WrongIssuer => claims["iss"] = json!("https://login.evil.example"),
        Trick::Expired => {
            claims["iat"] = json!(now - 120);
            claims["exp"] = json!(now - 60);
        }
        Trick::NotYetValid => claims["nbf"] = json!(now + HOUR),
        Trick::IssuedInTheFuture => {
            claims["iat"] = json!(now + HOUR);
            claims["exp"] = json!(now + 2 * HOUR);
        }
        Trick::Old => {
            claims["iat"] = json!(now - 24 * HOUR);
            claims["exp"] = json!(now + 24 * HOUR);
        }
        Trick::EmptySubject => claims["sub"] = json!(""),
        Trick::LongSubject => claims["sub"] = json!("x".repeat(256)),
        Trick::NumericSubject => claims["sub"] = json!(7),
        _ => {}
    }
    claims
}

/// The ID token of a sign-in; `None` when there is none.
pub(super) fn id_token(trick: Trick, issuer: &str, keys: &Keys, begun: &Begun) -> Option<String> {
    let key = keys.current();
    let claims = claims(trick, issuer, begun);
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key.id });
    let honest = || key.sign(&header, &claims);
    Some(match trick {
        Trick::NoIdToken => return None,
        Trick::NotAnIdToken => "no.id.token".to_owned(),
        Trick::Unsigned => format!("{}.", message(&json!({ "alg": "none", "typ": "JWT" }), &claims)),
        Trick::UnsignedWithSignature => {
            let signed = honest();
            let signature = signed.rsplit('.').next().unwrap_or_default();
            format!("{}.{signature}", message(&json!({ "alg": "none", "kid": key.id }), &claims))
        }
        Trick::SignedByAnotherKey => Keys::other().sign(&header, &claims),
        Trick::UnknownKey => {
            Keys::other().sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": Keys::other().id }), &claims)
        }
        Trick::SharedPublicKey => sign_shared(
            key.public_pem().as_bytes(),
            &json!({ "alg": "HS256", "typ": "JWT", "kid": key.id }),
            &claims,
        ),
        Trick::SharedSecret => {
            sign_shared(CLIENT_SECRET.as_bytes(), &json!({ "alg": "HS256", "typ": "JWT" }), &claims)
        }
        Trick::Tampered => {
            let signed = honest();
            let mut segments: Vec<_> = signed.split('.').map(str::to_owned).collect();
            segments[1] = BASE64_URL.encode(merged(claims, &json!({ "sub": "somebody-else" })).to_string());
            segments.join(".")
        }
        Trick::KeyInHeader => Keys::other().sign(
            &json!({ "alg": "RS256", "typ": "JWT", "jwk": Keys::other().jwk(), "kid": key.id }),
            &claims,
        ),
        Trick::CriticalHeader => key.sign(
            &json!({ "alg": "RS256", "typ": "JWT", "kid": key.id, "crit": ["exp"], "exp": 0 }),
            &claims,
        ),
        _ => honest(),
    })
}
