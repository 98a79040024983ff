//! User management for axum and sqlx, generated while your program compiles.
//!
//! Derive [`UserModel`] on a struct, put [`users_app`] on its module, and there are registration, verification, login,
//! logout, the user's own account, password reset, and management of users and roles:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use users_runtime::{Config, users_app};
//!
//! #[users_app(auth = "session", exclude = ["/health"])]
//! mod accounts {
//!     use users_runtime::{PasswordHash, UserModel};
//!     use uuid::Uuid;
//!
//!     #[derive(Clone, Debug, UserModel)]
//!     pub struct User {
//!         #[user(id)]
//!         pub id: Uuid,
//!         #[user(identifier)]
//!         pub email: String,
//!         #[user(password_hash)]
//!         password_hash: PasswordHash,
//!         #[user(active)]
//!         pub is_active: bool,
//!         #[user(verified)]
//!         pub is_verified: bool,
//!     }
//! }
//!
//! async fn feed(user: Option<accounts::CurrentUser>) -> String {
//!     user.map_or("news for everybody".to_owned(), |user| format!("news for {}", user.email))
//! }
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let users = accounts::Users::connect("sqlite://app.db", Config::from_env()?).await?;
//! let app = accounts::router(users)
//!     // Needs a login: everything in here that `exclude` does not name.
//!     .protected(Router::new().route("/health", get(|| async { "ok" })))
//!     // Serves everybody.
//!     .public(Router::new().route("/feed", get(feed)));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, app.into_make_service()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//! - From the first program to a deployment, a chapter for each thing: the [`guide`]. Its chapters are
//!   [`getting_started`](guide::getting_started), [`models`](guide::models), [`dtos`](guide::dtos),
//!   [`hooks`](guide::hooks), [`routes`](guide::routes), [`guards`](guide::guards), [`sessions`](guide::sessions),
//!   [`oauth2`](guide::oauth2), [`openapi`](guide::openapi), [`databases`](guide::databases), [`cli`](guide::cli),
//!   [`deployment`](guide::deployment), [`security`](guide::security),
//!   [`conformance`](mod@guide::conformance), and the ways here
//!   [from litestar-users](guide::migration_from_litestar_users) and
//!   [from axum-login](guide::migration_from_axum_login).
//! - The struct and its attributes: [`derive@UserModel`]. The module and its arguments: [`users_app`].
//! - Settings, each with the secure default: [`Config`].
//! - Your part at each step of an account's life: [`Hooks`].
//! - Who a handler serves: [`CurrentUser`], `Option<CurrentUser>` and [`Visitor`], and for as long as a connection stays
//!   open: [`Heartbeat`]; your routes beside the generated ones: [`UsersRouter`].
//! - Who may pass: [`Guard`], and `guard`, `Guarded` in your module. Roles: [`derive@RoleModel`], [`derive@Roles`], [`Role`].
//! - What programs do with users: [`Users`]; with those of one tenant: [`Scope`] and [`ResolveTenant`].
//! - Another way to say who a request is from: [`Backend`]. Another place for sessions: [`Store`]. Another way for
//!   mail to leave: [`MailTransport`]; other words for it: [`Templates`].
//! - What goes wrong, and how it is answered: [`Error`].
//!
//! # Cargo features
//! `sqlite`, `session`, `session-cookie`, `jwt`, `smtp`, `cli`, `openapi` and `swagger-ui` are on by default, `postgres`
//! and `mysql` are the other databases. `oauth2` brings sign-in through providers, `client` a client in Rust,
//! `conformance` tests for your application. `redis` brings `RedisStore` and `tower-sessions` brings `TowerStore`, two more
//! stores for sessions and tokens. `user-cache` keeps the users that requests are from for a few seconds: [`UserCache`].
//! `bcrypt` and `pbkdf2` verify stored hashes of these schemes; `zxcvbn` estimates how
//! strong new passwords are, and `breach-check` asks whether they are known from a breach; `chrono`, `time` and `json` let
//! columns of your own have these types.

#![allow(
    clippy::duplicate_mod,
    reason = "what databases do alike stands once and is compiled into each of them"
)]
#![cfg_attr(
    not(all(
        feature = "cli",
        feature = "jwt",
        feature = "oauth2",
        feature = "openapi",
        feature = "session"
    )),
    allow(dead_code, reason = "some statements and helpers serve only a feature that is switched off here")
)]

mod app;
mod auth;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod cache;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
mod clock;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod db;
mod directory;
mod error;
mod event;
mod extract;
mod future;
#[cfg(all(any(fuzzing, test), feature = "jwt", feature = "session-cookie"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
pub mod guide;
mod hooks;
mod json;
mod layer;
mod mail;
mod model;
#[cfg(feature = "oauth2")]
mod oauth;
#[cfg(feature = "openapi")]
pub mod openapi;
mod operation;
mod password;
mod peer;
mod principal;
mod query;
mod registration;
mod routes;
mod secret;
mod service;
mod session;
mod store;
#[allow(dead_code, reason = "the command line reads texts too, where it is switched on")]
mod text;
mod throttle;
#[cfg(any(feature = "breach-check", feature = "client", feature = "oauth2"))]
mod tls;
mod token;
mod validate;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use http::request::Parts;
/// The version of sqlx whose transactions hooks are given.
pub use sqlx;
#[doc(no_inline)]
pub use users_macros::{OAuthAccountModel, RoleModel, Roles, UserModel, users_app};
/// The version of utoipa whose documents and schemas these are.
#[cfg(feature = "openapi")]
pub use utoipa;

#[cfg(feature = "session")]
pub use crate::auth::Session;
#[cfg(feature = "session-cookie")]
pub use crate::auth::SessionCookie;
#[cfg(feature = "jwt")]
pub use crate::auth::{Jwt, JwtCookie, NoClaims, OAuth2Password, TokenClaims};
#[cfg(feature = "user-cache")]
pub use crate::cache::UserCache;
#[cfg(feature = "smtp")]
pub use crate::mail::Smtp;
#[cfg(feature = "bcrypt")]
pub use crate::password::Bcrypt;
#[cfg(feature = "pbkdf2")]
pub use crate::password::Pbkdf2;
#[cfg(feature = "breach-check")]
pub use crate::password::PwnedPasswords;
#[cfg(feature = "redis")]
pub use crate::store::RedisStore;
#[cfg(feature = "tower-sessions")]
pub use crate::store::TowerStore;
#[cfg(feature = "jwt")]
pub use crate::token::TokenKey;
pub use crate::{
    app::{
        Application, AuthRoutes, CurrentUserRoutes, DocsRoutes, Group, HasAdministrators, OAuth2Routes,
        PasswordResetRoutes, RegisterRoutes, RolesRoutes, Routes, SameOAuthAccount, SameRole, Seed,
        SessionsRoutes, TokensRoutes, UsersRoutes, VerifyRoutes,
    },
    auth::{Backend, Credential, Login, Recognition, SecurityScheme},
    config::{ADMINISTRATOR, Config},
    db::{Connection, Difference, Pool, SchemaMode, Storable, Transaction},
    directory::Directory,
    error::{BoxError, Error, OAuthFailure, ProblemCode},
    event::{Event, EventKind, EventOutcome, EventPage, OwnEvent},
    extract::{CurrentUser, Guarded, Heartbeat, SessionData, Visitor},
    future::BoxFuture,
    guard::{
        Active, AllOf, AnyOf, Both, Either, Guard, Guards, RecentlyAuthenticated, Verified, When, active,
        all_of, any_of, both, either, recently_authenticated, recently_authenticated_within, verified, when,
    },
    hooks::{Attempt, Hooks, NoHooks},
    layer::{GuardLayer, GuardService},
    mail::{Folder, MailContext, MailError, MailKind, MailTransport, RenderedMail, Stdout, Templates},
    model::{
        Acceptable, AdminUpdateDto, Column, ColumnRole, ColumnType, Conditions, Described, Exposable,
        FilterDto, HasMailbox, HasOAuthAccounts, HasRoles, HasVerified, Identifier, ImportDto, Initial,
        ListSql, ModelSql, NewUser, NoOAuthAccounts, NoRoles, OAuthAccount, OAuthAccountModel,
        OAuthAccountRead, OAuthAccountSql, OAuthAccountStatements, RegistrationDto, ResolveTenant, Role,
        RoleCreate, RoleCreateDto, RoleModel, RoleName, RoleRead, RoleSql, RoleStatements, RoleUpdate,
        RoleUpdateDto, Roles, SomeRole, SortColumn, Stored, StoredOAuthAccount, StoredRole, Tenant,
        UpdateDto, UserId, UserModel,
    },
    operation::{Access, GeneratedRoute},
    password::{Argon2Cost, BreachCheck, FailMode, PasswordPolicy, PasswordScheme},
    peer::ClientAddress,
    principal::Principal,
    query::{EventQuery, ListQuery, Page},
    registration::Registration,
    routes::{Answer, Read, ResetPassword, UsersRouter},
    secret::{Password, PasswordHash, SECRET_KEY_MIN_BYTES, SecretKey, WeakKey},
    service::{
        AccountLock, Imported, Invitation, InvitationLink, LogIn, NewAccount, NewInvitation, Refused, Scope,
        SessionInfo, Updated, Users, UsersBuilder,
    },
    session::DataChanges,
    store::{Entry, Expected, FileStore, MemoryStore, Store},
    throttle::Throttle,
    token::{Fingerprint, TokenHash},
    validate::{
        CanonicalIdentifier, FieldError, FieldErrors, IdentifierKind, Violation, canonical_role_name,
        canonicalise,
    },
};
#[cfg(feature = "oauth2")]
pub use crate::{
    oauth::{OAuthIdentity, OAuthProvider, OAuthTokens},
    service::LinkedAccount,
};
