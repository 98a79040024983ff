//! One Argon2 computation at a time, in memory that is reused, and its PHC string.

use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{error::Error, secret::PasswordHash};

use super::Argon2Cost;

/// The salt of a new hash, in bytes (RFC 9106, section 3.1, recommends 16).
const SALT_BYTES: usize = 16;

/// The output of a new hash, in bytes.
const OUTPUT_BYTES: usize = 32;

impl Argon2Cost {
    fn params(self) -> Result<Params, Error> {
        Params::new(self.m_kib(), self.t(), self.p(), None).map_err(Error::internal)
    }
}

/// A stored Argon2 hash of any variant, version and cost.
#[derive(Debug)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: phc::Salt,
    output: phc::Output,
}

impl Argon2Hash {
    /// Reads a PHC string; `None` when it is not of Argon2, is damaged, or asks for an absurd amount of work.
    pub(super) fn parse(stored: &str) -> Option<Self> {
        let stored = phc::PasswordHash::new(stored).ok()?;
        let algorithm = Algorithm::new(stored.algorithm.as_str()).ok()?;
        // The reference implementation wrote no version before 0x13.
        let version = stored.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
        if ["m", "t", "p"].iter().any(|&name| stored.params.get(name).is_none()) {
            return None;
        }
        let params = Params::try_from(&stored.params).ok()?;
        // Whoever can write one row must not be able to occupy the machine (resource exhaustion).
        if params.m_cost() > Argon2Cost::M_KIB_CEILING
            || params.t_cost() > Argon2Cost::T_CEILING
            || params.p_cost() > Argon2Cost::P_CEILING
        {
            return None;
        }
        Some(Self { algorithm, version, params, salt: stored.salt?, output: stored.hash? })
    }

    /// A hash of the given cost that no password has: its output is random.
    pub(super) fn dummy(cost: Argon2Cost) -> Result<Self, Error> {
        Ok(Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: cost.params()?,
            salt: phc::Salt::new(&random::<SALT_BYTES>()?).map_err(Error::internal)?,
            output: phc::Output::new(&random::<OUTPUT_BYTES>()?).map_err(Error::internal)?,
        })
    }

    /// Whether a new hash of this cost would be made in the same way. A costlier one is not: every account has to
    /// take the time that an unknown one takes.
    pub(super) fn is_current(&self, cost: Argon2Cost) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && (self.params.m_cost(), self.params.t_cost(), self.params.p_cost())
                == (cost.m_kib(), cost.t(), cost.p())
            && self.params.keyid().is_empty()
            && self.params.data().is_empty()
            && self.salt.len() >= SALT_BYTES
            && self.output.len() == OUTPUT_BYTES
    }
}

/// Computes hashes in memory of its own, which stays allocated at the configured cost.
#[derive(Debug)]
pub(super) struct Argon2Memory {
    params: Params,
    blocks: Vec<Block>,
}

impl Argon2Memory {
    /// Allocates nothing yet: a thread that never hashes takes no memory.
    pub(super) fn new(cost: Argon2Cost) -> Result<Self, Error> {
        Ok(Self { params: cost.params()?, blocks: Vec::new() })
    }

    /// A new hash with a random salt.
    pub(super) fn hash(&mut self, password: &[u8]) -> Result<PasswordHash, Error> {
        let salt = random::<SALT_BYTES>()?;
        let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
        let params = self.params.clone();
        let phc = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: phc::ParamsString::try_from(&params).map_err(Error::internal)?,
            salt: Some(phc::Salt::new(&salt).map_err(Error::internal)?),
            hash: {
                self.compute(Algorithm::Argon2id, Version::V0x13, params, password, &salt, &mut *output)?;
                Some(phc::Output::new(&*output).map_err(Error::internal)?)
            },
        };
        Ok(PasswordHash::from_phc(phc.to_string()))
    }

    /// Whether a stored hash is that of `password`.
    pub(super) fn matches(&mut self, password: &[u8], stored: &Argon2Hash) -> Result<bool, Error> {
        let mut output = Zeroizing::new([0; phc::Output::MAX_LENGTH]);
        let output = &mut output[..stored.output.len()];
        let Argon2Hash { algorithm, version, ref params, ref salt, .. } = *stored;
        self.compute(algorithm, version, params.clone(), password, salt, output)?;
        // Constant time: how much of the hash agrees must not be measurable (timing attack).
        Ok(output.ct_eq(stored.output.as_bytes()).into())
    }

    fn compute(
        &mut self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Error> {
        let needed = params.block_count();
        if let Some(more) = needed.checked_sub(self.blocks.len()) {
            self.blocks.try_reserve_exact(more).map_err(Error::unavailable)?;
            self.blocks.resize(needed, Block::new());
        }
        let computed = Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password, salt, output, &mut self.blocks)
            .map_err(Error::internal);
        // One costly hash of another application must not keep its memory for good.
        let kept = self.params.block_count();
        if self.blocks.len() > kept {
            self.blocks.truncate(kept);
            self.blocks.shrink_to_fit();
        }
        computed
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Known answers of the reference implementation; the password is `password`, the salt `somesalt`.
    const KNOWN: &[&str] = &[
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs",
    ];

    fn memory() -> Argon2Memory {
        Argon2Memory::new(Argon2Cost::default()).unwrap()
    }

    #[test]
    fn s09_known_hashes_of_every_variant_version_and_cost_verify_in_reused_memory() {
        let mut memory = memory();
        for stored in KNOWN {
            let hash = Argon2Hash::parse(stored).unwrap();
            assert!(memory.matches(b"password", &hash).unwrap(), "{stored}");
            assert!(!memory.matches(b"Password", &hash).unwrap(), "{stored}");
            assert!(!hash.is_current(Argon2Cost::default()), "{stored}");
        }
    }

    #[test]
    fn s08_a_new_hash_is_argon2id_of_the_configured_cost_with_a_salt_of_its_own() {
        let mut memory = memory();
        let hash = memory.hash("pässword".as_bytes()).unwrap();
        let again = memory.hash("pässword".as_bytes()).unwrap();
        assert!(hash.expose_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose_phc());
        assert_ne!(hash, again);

        let parsed = Argon2Hash::parse(hash.expose_phc()).unwrap();
        assert_eq!((parsed.salt.len(), parsed.output.len()), (16, 32));
        assert!(memory.matches("pässword".as_bytes(), &parsed).unwrap());
        assert!(!memory.matches("passwörd".as_bytes(), &parsed).unwrap());
    }

    #[test]
    fn s09_a_hash_is_current_at_exactly_the_configured_cost() {
        let cost = Argon2Cost::default();
        let salt_and_hash = "MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
        let current =
            |head: &str| Argon2Hash::parse(&format!("{head}{salt_and_hash}")).unwrap().is_current(cost);
        assert!(current("$argon2id$v=19$m=19456,t=2,p=1$"));
        for outdated in [
            "$argon2id$v=19$m=19455,t=2,p=1$",
            "$argon2id$v=19$m=65536,t=2,p=1$",
            "$argon2id$v=19$m=19456,t=3,p=1$",
            "$argon2id$v=19$m=19456,t=2,p=2$",
            "$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA$",
            "$argon2id$v=16$m=19456,t=2,p=1$",
            "$argon2id$m=19456,t=2,p=1$",
            "$argon2i$v=19$m=19456,t=2,p=1$",
            "$argon2d$v=19$m=19456,t=2,p=1$",
        ] {
            assert!(!current(outdated), "{outdated}");
        }
        assert!(Argon2Hash::dummy(cost).unwrap().is_current(cost));
    }

    #[test]
    fn damaged_and_absurd_hashes_are_not_recognised() {
        let tail = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert!(Argon2Hash::parse(&format!("$argon2id$v=19$m=256,t=2,p=1{tail}")).is_some());
        for head in [
            "$argon2id$v=19$m=1048577,t=2,p=1",
            "$argon2id$v=19$m=4294967295,t=2,p=1",
            "$argon2id$v=19$m=4294967296,t=2,p=1",
            "$argon2id$v=19$m=256,m=4294967295,t=2,p=1",
            "$argon2id$v=19$m=256,t=65,p=1",
            "$argon2id$v=19$m=65536,t=2,p=65",
            "$argon2id$v=19$m=256,t=0,p=1",
            "$argon2id$v=19$m=256,t=2,p=0",
            "$argon2id$v=19$m=8,t=2,p=2",
            "$argon2id$v=19$m=256,t=2",
            "$argon2id$v=19",
            "$argon2id$v=18$m=256,t=2,p=1",
            "$argon2$v=19$m=256,t=2,p=1",
            "$scrypt$ln=15,r=8,p=1",
            "",
        ] {
            assert!(Argon2Hash::parse(&format!("{head}{tail}")).is_none(), "{head}");
        }
        for stored in [
            "",
            "plain text",
            "$argon2id$v=19$m=256,t=2,p=1",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
            "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65",
        ] {
            assert!(Argon2Hash::parse(stored).is_none(), "{stored}");
        }
    }

    #[test]
    fn memory_is_allocated_at_first_use_and_shrinks_to_the_configured_cost() {
        let mut memory = memory();
        assert_eq!(memory.blocks.capacity(), 0);
        let costly = Argon2Hash::parse(KNOWN[2]).unwrap();
        assert!(memory.matches(b"password", &costly).unwrap());
        assert_eq!(memory.blocks.len(), 19_456);
        assert!(memory.blocks.capacity() < 65_536);
        let at = memory.blocks.as_ptr();
        memory.hash(b"password").unwrap();
        assert_eq!(memory.blocks.as_ptr(), at);
    }
}
