//! What `#[users_app]` states about an application: its types, routes and exclusions.

use crate::{
    auth::Backend,
    db::Storable,
    guard::Guards,
    hooks::Hooks,
    model::{HasRoles, OAuthAccountModel, ResolveTenant, RoleModel, Roles, UserModel},
};

/// An application, as `#[users_app]` describes it.
pub trait Application: Send + Sync + 'static {
    /// The user model.
    type User: Storable;
    /// The authentication backend, or a tuple of them: the first that recognises a request wins.
    type Auth: Backend<Self::User>;
    /// What the application does at each step of an account's life, and how it knows a request's tenant.
    type Hooks: Hooks<Self::User> + ResolveTenant<<Self::User as UserModel>::Tenant>;

    /// The route groups that exist, and their paths.
    const ROUTES: Routes;
    /// Patterns of the application's own routes that need no login.
    const EXCLUDE: &'static [&'static str];
    /// The roles that are made at start-up.
    const SEED: Seed = Seed::NONE;
    /// The names under which the OpenAPI document gathers the routes of a group, where they are not the group's own.
    const TAGS: &'static [(Group, &'static str)] = &[];

    /// The application's version, as the OpenAPI document has it.
    const VERSION: &'static str = "0.1.0";

    /// Who may use the route groups that are not for every user.
    #[must_use]
    fn guards() -> Guards<Self::User> {
        Guards::default()
    }
}

/// The roles that an application knows while it is compiled.
#[derive(Debug, Clone, Copy)]
pub struct Seed(fn() -> Vec<&'static str>);

impl Seed {
    /// No roles.
    pub const NONE: Self = Self(Vec::new);

    /// The roles of an `enum` that derives [`Roles`].
    #[must_use]
    pub const fn of<R: Roles>() -> Self {
        Self(|| R::ALL.iter().map(|role| role.name()).collect())
    }

    /// Their names.
    pub(crate) fn names(self) -> Vec<&'static str> {
        (self.0)()
    }
}

/// A user model whose users and roles can be managed by some of its users.
#[diagnostic::on_unimplemented(
    message = "the route groups `users` and `roles` are for administrators, which takes a model with roles",
    label = "`{Self}` has none",
    note = "name the groups you want in `routes(...)` without `roles`, and say who may use the group `users`, as in `users(guard = when(is_staff))`"
)]
pub trait HasAdministrators: UserModel {
    /// What an application with such a group evaluates while compiling.
    const NEEDED: () = ();
}

#[diagnostic::do_not_recommend]
impl<U: HasRoles> HasAdministrators for U {}

/// The role model that `#[users_app]` names is the one that the user model names.
#[diagnostic::on_unimplemented(
    message = "`{R}` is not the role model of the user model",
    label = "the user model names `{Self}`",
    note = "write `#[user(role = path)]` with the same path on the struct that derives `UserModel`"
)]
pub trait SameRole<R>: RoleModel {
    /// What an application that names a role model evaluates while compiling.
    const NEEDED: () = ();
}

#[diagnostic::do_not_recommend]
impl<R: RoleModel> SameRole<R> for R {}

/// The model of linked accounts that `#[users_app]` names is the one that the user model names.
#[diagnostic::on_unimplemented(
    message = "`{A}` is not the model of linked accounts of the user model",
    label = "the user model names `{Self}`",
    note = "write `#[user(oauth_account = path)]` with the same path on the struct that derives `UserModel`"
)]
pub trait SameOAuthAccount<A>: OAuthAccountModel {
    /// What an application that names a model of linked accounts evaluates while compiling.
    const NEEDED: () = ();
}

#[diagnostic::do_not_recommend]
impl<A: OAuthAccountModel> SameOAuthAccount<A> for A {}

/// A group of generated routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Registration.
    Register,
    /// Proof of the mailbox.
    Verify,
    /// Login and logout.
    Auth,
    /// Forgotten passwords.
    PasswordReset,
    /// The user's own account.
    CurrentUser,
    /// Management of users.
    Users,
    /// Management of roles.
    Roles,
    /// The user's own sessions.
    Sessions,
    /// Tokens for clients that are no browsers.
    Tokens,
    /// Sign-in through providers.
    OAuth2,
    /// The OpenAPI document.
    Docs,
}

/// The route groups that exist; `None` for those that were left out.
#[derive(Debug, Clone, Copy)]
pub struct Routes {
    /// Login and logout.
    pub auth: Option<AuthRoutes>,
    /// Registration.
    pub register: Option<RegisterRoutes>,
    /// Proof of the mailbox.
    pub verify: Option<VerifyRoutes>,
    /// Forgotten passwords.
    pub password_reset: Option<PasswordResetRoutes>,
    /// The user's own account.
    pub current_user: Option<CurrentUserRoutes>,
    /// Management of users.
    pub users: Option<UsersRoutes>,
    /// Management of roles.
    pub roles: Option<RolesRoutes>,
    /// The user's own sessions.
    pub sessions: Option<SessionsRoutes>,
    /// Tokens for clients that are no browsers (RFC 6749).
    pub tokens: Option<TokensRoutes>,
    /// Sign-in through providers.
    pub oauth2: Option<OAuth2Routes>,
    /// The OpenAPI document.
    pub docs: Option<DocsRoutes>,
}

/// The paths of the group `auth`.
#[derive(Debug, Clone, Copy)]
pub struct AuthRoutes {
    /// `POST`: identifier and password for a credential.
    pub login: &'static str,
    /// `POST`: ends the credential.
    pub logout: &'static str,
}

/// The paths of the group `register`.
#[derive(Debug, Clone, Copy)]
pub struct RegisterRoutes {
    /// `POST`: a new account.
    pub path: &'static str,
}

/// The paths of the group `verify`.
#[derive(Debug, Clone, Copy)]
pub struct VerifyRoutes {
    /// `POST`: redeems the token of a mail.
    pub path: &'static str,
    /// `POST`: asks for another mail.
    pub resend: &'static str,
}

/// The paths of the group `password_reset`.
#[derive(Debug, Clone, Copy)]
pub struct PasswordResetRoutes {
    /// `POST`: asks for a mail.
    pub forgot: &'static str,
    /// `POST`: redeems the token of a mail for a new password.
    pub reset: &'static str,
}

/// The paths of the group `current_user`.
#[derive(Debug, Clone, Copy)]
pub struct CurrentUserRoutes {
    /// `GET` and `PATCH`: the account that the request's credential stands for; with `/events` below it, `GET`: what
    /// happened to it.
    pub path: &'static str,
    /// Whether `DELETE` lets users delete their own account.
    pub delete: bool,
    /// Whether `GET` of `/export` below it gives users everything that is known of them.
    pub export: bool,
}

/// The paths of the group `users`.
#[derive(Debug, Clone, Copy)]
pub struct UsersRoutes {
    /// `GET`: all users; with `/{id}` below it, `GET`, `PATCH` and `DELETE`: one of them, and
    /// `/events` below that, `GET`: what happened to it.
    pub path: &'static str,
}

/// The paths of the group `roles`.
#[derive(Debug, Clone, Copy)]
pub struct RolesRoutes {
    /// `GET` and `POST`: all roles; with `/{id}` below it, `PATCH` and `DELETE`: one of them.
    pub path: &'static str,
    /// `PUT`: gives a user a role.
    pub assign: &'static str,
    /// `PUT`: takes a role from a user.
    pub revoke: &'static str,
}

/// The paths of the group `sessions`.
#[derive(Debug, Clone, Copy)]
pub struct SessionsRoutes {
    /// `GET` and `DELETE`: the sessions of the user; with `/{id}` below it, `DELETE`: one of them.
    pub path: &'static str,
}

/// The paths of the group `tokens`.
#[derive(Debug, Clone, Copy)]
pub struct TokensRoutes {
    /// `POST`: identifier and password in a form for tokens (RFC 6749, section 4.3).
    pub token: &'static str,
    /// `POST`: a refresh token for the next ones (RFC 6749, section 6).
    pub refresh: &'static str,
    /// `GET`: the public keys that tokens verify with (RFC 7517).
    pub jwks: &'static str,
}

/// The paths of the group `oauth2`.
#[derive(Debug, Clone, Copy)]
pub struct OAuth2Routes {
    /// With `/{provider}/authorize` and `/{provider}/callback` below it, `GET`: sign-in through a provider.
    pub path: &'static str,
    /// `GET`: the own linked accounts; with `/{provider}/authorize` and `/{provider}/callback` below it, `GET`: links
    /// one; with `/{id}` below it, `DELETE`: unlinks it.
    pub associate: &'static str,
}

/// The paths of the group `docs`.
#[derive(Debug, Clone, Copy)]
pub struct DocsRoutes {
    /// `GET`: a page that shows the document; with `/openapi.json` below it, `GET`: the document.
    pub path: &'static str,
}
