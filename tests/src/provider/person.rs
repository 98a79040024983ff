//! Who signs in.

use serde_json::{Value, json};

/// Somebody with an account at the provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
    /// What the plain user information calls `id`: a number, as at GitHub, or a text.
    pub id: Value,
    /// Whether the ID token has the address and the name, or the user information alone.
    pub in_id_token: bool,
    /// Claims beside these, or in place of them.
    pub claims: Value,
}

impl Person {
    /// Somebody whose address is verified.
    pub fn new(subject: &str, email: &str, name: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            email: Some(email.to_owned()),
            email_verified: true,
            name: Some(name.to_owned()),
            id: json!(subject),
            in_id_token: true,
            claims: json!({}),
        }
    }

    pub fn ada() -> Self {
        Self { id: json!(1815), ..Self::new("ada-1815", "ada@example.com", "Ada Lovelace") }
    }

    pub fn grace() -> Self {
        Self { id: json!(1906), ..Self::new("grace-1906", "grace@example.com", "Grace Hopper") }
    }

    /// Somebody who says that Ada's address is hers, which the provider has not verified.
    pub fn eve() -> Self {
        Self { id: json!(666), email_verified: false, ..Self::new("eve-666", "ada@example.com", "Eve") }
    }

    /// The same person with another address, or with none.
    pub fn with_email(self, email: Option<&str>, verified: bool) -> Self {
        Self { email: email.map(str::to_owned), email_verified: verified, ..self }
    }

    /// The same person, whom the ID token only names by the subject.
    pub fn outside_the_id_token(self) -> Self {
        Self { in_id_token: false, ..self }
    }

    /// The address and the name, if the client asked for them.
    pub(super) fn profile(&self, scope: &str) -> Value {
        let asked = |name: &str| scope.split(' ').any(|scope| scope == name);
        let mut claims = json!({});
        if let Some(email) = self.email.as_ref().filter(|_| asked("email")) {
            claims["email"] = json!(email);
            claims["email_verified"] = json!(self.email_verified);
        }
        if let Some(name) = self.name.as_ref().filter(|_| asked("profile")) {
            claims["name"] = json!(name);
        }
        super::merged(claims, &self.claims)
    }
}
