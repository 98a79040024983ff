//! What the library holds about a user, for that user.

use serde_json::{Map, Value};

use super::{Scope, SessionInfo};
#[cfg(feature = "oauth2")]
use crate::model::OAuthAccountModel;
use crate::{
    app::Application,
    clock,
    error::Error,
    event::{EventKind, NewEvent, OwnEvent},
    guard::{Guard, recently_authenticated},
    hooks::Hooks,
    model::{RoleModel, UserModel},
    principal::Principal,
};

impl<A: Application> Scope<A> {
    /// Everything that is held about a user but the account itself, which is shown as responses show it: roles, sessions,
    /// linked accounts without their tokens, events, and what the application adds.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`] unless the user has logged in a short while ago: a stolen session must not
    /// carry away everything at once.
    pub async fn export(&self, user: &Principal<A::User>) -> Result<Map<String, Value>, Error> {
        if !recently_authenticated().allows(user) {
            return Err(Error::ReauthenticationRequired);
        }
        // Recorded first, so that the export holds it too.
        self.record_alone(NewEvent::new(EventKind::Exported).of(user.id())).await?;
        let now = clock::rfc3339(clock::now()).map_err(Error::internal)?;
        let roles: Vec<_> = user.roles().iter().map(RoleModel::to_read).collect();
        let sessions: Vec<SessionInfo> = self.sessions(user).await?;
        let events = self.all_events_of(user.id()).await?.into_iter().map(OwnEvent::from);
        let mut export = Map::new();
        export.insert("exported_at".to_owned(), now.into());
        export.insert("roles".to_owned(), json(roles)?);
        export.insert("sessions".to_owned(), json(sessions)?);
        export.insert("events".to_owned(), json(events.collect::<Vec<_>>())?);
        #[cfg(feature = "oauth2")]
        export.insert("linked_accounts".to_owned(), self.linked_accounts_shown(user).await?);
        export.insert("application".to_owned(), self.hooks().export(user).await?.into());
        Ok(export)
    }

    /// The linked accounts as the group `oauth2` shows them.
    #[cfg(feature = "oauth2")]
    async fn linked_accounts_shown(&self, user: &Principal<A::User>) -> Result<Value, Error> {
        if !<<A::User as UserModel>::OAuthAccount as OAuthAccountModel>::PRESENT {
            return Ok(Value::Array(Vec::new()));
        }
        let mut shown = Vec::new();
        for linked in self.oauth_accounts(user.id()).await? {
            let mut account = json(linked.account.to_read())?;
            account["issuer"] = linked.issuer.into();
            account["linked_at"] = clock::rfc3339(linked.linked_at).map_err(Error::internal)?.into();
            shown.push(account);
        }
        Ok(shown.into())
    }
}

fn json(value: impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(Error::internal)
}
