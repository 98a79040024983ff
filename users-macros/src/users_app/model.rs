//! An application as its arguments describe it, checked.

use proc_macro2::{Ident, Span};
use syn::{Expr, LitStr, Path, Visibility};

/// The parts whose cargo features are on.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one for each cargo feature")]
pub(super) struct Enabled {
    pub(super) cli: bool,
    pub(super) client: bool,
    pub(super) jwt: bool,
    pub(super) oauth2: bool,
    pub(super) openapi: bool,
    pub(super) session: bool,
    pub(super) session_cookie: bool,
}

impl Enabled {
    /// What this build of the crate was asked for.
    pub(super) fn from_features() -> Self {
        Self {
            cli: cfg!(feature = "cli"),
            client: cfg!(feature = "client"),
            jwt: cfg!(feature = "jwt"),
            oauth2: cfg!(feature = "oauth2"),
            openapi: cfg!(feature = "openapi"),
            session: cfg!(feature = "session"),
            session_cookie: cfg!(feature = "session-cookie"),
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "one for each part that the module gets")]
/// Everything that is generated into the module.
pub(super) struct Application {
    /// The path of `users-runtime`.
    pub(super) runtime: Path,
    pub(super) user: Path,
    pub(super) visibility: Visibility,
    pub(super) auth: Vec<Backend>,
    /// What JWTs say beside the claims of the library.
    pub(super) claims: Option<Path>,
    /// Whether the module gets an extractor for the data that a session carries.
    pub(super) session_data: bool,
    pub(super) hooks: Option<Path>,
    pub(super) routes: Routes,
    pub(super) exclude: Vec<LitStr>,
    /// Who may use a route group, where the user says so.
    pub(super) guards: Vec<(Guarded, Expr)>,
    /// The role model that the user model has to name, when it does so elsewhere.
    pub(super) role: Option<Path>,
    /// The model of linked accounts that the user model has to name, when it does so elsewhere.
    pub(super) oauth_account: Option<Path>,
    /// The enum of the roles that are made at start-up.
    pub(super) seed: Option<Path>,
    /// The tags of route groups in the OpenAPI document, where the user names them.
    pub(super) tags: Vec<(Ident, LitStr)>,
    /// Whether the module gets commands.
    pub(super) cli: bool,
    /// Whether the module gets the OpenAPI document.
    pub(super) openapi: bool,
    /// Whether the module gets a client.
    pub(super) client: bool,
    /// What the route groups need of the model, and the place that asks for it.
    pub(super) needs: Vec<(Need, Span)>,
}

/// An authentication backend.
pub(super) enum Backend {
    Jwt,
    JwtCookie,
    OAuth2Password,
    Session,
    SessionCookie,
    Own(Path),
}

impl Backend {
    /// Whether it gives clients JWTs.
    pub(super) fn is_jwt(&self) -> bool {
        matches!(self, Self::Jwt | Self::JwtCookie | Self::OAuth2Password)
    }

    /// Whether its credential carries data of the application's own.
    pub(super) fn carries_data(&self) -> bool {
        matches!(self, Self::Session | Self::SessionCookie)
    }

    /// Whether it is the library's, which knows the logins of a user.
    pub(super) fn is_built_in(&self) -> bool {
        !matches!(self, Self::Own(_))
    }
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
    /// For the routes by which people sign in through providers.
    OAuthAccounts,
}

/// A route group that a guard may stand before.
#[derive(Clone, Copy)]
pub(super) enum Guarded {
    CurrentUser,
    Users,
    Roles,
    Sessions,
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
    pub(super) sessions: Option<String>,
    pub(super) tokens: Option<TokensRoutes>,
    pub(super) oauth2: Option<OAuth2Routes>,
    pub(super) docs: Option<String>,
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
    pub(super) export: bool,
}

pub(super) struct RolesRoutes {
    pub(super) path: String,
    pub(super) assign: String,
    pub(super) revoke: String,
}

pub(super) struct TokensRoutes {
    pub(super) token: String,
    pub(super) refresh: String,
    pub(super) jwks: String,
}

pub(super) struct OAuth2Routes {
    pub(super) path: String,
    pub(super) associate: String,
}
