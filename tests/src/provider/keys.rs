//! Keys that are made for one test, and what is signed with them.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::AsDer,
    hmac,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use serde_json::{Value, json};

/// The key that signs.
pub(super) struct Keys {
    current: Key,
    rotations: usize,
}

/// A key that is in no set.
static OTHER: LazyLock<Key> = LazyLock::new(|| Key::generate("another"));

pub(super) struct Key {
    pair: RsaKeyPair,
    pub(super) id: String,
}

impl Keys {
    pub(super) fn generate() -> Self {
        Self { current: Key::generate("key-0"), rotations: 0 }
    }

    pub(super) fn rotate(&mut self) {
        self.rotations += 1;
        self.current = Key::generate(&format!("key-{}", self.rotations));
    }

    pub(super) fn current(&self) -> &Key {
        &self.current
    }

    pub(super) fn other() -> &'static Key {
        &OTHER
    }

    pub(super) fn set(&self) -> Value {
        // Keys of kinds that nobody knows yet stand in real sets too.
        let unknown = json!({ "kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "AQAB" });
        json!({ "keys": [unknown, self.current.jwk()] })
    }
}

impl Key {
    fn generate(id: &str) -> Self {
        Self { pair: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"), id: id.to_owned() }
    }

    pub(super) fn jwk(&self) -> Value {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": BASE64_URL.encode(&public.n),
            "e": BASE64_URL.encode(&public.e),
        })
    }

    /// A JWT with this header, whatever it says.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .expect("a signature");
        format!("{message}.{}", BASE64_URL.encode(signature))
    }

    /// The public key as an attacker finds it, in the form that libraries have taken for a secret.
    pub(super) fn public_pem(&self) -> String {
        let der = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(self.pair.public_key())
            .expect("a key");
        let body = base64::prelude::BASE64_STANDARD.encode(der.as_ref());
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }
}

/// A JWT by HS256.
pub(super) fn sign_shared(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", BASE64_URL.encode(tag))
}

/// What a signature is over.
pub(super) fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64_URL.encode(header.to_string()), BASE64_URL.encode(claims.to_string()))
}
