//! Keys of access tokens: one algorithm each, one header each.

use std::{fmt, sync::Arc};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64_URL},
};
use hkdf::Hkdf;
use jsonwebtoken::{
    DecodingKey, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER as CRYPTO, jwk::EllipticCurve,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{error::Error, secret::check_strength};

/// A key that signs access tokens, or that verified them before another one took its place. It has one algorithm and
/// serves no other (RFC 8725, section 3.1). Cloning shares it.
///
/// Without one, tokens are signed by HS256 with a key that is derived from the secret key. A key of one's own is for tokens
/// that other services verify too: those take a public key (RS256, PS256, ES256, `EdDSA`), which the route
/// `/.well-known/jwks.json` hands out, because whoever has a shared secret can sign with it.
///
/// | algorithm | a key for it |
/// | --- | --- |
/// | `EdDSA` | `openssl genpkey -algorithm ed25519` |
/// | ES256 | `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` |
/// | RS256, PS256 | `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072` |
/// | HS256, HS384, HS512 | `openssl rand -base64 32`, `48` or `64` |
///
/// The functions for PEM take a private key, or, for [`Config::with_old_token_key`], the public key that belongs to one
/// (`openssl pkey -pubout`).
///
/// [`Config::with_old_token_key`]: crate::Config::with_old_token_key
#[derive(Clone)]
pub struct TokenKey(Arc<Parts>);

struct Parts {
    algorithm: Algorithm,
    /// `None` for a public key.
    signing: Option<EncodingKey>,
    verifying: DecodingKey,
    id: String,
    /// The first segment of every token that this key signs.
    header: String,
    /// The key in a set of public keys; `None` for a secret.
    jwk: Option<String>,
}

/// The algorithms that there are keys for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// Its name in a header (RFC 7518, section 3.1; RFC 8037, section 3.1).
    fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn implemented(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Hs384 => jsonwebtoken::Algorithm::HS384,
            Self::Hs512 => jsonwebtoken::Algorithm::HS512,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

/// The characters of a key's identifier: 144 bits of its digest.
const ID_CHARACTERS: usize = 24;

impl TokenKey {
    /// HMAC with SHA-256 under a secret that is taken as it stands: base64 is not decoded.
    ///
    /// # Errors
    /// When the secret has fewer than 32 bytes (RFC 7518, section 3.2), or is plainly not random.
    pub fn hs256(secret: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::strong_secret(Algorithm::Hs256, secret.into(), 32)
    }

    /// HMAC with SHA-384, as [`TokenKey::hs256`].
    ///
    /// # Errors
    /// When the secret has fewer than 48 bytes, or is plainly not random.
    pub fn hs384(secret: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::strong_secret(Algorithm::Hs384, secret.into(), 48)
    }

    /// HMAC with SHA-512, as [`TokenKey::hs256`].
    ///
    /// # Errors
    /// When the secret has fewer than 64 bytes, or is plainly not random.
    pub fn hs512(secret: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::strong_secret(Algorithm::Hs512, secret.into(), 64)
    }

    /// RSA signatures of PKCS #1 v1.5 with SHA-256: what every service verifies.
    ///
    /// # Errors
    /// When the text is not an RSA key in PEM, in PKCS #8 or PKCS #1 and unencrypted, of 2048 to 8192 bits (RFC 7518,
    /// section 3.3).
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::rsa(Algorithm::Rs256, pem.as_ref()).ok_or_else(|| rsa_problem("TokenKey::rs256_pem"))
    }

    /// RSA signatures of PSS with SHA-256.
    ///
    /// # Errors
    /// As [`TokenKey::rs256_pem`].
    pub fn ps256_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::rsa(Algorithm::Ps256, pem.as_ref()).ok_or_else(|| rsa_problem("TokenKey::ps256_pem"))
    }

    /// ECDSA signatures on the curve P-256 with SHA-256.
    ///
    /// # Errors
    /// When the text is not an EC key of this curve in PEM, in PKCS #8 and unencrypted.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::p256(pem.as_ref()).ok_or_else(|| {
            problem(
                "TokenKey::es256_pem",
                "is not an unencrypted key of the curve P-256 in PEM (PKCS #8); \
                 make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`",
            )
        })
    }

    /// Signatures of Ed25519, whose algorithm is called `EdDSA`: short and quick.
    ///
    /// # Errors
    /// When the text is not an Ed25519 key in PEM, in PKCS #8 and unencrypted.
    pub fn ed25519_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::ed25519(pem.as_ref()).ok_or_else(|| {
            problem(
                "TokenKey::ed25519_pem",
                "is not an unencrypted Ed25519 key in PEM (PKCS #8); make one with `openssl genpkey -algorithm ed25519`",
            )
        })
    }

    fn strong_secret(algorithm: Algorithm, secret: Vec<u8>, needed: usize) -> Result<Self, Error> {
        let secret = Zeroizing::new(secret);
        check_strength(&secret, needed)?;
        Self::secret(algorithm, &secret)
    }

    /// A secret that is as long as it needs to be.
    pub(super) fn secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        let mut id = [0; ID_CHARACTERS / 4 * 3];
        Hkdf::<Sha256>::new(None, secret)
            .expand(b"users-runtime/v1/jwt-key-id", &mut id)
            .map_err(|error| Error::internal(error.to_string()))?;
        let (signing, verifying) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Ok(Self::new(algorithm, Some(signing), verifying, BASE64_URL.encode(id), None))
    }

    fn rsa(algorithm: Algorithm, pem: &[u8]) -> Option<Self> {
        let components = match label(pem)? {
            Label::Private => {
                let key = EncodingKey::from_rsa_pem(pem).ok()?;
                let components =
                    (CRYPTO.key_utils.rsa_pub_components_from_private_key)(key.as_bytes()).ok()?;
                (Some(key), components)
            }
            Label::Public => {
                let key = DecodingKey::from_rsa_pem(pem).ok()?;
                let der = key.try_get_as_bytes().ok()?;
                (None, (CRYPTO.key_utils.rsa_pub_components_from_public_key)(der).ok()?)
            }
        };
        let (signing, (modulus, exponent)) = components;
        let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        if !(2048..=8192).contains(&bits) {
            return None;
        }
        let verifying = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
        let members = format!(
            r#""e":"{}","kty":"RSA","n":"{}""#,
            BASE64_URL.encode(exponent),
            BASE64_URL.encode(modulus)
        );
        Self::public(algorithm, signing, verifying, &members)
    }

    fn p256(pem: &[u8]) -> Option<Self> {
        let (signing, point) = match label(pem)? {
            Label::Private => {
                let key = EncodingKey::from_ec_pem(pem).ok()?;
                let components = CRYPTO.key_utils.ec_pub_components_from_private_key;
                let (_, x, y) = components(key.as_bytes(), Algorithm::Es256.implemented()).ok()?;
                (Some(key), [&[UNCOMPRESSED][..], &x, &y].concat())
            }
            Label::Public => (None, der(pem)?.strip_prefix(&P256_PREFIX)?.to_vec()),
        };
        let (&UNCOMPRESSED, coordinates) = point.split_first()? else { return None };
        if coordinates.len() != 64 {
            return None;
        }
        let (x, y) = coordinates.split_at(32);
        let members = format!(
            r#""crv":"P-256","kty":"EC","x":"{}","y":"{}""#,
            BASE64_URL.encode(x),
            BASE64_URL.encode(y)
        );
        Self::public(Algorithm::Es256, signing, DecodingKey::from_ec_der(&point), &members)
    }

    fn ed25519(pem: &[u8]) -> Option<Self> {
        let (signing, public) = match label(pem)? {
            Label::Private => {
                let key = EncodingKey::from_ed_pem(pem).ok()?;
                let component = CRYPTO.key_utils.ed_pub_components_from_private_key;
                let public = component(key.as_bytes(), &EllipticCurve::Ed25519).ok()?;
                (Some(key), public)
            }
            Label::Public => (None, der(pem)?.strip_prefix(&ED25519_PREFIX)?.to_vec()),
        };
        if public.len() != 32 {
            return None;
        }
        let members = format!(r#""crv":"Ed25519","kty":"OKP","x":"{}""#, BASE64_URL.encode(&public));
        Self::public(Algorithm::EdDsa, signing, DecodingKey::from_ed_der(&public), &members)
    }

    /// A pair of keys, or the public one alone. `members` are those of the JSON Web Key that its thumbprint is taken of,
    /// in the order of RFC 7638, section 3.2.
    fn public(
        algorithm: Algorithm,
        signing: Option<EncodingKey>,
        verifying: DecodingKey,
        members: &str,
    ) -> Option<Self> {
        let mut id = BASE64_URL.encode(Sha256::digest(format!("{{{members}}}")));
        id.truncate(ID_CHARACTERS);
        let name = algorithm.name();
        let jwk = format!(r#"{{{members},"alg":"{name}","use":"sig","kid":"{id}"}}"#);
        let key = Self::new(algorithm, signing, verifying, id, Some(jwk));
        // A key whose halves do not belong together would sign tokens that nobody takes.
        let fits = !key.signs() || key.sign("x").is_ok_and(|signature| key.verifies("x", &signature));
        fits.then_some(key)
    }

    fn new(
        algorithm: Algorithm,
        signing: Option<EncodingKey>,
        verifying: DecodingKey,
        id: String,
        jwk: Option<String>,
    ) -> Self {
        // Written by hand, so that no version or feature of a crate puts the members in another order.
        let header = format!(r#"{{"alg":"{}","kid":"{id}","typ":"JWT"}}"#, algorithm.name());
        let header = BASE64_URL.encode(header);
        Self(Arc::new(Parts { algorithm, signing, verifying, id, header, jwk }))
    }

    /// Whether this is more than a public key.
    pub(crate) fn signs(&self) -> bool {
        self.0.signing.is_some()
    }

    /// Whether the other one has the same key, for whatever algorithm.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }

    pub(super) fn header(&self) -> &str {
        &self.0.header
    }

    pub(super) fn jwk(&self) -> Option<&str> {
        self.0.jwk.as_deref()
    }

    pub(super) fn sign(&self, message: &str) -> Result<Vec<u8>, Error> {
        let key = self.0.signing.as_ref().ok_or_else(|| Error::internal("a public key signs nothing"))?;
        let signer =
            (CRYPTO.signer_factory)(&self.0.algorithm.implemented(), key).map_err(Error::internal)?;
        signer.try_sign(message.as_bytes()).map_err(Error::internal)
    }

    pub(super) fn verifies(&self, message: &str, signature: &Vec<u8>) -> bool {
        (CRYPTO.verifier_factory)(&self.0.algorithm.implemented(), &self.0.verifying)
            .is_ok_and(|verifier| verifier.verify(message.as_bytes(), signature).is_ok())
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({}, ..)", self.0.algorithm.name())
    }
}

fn problem(name: &'static str, problem: &str) -> Error {
    Error::Setting { name, problem: problem.to_owned() }
}

fn rsa_problem(name: &'static str) -> Error {
    problem(
        name,
        "is not an unencrypted RSA key of 2048 to 8192 bits in PEM (PKCS #8 or PKCS #1); \
         make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`",
    )
}

enum Label {
    Private,
    Public,
}

/// What the first block of a PEM file says that it holds; `None` for certificates, encrypted keys and the rest.
fn label(pem: &[u8]) -> Option<Label> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, block) = text.split_once("-----BEGIN ")?;
    match block.split_once("-----")?.0 {
        "PRIVATE KEY" | "RSA PRIVATE KEY" => Some(Label::Private),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Some(Label::Public),
        _ => None,
    }
}

/// What stands before the point in a public key of the curve P-256 (RFC 5480, section 2).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The first byte of a point that is given by both its coordinates.
const UNCOMPRESSED: u8 = 4;

/// What stands before the 32 bytes of a public key of Ed25519 (RFC 8410, section 4).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The content of the first block of a PEM file, which is a public key here.
fn der(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, block) = text.split_once("KEY-----")?;
    let (body, _) = block.split_once("-----END ")?;
    let body: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    BASE64_STANDARD.decode(body).ok()
}

#[cfg(test)]
mod tests;
