//! User management for axum and sqlx, generated at compile time.

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
        Column, ColumnRole, Exposable, HasMailbox, HasVerified, Identifier, ModelSql, NewUser,
        RegistrationDto, Stored, UpdateDto, UserId, UserModel,
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
