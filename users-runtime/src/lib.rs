//! User management for axum and sqlx, generated while your program compiles.
//!
//! Derive [`UserModel`] on a struct, put [`users_app`] on its module, and there are registration, verification, login,
//! logout, the user's own account and password reset:
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
//! axum::serve(listener, app.into_router()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//! - The struct and its attributes: [`derive@UserModel`]. The module and its arguments: [`users_app`].
//! - Settings, each with the secure default: [`Config`].
//! - Your part at each step of an account's life: [`Hooks`].
//! - Who a handler serves: [`CurrentUser`], `Option<CurrentUser>` and [`Visitor`]; your routes beside the generated ones:
//!   [`UsersRouter`].
//! - Another way to say who a request is from: [`Backend`]. Another place for sessions: [`SessionStore`]. Another way for
//!   mail to leave: [`MailTransport`]; other words for it: [`Templates`].
//! - What goes wrong, and how it is answered: [`Error`].
//!
//! # Cargo features
//! `sqlite`, `session`, `jwt` and `smtp` are on by default. `bcrypt` and `pbkdf2` verify stored hashes of these schemes;
//! `chrono`, `time` and `json` let columns of your own have these types.

#![cfg_attr(
    not(all(feature = "jwt", feature = "session")),
    allow(dead_code, reason = "some statements and helpers serve only a backend that is switched off here")
)]

mod app;
mod auth;
mod clock;
mod config;
mod db;
mod directory;
mod error;
mod extract;
mod future;
mod hooks;
mod json;
mod layer;
mod mail;
mod model;
mod password;
mod principal;
mod routes;
mod secret;
mod service;
mod session;
mod token;
mod validate;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use http::request::Parts;
/// The version of sqlx whose transactions hooks are given.
pub use sqlx;
#[doc(no_inline)]
pub use users_macros::{UserModel, users_app};

#[cfg(feature = "session")]
pub use crate::auth::Session;
#[cfg(feature = "jwt")]
pub use crate::auth::{Jwt, JwtCookie};
#[cfg(feature = "smtp")]
pub use crate::mail::Smtp;
#[cfg(feature = "bcrypt")]
pub use crate::password::Bcrypt;
#[cfg(feature = "pbkdf2")]
pub use crate::password::Pbkdf2;
pub use crate::{
    app::{
        Application, AuthRoutes, CurrentUserRoutes, PasswordResetRoutes, RegisterRoutes, Routes, VerifyRoutes,
    },
    auth::{Backend, Credential, Recognition},
    config::{Config, SessionStorage},
    db::{Pool, Storable, Transaction},
    directory::Directory,
    error::{BoxError, Error},
    extract::{CurrentUser, Visitor},
    future::BoxFuture,
    hooks::{Hooks, NoHooks},
    mail::{Folder, MailContext, MailError, MailKind, MailTransport, RenderedMail, Stdout, Templates},
    model::{
        Acceptable, Column, ColumnRole, ColumnType, Exposable, HasMailbox, HasVerified, Identifier, Initial,
        ModelSql, NewUser, RegistrationDto, Stored, UpdateDto, UserId, UserModel,
    },
    password::{Argon2Cost, PasswordPolicy, PasswordScheme},
    principal::Principal,
    routes::UsersRouter,
    secret::{Password, PasswordHash, SECRET_KEY_MIN_BYTES, SecretKey, WeakKey},
    service::{Users, UsersBuilder},
    session::{MemoryStore, SessionRecord, SessionStore},
    token::{Fingerprint, TokenHash},
    validate::{CanonicalIdentifier, FieldError, FieldErrors, IdentifierKind, Violation, canonicalise},
};
