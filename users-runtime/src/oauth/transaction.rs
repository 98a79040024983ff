//! What a sign-in that has begun remembers until the provider answers (S43).

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{error::Error, token::OpaqueToken};

/// What a sign-in remembers until the provider answers. The client keeps it sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OAuthTransaction {
    /// What the answer has to bring back, against answers to requests that this browser did not make.
    state: String,
    /// What the ID token has to hold, against ID tokens of another sign-in.
    pub(super) nonce: String,
    /// What proves to the provider that whoever brings the code also asked for it (RFC 7636).
    pub(super) verifier: String,
    /// What was asked for: what an answer that names no scopes grants (RFC 6749, section 5.1).
    pub(super) scopes: Vec<String>,
}

impl OAuthTransaction {
    /// A new one, of 256 bits each from the operating system.
    pub(super) fn random(scopes: Vec<String>) -> Result<Self, Error> {
        let random = || OpaqueToken::random().map(|token| token.expose().to_string());
        Ok(Self { state: random()?, nonce: random()?, verifier: random()?, scopes })
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Whether an answer with this state is to this sign-in; the time says nothing of how much of it is right.
    #[must_use]
    pub(crate) fn is_answered_by(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }
}

impl fmt::Debug for OAuthTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuthTransaction(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn s43_state_nonce_and_verifier_are_256_random_bits_each() {
        let mut seen = HashSet::new();
        for _ in 0..100 {
            let OAuthTransaction { state, nonce, verifier, .. } = OAuthTransaction::random(vec![]).unwrap();
            for text in [state, nonce, verifier] {
                // 43 characters of base64url, which a verifier has to have at least (RFC 7636, section 4.1).
                assert!(OpaqueToken::parse(&text).is_some_and(|_| text.len() == 43), "{text}");
                assert!(seen.insert(text), "a repeated value");
            }
        }
    }

    #[test]
    fn s43_a_state_answers_its_own_transaction_alone() {
        let (one, two) =
            (OAuthTransaction::random(vec![]).unwrap(), OAuthTransaction::random(vec![]).unwrap());
        assert!(one.is_answered_by(one.state()));
        let longer = format!("{}A", one.state());
        for state in
            [two.state(), "", &one.state()[..42], &longer, &one.state().to_lowercase(), one.nonce.as_str()]
        {
            assert!(!one.is_answered_by(state), "{state}");
        }
    }

    #[test]
    fn s43_a_transaction_survives_sealing_and_shows_nothing_in_logs() {
        let one = OAuthTransaction::random(vec!["email".to_owned()]).unwrap();
        let json = serde_json::to_string(&one).unwrap();
        let read: OAuthTransaction = serde_json::from_str(&json).unwrap();
        assert!(read.is_answered_by(one.state()));
        assert_eq!((&read.nonce, &read.verifier, &read.scopes), (&one.nonce, &one.verifier, &one.scopes));
        assert_eq!(format!("{one:?}"), "OAuthTransaction(..)");
    }
}
