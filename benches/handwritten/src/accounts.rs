//! What the routes do, without HTTP.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::{
    database::{Bound, Database, Mail, NewSession, Purpose},
    error::{Error, FieldError},
    keys::{Keys, Token, TokenHash},
    passwords,
};

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;

/// How long a session lives without a request.
const IDLE: i64 = 7 * DAY;

/// How often a session that is in use is renewed.
const RENEW_EVERY: i64 = 5 * MINUTE;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    #[serde(skip)]
    pub(crate) password_hash: String,
    pub(crate) is_active: bool,
    pub(crate) is_verified: bool,
    pub(crate) display_name: Option<String>,
    pub(crate) login_count: i64,
    pub(crate) roles: Vec<Role>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Role {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

/// Where a request came from.
pub(crate) struct Client {
    pub(crate) address: String,
    pub(crate) agent: Option<String>,
}

/// What a client shows that it has logged in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    JwtCookie,
    Session,
}

impl Kind {
    pub(crate) fn cookie(self) -> &'static str {
        match self {
            Self::JwtCookie => "token",
            Self::Session => "session",
        }
    }

    /// How long a login lasts, however busy, in milliseconds.
    pub(crate) fn lifetime(self) -> i64 {
        match self {
            Self::JwtCookie => DAY,
            Self::Session => 30 * DAY,
        }
    }
}

pub(crate) struct Accounts {
    pub(crate) database: Database,
    pub(crate) keys: Keys,
    pub(crate) kind: Kind,
}

impl Accounts {
    pub(crate) async fn register(
        &self,
        client: &Client,
        email: &str,
        password: String,
        display_name: Option<String>,
    ) -> Result<User, Error> {
        let mut errors = Vec::new();
        let identifier = canonical(email);
        if identifier.is_none() {
            errors.push(FieldError { field: "email", code: "invalid_email", detail: "is no address" });
        }
        errors.extend(passwords::check_new(&password, email).err());
        errors.extend(check_display_name(display_name.as_deref()).err());
        let (Some((email, canonical)), true) = (identifier, errors.is_empty()) else {
            return Err(Error::Fields(errors));
        };
        let user = User {
            id: Uuid::now_v7(),
            email,
            password_hash: passwords::hash(password).await?,
            is_active: true,
            is_verified: false,
            display_name,
            login_count: 0,
            roles: Vec::new(),
        };
        let mail = mail(&json!({ "tenant": null, "message": { "mail": "verify", "canonical": canonical } }))?;
        self.database.register(client, &user, &canonical, &mail, now()).await?;
        Ok(user)
    }

    /// The user, and the value of the cookie; `replaced` is the credential that the request came with.
    pub(crate) async fn log_in(
        &self,
        client: &Client,
        email: &str,
        password: String,
        replaced: Option<&str>,
    ) -> Result<(User, String), Error> {
        passwords::check_length(&password).map_err(|error| Error::Fields(vec![error]))?;
        let found = match canonical(email) {
            Some((_, canonical)) => self.database.user_by_canonical(&canonical).await?,
            None => None,
        };
        let right =
            passwords::verify(password, found.as_ref().map(|user| user.password_hash.clone())).await?;
        let user = match &found {
            Some(user) if right => user,
            _ => {
                let reason = if found.is_some() { "wrong_password" } else { "unknown_account" };
                let user = found.map(|user| user.id);
                self.database.record_failed_login(client, user, "failure", reason, now()).await?;
                return Err(Error::BadCredentials);
            }
        };
        let refused = match user {
            User { is_active: false, .. } => Some(("inactive", Error::BadCredentials)),
            User { is_verified: false, .. } => Some(("not_verified", Error::NotVerified)),
            _ => None,
        };
        if let Some((reason, error)) = refused {
            self.database.record_failed_login(client, Some(user.id), "refused", reason, now()).await?;
            return Err(error);
        }
        let (token, now) = (Token::random()?, now());
        let session = NewSession {
            id: token.hash(),
            fingerprint: self.keys.fingerprint(user),
            expires_at: now + self.kind.lifetime(),
            idle_since: now - IDLE,
            replaces: replaced.and_then(|text| self.session_of(text)).map(|(id, _)| id),
        };
        let changed = self.database.log_in(client, user, &session, now).await?;
        let shown = User { roles: user.roles.clone(), ..changed.ok_or(Error::BadCredentials)? };
        let credential = match self.kind {
            Kind::JwtCookie => self.keys.sign(user.id, &token, now, session.expires_at)?,
            Kind::Session => token.expose(),
        };
        Ok((shown, credential))
    }

    /// The session that a credential names, and whom a JWT says that it is for.
    fn session_of(&self, credential: &str) -> Option<(TokenHash, Option<Uuid>)> {
        match self.kind {
            Kind::JwtCookie => {
                self.keys.verify(credential).map(|(user, session)| (session.hash(), Some(user)))
            }
            Kind::Session => Token::parse(credential).map(|session| (session.hash(), None)),
        }
    }

    /// Who a credential stands for now, and their session.
    pub(crate) async fn authenticate(&self, credential: &str) -> Result<(User, TokenHash), Error> {
        let (id, named) = self.session_of(credential).ok_or(Error::Unauthenticated)?;
        let found = self.database.by_session(id).await?.ok_or(Error::Unauthenticated)?;
        let now = now();
        let lives = now < found.expires_at && now < found.seen_at + IDLE;
        let is_theirs = named.is_none_or(|user| user == found.user.id);
        if !lives || !is_theirs || !self.keys.fits(&found.fingerprint, &found.user) || !found.user.is_active {
            return Err(Error::Unauthenticated);
        }
        if !found.user.is_verified {
            return Err(Error::NotVerified);
        }
        if now - found.seen_at >= RENEW_EVERY {
            self.database.touch_session(id, now).await?;
        }
        Ok((found.user, id))
    }

    pub(crate) async fn log_out(&self, client: &Client, user: Uuid, session: TokenHash) -> Result<(), Error> {
        self.database.log_out(client, user, session, now()).await
    }

    pub(crate) async fn rename(&self, user: User, display_name: Option<&str>) -> Result<User, Error> {
        check_display_name(display_name).map_err(|error| Error::Fields(vec![error]))?;
        let changed = self.database.rename(user.id, display_name).await?.ok_or(Error::Unauthenticated)?;
        Ok(User { roles: user.roles, ..changed })
    }

    /// Promises a mail. The account is looked up when that leaves, so that nothing here tells whether there is one.
    pub(crate) async fn forgot_password(&self, client: &Client, email: &str) -> Result<(), Error> {
        let Some((_, canonical)) = canonical(email) else { return Ok(()) };
        let asked = json!({ "actor": null, "address": client.address, "client": client.agent });
        let message = json!({ "mail": "password_reset", "canonical": canonical });
        let mail = mail(&json!({ "tenant": null, "message": message, "asked": asked }))?;
        self.database.promise(&mail, now()).await
    }

    pub(crate) async fn reset_password(
        &self,
        client: &Client,
        token: &str,
        password: String,
    ) -> Result<(), Error> {
        let (token, user) = self.redeemable(token, Purpose::PasswordReset).await?;
        passwords::check_new(&password, &user.email).map_err(|error| Error::Fields(vec![error]))?;
        let hash = passwords::hash(password).await?;
        let message = json!({ "mail": "password_changed", "to": user.email });
        let mail = mail(&json!({ "tenant": null, "message": message }))?;
        let done = self.database.reset_password(client, &user, token, &hash, &mail, now()).await?;
        if done { Ok(()) } else { Err(Error::TokenInvalid) }
    }

    pub(crate) async fn verify(&self, client: &Client, token: &str) -> Result<User, Error> {
        let (token, user) = self.redeemable(token, Purpose::Verify).await?;
        if !self.database.verify(client, user.id, token, now()).await? {
            return Err(Error::TokenInvalid);
        }
        Ok(User { is_verified: true, ..user })
    }

    /// The token of a mail that was issued for what its account is now.
    async fn redeemable(&self, token: &str, purpose: Purpose) -> Result<(TokenHash, User), Error> {
        let hash = Token::parse(token).ok_or(Error::TokenInvalid)?.hash();
        let found = self.database.by_one_time_token(hash, purpose).await?.ok_or(Error::TokenInvalid)?;
        let Bound { user, fingerprint, expires_at, .. } = found;
        let current = now() < expires_at && user.is_active && self.keys.fits(&fingerprint, &user);
        if current { Ok((hash, user)) } else { Err(Error::TokenInvalid) }
    }

    pub(crate) async fn delete_expired(&self) -> Result<(), Error> {
        let now = now();
        self.database.delete_expired(now, now - IDLE).await
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// An address as it is shown and as it is compared.
fn canonical(email: &str) -> Option<(String, String)> {
    let typed: String = email.trim().nfc().collect();
    let (local, domain) = typed.rsplit_once('@')?;
    let is_address = !local.is_empty()
        && local.len() <= 64
        && !domain.is_empty()
        && typed.len() <= 254
        && !typed.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    let canonical = typed.to_lowercase();
    is_address.then_some((typed, canonical))
}

fn check_display_name(name: Option<&str>) -> Result<(), FieldError> {
    match name {
        Some(name) if !(2..=40).contains(&name.chars().count()) => {
            Err(FieldError { field: "display_name", code: "length", detail: "needs 2 to 40 characters" })
        }
        _ => Ok(()),
    }
}

fn mail(message: &serde_json::Value) -> Result<Mail, Error> {
    Ok(Mail { nonce: Token::random()?, json: message.to_string() })
}
