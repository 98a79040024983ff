//! What a user is: the facts that `#[derive(UserModel)]` states about a struct.

use std::{fmt::Display, hash::Hash, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, ser::SerializeStruct};
use sqlx::{Arguments, Row, error::BoxDynError};
use uuid::Uuid;

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
pub trait HasVerified: UserModel {}

/// A model with an address that mail can go to.
#[diagnostic::on_unimplemented(
    message = "the route groups `verify` and `password_reset` need an address that mail can go to",
    label = "`{Self}` has none",
    note = "mark the field that holds it with `#[user(mailbox)]`, or name the groups you want in `routes(...)` without these two"
)]
pub trait HasMailbox: UserModel {}

/// A type that a column can hold: anything that sqlx stores and reads in the database.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column",
    label = "the database cannot store this",
    note = "derive `sqlx::Type` for it, or write `sqlx::types::Json<T>` as the field's type"
)]
pub trait ColumnType<DB: sqlx::Database>: Sized {
    /// The column that holds it.
    fn column(name: &'static str, role: ColumnRole) -> Column;
    /// The value in a row.
    fn read(row: &DB::Row, index: usize) -> Result<Self, sqlx::Error>;
    /// Adds the value to those of a statement.
    fn add(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
    /// Adds whether the column changes, and to what.
    fn add_change(change: Option<&Self>, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
}

#[diagnostic::do_not_recommend]
impl<DB, T> ColumnType<DB> for T
where
    DB: sqlx::Database,
    T: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB> + for<'r> sqlx::Decode<'r, DB>,
    bool: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    for<'q> Option<&'q T>: sqlx::Encode<'q, DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    fn column(name: &'static str, role: ColumnRole) -> Column {
        Column::new::<DB, T>(name, role)
    }

    fn read(row: &DB::Row, index: usize) -> Result<Self, sqlx::Error> {
        row.try_get(index)
    }

    fn add(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        arguments.add(self)
    }

    fn add_change(change: Option<&Self>, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        arguments.add(change.is_some())?;
        arguments.add(change)
    }
}

/// A type that a read DTO may carry: anything that serialises, which no secret does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shown in a response",
    label = "this field would leave the server in every response",
    note = "keep it back with `#[user(exclude(read))]`; if it is no secret, derive `serde::Serialize` for its type"
)]
pub trait Exposable {
    /// Writes the value into a read DTO that is being serialised.
    fn expose<S: SerializeStruct>(&self, key: &'static str, dto: &mut S) -> Result<(), S::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Exposable for T {
    fn expose<S: SerializeStruct>(&self, key: &'static str, dto: &mut S) -> Result<(), S::Error> {
        dto.serialize_field(key, self)
    }
}

/// A type that a request may set: anything that deserialises.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a request",
    label = "registration and updates would set this field",
    note = "derive `serde::Deserialize` for its type, or keep it out of requests with `#[user(read_only)]`"
)]
pub trait Acceptable<'de>: Sized {
    /// Reads a field that has to be there.
    fn accept<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    /// Reads a field of a change: present, even as `null`, is `Some`.
    fn present<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;
}

#[diagnostic::do_not_recommend]
impl<'de, T: Deserialize<'de>> Acceptable<'de> for T {
    fn accept<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
    }

    fn present<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::deserialize(deserializer).map(Some)
    }
}

/// A type with a value for a field that no registration sets.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no value for a new user",
    label = "registration does not set this field",
    note = "write `#[user(default = expression)]`, or derive `Default` for its type"
)]
pub trait Initial {
    /// That value.
    fn initial() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Initial for T {
    fn initial() -> Self {
        T::default()
    }
}
