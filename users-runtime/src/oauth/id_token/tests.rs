use serde_json::json;

use super::{
    super::{
        issuer::PERSONAL,
        testing::{Signer, message, sign_shared},
    },
    *,
};
use crate::{clock, token::jwt::test_keys};

const CLIENT: &str = "client";
const ISSUER: &str = "https://login.example";
const NONCE: &str = "the-nonce";

fn now() -> i64 {
    clock::now() / 1000
}

fn honest() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "ada",
        "aud": CLIENT,
        "iat": now(),
        "exp": now() + 60,
        "nonce": NONCE,
        "email": "ada@example.com",
        "email_verified": true,
        "groups": ["staff"],
    })
}

/// Honest claims with changes; null leaves a claim out.
fn but(changes: &Value) -> Value {
    let mut claims = honest();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn all_algorithms() -> Vec<CoreJwsSigningAlgorithm> {
    // What a provider may say at most is allowed by `discovery`.
    let every = [
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EdDsa,
    ];
    every.to_vec()
}

fn verified_of(issuer: &Issuer, token: &str, set: Value) -> Result<Proven, String> {
    let algorithms = all_algorithms();
    let expected = Expected { client_id: CLIENT, issuer, algorithms: &algorithms, nonce: NONCE, now: now() };
    verify(token, &expected, &KeySet::of(set).unwrap()).map_err(|rejected| match rejected {
        Rejected::UnknownKey => "unknown key".to_owned(),
        Rejected::Fault(fault) => fault.to_string(),
    })
}

fn verified(token: &str, set: Value) -> Result<Proven, String> {
    verified_of(&Issuer::Exact(ISSUER.to_owned()), token, set)
}

#[test]
fn s46_an_honest_token_proves_its_claims() {
    for signer in [Signer::rsa(), Signer::pss(), Signer::p256(), Signer::ed25519()] {
        let proven = verified(&signer.sign(&honest()), signer.set()).unwrap();
        assert_eq!(proven.issuer, ISSUER);
        assert_eq!(proven.claims["sub"], "ada");
        assert_eq!(proven.claims["groups"], json!(["staff"]), "claims of the provider's own are kept");
    }
}

#[test]
fn s46_claims_that_are_for_somebody_else_or_another_time_prove_nothing() {
    let signer = Signer::rsa();
    let hour = 3600;
    for (changes, problem) in [
        (json!({ "iss": "https://login.evil.example" }), "is of another issuer"),
        (json!({ "iss": "https://login.example/" }), "is of another issuer"),
        (json!({ "iss": null }), "is not one by its form"),
        (json!({ "aud": "another" }), "is for another audience"),
        (json!({ "aud": [] }), "is for another audience"),
        (json!({ "aud": ["another"] }), "is for another audience"),
        (json!({ "aud": null }), "is for another audience"),
        (json!({ "aud": [CLIENT, "another"] }), "is for several and does not say for whose use"),
        (json!({ "aud": [CLIENT, "another"], "azp": "another" }), "is for another party"),
        (json!({ "azp": "another" }), "is for another party"),
        (json!({ "exp": now() - 1 }), "has expired"),
        (json!({ "exp": 0 }), "has expired"),
        (json!({ "exp": null }), "is not one by its form"),
        (json!({ "iat": now() + hour, "exp": now() + 2 * hour }), "is not valid yet"),
        (json!({ "nbf": now() + hour, "exp": now() + 2 * hour }), "is not valid yet"),
        (json!({ "iat": now() - hour }), "is too old"),
        (json!({ "iat": null }), "is not one by its form"),
        (json!({ "nonce": "another" }), "belongs to another sign-in"),
        (json!({ "nonce": "" }), "belongs to another sign-in"),
        (json!({ "nonce": null }), "belongs to another sign-in"),
        (json!({ "sub": null }), "is not one by its form"),
        (json!({ "sub": 7 }), "is not one by its form"),
    ] {
        let found = verified(&signer.sign(&but(&changes)), signer.set()).err();
        assert_eq!(found, Some(format!("the ID token: {problem}")), "{changes}");
    }
    // What is allowed beside that.
    for changes in [
        json!({ "aud": [CLIENT] }),
        json!({ "aud": [CLIENT, "another"], "azp": CLIENT }),
        json!({ "azp": CLIENT }),
        json!({ "iat": now() + 30 }),
        json!({ "nbf": now() - 30 }),
        json!({ "email_verified": "true" }),
        json!({ "updated_at": "2011-01-04T01:02:03Z" }),
    ] {
        let found = verified(&signer.sign(&but(&changes)), signer.set()).err();
        assert_eq!(found, None, "{changes}");
    }
}

#[test]
fn s46_a_signature_that_is_not_the_providers_proves_nothing() {
    let (signer, other) = (Signer::rsa(), Signer::other_rsa());
    let header = signer.header();
    let token = signer.sign(&honest());
    let (signed_message, signature) = token.rsplit_once('.').unwrap();
    let tampered = message(&header, &but(&json!({ "sub": "eve" })));
    let header_with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let none = |header: &Value| message(header, &honest());
    let hs256 = header_with("alg", json!("HS256"));
    for (token, problem) in [
        (format!("{tampered}.{signature}"), "has a wrong signature"),
        (other.sign_under(&header, &honest()), "has a wrong signature"),
        (other.sign_under(&header_with("jwk", other.jwk.clone()), &honest()), "has a wrong signature"),
        (
            other.sign_under(&header_with("jku", json!("https://evil.example/keys")), &honest()),
            "has a wrong signature",
        ),
        (signer.sign_under(&header_with("alg", json!("PS256")), &honest()), "unknown key"),
        (format!("{signed_message}."), "has a wrong signature"),
        (format!("{}.", none(&json!({ "alg": "none" }))), "is not signed"),
        (format!("{}.{signature}", none(&json!({ "alg": "none" }))), "is not signed"),
        (format!("{}.", none(&json!({ "alg": "None" }))), "is not one by its form"),
        (format!("{}.", none(&json!({}))), "is not one by its form"),
        (
            sign_shared(test_keys::RSA_PUBLIC.as_bytes(), &hs256, &honest()),
            "is signed by an algorithm that is not allowed",
        ),
        (
            sign_shared(b"client-secret", &json!({ "alg": "HS256" }), &honest()),
            "is signed by an algorithm that is not allowed",
        ),
        (
            signer.sign_under(&header_with("crit", json!(["exp"])), &honest()),
            "has a header that is not supported",
        ),
        (
            signer.sign_under(&header_with("cty", json!("JWT")), &honest()),
            "has a header that is not supported",
        ),
        (
            signer.sign_under(&header_with("typ", json!("at+jwt")), &honest()),
            "has a header that is not supported",
        ),
    ] {
        let found = verified(&token, signer.set()).err().map(|found| found.replace("the ID token: ", ""));
        assert_eq!(found.as_deref(), Some(problem), "{token}");
    }
}

#[test]
fn s46_an_algorithm_that_the_provider_does_not_name_is_refused() {
    let signer = Signer::p256();
    let issuer = Issuer::Exact(ISSUER.to_owned());
    let algorithms = [CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256];
    let expected =
        Expected { client_id: CLIENT, issuer: &issuer, algorithms: &algorithms, nonce: NONCE, now: now() };
    let found = verify(&signer.sign(&honest()), &expected, &KeySet::of(signer.set()).unwrap());
    assert!(matches!(found, Err(Rejected::Fault(_))));
}

#[test]
fn s46_a_key_that_is_not_in_the_set_is_unknown() {
    let (signer, other) = (Signer::rsa(), Signer::other_rsa());
    assert_eq!(verified(&other.sign(&honest()), signer.set()).err().as_deref(), Some("unknown key"));
    // Without an identifier the only key that fits is taken, and none of two.
    let mut header = signer.header();
    header.as_object_mut().unwrap().remove("kid");
    let token = signer.sign_under(&header, &honest());
    assert!(verified(&token, signer.set()).is_ok());
    let both = json!({ "keys": [signer.jwk, other.jwk] });
    assert_eq!(
        verified(&token, both).err().as_deref(),
        Some("the ID token: does not say which key signed it")
    );
}

#[test]
fn s46_weak_and_shared_keys_are_in_no_set() {
    let (signer, other) = (Signer::rsa(), Signer::other_rsa());
    let mut encryption = signer.jwk.clone();
    encryption["use"] = json!("enc");
    let mut short = signer.jwk.clone();
    short["n"] = json!("x".repeat(171));
    let shared = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": signer.id() });
    for key in [encryption, short, shared, json!({}), json!(7), json!({ "kty": "AKP", "kid": signer.id() })] {
        let found = verified(&signer.sign(&honest()), json!({ "keys": [key, other.jwk] })).err();
        assert_eq!(found.as_deref(), Some("unknown key"), "{key}");
        assert!(KeySet::of(json!({ "keys": [key] })).is_err() || key["use"] == "enc", "{key}");
        // It does not stand in the way of others.
        assert!(verified(&signer.sign(&honest()), json!({ "keys": [key, signer.jwk] })).is_ok(), "{key}");
    }
    for set in [json!([]), json!({}), json!({ "keys": {} }), json!({ "keys": [] }), json!(null)] {
        assert!(KeySet::of(set).is_err());
    }
}

#[test]
fn s46_what_is_no_token_is_refused() {
    let signer = Signer::rsa();
    let honest_token = signer.sign(&honest());
    for token in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "no.id.token",
        &honest_token[1..],
        &honest_token.replace('.', ""),
        &format!("{honest_token}.a"),
        &format!("{honest_token}="),
        "\u{e4}.\u{e4}.\u{e4}",
    ] {
        assert!(verified(token, signer.set()).is_err(), "{token}");
    }
}

#[test]
fn s46_a_shared_endpoint_vouches_for_each_directory_by_itself() {
    const WORK: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const OTHER: &str = "11111111-2222-3333-4444-555555555555";
    let template = "https://login.example/{tenantid}/v2.0";
    let of = |tenant: &str| template.replace("{tenantid}", tenant);
    let organizations = Issuer::EachTenant { template: template.to_owned(), personal: false };
    let signer = Signer::rsa();
    let token = |claims: Value| signer.sign(&but(&claims));
    let set = |issuer: &str| {
        let mut key = signer.jwk.clone();
        key["issuer"] = json!(issuer);
        json!({ "keys": [key] })
    };
    let honest = token(json!({ "iss": of(WORK), "tid": WORK }));
    for set in [signer.set(), set(template), set(&of(WORK))] {
        assert_eq!(verified_of(&organizations, &honest, set).unwrap().issuer, of(WORK));
    }
    // The key of one directory signs for no other.
    assert_eq!(verified_of(&organizations, &honest, set(&of(OTHER))).err().as_deref(), Some("unknown key"));
    for claims in [
        json!({ "iss": of(OTHER), "tid": WORK }),
        json!({ "iss": of(WORK), "tid": OTHER }),
        json!({ "iss": of(WORK), "tid": null }),
        json!({ "iss": template, "tid": "{tenantid}" }),
        json!({ "iss": of("common"), "tid": "common" }),
        json!({ "iss": of(PERSONAL), "tid": PERSONAL }),
    ] {
        assert!(verified_of(&organizations, &token(claims.clone()), signer.set()).is_err(), "{claims}");
    }
}
