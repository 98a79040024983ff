//! What responses show of a user.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{Generated, Group};
use crate::{
    app::Application,
    error::Error,
    model::{RoleModel, UserModel},
    principal::Principal,
    service::Scope,
};

/// A user as DTO, with the roles behind the struct's own fields.
#[derive(Serialize)]
#[serde(bound = "")]
pub(super) struct Shown<U: UserModel> {
    #[serde(flatten)]
    user: U::Read,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<<U::Role as RoleModel>::Read>>,
}

impl<U: UserModel> Shown<U> {
    fn new(user: &Principal<U>) -> Self {
        let roles = U::Role::PRESENT.then(|| user.roles().iter().map(RoleModel::to_read).collect());
        Self { user: user.to_read(), roles }
    }
}

/// The generated DTO or one of the application's own.
#[derive(Serialize)]
#[serde(untagged, bound = "")]
pub(super) enum View<U: UserModel> {
    Generated(Shown<U>),
    Own(Value),
}

impl<A: Application> Generated<A> {
    /// One user as this group shows it.
    pub(super) async fn show(
        &self,
        group: Group,
        users: &Scope<A>,
        user: impl Into<Arc<Principal<A::User>>>,
    ) -> Result<View<A::User>, Error> {
        let mut views = self.show_all(group, users, vec![user.into()]).await?;
        views.pop().ok_or_else(wrong_number)
    }

    /// Users as this group shows them.
    pub(super) async fn show_all(
        &self,
        group: Group,
        users: &Scope<A>,
        shown: Vec<Arc<Principal<A::User>>>,
    ) -> Result<Vec<View<A::User>>, Error> {
        let Some(read) = self.overrides.read(group) else {
            return Ok(shown.iter().map(|user| View::Generated(Shown::new(user))).collect());
        };
        let count = shown.len();
        let own = read(users.clone(), shown).await?;
        // A list that is off by one would show users the data of their neighbours.
        if own.len() != count {
            return Err(wrong_number());
        }
        Ok(own.into_iter().map(View::Own).collect())
    }
}

fn wrong_number() -> Error {
    Error::internal("the application's `with_read` answered another number of DTOs than there are users")
}
