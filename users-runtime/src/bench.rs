//! What the benchmarks measure of this crate's inside. No part of the interface.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    clock,
    config::Config,
    db::{Database, outbox::Message},
    error::Error,
    password::{PasswordPool, Verdict},
    secret::{Password, PasswordHash, SecretKey},
    token::{Keys, jwt::NewToken},
};

/// The name that values are sealed under.
const NAME: &str = "session";

/// For how long what is signed and sealed here is good, in milliseconds.
const LIFETIME: i64 = 3_600_000;

/// Keys of an application, and what they have signed and sealed.
pub struct Credentials {
    keys: Keys,
    token: String,
    sealed: String,
}

impl Credentials {
    /// A token, and this value sealed.
    ///
    /// # Errors
    /// Without randomness.
    pub fn new(value: &[u8]) -> Result<Self, Error> {
        let config = Config::new(SecretKey::generate()?);
        let keys = Keys::derive(&config.secret_key, &[], &config.tokens, config.base_url.as_str())?;
        let now = clock::now();
        let token = keys.jwt.sign(NewToken {
            subject: Uuid::now_v7().to_string(),
            token_id: Uuid::new_v4().to_string(),
            session: Uuid::now_v7(),
            issued_at: now / 1000,
            expires_at: (now + LIFETIME) / 1000,
            custom: serde_json::Map::new(),
        })?;
        let sealed = keys.seal(NAME, now + LIFETIME, value)?;
        Ok(Self { keys, token, sealed })
    }

    /// Checks the token's signature and claims.
    #[must_use]
    pub fn check_token(&self) -> bool {
        self.keys.jwt.verify(&self.token).is_some()
    }

    /// Seals a value for a cookie.
    ///
    /// # Errors
    /// Without randomness.
    pub fn seal(&self, value: &[u8]) -> Result<String, Error> {
        self.keys.seal(NAME, clock::now() + LIFETIME, value)
    }

    /// Opens the sealed value.
    #[must_use]
    pub fn open(&self) -> bool {
        self.keys.open(NAME, &self.sealed, clock::now()).is_some()
    }
}

/// The threads that hash, and a password with its hash.
pub struct Hashing {
    pool: PasswordPool,
    password: Password,
    hash: Arc<PasswordHash>,
}

impl Hashing {
    /// So many threads.
    ///
    /// # Errors
    /// Without threads or randomness.
    pub async fn new(threads: usize) -> Result<Self, Error> {
        let config = Config::new(SecretKey::generate()?);
        let pool = PasswordPool::new(config.argon2, threads, config.hash_queue, Vec::new())?;
        let password = Password::new("correct horse battery staple");
        let hash = Arc::new(pool.hash(&password).await?);
        Ok(Self { pool, password, hash })
    }

    /// Compares the password with its hash.
    ///
    /// # Errors
    /// When the queue is full.
    pub async fn verify(&self) -> Result<bool, Error> {
        Ok(self.pool.verify(&self.password, Some(&self.hash)).await? == Verdict::Right)
    }
}

/// A database with the library's tables.
pub struct Outbox(Database);

impl Outbox {
    /// Of an application that has made its tables in it.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Database::connect(url, None).await.map(Self)
    }

    /// Promises a mail, in a transaction of its own.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert(&self) -> Result<(), Error> {
        let mut transaction = self.0.begin().await?;
        transaction.enqueue(&(), &Message::PasswordChanged { to: "ada@example.com".to_owned() }).await?;
        transaction.commit().await
    }
}
