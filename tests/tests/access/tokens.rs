//! Access tokens: what is forged fails, and no kind of token does another one's work.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use users_runtime::{Config, TokenKey};
use users_tests::{App, Kind, OTHER_PASSWORD, Options, PASSWORD, each_backend};

use crate::support::{Carrier, carriers, carrying, secret};

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// Headers that lead a lax verifier to another algorithm or to the attacker's key.
fn forged_headers(real: &Value) -> Vec<Value> {
    let algorithms = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "hs256",
        "Hs256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "ES256",
        "ES384",
        "EdDSA",
        "HS256 ",
        "HS256\u{0}",
        "dir",
    ];
    let with = |name: &str, value: Value| {
        let mut header = real.clone();
        header[name] = value;
        header
    };
    let mut headers: Vec<_> = algorithms.iter().map(|algorithm| with("alg", json!(algorithm))).collect();
    let key = json!({"kty": "oct", "k": "AAAA", "alg": "HS256"});
    for (name, value) in [
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' UNION SELECT 'key' --")),
        ("kid", json!("")),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AAAA"])),
        ("jwk", key),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("anything", json!(1)),
    ] {
        headers.push(with(name, value));
    }
    for name in real.as_object().expect("an object").keys() {
        let mut shorter = real.clone();
        shorter.as_object_mut().expect("an object").remove(name);
        headers.push(shorter);
    }
    headers.extend([
        json!({"alg": "HS256"}),
        json!({"typ": "JWT"}),
        json!({"typ": "JWT", "alg": "HS256"}),
        with("typ", json!("jwt")),
        with("typ", json!("at+jwt")),
        with("alg", json!(["HS256"])),
        with("alg", Value::Null),
        with("kid", Value::Null),
        json!({}),
        json!([]),
        json!("HS256"),
        Value::Null,
    ]);
    headers
}

/// Payloads with one claim changed.
fn forged_payloads(claims: &Value, other: &str) -> Vec<Value> {
    let mut payloads = Vec::new();
    for (name, value) in [
        ("sub", json!(other)),
        ("exp", json!(claims["exp"].as_i64().expect("a number") + 1)),
        ("exp", Value::Null),
        ("nbf", json!(0)),
        ("iat", json!(0)),
        ("iss", json!("https://evil.example")),
        ("aud", json!(["a", "b"])),
        ("sid", json!("018f0000-0000-7000-8000-000000000000")),
        ("jti", json!("another")),
        ("purpose", json!("verify")),
        ("admin", json!(true)),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        payloads.push(changed);
    }
    for name in claims.as_object().expect("an object").keys() {
        let mut shorter = claims.clone();
        shorter.as_object_mut().expect("an object").remove(name);
        payloads.push(shorter);
    }
    payloads
}

/// Every text that could be taken for the token and is not it.
fn forgeries(token: &str, other: &str) -> Vec<String> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let claims = decoded(payload);
    let mut forged = Vec::new();
    for changed in forged_headers(&decoded(header)) {
        let changed = encoded(&changed);
        // A key or an algorithm of the attacker's choice would make one of these signatures right.
        for signature in [signature, "", "AAAA"] {
            forged.push(format!("{changed}.{payload}.{signature}"));
        }
        forged.push(format!("{changed}.{payload}"));
    }
    for changed in forged_payloads(&claims, other) {
        let changed = encoded(&changed);
        forged.push(format!("{header}.{changed}.{signature}"));
        forged.push(format!("{header}.{changed}."));
        let none = encoded(&json!({"alg": "none", "typ": "JWT"}));
        forged.push(format!("{none}.{changed}."));
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    for position in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        forged.push(format!("{header}.{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(flipped)));
    }
    // The last character of 32 bytes in base64 carries two bits that mean nothing.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = signature.split_at(signature.len() - 1);
    for letter in alphabet.chars().filter(|letter| !last.starts_with(*letter)) {
        forged.push(format!("{header}.{payload}.{start}{letter}"));
    }
    for length in [1, 16, 31] {
        forged.push(format!("{header}.{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length])));
    }
    forged.extend([
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{payload}.{header}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}. {payload}.{signature}"),
        format!(".{token}"),
        format!("{header}.{header}.{payload}.{signature}"),
        token.to_uppercase(),
        token.to_lowercase(),
        format!("{token},{token}"),
    ]);
    // The two alphabets of base64 differ in two letters.
    forged.push(format!("{header}.{payload}.{}", signature.replace('-', "+").replace('_', "/")));
    forged.retain(|text| text != token);
    forged
}

#[tokio::test]
async fn s27_whatever_is_not_signed_by_the_one_algorithm_is_refused() {
    for kind in Kind::TOKENS {
        let app = App::start(kind).await;
        let client = app.user("ada@example.com").await;
        let other = app.verified("ben@example.com").await.to_string();
        let token = secret(&app, &client);
        let header = decoded(token.split('.').next().expect("a part"));
        assert_eq!(header, json!({"typ": "JWT", "alg": "HS256", "kid": header["kid"]}));
        assert!(header["kid"].is_string());
        let forged = forgeries(&token, &other);
        assert!(forged.len() > 250);
        for &carrier in carriers(kind) {
            for text in &forged {
                let answer = carrying(&app, carrier, text).me().await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (401, "unauthenticated"),
                    "{text}"
                );
            }
            carrying(&app, carrier, &token).me().await.expect(200, "");
        }
    }
}

#[tokio::test]
async fn s27_a_token_of_another_application_is_refused() {
    for kind in Kind::TOKENS {
        let (ours, theirs) = (App::start(kind).await, App::start(kind).await);
        let token = secret(&theirs, &theirs.user("ada@example.com").await);
        ours.verified("ada@example.com").await;
        for &carrier in carriers(kind) {
            carrying(&ours, carrier, &token).me().await.expect(401, "unauthenticated");
        }
    }
}

/// The claims without which a token is none.
const REQUIRED: [&str; 8] = ["aud", "exp", "iat", "iss", "nbf", "purpose", "sid", "sub"];

#[tokio::test]
async fn s28_a_token_says_who_issued_it_for_whom_and_for_how_long() {
    for kind in Kind::TOKENS {
        let app = App::start(kind).await;
        let client = app.user("ada@example.com").await;
        let token = secret(&app, &client);
        let claims = decoded(token.split('.').nth(1).expect("three parts"));
        for name in REQUIRED {
            assert!(!claims[name].is_null(), "{name}: {claims}");
        }
        assert!(!claims.to_string().contains("example.com"), "whoever holds the token reads it: {claims}");
        assert_eq!(claims["sub"], app.id_of("ada@example.com").await.to_string());
        assert_eq!(claims["purpose"], "access");
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|issued| issued + 86_400));
        assert_eq!(claims["nbf"], claims["iat"]);
    }
}

/// HMAC-SHA256 (RFC 2104) with a key of at most a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).unwrap_or(&0) ^ pad).collect() };
    let inner = Sha256::digest([&padded(0x36), message].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

/// A key of the application's own, which another service has too.
const SHARED_KEY: &str = "Zk3v9Qp1Xr7Lw2Ns8Tb4Yh6Jd0Cg5Mf+";

/// The token with other claims, signed as the application signs.
fn signed(token: &str, claims: &Value) -> String {
    let header = token.split('.').next().expect("three parts");
    let message = format!("{header}.{}", encoded(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac(SHARED_KEY.as_bytes(), message.as_bytes()));
    format!("{message}.{signature}")
}

#[tokio::test]
async fn s28_a_signature_alone_is_no_way_in() {
    for kind in Kind::TOKENS {
        let key = TokenKey::hs256(SHARED_KEY).expect("a key");
        let config = |config: Config| config.with_token_key(key);
        let app = App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await;
        let (ada, ben) = (app.user("ada@example.com").await, app.user("ben@example.com").await);
        let (token, other) = (secret(&app, &ada), secret(&app, &ben));
        let claims = |token: &str| decoded(token.split('.').nth(1).expect("three parts"));
        let (claims, other) = (claims(&token), claims(&other));
        let carrier = carriers(kind)[0];
        let again = signed(&token, &claims);
        carrying(&app, carrier, &again).me().await.expect(200, "");

        let issued = claims["iat"].as_i64().expect("a number");
        let mut wrong: Vec<Value> = Vec::new();
        for (name, value) in [
            // A session that never was, one of somebody else, and somebody else in this one.
            ("sid", json!("018f0000-0000-7000-8000-000000000000")),
            ("sid", other["sid"].clone()),
            ("sub", other["sub"].clone()),
            ("sub", json!("")),
            ("sub", json!("00000000-0000-0000-0000-000000000000")),
            ("iss", json!("https://evil.example")),
            ("iss", json!("")),
            ("aud", json!("https://evil.example")),
            ("aud", json!([claims["aud"].clone(), "https://evil.example"])),
            ("purpose", json!("verify")),
            ("exp", json!(issued - 1)),
            ("exp", json!(0)),
            ("nbf", json!(issued + 3_600)),
            ("iat", json!(issued + 3_600)),
        ] {
            let mut changed = claims.clone();
            changed[name] = value;
            wrong.push(changed);
        }
        for name in REQUIRED {
            for value in [json!({}), json!([]), json!(true), Value::Null, json!("x"), json!(-1.5)] {
                let mut changed = claims.clone();
                changed[name] = value;
                wrong.push(changed);
            }
            let mut shorter = claims.clone();
            shorter.as_object_mut().expect("an object").remove(name);
            wrong.push(shorter);
        }
        wrong.extend([json!([]), json!("x"), Value::Null, json!({})]);
        for claims in wrong {
            let client = carrying(&app, carrier, &signed(&token, &claims));
            assert_eq!(client.me().await.status, 401, "{claims}");
        }
        // What was signed before the session ended is over with it.
        ada.log_out().await.expect(201, "");
        carrying(&app, carrier, &again).me().await.expect(401, "unauthenticated");
        ben.me().await.expect(200, "");
    }
}

#[tokio::test]
async fn s28_a_token_expires() {
    for kind in Kind::TOKENS {
        let config = |config: Config| config.with_token_lifetime(Duration::from_secs(1));
        let options = Options { config: Box::new(config), ..Options::default() };
        let app = App::start_with(kind, options).await;
        let token = secret(&app, &app.user("ada@example.com").await);
        let claims = decoded(token.split('.').nth(1).expect("three parts"));
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|issued| issued + 1));
        tokio::time::sleep(Duration::from_millis(1050)).await;
        for &carrier in carriers(kind) {
            carrying(&app, carrier, &token).me().await.expect(401, "unauthenticated");
        }
    }
}

each_backend!(s28_no_kind_of_token_does_the_work_of_another, |app| async move {
    let access = secret(&app, &app.user("ada@example.com").await);
    app.client().register("ben@example.com", PASSWORD).await.expect(201, "");
    let verify = app.mailbox.token("ben@example.com", 1).await;
    app.verified("cleo@example.com").await;
    app.client().forgot("cleo@example.com").await.expect(201, "");
    let reset = app.mailbox.token("cleo@example.com", 2).await;
    let dora = app.user("dora@example.com").await;
    let change = json!({"email": "dorothea@example.com", "current_password": PASSWORD});
    dora.patch("/users/me", &change).await.expect(200, "");
    let identifier = app.mailbox.token("dorothea@example.com", 1).await;

    let tokens = [("access", access), ("verify", verify), ("reset", reset), ("identifier", identifier)];
    for (name, token) in &tokens {
        for carrier in [Carrier::Header, Carrier::Cookie] {
            if *name != "access" || !carriers(app.kind).contains(&carrier) {
                let client = carrying(&app, carrier, token);
                let answer = client.me().await;
                assert_eq!(answer.status, 401, "{name} as {carrier:?}");
                assert_eq!(client.get("/feed").await.json()["anonymous"], true, "{name} as {carrier:?}");
            }
        }
        if !matches!(*name, "verify" | "identifier") {
            app.client().verify(token).await.expect(400, "token_invalid");
            let empty = json!({});
            app.client().post(&format!("/verify?token={token}"), &empty).await.expect(400, "token_invalid");
        }
        if *name != "reset" {
            app.client().reset(token, OTHER_PASSWORD).await.expect(400, "token_invalid");
        }
    }

    // Everything that failed has used nothing up.
    let [(_, access), (_, verify), (_, reset), (_, identifier)] = tokens;
    for &carrier in carriers(app.kind) {
        carrying(&app, carrier, &access).me().await.expect(200, "");
    }
    assert_eq!(app.client().verify(&verify).await.expect(201, "").json()["email"], "ben@example.com");
    app.client().reset(&reset, OTHER_PASSWORD).await.expect(201, "");
    let changed = app.client().verify(&identifier).await.expect(201, "");
    assert_eq!(changed.json()["email"], "dorothea@example.com");
});
