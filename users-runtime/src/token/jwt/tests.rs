use std::time::Duration;

use serde_json::json;

use super::{test_keys::*, *};
use crate::token::mutation::{mutated, random};

const HOME: &str = "https://app.example.com/";
const NOW: i64 = 1_800_000_000;

fn secret() -> SecretKey {
    SecretKey::generate().unwrap()
}

fn random_secret(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// Keys that verify what these sign; the first one signs.
fn keys_of(keys: &[TokenKey]) -> JwtKeys {
    let settings = TokenSettings {
        key: keys.first().cloned(),
        old_keys: keys.get(1..).unwrap_or_default().to_vec(),
        ..TokenSettings::default()
    };
    settings.check().unwrap();
    JwtKeys::new(&secret(), &[], &settings, HOME).unwrap()
}

/// Two keys for each algorithm; one RSA key serves both of its algorithms.
fn every_key() -> Vec<TokenKey> {
    let pem = |key: Result<TokenKey, Error>| key.unwrap();
    vec![
        TokenKey::hs256(random_secret(32)).unwrap(),
        TokenKey::hs256(random_secret(64)).unwrap(),
        TokenKey::hs384(random_secret(48)).unwrap(),
        TokenKey::hs384(random_secret(48)).unwrap(),
        TokenKey::hs512(random_secret(64)).unwrap(),
        TokenKey::hs512(random_secret(64)).unwrap(),
        pem(TokenKey::rs256_pem(RSA)),
        pem(TokenKey::rs256_pem(RSA_OTHER)),
        pem(TokenKey::ps256_pem(RSA)),
        pem(TokenKey::ps256_pem(RSA_OTHER)),
        pem(TokenKey::es256_pem(P256)),
        pem(TokenKey::es256_pem(P256_OTHER)),
        pem(TokenKey::ed25519_pem(ED25519)),
        pem(TokenKey::ed25519_pem(ED25519_OTHER)),
    ]
}

/// The claims of a token that is right.
fn claims() -> Value {
    json!({
        "sub": "1",
        "iss": HOME,
        "aud": HOME,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 60,
        "jti": "x",
        "sid": "01890a5d-ac96-774b-bcce-b302099a8057",
        "purpose": PURPOSE,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn token(key: &TokenKey, claims: &Value) -> String {
    signed(key, claims.to_string().as_bytes()).unwrap()
}

/// A token with a header and claims of somebody's choice under a signature that is right for both.
fn under_header(key: &TokenKey, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", BASE64_URL.encode(header), BASE64_URL.encode(claims));
    let signature = BASE64_URL.encode(key.sign(&message).unwrap());
    format!("{message}.{signature}")
}

fn header_of(key: &TokenKey) -> Value {
    serde_json::from_slice(&BASE64_URL.decode(key.header()).unwrap()).unwrap()
}

fn new_token() -> NewToken {
    NewToken {
        subject: "1".to_owned(),
        token_id: "x".to_owned(),
        session: Uuid::now_v7(),
        issued_at: NOW,
        expires_at: NOW + 60,
        custom: Map::new(),
    }
}

#[test]
fn what_is_signed_here_verifies_here() {
    for key in every_key() {
        let keys = keys_of(&[key]);
        let new = NewToken { custom: Map::from_iter([("tier".to_owned(), json!(["a", 1]))]), ..new_token() };
        let session = new.session;
        let claims = keys.verify_at(&keys.sign(new).unwrap(), NOW).unwrap();
        assert_eq!(claims.sid, session);
        assert_eq!(Value::Object(claims.custom), json!({"tier": ["a", 1]}));
    }
    let keys = keys_of(&[]);
    let now = clock::now() / 1000;
    let token = keys.sign(NewToken { issued_at: now, expires_at: now + 60, ..new_token() }).unwrap();
    assert!(keys.verify(&token).is_some());
}

#[test]
fn s27_each_key_verifies_its_own_tokens_alone() {
    let keys = every_key();
    for (signer, key) in keys.iter().enumerate() {
        let token = token(key, &claims());
        for (verifier, other) in keys.iter().enumerate() {
            let verified = keys_of(std::slice::from_ref(other)).verify_at(&token, NOW);
            assert_eq!(verified.is_some(), signer == verifier, "{key:?} by {other:?}");
        }
        assert!(keys_of(&[]).verify_at(&token, NOW).is_none(), "{key:?} by a derived key");
    }
}

#[test]
fn s27_the_header_of_one_key_over_the_signature_of_another_fails() {
    let keys = every_key();
    for named in &keys {
        let header = BASE64_URL.decode(named.header()).unwrap();
        let header = std::str::from_utf8(&header).unwrap();
        for signing in &keys {
            let token = under_header(signing, header, &claims().to_string());
            let verified = keys_of(std::slice::from_ref(named)).verify_at(&token, NOW);
            assert_eq!(verified.is_some(), std::ptr::eq(named, signing), "{signing:?} as {named:?}");
        }
    }
}

#[test]
fn s27_a_public_key_is_no_secret_to_sign_with() {
    for (key, pem) in [
        (TokenKey::rs256_pem(RSA).unwrap(), RSA_PUBLIC),
        (TokenKey::ps256_pem(RSA).unwrap(), RSA_PUBLIC),
        (TokenKey::es256_pem(P256).unwrap(), P256_PUBLIC),
        (TokenKey::ed25519_pem(ED25519).unwrap(), ED25519_PUBLIC),
    ] {
        let keys = keys_of(std::slice::from_ref(&key));
        let jwk: Value = serde_json::from_str(key.jwk().unwrap()).unwrap();
        let part = jwk.get("n").or(jwk.get("x")).unwrap().as_str().unwrap();
        let pem_body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::prelude::BASE64_STANDARD.decode(pem_body).unwrap();
        let (raw, own) = (BASE64_URL.decode(part).unwrap(), BASE64_URL.decode(key.header()).unwrap());
        for guess in [pem.as_bytes(), pem.trim().as_bytes(), &der, &raw, part.as_bytes(), b""] {
            for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
                let forger = TokenKey::secret(algorithm, guess).unwrap();
                let mut header = header_of(&forger);
                header["kid"] = header_of(&key)["kid"].clone();
                let claims = claims().to_string();
                for header in
                    [&own, header.to_string().as_bytes(), &BASE64_URL.decode(forger.header()).unwrap()]
                {
                    let token = under_header(&forger, std::str::from_utf8(header).unwrap(), &claims);
                    assert!(keys.verify_at(&token, NOW).is_none(), "{key:?} {algorithm:?}");
                }
            }
        }
    }
}

#[test]
fn s27_a_header_that_differs_fails_under_the_right_key() {
    let claims = claims().to_string();
    for key in every_key() {
        let keys = keys_of(std::slice::from_ref(&key));
        let own = String::from_utf8(BASE64_URL.decode(key.header()).unwrap()).unwrap();
        assert!(keys.verify_at(&under_header(&key, &own, &claims), NOW).is_some());
        let mut headers: Vec<String> = [
            ("alg", json!("none")),
            ("alg", json!("None")),
            ("alg", json!("NONE")),
            ("alg", json!("nOnE")),
            ("alg", json!("")),
            ("alg", Value::Null),
            ("alg", json!([header_of(&key)["alg"]])),
            ("alg", json!(header_of(&key)["alg"].as_str().unwrap().to_lowercase())),
            ("alg", json!(format!("{} ", header_of(&key)["alg"].as_str().unwrap()))),
            ("kid", json!("")),
            ("kid", json!("1")),
            ("kid", Value::Null),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!("' OR 1=1 --")),
            ("kid", json!("https://evil.example/key")),
            ("kid", json!([header_of(&key)["kid"]])),
            ("jku", json!("https://evil.example/jwks.json")),
            ("jwk", json!({"kty": "oct", "k": "AA"})),
            (
                "jwk",
                json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            ),
            ("x5u", json!("https://evil.example/certificate.pem")),
            ("x5c", json!(["AA=="])),
            ("x5t", json!("AA")),
            ("crit", json!([])),
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
            ("cty", json!("JWT")),
            ("typ", json!("at+jwt")),
            ("typ", json!("jwt")),
            ("typ", Value::Null),
        ]
        .into_iter()
        .map(|(name, value)| {
            let mut header = header_of(&key);
            header[name] = value;
            header.to_string()
        })
        .collect();
        let others =
            ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256"];
        for other in others.into_iter().chain(["ES384", "ES512", "ES256K", "EdDSA", "Ed25519"]) {
            let other = own.replace(header_of(&key)["alg"].as_str().unwrap(), other);
            if other != own {
                headers.push(other);
            }
        }
        let body = &own[1..own.len() - 1];
        headers.extend([
            format!("{own} "),
            format!("{own}\n"),
            format!("\u{feff}{own}"),
            own.replace(':', ": "),
            format!("{{{body},{body}}}"),
            format!(r#"{{{body},"alg":"none"}}"#),
            format!(r#"{{"alg":"none",{body}}}"#),
            format!(r#"{{{body},"crit":["x"],"x":1}}"#),
            own.replace("alg", "\\u0061lg"),
            r#"{"alg":"none"}"#.to_owned(),
            "{}".to_owned(),
            "[]".to_owned(),
            String::new(),
        ]);
        for header in headers {
            let token = under_header(&key, &header, &claims);
            assert!(keys.verify_at(&token, NOW).is_none(), "{key:?}: {header}");
            let (unsigned, _) = token.rsplit_once('.').unwrap();
            assert!(keys.verify_at(&format!("{unsigned}."), NOW).is_none(), "{key:?}: {header} unsigned");
        }
    }
}

#[test]
fn s30_an_old_key_verifies_the_new_one_signs_and_a_removed_one_fails() {
    let keys = every_key();
    for old in &keys {
        for new in keys.iter().filter(|new| !new.is(old)) {
            let token = token(old, &claims());
            let rotated = keys_of(&[new.clone(), old.clone()]);
            assert!(rotated.verify_at(&token, NOW).is_some(), "{old:?} to {new:?}");
            let fresh = rotated.sign(new_token()).unwrap();
            assert!(fresh.starts_with(new.header()), "{old:?} to {new:?}");
            assert!(keys_of(std::slice::from_ref(new)).verify_at(&fresh, NOW).is_some());
            assert!(keys_of(std::slice::from_ref(new)).verify_at(&token, NOW).is_none(), "{old:?} removed");
        }
    }
}

#[test]
fn s30_derived_keys_rotate_with_the_secret_key_until_there_is_a_token_key() {
    let (first, second) = (secret(), secret());
    let keys = |current, old: &[SecretKey], settings| JwtKeys::new(current, old, &settings, HOME).unwrap();
    let plain = TokenSettings::default;
    let token = keys(&first, &[], plain()).sign(new_token()).unwrap();
    assert!(keys(&first, &[], plain()).verify_at(&token, NOW).is_some());
    let rotated = keys(&second, std::slice::from_ref(&first), plain());
    assert!(rotated.verify_at(&token, NOW).is_some());
    assert!(keys(&second, &[], plain()).verify_at(&rotated.sign(new_token()).unwrap(), NOW).is_some());
    assert!(keys(&second, &[], plain()).verify_at(&token, NOW).is_none());
    let own = TokenKey::ed25519_pem(ED25519).unwrap();
    let old_only = TokenSettings { old_keys: vec![own.clone()], ..plain() };
    assert!(keys(&first, &[], old_only).verify_at(&token, NOW).is_some());
    let settings = TokenSettings { key: Some(own), ..plain() };
    assert!(keys(&first, std::slice::from_ref(&first), settings).verify_at(&token, NOW).is_none());
}

#[test]
fn s30_the_public_half_of_a_key_verifies_what_it_signed() {
    let token = token(&TokenKey::es256_pem(P256).unwrap(), &claims());
    let keys =
        keys_of(&[TokenKey::hs256(random_secret(32)).unwrap(), TokenKey::es256_pem(P256_PUBLIC).unwrap()]);
    assert!(keys.verify_at(&token, NOW).is_some());
}

#[test]
fn s27_public_keys_are_published_and_secrets_are_not() {
    let published = |keys: &[TokenKey]| -> Value { serde_json::from_str(keys_of(keys).jwks()).unwrap() };
    assert_eq!(published(&[]), json!({"keys": []}));
    assert_eq!(published(&[TokenKey::hs512(random_secret(64)).unwrap()]), json!({"keys": []}));
    let set = published(&[
        TokenKey::es256_pem(P256).unwrap(),
        TokenKey::hs256(random_secret(32)).unwrap(),
        TokenKey::ed25519_pem(ED25519_PUBLIC).unwrap(),
        TokenKey::rs256_pem(RSA).unwrap(),
    ]);
    let algorithms: Vec<_> =
        set["keys"].as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"]);
    for key in set["keys"].as_array().unwrap() {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None, "{private}");
        }
    }
}

#[test]
fn s27_keys_that_cannot_serve_together_are_refused_at_start_up() {
    let settings =
        |key: Option<TokenKey>, old_keys| TokenSettings { key, old_keys, ..TokenSettings::default() };
    let (own, public) = (TokenKey::es256_pem(P256).unwrap(), TokenKey::es256_pem(P256_PUBLIC).unwrap());
    let (rs256, ps256) = (TokenKey::rs256_pem(RSA).unwrap(), TokenKey::ps256_pem(RSA).unwrap());
    for (settings, problem) in [
        (settings(Some(public.clone()), vec![]), "with_token_key: is a public key"),
        (settings(Some(own.clone()), vec![own.clone()]), "with_old_token_key: one key is there twice"),
        (settings(Some(own.clone()), vec![public.clone()]), "with_old_token_key: one key is there twice"),
        (settings(None, vec![own.clone(), public.clone()]), "with_old_token_key: one key is there twice"),
        (settings(Some(ps256), vec![rs256]), "with_old_token_key: one key is there twice"),
    ] {
        let error = settings.check().unwrap_err().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
    assert!(settings(Some(own), vec![TokenKey::es256_pem(P256_OTHER).unwrap()]).check().is_ok());
    assert!(settings(None, vec![public]).check().is_ok());
}

#[test]
fn s28_no_claim_may_be_missing_null_or_of_another_type() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    let keys = keys_of(std::slice::from_ref(&key));
    let verify = |claims: &Value| keys.verify_at(&token(&key, claims), NOW);
    assert!(verify(&claims()).is_some());
    for name in REGISTERED {
        let mut shorter = claims();
        shorter.as_object_mut().unwrap().remove(name).unwrap();
        assert!(verify(&shorter).is_none(), "without {name}");
        for value in
            [Value::Null, json!([]), json!({}), json!(true), json!(""), json!(0.5), json!([claims()[name]])]
        {
            // An empty text in these two is for others to refuse: no user has this key, and nothing asks for the other.
            let left_to_others = value == "" && ["sub", "jti"].contains(&name);
            assert_eq!(verify(&with(name, value.clone())).is_some(), left_to_others, "{name}: {value}");
        }
    }
    assert_eq!(claims().as_object().unwrap().len(), REGISTERED.len());
}

#[test]
fn s28_no_claim_may_stand_there_twice() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    let keys = keys_of(std::slice::from_ref(&key));
    let claims = claims().to_string();
    let verify = |claims: &str| keys.verify_at(&signed(&key, claims.as_bytes()).unwrap(), NOW);
    assert!(verify(&claims).is_some());
    let body = &claims[1..claims.len() - 1];
    for name in REGISTERED {
        let value = &self::claims()[name];
        let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for again in [name, escaped.as_str()] {
            assert!(verify(&format!(r#"{{{body},"{again}":{value}}}"#)).is_none(), "{again} behind");
            assert!(verify(&format!(r#"{{"{again}":{value},{body}}}"#)).is_none(), "{again} before");
        }
    }
    for text in [
        "",
        "null",
        "[]",
        "1",
        "{",
        "{}",
        &format!("[{claims}]"),
        &format!("{claims}{claims}"),
        &format!("{claims},"),
    ] {
        assert!(verify(text).is_none(), "{text}");
    }
    // Deeper than anybody reads: refused, not overflown.
    assert!(verify(&format!(r#"{{{body},"x":{}1{}}}"#, "[".repeat(1500), "]".repeat(1500))).is_none());
}

#[test]
fn s28_a_custom_claim_comes_back_and_shadows_none() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    let keys = keys_of(std::slice::from_ref(&key));
    let custom = Map::from_iter([
        ("admin".to_owned(), json!(true)),
        ("https://app.example.com/tier".to_owned(), json!({"a": [1, null, "x"]})),
        ("SUB".to_owned(), json!("2")),
        ("custom".to_owned(), json!({"sub": "2"})),
        (String::new(), json!(1.5)),
    ]);
    let token = keys.sign(NewToken { custom: custom.clone(), ..new_token() }).unwrap();
    let verified = keys.verify_at(&token, NOW).unwrap();
    assert_eq!(verified.sub, "1");
    assert_eq!(verified.custom, custom);
    for name in REGISTERED {
        let custom = Map::from_iter([(name.to_owned(), json!("2"))]);
        assert!(keys.sign(NewToken { custom, ..new_token() }).is_err(), "{name}");
    }
    let long = Map::from_iter([("long".to_owned(), json!("x".repeat(TOKEN_MAX_BYTES)))]);
    assert!(keys.sign(NewToken { custom: long, ..new_token() }).is_err());
}

#[test]
fn s28_issuer_audience_purpose_and_login_are_compared_whole() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    let keys = keys_of(std::slice::from_ref(&key));
    for (name, value) in [
        ("iss", json!("https://app.example.com")),
        ("iss", json!("https://app.example.com/.evil.example")),
        ("iss", json!("HTTPS://APP.EXAMPLE.COM/")),
        ("iss", json!([HOME])),
        ("aud", json!("https://app.example.com")),
        ("aud", json!([HOME])),
        ("aud", json!(["https://evil.example", HOME])),
        ("purpose", json!("verify")),
        ("purpose", json!("password_reset")),
        ("purpose", json!("refresh")),
        ("purpose", json!("Access")),
        ("purpose", json!("access ")),
        ("purpose", json!(["access"])),
        ("sid", json!("x")),
        ("sid", json!("00000000-0000-0000-0000-000000000000")),
        ("sid", json!("9f1b1b1e-7c1d-4b6e-8a53-0d8d1a3f2c11")),
    ] {
        assert!(keys.verify_at(&token(&key, &with(name, value.clone())), NOW).is_none(), "{name}: {value}");
    }
}

#[test]
fn s28_issuer_and_audience_are_those_of_the_settings() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    let settings = TokenSettings {
        key: Some(key.clone()),
        issuer: Some("https://id.example.com".to_owned()),
        audience: Some("api".to_owned()),
        ..TokenSettings::default()
    };
    let keys = JwtKeys::new(&secret(), &[], &settings, HOME).unwrap();
    let claims = keys.verify_at(&keys.sign(new_token()).unwrap(), NOW).unwrap();
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("https://id.example.com", "api"));
    assert!(keys.verify_at(&token(&key, &self::claims()), NOW).is_none());
    assert!(keys.verify_at(&token(&key, &with("iss", json!("https://id.example.com"))), NOW).is_none());
    assert!(keys.verify_at(&token(&key, &with("aud", json!("api"))), NOW).is_none());
    assert!(keys_of(&[key]).verify_at(&keys.sign(new_token()).unwrap(), NOW).is_none());
}

#[test]
fn s28_a_token_holds_between_its_times_and_the_leeway_is_added_to_both() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    for leeway in [0_i64, 60] {
        let duration = Duration::from_secs(leeway.unsigned_abs());
        let settings = TokenSettings { key: Some(key.clone()), leeway: duration, ..TokenSettings::default() };
        settings.check().unwrap();
        let keys = JwtKeys::new(&secret(), &[], &settings, HOME).unwrap();
        for (name, value, holds) in [
            ("exp", json!(NOW + 1 - leeway), true),
            ("exp", json!(NOW - leeway), false),
            ("exp", json!(0), false),
            ("exp", json!(-1), false),
            ("exp", json!(i64::MIN), false),
            ("exp", json!(i64::MAX), true),
            ("exp", json!(u64::MAX), false),
            ("exp", json!(1e18), false),
            ("exp", json!((NOW + 60).to_string()), false),
            ("nbf", json!(NOW + leeway), true),
            ("nbf", json!(NOW + 1 + leeway), false),
            ("nbf", json!(i64::MIN), true),
            ("nbf", json!(i64::MAX), false),
            ("nbf", json!("0"), false),
            ("iat", json!(NOW + leeway), true),
            ("iat", json!(NOW + 1 + leeway), false),
            ("iat", json!(i64::MIN), true),
            ("iat", json!(i64::MAX), false),
        ] {
            let verified = keys.verify_at(&token(&key, &with(name, value.clone())), NOW);
            assert_eq!(verified.is_some(), holds, "{name}: {value} with a leeway of {leeway}");
        }
    }
}

#[test]
fn s28_settings_that_make_no_sense_are_refused_at_start_up() {
    let plain = TokenSettings::default;
    for (settings, problem) in [
        (TokenSettings { issuer: Some(String::new()), ..plain() }, "with_token_issuer: is empty"),
        (TokenSettings { audience: Some(" ".to_owned()), ..plain() }, "with_token_audience: is empty"),
        (TokenSettings { leeway: Duration::from_secs(61), ..plain() }, "with_token_leeway: is more than"),
        (
            TokenSettings { leeway: Duration::from_millis(1500), ..plain() },
            "with_token_leeway: must be whole",
        ),
    ] {
        let error = settings.check().unwrap_err().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
    assert!(TokenSettings { leeway: Duration::from_mins(1), ..plain() }.check().is_ok());
}

#[test]
fn s31_a_text_that_is_not_wholly_a_token_is_refused() {
    for key in every_key() {
        let keys = keys_of(std::slice::from_ref(&key));
        let token = token(&key, &claims());
        let parts: Vec<_> = token.split('.').collect();
        let [header, body, signature] = parts[..] else { unreachable!("a token has three parts") };
        let standard = |part| base64::prelude::BASE64_STANDARD.encode(BASE64_URL.decode(part).unwrap());
        let mut zero = BASE64_URL.decode(signature).unwrap();
        zero.fill(0);
        let longer = [BASE64_URL.decode(signature).unwrap(), vec![0]].concat();
        for text in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "...".to_owned(),
            header.to_owned(),
            format!("{header}."),
            format!("{header}.."),
            format!("{header}.{body}"),
            format!("{header}.{body}."),
            format!("{header}..{signature}"),
            format!(".{body}.{signature}"),
            format!("{body}.{header}.{signature}"),
            format!("{header}.{signature}.{body}"),
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{header}.{token}"),
            format!("{header}.{body}.{body}.{signature}"),
            format!("{header}.{header}.{body}.{body}.{signature}"),
            format!(" {token}"),
            format!("{token} "),
            format!("{token}\n"),
            format!("{token}\0"),
            format!("\u{feff}{token}"),
            format!("{token}\u{e4}"),
            format!("\"{token}\""),
            format!("Bearer {token}"),
            format!("{token},{token}"),
            format!("{header}=.{body}.{signature}"),
            format!("{header}.{body}=.{signature}"),
            format!("{header}.{body}.{signature}="),
            format!("{header}.{body}.{signature}=="),
            format!("{header}. {body}.{signature}"),
            format!("{header}.{body}.{}", &signature[1..]),
            format!("{header}.{body}.{}", &signature[..signature.len() - 1]),
            format!("{header}.{body}.{}", &signature[..signature.len() - 4]),
            format!("{header}.{body}.{}", BASE64_URL.encode(zero)),
            format!("{header}.{body}.{}", BASE64_URL.encode(longer)),
            format!("{header}.{body}.{}", "A".repeat(signature.len())),
            format!("{}.{body}.{signature}", header.to_uppercase()),
            format!("{}.{}.{}=", standard(header), standard(body), standard(signature)),
            format!(r#"{{"payload":"{body}","protected":"{header}","signature":"{signature}"}}"#),
            format!("{header}.{}.{signature}", "A".repeat(TOKEN_MAX_BYTES)),
            "A".repeat(1 << 20),
            ".".repeat(TOKEN_MAX_BYTES),
        ] {
            assert!(keys.verify_at(&text, NOW).is_none(), "{key:?}: {text}");
        }
        assert!(keys.verify_at(&token, NOW).is_some());
    }
}

#[test]
fn s31_a_token_past_the_longest_is_refused_though_it_is_right() {
    let key = TokenKey::hs256(random_secret(32)).unwrap();
    let keys = keys_of(std::slice::from_ref(&key));
    let sized = |length| token(&key, &with("x", json!("x".repeat(length))));
    let overhead = sized(0).len();
    let fits = (TOKEN_MAX_BYTES - overhead) / 4 * 3;
    assert!(sized(fits - 3).len() <= TOKEN_MAX_BYTES && sized(fits + 3).len() > TOKEN_MAX_BYTES);
    assert!(keys.verify_at(&sized(fits - 3), NOW).is_some());
    assert!(keys.verify_at(&sized(fits + 3), NOW).is_none());
}

#[test]
fn s31_no_mutation_of_a_token_is_accepted_or_panics() {
    for key in every_key() {
        let keys = keys_of(std::slice::from_ref(&key));
        let token = token(&key, &claims());
        for _ in 0..3000 {
            let mutated = mutated(&token);
            assert_eq!(keys.verify_at(&mutated, NOW).is_some(), mutated == token, "{key:?}: {mutated:?}");
        }
        // With the header as it is, so that each reaches the signature.
        let start = key.header().len() + 1;
        for _ in 0..1000 {
            let mutated = format!("{}{}", &token[..start], mutated(&token[start..]));
            assert_eq!(keys.verify_at(&mutated, NOW).is_some(), mutated == token, "{key:?}: {mutated:?}");
        }
        // With a signature that is right, so that each reaches the claims.
        let right = claims().to_string();
        for _ in 0..100 {
            let mutated = mutated(&right);
            let _ = keys.verify_at(&signed(&key, mutated.as_bytes()).unwrap(), NOW);
        }
    }
    let keys = keys_of(&[]);
    for _ in 0..10_000 {
        let text: String = (0..random(200)).map(|_| char::from(u8::try_from(random(256)).unwrap())).collect();
        assert!(keys.verify_at(&text, NOW).is_none(), "{text:?}");
    }
}
