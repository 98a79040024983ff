//! What `#[users_app]` states about an application: its types, routes and exclusions.

use crate::{auth::Backend, db::Storable, hooks::Hooks};

/// An application, as `#[users_app]` describes it.
pub trait Application: Send + Sync + 'static {
    /// The user model.
    type User: Storable;
    /// The authentication backend, or a tuple of them: the first that recognises a request wins.
    type Auth: Backend<Self::User>;
    /// What the application does at each step of an account's life.
    type Hooks: Hooks<Self::User>;

    /// The route groups that exist, and their paths.
    const ROUTES: Routes;
    /// Patterns of the application's own routes that need no login.
    const EXCLUDE: &'static [&'static str];
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
    /// `GET` and `PATCH`: the account that the request's credential stands for.
    pub path: &'static str,
    /// Whether `DELETE` lets users delete their own account.
    pub delete: bool,
}
