//! What happened to accounts, for whoever has to know afterwards: the events that the library records.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use http::{HeaderValue, header::USER_AGENT, request::Parts};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::{clock, peer::ClientAddress, session::client_name};

/// Who acted, of an event that no person's request led to.
pub(crate) const PROGRAM: &str = "program";

/// How many events may wait for the hook. Behind more than that it hears of none: the table is the record.
const WAITING: usize = 1024;

/// A set of words, of which a newer version of the library may know more.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$doc])* $variant, )*
            /// One that this version of the library does not know; a newer one has recorded it.
            Other,
        }

        impl $name {
            /// Every one that this version knows.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// Their words.
            pub const WORDS: &'static [&'static str] = &[$( $word ),*];

            /// The word that stands for it, in the database and in responses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                    Self::Other => "other",
                }
            }

            /// The one that a word stands for, if this version knows it.
            #[must_use]
            pub fn from_name(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "client")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Ok(Self::from_name(&word).unwrap_or(Self::Other))
            }
        }
    };
}

words! {
    /// What happened.
    EventKind {
        /// An account was made.
        Registered = "registered",
        /// A mail that proves the mailbox was asked for, and is on its way.
        VerificationRequested = "verification_requested",
        /// The mailbox was proven.
        Verified = "verified",
        /// Somebody tried to log in with a password.
        Login = "login",
        /// Somebody tried to sign in through a provider.
        ProviderLogin = "provider_login",
        /// A login was ended by its user.
        Logout = "logout",
        /// A password was given again to confirm something, and was wrong.
        Reauthentication = "reauthentication",
        /// A refresh token came twice, and its session has ended: one of the two who had it is a thief.
        RefreshTokenReused = "refresh_token_reused",
        /// Wrong passwords locked the account for a while.
        Locked = "locked",
        /// Somebody else than the owner lifted that lock.
        LockLifted = "lock_lifted",
        /// The stored hash was replaced by one of the same password that costs more.
        HashUpgraded = "hash_upgraded",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// A mail by which a password is chosen was asked for, and is on its way.
        PasswordResetRequested = "password_reset_requested",
        /// The password was replaced by the token of a mail.
        PasswordReset = "password_reset",
        /// Another identifier was asked for, which waits for its confirmation.
        IdentifierChangeRequested = "identifier_change_requested",
        /// The identifier was replaced.
        IdentifierChanged = "identifier_changed",
        /// Somebody else than the owner changed the account's own fields or whether its mailbox counts as proven.
        AccountUpdated = "account_updated",
        /// The account may be used.
        Activated = "activated",
        /// The account may not be used.
        Deactivated = "deactivated",
        /// The account's owner asked for its deletion, which waits for its day.
        DeletionRequested = "deletion_requested",
        /// The account's owner came back before that day.
        DeletionCancelled = "deletion_cancelled",
        /// The account was deleted.
        Deleted = "deleted",
        /// The account's owner was given everything that is known of them.
        Exported = "exported",
        /// A session was ended, by its name.
        SessionEnded = "session_ended",
        /// Every session was ended.
        SessionsEnded = "sessions_ended",
        /// An account of a provider was linked.
        ProviderLinked = "provider_linked",
        /// An account of a provider was unlinked.
        ProviderUnlinked = "provider_unlinked",
        /// The user was given a role.
        RoleAssigned = "role_assigned",
        /// A role was taken from the user.
        RoleRevoked = "role_revoked",
        /// A role was made.
        RoleCreated = "role_created",
        /// A role was changed, or given another name.
        RoleUpdated = "role_updated",
        /// A role was deleted.
        RoleDeleted = "role_deleted",
    }
}

words! {
    /// How it went.
    EventOutcome {
        /// It was done.
        Success = "success",
        /// Who tried has not shown to be who they say.
        Failure = "failure",
        /// Who tried has shown to be who they say, and was kept out all the same.
        Refused = "refused",
    }
}

/// Something that happened to an account, as it is recorded. It outlives the account, so it names it by its key alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "client", derive(serde::Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AccountEvent))]
#[non_exhaustive]
pub struct Event {
    /// Its number. Later events have greater ones.
    pub id: i64,
    /// When it happened. Programs count milliseconds since 1970; JSON has it as RFC 3339 says.
    #[serde(serialize_with = "clock::moment::serialize")]
    #[cfg_attr(feature = "client", serde(deserialize_with = "clock::moment::deserialize"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: i64,
    /// What happened.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: EventKind,
    /// How it went.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub outcome: EventOutcome,
    /// The key of the user whose account it happened to, as text; `None` where nobody has shown to be anybody, and for
    /// what happened to no account.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub user_id: Option<String>,
    /// The tenant as JSON; `null` for a model without tenants.
    #[serde(skip)]
    pub tenant: Value,
    /// The key of who did it, where that is not the account's owner; `program` for a program or an operator's command.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub actor: Option<String>,
    /// The address that the request came from, where one is known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub address: Option<String>,
    /// What the client called itself, in the header `User-Agent`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub client: Option<String>,
    /// What else there is to know: why it failed, which role, which provider. Never a secret, and never what somebody typed
    /// who may not have an account: people type passwords there.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub detail: Map<String, Value>,
}

/// An event as the user sees it to whose account it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "client", derive(serde::Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OwnEvent {
    /// What happened.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: EventKind,
    /// How it went.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub outcome: EventOutcome,
    /// When it happened. Programs count milliseconds since 1970; JSON has it as RFC 3339 says.
    #[serde(serialize_with = "clock::moment::serialize")]
    #[cfg_attr(feature = "client", serde(deserialize_with = "clock::moment::deserialize"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: i64,
    /// The address that the request came from, where one is known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub address: Option<String>,
    /// What the client called itself, in the header `User-Agent`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub client: Option<String>,
}

impl From<Event> for OwnEvent {
    fn from(event: Event) -> Self {
        let Event { kind, outcome, at, actor, address, client, .. } = event;
        // Where somebody else did it, the address and the client are theirs.
        let own = actor.is_none();
        Self { kind, outcome, at, address: address.filter(|_| own), client: client.filter(|_| own) }
    }
}

/// A page of events, the latest first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// What [`EventQuery::with_after`](crate::EventQuery::with_after) takes for the page behind this one; `None` on the
    /// last.
    pub next: Option<String>,
    /// How many events there was room for.
    pub limit: u32,
}

impl EventPage {
    /// A page of a list that ends with it.
    #[must_use]
    pub fn new(items: Vec<Event>, limit: u32) -> Self {
        Self { items, next: None, limit }
    }
}

/// Where a request comes from, as far as events tell. It is cheap to make, since few requests lead to an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    address: Option<IpAddr>,
    agent: Option<HeaderValue>,
}

impl Source {
    pub(crate) fn of(request: &Parts) -> Self {
        Self { address: ClientAddress::of(request), agent: request.headers.get(USER_AGENT).cloned() }
    }

    /// The address as text.
    pub(crate) fn address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// What the client calls itself.
    pub(crate) fn client(&self) -> Option<String> {
        self.agent.as_ref().and_then(client_name)
    }
}

/// An event that is about to be recorded: a success of nobody in particular, unless it says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) kind: EventKind,
    pub(crate) outcome: EventOutcome,
    pub(crate) user_id: Option<String>,
    /// Whether it is done to the account of another one: a program does it where no user is known to.
    pub(crate) managed: bool,
    pub(crate) actor: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) detail: Map<String, Value>,
}

impl NewEvent {
    pub(crate) fn new(kind: EventKind) -> Self {
        Self {
            kind,
            outcome: EventOutcome::Success,
            user_id: None,
            managed: false,
            actor: None,
            address: None,
            client: None,
            detail: Map::new(),
        }
    }

    /// It happened to this user's account.
    pub(crate) fn of(self, user_id: impl ToString + Copy) -> Self {
        Self { user_id: Some(user_id.to_string()), ..self }
    }

    /// It is what others do to accounts.
    pub(crate) fn managed(self) -> Self {
        Self { managed: true, ..self }
    }

    /// Who tried has not shown to be who they say, for this reason.
    pub(crate) fn failed(self, reason: &'static str) -> Self {
        Self { outcome: EventOutcome::Failure, ..self }.with("reason", reason)
    }

    /// Who tried has shown to be who they say, and was kept out for this reason.
    pub(crate) fn refused(self, reason: &'static str) -> Self {
        Self { outcome: EventOutcome::Refused, ..self }.with("reason", reason)
    }

    /// Something else to know. Never a secret, and nothing that a stranger typed.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// Where the request came from.
    pub(crate) fn from(self, source: &Source) -> Self {
        Self { address: source.address(), client: source.client(), ..self }
    }
}

/// Where events go once they are recorded for good: the log, and the application's hook.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outlet(Arc<OnceLock<mpsc::Sender<Event>>>);

impl Outlet {
    /// The events from now on; `None` when somebody else takes them already.
    pub(crate) fn open(&self) -> Option<mpsc::Receiver<Event>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.0.set(sender).is_ok().then_some(receiver)
    }

    /// Tells of events whose transaction was committed. It waits for nobody.
    pub(crate) fn tell(&self, events: Vec<Event>) {
        for event in events {
            log(&event);
            let id = event.id;
            let is_full = |sender: &mpsc::Sender<_>| {
                matches!(sender.try_send(event), Err(mpsc::error::TrySendError::Full(_)))
            };
            if self.0.get().is_some_and(is_full) {
                tracing::warn!(event = id, "the hook `on_event` is too slow, and does not hear of an event");
            }
        }
    }
}

/// One line of the log, for those who watch it and not the table.
fn log(event: &Event) {
    // The macro below has a `Value` of its own.
    let reason = event.detail.get("reason").and_then(Value::as_str);
    tracing::info!(
        target: "users_runtime::audit",
        event = event.id,
        kind = event.kind.as_str(),
        outcome = event.outcome.as_str(),
        user = event.user_id.as_deref(),
        actor = event.actor.as_deref(),
        address = event.address.as_deref(),
        reason,
        "account event"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_kinds_are_one_to_one_and_fit_their_column() {
        for (index, kind) in EventKind::ALL.iter().enumerate() {
            let word = kind.as_str();
            assert_eq!(EventKind::from_name(word), Some(*kind));
            assert!(word.len() <= 32 && word.is_ascii(), "{word}");
            assert!(EventKind::ALL[..index].iter().all(|other| other.as_str() != word), "{word}");
        }
        assert_eq!(EventKind::from_name("other"), None);
        assert_eq!(EventOutcome::from_name("refused"), Some(EventOutcome::Refused));
    }

    #[test]
    fn s59_a_user_does_not_see_the_address_of_who_administers() {
        let event = |actor: Option<&str>| Event {
            id: 1,
            at: 0,
            kind: EventKind::Deactivated,
            outcome: EventOutcome::Success,
            user_id: Some("7".to_owned()),
            tenant: Value::Null,
            actor: actor.map(str::to_owned),
            address: Some("192.0.2.1".to_owned()),
            client: Some("x".to_owned()),
            detail: Map::new(),
        };
        assert_eq!(OwnEvent::from(event(None)).address.as_deref(), Some("192.0.2.1"));
        let shown = serde_json::to_value(OwnEvent::from(event(Some("8")))).unwrap();
        assert_eq!(shown["address"], Value::Null);
        assert_eq!(shown["client"], Value::Null);
        assert!(shown.get("actor").is_none() && shown.get("detail").is_none(), "{shown}");
    }
}
