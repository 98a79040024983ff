//! The users of a model without tenants are one scope, so that its methods need no name for it.

#[cfg(feature = "oauth2")]
use super::LinkedAccount;
use super::{Imported, InvitationLink, NewAccount, NewInvitation, Scope, Users};
use crate::{
    app::Application,
    directory::Directory,
    error::Error,
    event::EventPage,
    model::{RoleModel, RoleName, UserModel},
    principal::Principal,
    query::{EventQuery, ListQuery, Page},
    secret::Password,
};
#[cfg(feature = "oauth2")]
use crate::{model::OAuthAccountModel, oauth::OAuthTokens};

type Role<U> = <U as UserModel>::Role;

/// Each is the method of [`Scope`] of the same name.
impl<A, U> Users<A>
where
    A: Application<User = U>,
    U: UserModel<Tenant = ()>,
{
    fn all(&self) -> Scope<A> {
        self.scope(())
    }

    /// The users as a backend looks them up.
    #[must_use]
    pub fn directory(&self) -> Directory<U> {
        self.all().directory().clone()
    }
}

macro_rules! shortcuts {
    ($( $name:ident ( $($argument:ident : $type:ty),* ) -> $answer:ty; )*) => {
        impl<A, U> Users<A>
        where
            A: Application<User = U>,
            U: UserModel<Tenant = ()>,
        {
            $(
                #[doc = concat!("[`Scope::", stringify!($name), "`] of all users.")]
                ///
                /// # Errors
                /// As there.
                pub async fn $name(&self, $($argument: $type),*) -> Result<$answer, Error> {
                    self.all().$name($($argument),*).await
                }
            )*
        }
    };
}

shortcuts! {
    create_user(registration: U::Registration) -> U;
    create_account(account: NewAccount<U>) -> U;
    import_users(accounts: Vec<NewAccount<U>>) -> Imported;
    create_invitation(new: NewInvitation) -> InvitationLink;
    send_invitation(new: NewInvitation) -> ();
    set_password(id: U::Id, password: &Password) -> ();
    user(id: U::Id) -> Option<Principal<U>>;
    find_user(identifier: &str) -> Option<Principal<U>>;
    list_users(query: ListQuery<U>) -> Page<U>;
    update_user(id: U::Id, update: &U::AdminUpdate) -> Principal<U>;
    delete_user(id: U::Id) -> Principal<U>;
    set_active(id: U::Id, active: bool) -> ();
    set_verified(id: U::Id, verified: bool) -> ();
    events(query: &EventQuery) -> EventPage;
    events_of(id: U::Id, query: &EventQuery) -> EventPage;
    send_password_reset(identifier: &str) -> ();
    roles() -> Vec<Role<U>>;
    create_role(create: <Role<U> as RoleModel>::Create) -> Role<U>;
    update_role(id: <Role<U> as RoleModel>::Id, update: &<Role<U> as RoleModel>::Update) -> Role<U>;
    delete_role(id: <Role<U> as RoleModel>::Id) -> Role<U>;
    assign_role(user_id: U::Id, role_id: <Role<U> as RoleModel>::Id) -> Principal<U>;
    revoke_role(user_id: U::Id, role_id: <Role<U> as RoleModel>::Id) -> Principal<U>;
    grant(user_id: U::Id, role: impl RoleName + Send) -> ();
    withdraw(user_id: U::Id, role: impl RoleName + Send) -> ();
    has_anyone_role(role: impl RoleName + Send) -> bool;
}

#[cfg(feature = "user-cache")]
shortcuts! {
    forget_cached(id: U::Id) -> ();
}

#[cfg(feature = "oauth2")]
shortcuts! {
    oauth_accounts(user: U::Id) -> Vec<LinkedAccount<U::OAuthAccount>>;
    unlink_oauth_account(user: U::Id, account: <U::OAuthAccount as OAuthAccountModel>::Id) -> ();
    oauth_tokens(user: U::Id, account: <U::OAuthAccount as OAuthAccountModel>::Id) -> Option<OAuthTokens>;
}
