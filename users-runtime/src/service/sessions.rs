//! What users see and end of their sessions, and the tokens that refresh them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::request::Parts;
use serde::Serialize;

use super::Scope;
use crate::{
    app::Application,
    auth::{Backend, Credential},
    clock,
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::UserModel,
    principal::Principal,
    session::SessionRecord,
    token::TokenHash,
};

type Id<A> = <<A as Application>::User as UserModel>::Id;

/// How many bytes of its hash name a session to people: enough to tell it from the user's others, and nothing to come in
/// with.
const NAME_BYTES: usize = 16;

/// A session as its user sees it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "client", derive(serde::Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SessionInfo {
    /// The session's name, which is no secret: nothing can be done with it but to end the session.
    pub id: String,
    /// When the user logged in. Programs count milliseconds since 1970; JSON has it as RFC 3339 says.
    #[serde(serialize_with = "clock::moment::serialize")]
    #[cfg_attr(feature = "client", serde(deserialize_with = "clock::moment::deserialize"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: i64,
    /// When a request was last noted, exact to five minutes by default, in the same form.
    #[serde(serialize_with = "clock::moment::serialize")]
    #[cfg_attr(feature = "client", serde(deserialize_with = "clock::moment::deserialize"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub seen_at: i64,
    /// When it ends at the latest, in the same form.
    #[serde(serialize_with = "clock::moment::serialize")]
    #[cfg_attr(feature = "client", serde(deserialize_with = "clock::moment::deserialize"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: i64,
    /// What the client called itself at login, in the header `User-Agent`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub client: Option<String>,
    /// Whether the request that asks belongs to it.
    pub current: bool,
}

fn name(id: TokenHash) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&id.as_bytes()[..NAME_BYTES])
}

impl SessionInfo {
    fn new(id: TokenHash, record: SessionRecord, current: Option<TokenHash>) -> Self {
        let SessionRecord { created_at, seen_at, expires_at, content, .. } = record;
        let client = content.client;
        Self { id: name(id), created_at, seen_at, expires_at, client, current: current == Some(id) }
    }
}

impl<A: Application> Scope<A> {
    /// The live sessions of a user, the latest first (S24).
    pub async fn sessions(&self, user: &Principal<A::User>) -> Result<Vec<SessionInfo>, Error> {
        let sessions = self.directory().sessions_of(user.id()).await?;
        let current = user.session().map(|session| session.id);
        Ok(sessions.into_iter().map(|(id, record)| SessionInfo::new(id, record, current)).collect())
    }

    /// Ends one session of a user, by its name in the list.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the user has none of this name.
    pub async fn end_session(&self, user: Id<A>, session: &str) -> Result<(), Error> {
        let sessions = self.directory().sessions_of(user).await?;
        let (id, _) = sessions.into_iter().find(|(id, _)| name(*id) == session).ok_or(Error::NotFound)?;
        let mut transaction = self.directory().database.begin().await?;
        let event = NewEvent::new(EventKind::SessionEnded).of(user).managed().with("session", session);
        self.record(&mut transaction, event).await?;
        // Last, because a store of sessions beside the database cannot be rolled back.
        if !self.directory().end_session(&mut transaction, id).await? {
            return Err(Error::NotFound);
        }
        transaction.commit().await
    }

    /// Ends every session of a user, and every token with them; an administrator's only for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn end_sessions(&self, user: Id<A>) -> Result<(), Error> {
        let target = self.directory().user_by_id(user).await?.ok_or(Error::NotFound)?;
        if self.actor.as_ref().is_none_or(|actor| actor.id() != user) {
            self.may_change(&target)?;
        }
        let mut transaction = self.directory().database.begin().await?;
        let event = NewEvent::new(EventKind::SessionsEnded).of(user).managed();
        self.record(&mut transaction, event).await?;
        self.directory().end_sessions_of(&mut transaction, user).await?;
        transaction.commit().await
    }

    /// The next tokens for a refresh token, which is good once (S29).
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] for one that is no good.
    pub async fn refresh(
        &self,
        request: &Parts,
        token: Option<&str>,
    ) -> Result<(Principal<A::User>, Credential), Error> {
        let refreshed = self.backend().refresh(self.directory(), request, token).await?;
        let (principal, credential) = refreshed.ok_or(Error::TokenInvalid)?;
        let found = self.hooks().retrieve_user(request, principal).await?;
        let principal = found.ok_or(Error::TokenInvalid)?;
        // Flags are read afresh here as everywhere (S23).
        if !principal.is_active() || (self.requires_verification() && !principal.is_verified()) {
            return Err(Error::TokenInvalid);
        }
        Ok((principal, credential))
    }
}
