//! What a user is: the facts that `#[derive(UserModel)]` states about a struct.

mod described;
mod field;
mod list;
mod oauth_account;
mod role;
mod tenant;

use std::{fmt::Display, hash::Hash, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use sqlx::error::BoxDynError;
use uuid::Uuid;

pub use described::Described;
#[cfg(feature = "openapi")]
pub use described::Named;
#[cfg(feature = "openapi")]
pub(crate) use described::Schematic;
pub use field::{Acceptable, ColumnType, Exposable, Initial};
pub use list::{Conditions, FilterDto, SortColumn};
#[cfg(not(feature = "oauth2"))]
pub use oauth_account::NoOAuthAccounts as DefaultOAuthAccount;
#[cfg(feature = "oauth2")]
pub use oauth_account::OAuthAccount as DefaultOAuthAccount;
pub use oauth_account::{
    HasOAuthAccounts, NoOAuthAccounts, OAuthAccount, OAuthAccountModel, OAuthAccountRead, OAuthAccountSql,
    SomeOAuthAccount, StoredOAuthAccount,
};
pub use role::{
    HasRoles, NoRoles, Role, RoleCreate, RoleCreateDto, RoleModel, RoleName, RoleRead, RoleSql, RoleUpdate,
    RoleUpdateDto, Roles, SomeRole, StoredRole,
};
pub use tenant::{ResolveTenant, Tenant};

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
    /// What separates users into tenants; `()` for a model without them.
    type Tenant: Tenant;
    /// The roles that a user may have: [`Role`] unless the struct says otherwise, [`NoRoles`] for none.
    type Role: RoleModel;
    /// The accounts at providers that a user may link: with the cargo feature `oauth2` [`OAuthAccount`] unless the struct
    /// says otherwise, and without it [`NoOAuthAccounts`].
    type OAuthAccount: OAuthAccountModel;
    /// What anybody who may see the user gets to see.
    type Read: Described + Serialize + Send;
    /// The body of `POST /register`.
    type Registration: Described + RegistrationDto;
    /// The body of `PATCH /users/me`: what a user may change of themselves.
    type Update: Described + UpdateDto;
    /// The body of `PATCH /users/{id}`: what an administrator may change of a user.
    type AdminUpdate: AdminUpdateDto + Described;
    /// What a list of users may be filtered by.
    type Filter: Described + FilterDto;
    /// A user as an import or a command brings it.
    type Import: ImportDto<Id = Self::Id>;

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
    /// The tenant that the user belongs to.
    fn tenant(&self) -> Self::Tenant;
    /// The user as DTO.
    fn to_read(&self) -> Self::Read;
    /// A user as it is before it is stored.
    fn from_registration(registration: Self::Registration, new: NewUser<Self::Id, Self::Tenant>) -> Self;
    /// A user out of an import as it is before it is stored.
    fn from_import(import: Self::Import, new: NewUser<Self::Id, Self::Tenant>) -> Self;
    /// The same user under the key that the database assigned.
    #[must_use]
    fn with_id(self, id: Self::Id) -> Self;
    /// The value of a column of the application's own that lists are sorted by; `None` when it is not one.
    fn sort_value(&self, key: &str) -> Option<Result<serde_json::Value, serde_json::Error>>;
}

/// How a model is stored in one database, in static SQL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user model",
    label = "this type lacks `#[derive(UserModel)]`",
    note = "write `#[derive(UserModel)]` above the struct and mark its fields with `#[user(...)]`"
)]
pub trait Stored<DB: sqlx::Database>:
    UserModel<Role: StoredRole<DB>, OAuthAccount: StoredOAuthAccount<DB>>
{
    /// The model's statements.
    const SQL: ModelSql;

    /// The columns that the struct asks for, in its order, the canonical identifier behind the identifier.
    fn columns() -> Vec<Column>;
    /// A user from the first `SQL.width` columns of a row.
    fn from_row(row: &DB::Row) -> Result<Self, sqlx::Error>;
    /// Adds the values of a row of `SQL.insert`, in order.
    fn add_insert(&self, canonical: &str, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
    /// Adds the values of `SQL.update`, in order: for each column whether it changes, and to what.
    fn add_update(update: &Self::Update, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
    /// Adds the values of `SQL.admin_update`, in the same form.
    fn add_admin_update(update: &Self::AdminUpdate, arguments: &mut DB::Arguments)
    -> Result<(), BoxDynError>;
    /// Adds the conditions that a filter comes to.
    fn filter(filter: &Self::Filter, conditions: &mut Conditions<DB>) -> Result<(), BoxDynError>;
    /// Adds a value that [`UserModel::sort_value`] gave; the key is one of `SQL.sorts`.
    fn add_sort_value(
        key: &str,
        value: serde_json::Value,
        arguments: &mut DB::Arguments,
    ) -> Result<(), BoxDynError>;
    /// Adds the tenant; nothing for a model without tenants.
    fn add_tenant(tenant: &Self::Tenant, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        let _ = (tenant, arguments);
        Ok(())
    }
}

/// The statements of one model for one database, written while compiling. Each takes its arguments in the order in which
/// they stand in its text; a model with tenants takes the tenant last.
#[derive(Debug, Clone, Copy)]
pub struct ModelSql {
    /// The quoted table name.
    pub table: &'static str,
    /// How many columns of each `SELECT` belong to the struct; those of a role follow.
    pub width: usize,
    /// How many columns of each `SELECT` belong to a role.
    pub role_width: usize,
    /// Stores a user. Where the database can, it returns the key.
    pub insert: &'static str,
    /// The same up to `VALUES`, for several rows.
    pub insert_head: &'static str,
    /// The placeholders of one row, each a `?`.
    pub insert_row: &'static str,
    /// Reads by key: one row a role.
    pub by_id: &'static str,
    /// Reads by canonical identifier.
    pub by_canonical: &'static str,
    /// Reads a session's user and the session, by the hash of the session identifier.
    pub by_session: &'static str,
    /// The same for up to sixteen sessions, with the hash of each and in its order; `NULL` stands for those that are fewer.
    pub by_sessions: &'static str,
    /// Changes own columns, by key; `None` when self-service may write none.
    pub update: Option<&'static str>,
    /// Changes own columns, by key; `None` when an administrator may write none.
    pub admin_update: Option<&'static str>,
    /// Sets a password hash, by key and the hash that was read.
    pub set_password: &'static str,
    /// Sets identifier and canonical identifier, by key and the identifier that was read.
    pub set_identifier: &'static str,
    /// Sets the flag `active`, by key; `None` for a model without it.
    pub set_active: Option<&'static str>,
    /// Sets the flag `verified`, by key; `None` for a model without it.
    pub set_verified: Option<&'static str>,
    /// Deletes by key.
    pub delete: &'static str,
    /// The parts that a list is put together from.
    pub list: ListSql,
    /// The statements about roles.
    pub roles: RoleStatements,
    /// The statements about linked accounts.
    pub oauth_accounts: OAuthAccountStatements,
}

/// The parts of the statement behind a list of users.
#[derive(Debug, Clone, Copy)]
pub struct ListSql {
    /// The columns of the struct, as `u.name`.
    pub select: &'static str,
    /// The columns of a role, as `r.name`; empty without roles.
    pub role_select: &'static str,
    /// What joins the roles to the users `u`; empty without roles.
    pub join: &'static str,
    /// The key, as `u.name`.
    pub id: &'static str,
    /// The canonical identifier, as `u.name`.
    pub canonical: &'static str,
    /// The flag `active`, as `u.name`.
    pub active: Option<&'static str>,
    /// The tenant, as `u.name`; `None` for a model without tenants.
    pub tenant: Option<&'static str>,
    /// The columns of the application's own that a list may be sorted by.
    pub sorts: &'static [SortColumn],
}

/// The statements about a model's roles. With tenants, each takes the tenant last.
#[derive(Debug, Clone, Copy)]
pub struct RoleStatements {
    /// Stores a role. Where the database can, it returns the key.
    pub insert: &'static str,
    /// Stores a role unless one of the name is there.
    pub insert_missing: &'static str,
    /// Reads all, by name.
    pub all: &'static str,
    /// Reads by key.
    pub by_id: &'static str,
    /// Reads by name.
    pub by_name: &'static str,
    /// Changes own columns, by key; `None` when there are none.
    pub update: Option<&'static str>,
    /// Sets the name, by key.
    pub rename: &'static str,
    /// Deletes by key.
    pub delete: &'static str,
    /// Counts the users with a role of this name whose accounts may be used.
    pub active_members: &'static str,
    /// Locks the role of this name until the transaction ends, where rows have locks.
    pub lock_by_name: &'static str,
}

/// The statements about a model's linked accounts. With tenants, each takes the tenant last.
#[derive(Debug, Clone, Copy)]
pub struct OAuthAccountStatements {
    /// Stores an account with its user, issuer, tokens, their end and two times. Where the database can, it returns the
    /// key.
    pub insert: &'static str,
    /// Reads an account and its user's key, by issuer and subject.
    pub by_identity: &'static str,
    /// Reads the accounts of a user with issuer and time, the oldest first.
    pub of_user: &'static str,
    /// Reads an account with its tokens and their end, by key and user.
    pub by_id: &'static str,
    /// The same, and locks it until the transaction ends, where rows have locks.
    pub lock_by_id: &'static str,
    /// Sets the tokens, their end and the time, by key.
    pub set_tokens: &'static str,
    /// Sets the mail address, where the struct has one, the tokens, their end and the time, by key.
    pub update: &'static str,
    /// Deletes by key and user.
    pub delete: &'static str,
    /// Deletes all of a user.
    pub delete_of_user: &'static str,
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
    /// Whether lists are filtered or sorted by it, which wants an index.
    pub indexed: bool,
    /// The value, in SQL, of rows that were there before the column.
    pub sql_default: Option<&'static str>,
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
        Self { name, sql_type, nullable: false, role, indexed: false, sql_default: None }
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

    /// The same column with an index.
    #[must_use]
    pub fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// The same column with a value, in SQL, for rows that were there before it.
    #[must_use]
    pub fn with_sql_default(self, value: &'static str) -> Self {
        Self { sql_default: Some(value), ..self }
    }
}

/// What a column of the table of users, of roles or of linked accounts is for.
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
    /// What separates users into tenants.
    Tenant,
    /// The name of a role.
    RoleName,
    /// The provider of a linked account.
    Provider,
    /// Who a linked account is at its provider.
    Subject,
    /// The mail address at the provider of a linked account.
    Email,
    /// The user of a linked account.
    UserId,
    /// Who says who a linked account is.
    Issuer,
    /// The sealed tokens of a linked account.
    Tokens,
    /// A time in the library's keeping, in milliseconds since 1970.
    Time,
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
pub struct NewUser<Id, Tenant = ()> {
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
    /// The tenant that the user belongs to.
    pub tenant: Tenant,
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
pub trait SqlId: field::ColumnInEach {}

impl<T: field::ColumnInEach> SqlId for T {}

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

/// The body of an administrator's change, generated as `UserAdminUpdate`.
pub trait AdminUpdateDto: DeserializeOwned + Default + Send + Sync {
    /// The new identifier, if it is to change.
    fn identifier(&self) -> Option<&str>;
    /// The new password, if it is to change.
    fn password(&self) -> Option<&Password>;
    /// Whether the account may be used, if that is to change.
    fn active(&self) -> Option<bool>;
    /// Whether the mailbox is proven, if that is to change.
    fn verified(&self) -> Option<bool>;
    /// Whether the user is to be sent a mail to choose a password.
    fn send_password_reset(&self) -> bool;
    /// Whether a column of the application's own changes.
    fn changes_own_fields(&self) -> bool;
    /// Checks the rules of the application's own fields.
    fn validate(&self, errors: &mut FieldErrors);
}

/// A user as an import or a command brings it, generated as `UserImport`.
pub trait ImportDto: DeserializeOwned + Send + Sync {
    /// The type of the primary key.
    type Id;
    /// The key, if it is given.
    fn id(&self) -> Option<Self::Id>;
    /// The identifier as typed.
    fn identifier(&self) -> &str;
    /// The password, if it is given.
    fn password(&self) -> Option<&Password>;
    /// The stored hash, if one is given.
    fn password_hash(&self) -> Option<&str>;
    /// Whether the account may be used, if it is said.
    fn active(&self) -> Option<bool>;
    /// Whether the mailbox is proven, if it is said.
    fn verified(&self) -> Option<bool>;
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
