//! What an application answers in the place of a generated route, or shows in the place of a generated DTO.

use std::{future::Future, sync::Arc};

use http::request::Parts;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Group, UsersRouter};
use crate::{
    app::Application,
    auth::Credential,
    error::Error,
    event::EventPage,
    extract::CurrentUser,
    future::BoxFuture,
    model::{RoleModel, UserModel},
    principal::Principal,
    query::{EventQuery, ListQuery, Page},
    secret::Password,
    service::{AccountLock, LogIn, NewInvitation, Scope, SessionInfo, Updated},
};

type User<A> = <A as Application>::User;
type UserKey<A> = <User<A> as UserModel>::Id;
type Role<A> = <User<A> as UserModel>::Role;
type RoleKey<A> = <Role<A> as RoleModel>::Id;

/// A function of the application's own in the place of a generated route:
/// `async fn(Scope<App>, Parts, Input) -> Result<Output, Error>`.
///
/// It is given what the route has read and checked the form of, and answers what the route shows: path, status, strict
/// bodies, guards and headers stay the library's. The methods of [`Scope`] are what the generated routes themselves call.
#[diagnostic::on_unimplemented(
    message = "this function cannot take the place of the route",
    label = "its arguments or its answer are not the route's",
    note = "write `async fn(Scope<App>, Parts, {Input}) -> Result<{Output}, Error>`"
)]
pub trait Answer<A: Application, Input, Output>: Send + Sync + 'static {
    /// Answers a request.
    fn answer(
        &self,
        users: Scope<A>,
        request: Parts,
        input: Input,
    ) -> BoxFuture<'static, Result<Output, Error>>;
}

#[diagnostic::do_not_recommend]
impl<A, Input, Output, F, Fut> Answer<A, Input, Output> for F
where
    A: Application,
    F: Fn(Scope<A>, Parts, Input) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Output, Error>> + Send + 'static,
{
    fn answer(
        &self,
        users: Scope<A>,
        request: Parts,
        input: Input,
    ) -> BoxFuture<'static, Result<Output, Error>> {
        Box::pin(self(users, request, input))
    }
}

/// A function that makes what responses show of users:
/// `async fn(Scope<App>, Vec<Arc<Principal<User>>>) -> Result<Vec<Dto>, Error>`.
///
/// It is given every user of a response at once, so that a list loads what it shows beside them in one query.
#[diagnostic::on_unimplemented(
    message = "this function does not say what responses show of users",
    label = "its arguments or its answer are others",
    note = "write `async fn(Scope<App>, Vec<Arc<Principal<User>>>) -> Result<Vec<Dto>, Error>`, with a `Dto` that derives `Serialize`"
)]
pub trait Read<A: Application, Dto>: Send + Sync + 'static {
    /// One DTO for each user, in their order.
    fn read(
        &self,
        users: Scope<A>,
        shown: Vec<Arc<Principal<User<A>>>>,
    ) -> BoxFuture<'static, Result<Vec<Dto>, Error>>;
}

#[diagnostic::do_not_recommend]
impl<A, Dto, F, Fut> Read<A, Dto> for F
where
    A: Application,
    Dto: Serialize,
    F: Fn(Scope<A>, Vec<Arc<Principal<User<A>>>>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Dto>, Error>> + Send + 'static,
{
    fn read(
        &self,
        users: Scope<A>,
        shown: Vec<Arc<Principal<User<A>>>>,
    ) -> BoxFuture<'static, Result<Vec<Dto>, Error>> {
        Box::pin(self(users, shown))
    }
}

/// The body of `POST /reset-password`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResetPassword {
    /// The token of the mail, as secret as a password.
    pub token: Password,
    /// The new password.
    pub password: Password,
}

/// A function of the application's own, if there is one.
type Own<A, Input, Output> = Option<Arc<dyn Answer<A, Input, Output>>>;

/// The same for what responses show; the DTO is JSON by then.
type OwnRead<A> = Arc<
    dyn Fn(Scope<A>, Vec<Arc<Principal<User<A>>>>) -> BoxFuture<'static, Result<Vec<Value>, Error>>
        + Send
        + Sync,
>;

/// What the application answers and shows itself.
pub(super) struct Overrides<A: Application> {
    pub(super) answers: Answers<A>,
    reads: Vec<(Option<Group>, OwnRead<A>)>,
}

impl<A: Application> Default for Overrides<A> {
    fn default() -> Self {
        Self { answers: Answers::default(), reads: Vec::new() }
    }
}

impl<A: Application> Overrides<A> {
    /// What shows users in this group, if it is a function of the application's.
    pub(super) fn read(&self, group: Group) -> Option<&OwnRead<A>> {
        let of = |wanted| self.reads.iter().rfind(|(of, _)| *of == wanted).map(|(_, read)| read);
        of(Some(group)).or_else(|| of(None))
    }

    /// The groups in which the application shows users by DTOs of its own; `None` for all others.
    #[cfg(feature = "openapi")]
    pub(super) fn shown(&self) -> impl Iterator<Item = Option<Group>> {
        self.reads.iter().map(|(group, _)| *group)
    }
}

/// One field and one method for each route.
macro_rules! routes {
    ($( $(#[$doc:meta])* $group:ident: $method:ident, $field:ident($input:ty) -> $output:ty; )*) => {
        /// The functions in the place of generated routes.
        pub(super) struct Answers<A: Application> {
            $( pub(super) $field: Own<A, $input, $output>, )*
        }

        impl<A: Application> Default for Answers<A> {
            fn default() -> Self {
                Self { $( $field: None, )* }
            }
        }

        #[cfg(feature = "openapi")]
        impl<A: Application> Answers<A> {
            /// The operations that functions of the application's own answer.
            pub(super) fn replaced(&self) -> Vec<&'static str> {
                [$( self.$field.is_some().then_some(stringify!($field)) ),*].into_iter().flatten().collect()
            }
        }

        /// A function of the application's own in the place of a generated route; see [`Answer`]. What an override is for
        /// that needs no function of its own is in [`Hooks`](crate::Hooks).
        impl<A: Application> UsersRouter<A> {
            $(
                #[doc = concat!("Answers `", stringify!($field), "` of the group `", stringify!($group), "`:")]
                $(#[$doc])*
                pub fn $method(mut self, own: impl Answer<A, $input, $output>) -> Self {
                    const {
                        assert!(
                            A::ROUTES.$group.is_some(),
                            concat!(
                                "the application has no route group `", stringify!($group),
                                "`; name it in `routes(...)` of `#[users_app]`"
                            )
                        );
                    }
                    self.overrides.answers.$field = Some(Arc::new(own));
                    self
                }
            )*
        }
    };
}

routes! {
    /// the user that is stored.
    register: with_register, register(<User<A> as UserModel>::Registration) -> Principal<User<A>>;
    /// the user whose mailbox is proven; the input is the token, as secret as a password.
    verify: with_verify, verify(Password) -> Principal<User<A>>;
    /// the input is the identifier as typed.
    verify: with_resend_verification, resend_verification(String) -> ();
    /// the user and the credential.
    auth: with_log_in, log_in(LogIn) -> (Principal<User<A>>, Credential);
    /// the credential that makes the client forget its own.
    auth: with_log_out, log_out(()) -> Credential;
    /// the input is the identifier as typed.
    password_reset: with_forgot_password, forgot_password(String) -> ();
    /// nothing is shown.
    password_reset: with_reset_password, reset_password(ResetPassword) -> ();
    /// the user that is shown.
    current_user: with_read_account, read_account(CurrentUser<User<A>>) -> Principal<User<A>>;
    /// the account after the change.
    current_user: with_update_account,
        update_account((CurrentUser<User<A>>, <User<A> as UserModel>::Update)) -> Updated<User<A>>;
    /// the credential that makes the client forget its own; the input is the current password.
    current_user: with_delete_account, delete_account((CurrentUser<User<A>>, Password)) -> Credential;
    /// the events; the response shows of each what its user may see.
    current_user: with_list_events, list_events((CurrentUser<User<A>>, EventQuery)) -> EventPage;
    /// what belongs to the user; the account stands beside it as responses show it.
    current_user: with_export_account, export_account(CurrentUser<User<A>>) -> Map<String, Value>;
    /// the user's sessions.
    sessions: with_list_sessions, list_sessions(CurrentUser<User<A>>) -> Vec<SessionInfo>;
    /// nothing is shown; the input is the session's name in the list.
    sessions: with_end_session, end_session((CurrentUser<User<A>>, String)) -> ();
    /// the credential that makes the client forget its own.
    sessions: with_end_sessions, end_sessions(CurrentUser<User<A>>) -> Credential;
    /// the user and the next credential; the input is the refresh token in the body, as secret as a password. Tokens for
    /// a form are a login, which `with_log_in` answers.
    tokens: with_refresh_token, refresh_token(Option<Password>) -> (Principal<User<A>>, Credential);
    /// the page.
    users: with_list_users, list_users(ListQuery<User<A>>) -> Page<User<A>>;
    /// the user.
    users: with_read_user, read_user(UserKey<A>) -> Principal<User<A>>;
    /// nothing is shown; the route exists where registration is by invitation.
    users: with_invite_user, invite_user(NewInvitation) -> ();
    /// the user after the change.
    users: with_update_user,
        update_user((UserKey<A>, <User<A> as UserModel>::AdminUpdate)) -> Principal<User<A>>;
    /// the user as it was.
    users: with_delete_user, delete_user(UserKey<A>) -> Principal<User<A>>;
    /// nothing is shown.
    users: with_end_sessions_of, end_sessions_of(UserKey<A>) -> ();
    /// what is counted of the account, and its lock.
    users: with_read_lock, read_lock(UserKey<A>) -> AccountLock;
    /// nothing is shown.
    users: with_lift_lock, lift_lock(UserKey<A>) -> ();
    /// the events.
    users: with_list_events_of, list_events_of((UserKey<A>, EventQuery)) -> EventPage;
    /// every role.
    roles: with_list_roles, list_roles(()) -> Vec<Role<A>>;
    /// the role that is stored.
    roles: with_create_role, create_role(<Role<A> as RoleModel>::Create) -> Role<A>;
    /// the role after the change.
    roles: with_update_role, update_role((RoleKey<A>, <Role<A> as RoleModel>::Update)) -> Role<A>;
    /// the role as it was.
    roles: with_delete_role, delete_role(RoleKey<A>) -> Role<A>;
    /// the user with the role.
    roles: with_assign_role, assign_role((UserKey<A>, RoleKey<A>)) -> Principal<User<A>>;
    /// the user without the role.
    roles: with_revoke_role, revoke_role((UserKey<A>, RoleKey<A>)) -> Principal<User<A>>;
}

impl<A: Application> UsersRouter<A> {
    /// Shows users by a DTO of the application's own wherever a generated route shows one. The function may load what
    /// belongs to the users; it gets all of a response at once. See [`Read`].
    pub fn with_read<Dto: Serialize + 'static>(self, own: impl Read<A, Dto>) -> Self {
        self.with_reads(None, own)
    }

    /// The same in one route group, where it wins over [`with_read`](Self::with_read).
    pub fn with_read_in<Dto: Serialize + 'static>(self, group: Group, own: impl Read<A, Dto>) -> Self {
        self.with_reads(Some(group), own)
    }

    fn with_reads<Dto: Serialize + 'static>(mut self, group: Option<Group>, own: impl Read<A, Dto>) -> Self {
        let own = Arc::new(own);
        let read: OwnRead<A> = Arc::new(move |users, shown| {
            let own = Arc::clone(&own);
            Box::pin(async move {
                let dtos = own.read(users, shown).await?;
                // One by one: a DTO need not be `Send`, so none of them waits.
                dtos.into_iter().map(|dto| serde_json::to_value(dto).map_err(Error::internal)).collect()
            })
        });
        self.overrides.reads.push((group, read));
        self
    }
}
