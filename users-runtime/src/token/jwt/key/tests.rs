use serde_json::{Value, json};

use super::{super::test_keys::*, *};

type FromPem = fn(&'static str) -> Result<TokenKey, Error>;

const RS256: FromPem = TokenKey::rs256_pem;
const PS256: FromPem = TokenKey::ps256_pem;
const ES256: FromPem = TokenKey::es256_pem;
const EDDSA: FromPem = TokenKey::ed25519_pem;

fn jwk(key: &TokenKey) -> Value {
    serde_json::from_str(key.jwk().unwrap()).unwrap()
}

#[test]
fn a_pair_signs_and_its_public_key_verifies_under_the_same_name() {
    for (from_pem, private, public) in [
        (RS256, RSA, RSA_PUBLIC),
        (RS256, RSA_PKCS1, RSA_PUBLIC_PKCS1),
        (PS256, RSA, RSA_PUBLIC),
        (ES256, P256, P256_PUBLIC),
        (EDDSA, ED25519, ED25519_PUBLIC),
    ] {
        let (pair, public) = (from_pem(private).unwrap(), from_pem(public).unwrap());
        assert!(pair.signs() && !public.signs(), "{pair:?}");
        let signature = pair.sign("message").unwrap();
        for key in [&pair, &public] {
            assert!(key.verifies("message", &signature), "{pair:?}");
            assert!(!key.verifies("messages", &signature), "{pair:?}");
        }
        assert!(public.sign("message").is_err());
        assert!(pair.is(&public));
        assert_eq!((pair.header(), pair.jwk()), (public.header(), public.jwk()));
    }
}

#[test]
fn s27_a_key_of_another_kind_or_strength_is_refused_with_the_command_that_makes_one() {
    let rsa = [
        RSA_SHORT,
        RSA_SHORT_PUBLIC,
        RSA_CERTIFICATE,
        P256,
        P256_PUBLIC,
        P384,
        ED25519,
        ED25519_PUBLIC,
        ED448,
    ];
    let p256 = [
        P384,
        P384_PUBLIC,
        SECP256K1,
        SECP256K1_PUBLIC,
        P256_SEC1,
        RSA,
        RSA_PUBLIC,
        RSA_CERTIFICATE,
        ED25519,
        ED25519_PUBLIC,
    ];
    let ed25519 =
        [ED448, X25519, ED25519_ENCRYPTED, P256, P256_PUBLIC, RSA, RSA_PUBLIC, RSA_PKCS1, RSA_CERTIFICATE];
    for (from_pem, name, refused) in [
        (RS256, "TokenKey::rs256_pem: ", &rsa[..]),
        (PS256, "TokenKey::ps256_pem: ", &rsa),
        (ES256, "TokenKey::es256_pem: ", &p256),
        (EDDSA, "TokenKey::ed25519_pem: ", &ed25519),
    ] {
        let no_keys = [
            "",
            "key",
            "-----BEGIN ",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\n\u{e4}\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
        ];
        for pem in refused.iter().chain(&no_keys) {
            let problem = from_pem(pem).unwrap_err().to_string();
            assert!(problem.starts_with(name), "{problem}");
            assert!(problem.contains("make one with `openssl genpkey -algorithm"), "{problem}");
        }
    }
    let not_text: Vec<u8> = vec![0xff; 64];
    assert!(TokenKey::rs256_pem(not_text).is_err());
}

#[test]
fn s27_a_secret_is_as_long_as_its_hash_and_random() {
    type FromSecret = fn(Vec<u8>) -> Result<TokenKey, Error>;
    let constructors: [(FromSecret, usize); 3] =
        [(TokenKey::hs256, 32), (TokenKey::hs384, 48), (TokenKey::hs512, 64)];
    for (from_secret, needed) in constructors {
        let mut secret = vec![0; needed];
        getrandom::fill(&mut secret).unwrap();
        let problem = from_secret(secret[1..].to_vec()).unwrap_err().to_string();
        assert!(problem.ends_with(&format!("`openssl rand -base64 {needed}`")), "{problem}");
        assert!(from_secret(b"changeme".repeat(9)).is_err());
        assert!(from_secret(vec![7; 64]).is_err());
        let key = from_secret(secret).unwrap();
        assert!(key.signs());
        assert_eq!(key.jwk(), None);
    }
}

#[test]
fn a_public_key_is_named_by_its_thumbprint() {
    // The examples of RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    let (rsa, ed25519) = (RS256(RFC7638).unwrap(), EDDSA(RFC8037).unwrap());
    assert!("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".starts_with(&rsa.0.id));
    assert!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".starts_with(&ed25519.0.id));
    assert_eq!(rsa.0.id.len(), ID_CHARACTERS);
}

#[test]
fn s27_a_public_key_is_published_with_nothing_private() {
    for (from_pem, pem, expected) in [
        (RS256, RSA, json!({"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": null})),
        (PS256, RSA, json!({"kty": "RSA", "alg": "PS256", "e": "AQAB", "n": null})),
        (ES256, P256, json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": null, "y": null})),
        (EDDSA, ED25519, json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": null})),
    ] {
        let key = from_pem(pem).unwrap();
        let mut expected = expected;
        expected["use"] = json!("sig");
        expected["kid"] = json!(key.0.id);
        let published = jwk(&key);
        for (name, value) in published.as_object().unwrap() {
            match &expected[name] {
                Value::Null => {
                    assert!(expected.as_object().unwrap().contains_key(name), "{name}");
                    assert!(BASE64_URL.decode(value.as_str().unwrap()).unwrap().len() >= 32, "{name}");
                }
                expected => assert_eq!(value, expected, "{name}"),
            }
        }
        assert_eq!(published.as_object().unwrap().len(), expected.as_object().unwrap().len());
    }
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(jwk(&EDDSA(RFC8037).unwrap())["x"], x);
}

#[test]
fn a_secret_is_named_by_a_digest_that_is_not_its_own() {
    let secret = [7, 1, 9, 30, 200, 41, 5, 66].repeat(4);
    let key = TokenKey::secret(Algorithm::Hs256, &secret).unwrap();
    assert_eq!(key.0.id.len(), ID_CHARACTERS);
    assert!(!BASE64_URL.encode(Sha256::digest(&secret)).starts_with(&key.0.id));
    assert!(key.is(&TokenKey::secret(Algorithm::Hs512, &secret).unwrap()));
    assert!(!key.is(&TokenKey::secret(Algorithm::Hs256, &secret[1..]).unwrap()));
}

#[test]
fn debug_shows_the_algorithm_alone() {
    assert_eq!(format!("{:?}", RS256(RSA).unwrap()), "TokenKey(RS256, ..)");
}
