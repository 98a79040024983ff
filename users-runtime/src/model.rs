//! What a user is: the facts that `#[derive(UserModel)]` states about a struct.

mod field;

use std::{fmt::Display, hash::Hash, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use sqlx::error::BoxDynError;
use uuid::Uuid;

pub use field::{Acceptable, ColumnType, Exposable, Initial};

use crate::{
    secret::{Password, PasswordHash},
    validate::{FieldErrors, IdentifierKind},
};

/// A user of the application, derived with `#[derive(UserModel)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user model",
    label = "this type lacks `#[derive(UserModel)]`",
    note = "write `#[derive(UserModel)]` above the struct and mark its fields with `#[user(...)]`"
)]
pub trait UserModel: Send + Sync + Unpin + Sized + 'static {
    /// The model itself. An application names it through this, so that a type that is no model is one mistake.
    type Model: UserModel;
    /// The type of the primary key.
    type Id: UserId;
    /// What anybody who may see the user gets to see.
    type Read: Serialize + Send;
    /// The body of `POST /register`.
    type Registration: RegistrationDto;
    /// The body of `PATCH /users/me`: what a user may change of themselves.
    type Update: UpdateDto;
    /// What an administrator may change of a user.
    type AdminUpdate: DeserializeOwned + Send;

    /// What people log in with.
    const IDENTIFIER: Identifier;

    /// The primary key.
    fn id(&self) -> Self::Id;
    /// The identifier as its owner typed it.
    fn identifier(&self) -> &str;
    /// The address that mail for this user goes to, if the model has one.
    fn mailbox(&self) -> Option<&str>;
    /// The stored password hash.
    fn password_hash(&self) -> &PasswordHash;
    /// Whether the account may be used at all; `true` for a model without the field.
    fn is_active(&self) -> bool;
    /// Whether the mailbox is proven; `true` for a model without the field.
    fn is_verified(&self) -> bool;
    /// The user as DTO.
    fn to_read(&self) -> Self::Read;
    /// A user as it is before it is stored.
    fn from_registration(registration: Self::Registration, new: NewUser<Self::Id>) -> Self;
    /// The same user under the key that the database assigned.
    #[must_use]
    fn with_id(self, id: Self::Id) -> Self;
}

/// How a model is stored in one database, in static SQL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user model",
    label = "this type lacks `#[derive(UserModel)]`",
    note = "write `#[derive(UserModel)]` above the struct and mark its fields with `#[user(...)]`"
)]
pub trait Stored<DB: sqlx::Database>: UserModel {
    /// The model's statements.
    const SQL: ModelSql;

    /// The columns that the struct asks for, in its order, the canonical identifier behind the identifier.
    fn columns() -> Vec<Column>;
    /// A user from the first `SQL.width` columns of a row.
    fn from_row(row: &DB::Row) -> Result<Self, sqlx::Error>;
    /// The values of `SQL.insert`, in order.
    fn insert_arguments(&self, canonical: &str) -> Result<DB::Arguments, BoxDynError>;
    /// The values of `SQL.update`, in order: the key, then for each column whether it changes, and to what.
    fn update_arguments(id: Self::Id, update: &Self::Update) -> Result<DB::Arguments, BoxDynError>;
}

/// The statements of one model for one database, written while compiling.
#[derive(Debug, Clone, Copy)]
pub struct ModelSql {
    /// The quoted table name.
    pub table: &'static str,
    /// How many columns of each `SELECT` belong to the struct; the roles follow.
    pub width: usize,
    /// Stores a user and returns its key.
    pub insert: &'static str,
    /// Reads by key.
    pub by_id: &'static str,
    /// Reads by canonical identifier.
    pub by_canonical: &'static str,
    /// Reads a session's user and the session, by the hash of the session identifier.
    pub by_session: &'static str,
    /// Reads by key, and whether a token is revoked.
    pub by_token: &'static str,
    /// Changes own columns; `None` when self-service may write none.
    pub update: Option<&'static str>,
    /// Replaces a password hash if it is still the one that was read.
    pub set_password: &'static str,
    /// Replaces an identifier if it is still the one that was read.
    pub set_identifier: &'static str,
    /// Sets the flag `active`; `None` for a model without it.
    pub set_active: Option<&'static str>,
    /// Sets the flag `verified`; `None` for a model without it.
    pub set_verified: Option<&'static str>,
    /// Deletes by key.
    pub delete: &'static str,
}

/// One column of a model's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name, unquoted.
    pub name: &'static str,
    /// The database's type.
    pub sql_type: String,
    /// Whether it may be `NULL`.
    pub nullable: bool,
    /// What the column is for.
    pub role: ColumnRole,
}

impl Column {
    /// A column of the type that `T` is stored as in `DB`.
    #[must_use]
    pub fn new<DB, T>(name: &'static str, role: ColumnRole) -> Self
    where
        DB: sqlx::Database,
        T: sqlx::Type<DB>,
    {
        let sql_type = sqlx::TypeInfo::name(&T::type_info()).to_owned();
        Self { name, sql_type, nullable: false, role }
    }

    /// The same column, which may be `NULL`.
    #[must_use]
    pub fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// The same column with a type of the user's choice.
    #[must_use]
    pub fn with_sql_type(self, sql_type: &str) -> Self {
        Self { sql_type: sql_type.to_owned(), ..self }
    }
}

/// What a column of a user's table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// The primary key.
    Id,
    /// The identifier as typed.
    Identifier,
    /// The identifier in the form that is compared and unique.
    Canonical,
    /// The password hash.
    PasswordHash,
    /// Whether the account may be used.
    Active,
    /// Whether the mailbox is proven.
    Verified,
    /// A column of the application's own.
    Own,
}

/// What people log in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier {
    /// The field's name, which is the key in JSON bodies.
    pub field: &'static str,
    /// What it has to look like.
    pub kind: IdentifierKind,
}

/// What the library decides about a user who is about to be stored.
#[derive(Debug)]
pub struct NewUser<Id> {
    /// The key; a placeholder when the database assigns it.
    pub id: Id,
    /// The identifier as typed, trimmed.
    pub identifier: String,
    /// The hash of the chosen password.
    pub password_hash: PasswordHash,
    /// Whether the account may be used.
    pub active: bool,
    /// Whether the mailbox is proven.
    pub verified: bool,
}

/// A type that can be a user's primary key: [`Uuid`] or `i64`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a user",
    label = "write `Uuid` or `i64` here"
)]
pub trait UserId:
    SqlId + Copy + Eq + Hash + Display + FromStr + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static
{
    /// A new key, or a placeholder when the database assigns keys.
    fn generate() -> Self;
    /// The key to store, or `None` when the database is to assign one.
    fn assigned(self) -> Option<Self>;
}

/// A type that every database which is switched on can store.
#[cfg(feature = "sqlite")]
pub trait SqlId:
    sqlx::Type<sqlx::Sqlite> + for<'q> sqlx::Encode<'q, sqlx::Sqlite> + for<'r> sqlx::Decode<'r, sqlx::Sqlite>
{
}

#[cfg(feature = "sqlite")]
impl SqlId for Uuid {}

#[cfg(feature = "sqlite")]
impl SqlId for i64 {}

impl UserId for Uuid {
    fn generate() -> Self {
        Self::now_v7()
    }

    fn assigned(self) -> Option<Self> {
        Some(self)
    }
}

impl UserId for i64 {
    fn generate() -> Self {
        0
    }

    fn assigned(self) -> Option<Self> {
        (self != 0).then_some(self)
    }
}

/// The body of a registration, generated as `UserRegistration`.
pub trait RegistrationDto: DeserializeOwned + Send + Sync {
    /// The identifier as typed.
    fn identifier(&self) -> &str;
    /// The chosen password.
    fn password(&self) -> &Password;
    /// Checks the rules of the application's own fields.
    fn validate(&self, errors: &mut FieldErrors);
}

/// The body of a self-service change, generated as `UserUpdate`.
pub trait UpdateDto: DeserializeOwned + Send + Sync {
    /// The new identifier, if it is to change.
    fn identifier(&self) -> Option<&str>;
    /// The new password, if it is to change.
    fn password(&self) -> Option<&Password>;
    /// The password as it is, which a new identifier or password needs.
    fn current_password(&self) -> Option<&Password>;
    /// Whether a column of the application's own changes.
    fn changes_own_fields(&self) -> bool;
    /// Checks the rules of the application's own fields.
    fn validate(&self, errors: &mut FieldErrors);
}

/// A model with a field for "the mailbox is proven".
#[diagnostic::on_unimplemented(
    message = "the route group `verify` needs a field that says whether a user is verified",
    label = "`{Self}` has no such field",
    note = "add `#[user(verified)] pub is_verified: bool` to the struct, or name the groups you want in `routes(...)` without `verify`"
)]
pub trait HasVerified: UserModel {
    /// What an application with such a group evaluates while compiling.
    const NEEDED: () = ();
}

/// A model with an address that mail can go to.
#[diagnostic::on_unimplemented(
    message = "the route groups `verify` and `password_reset` need an address that mail can go to",
    label = "`{Self}` has none",
    note = "mark the field that holds it with `#[user(mailbox)]`, or name the groups you want in `routes(...)` without these two"
)]
pub trait HasMailbox: UserModel {
    /// What an application with such a group evaluates while compiling.
    const NEEDED: () = ();
}
