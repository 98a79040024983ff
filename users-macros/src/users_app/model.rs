//! An application as its arguments describe it, checked.

use proc_macro2::Span;
use syn::{Expr, LitStr, Path, Visibility};

/// The parts whose cargo features are on.
#[derive(Clone, Copy)]
pub(super) struct Enabled {
    pub(super) cli: bool,
    pub(super) jwt: bool,
    pub(super) session: bool,
}

impl Enabled {
    /// What this build of the crate was asked for.
    pub(super) fn from_features() -> Self {
        Self { cli: cfg!(feature = "cli"), jwt: cfg!(feature = "jwt"), session: cfg!(feature = "session") }
    }
}

/// Everything that is generated into the module.
pub(super) struct Application {
    /// The path of `users-runtime`.
    pub(super) runtime: Path,
    pub(super) user: Path,
    pub(super) visibility: Visibility,
    pub(super) auth: Vec<Backend>,
    pub(super) hooks: Option<Path>,
    pub(super) routes: Routes,
    pub(super) exclude: Vec<LitStr>,
    /// Who may use a route group, where the user says so.
    pub(super) guards: Vec<(Guarded, Expr)>,
    /// The role model that the user model has to name, when it does so elsewhere.
    pub(super) role: Option<Path>,
    /// The enum of the roles that are made at start-up.
    pub(super) seed: Option<Path>,
    /// Whether the module gets commands.
    pub(super) cli: bool,
    /// What the route groups need of the model, and the place that asks for it.
    pub(super) needs: Vec<(Need, Span)>,
}

/// An authentication backend.
pub(super) enum Backend {
    Jwt,
    JwtCookie,
    Session,
    Own(Path),
}

/// A trait of the model that a route group needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Verified,
    Mailbox,
    /// For the routes that manage users and roles.
    Administrators,
    /// For the roles that are made at start-up.
    Roles,
}

/// A route group that a guard may stand before.
#[derive(Clone, Copy)]
pub(super) enum Guarded {
    CurrentUser,
    Users,
    Roles,
}

/// The groups that exist.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) auth: Option<AuthRoutes>,
    pub(super) register: Option<String>,
    pub(super) verify: Option<VerifyRoutes>,
    pub(super) password_reset: Option<PasswordResetRoutes>,
    pub(super) current_user: Option<CurrentUserRoutes>,
    pub(super) users: Option<String>,
    pub(super) roles: Option<RolesRoutes>,
}

pub(super) struct AuthRoutes {
    pub(super) login: String,
    pub(super) logout: String,
}

pub(super) struct VerifyRoutes {
    pub(super) path: String,
    pub(super) resend: String,
}

pub(super) struct PasswordResetRoutes {
    pub(super) forgot: String,
    pub(super) reset: String,
}

pub(super) struct CurrentUserRoutes {
    pub(super) path: String,
    pub(super) delete: bool,
}

pub(super) struct RolesRoutes {
    pub(super) path: String,
    pub(super) assign: String,
    pub(super) revoke: String,
}
