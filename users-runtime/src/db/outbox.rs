//! The outbox: mails that the database promises to send, without the secrets they will carry.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::token::{Fingerprint, Nonce};

/// One mail to be sent. What it needs to know of the account is read when it is sent, so a request for an unknown
/// account costs the same statement as one for a known account (S10, S11).
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "mail", rename_all = "snake_case")]
pub(crate) enum Message {
    /// A token that proves the mailbox of the account with this canonical identifier, unless it is proven.
    Verify { canonical: String },
    /// A token that lets the owner of the mailbox choose a password.
    PasswordReset { canonical: String },
    /// A token, sent to the new address, that completes the change of an identifier.
    ConfirmIdentifier { user_id: String, new_identifier: String },
    /// Tells the owner of the account with this canonical identifier that somebody tried to register with it.
    AlreadyRegistered { canonical: String },
    /// An invitation, for so many milliseconds from the moment of this promise.
    Invitation { id: Uuid, identifier: String, roles: Vec<String>, lifetime: i64 },
    /// Tells an address that the password was changed.
    PasswordChanged { to: String },
    /// Tells the old address that a change to another one is under way.
    IdentifierChangeRequested { to: String, new_identifier: String },
    /// Tells the old address that the change is done.
    IdentifierChanged { to: String, new_identifier: String },
    /// Tells the owner of an account until when it can be had back, in milliseconds since 1970.
    DeletionRequested { to: String, due_at: i64 },
    /// Tells the owner that the account stays.
    DeletionCancelled { to: String },
}

/// A message and the tenant whose account it is about.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<T, M> {
    pub(crate) tenant: T,
    pub(crate) message: M,
    /// Who asked for it, where a stranger may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Asked>,
}

/// Where a request for a mail came from. Whose account it is about is known when the mail is sent, and recorded then.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) actor: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) client: Option<String>,
}

/// A mail that this process is to send now; another one may claim it when the lease ends.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) id: i64,
    pub(crate) nonce: Nonce,
    /// What the account was when the mail was promised for that state alone, or when its token was issued; `None`
    /// before that. A mail that is sent late, or again, must not give a token to what the account was before.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) message: String,
    pub(crate) created_at: i64,
    pub(crate) attempts: u32,
}
