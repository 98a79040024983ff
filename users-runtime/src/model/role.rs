//! What a role is: the facts that `#[derive(RoleModel)]` and `#[derive(Roles)]` state.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::error::BoxDynError;

use super::{Column, Described, UserId, UserModel};
use crate::validate::FieldErrors;

/// A role of the application, derived with `#[derive(RoleModel)]`. [`Role`] is one for those who need no columns of
/// their own, [`NoRoles`] none at all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role model",
    label = "this type lacks `#[derive(RoleModel)]`",
    note = "write `#[derive(Clone, Debug, RoleModel)]` above the struct and mark its fields with `#[role(...)]`"
)]
pub trait RoleModel: Clone + Debug + Send + Sync + Unpin + Sized + 'static {
    /// The model itself. A user model names it through this, so that a type that is no role model is one mistake.
    type Model: RoleModel;
    /// The type of the primary key.
    type Id: UserId;
    /// What anybody who may see the role gets to see.
    type Read: Described + Serialize + Send;
    /// The body of `POST /users/roles`.
    type Create: Described + RoleCreateDto;
    /// The body of `PATCH /users/roles/{id}`.
    type Update: Described + RoleUpdateDto;

    /// Whether there are roles at all.
    const PRESENT: bool = true;

    /// The primary key.
    fn id(&self) -> Self::Id;
    /// The name, in the form that is compared.
    fn name(&self) -> &str;
    /// The role as DTO.
    fn to_read(&self) -> Self::Read;
    /// A role as it is before it is stored.
    fn from_create(create: Self::Create, id: Self::Id, name: String) -> Self;
    /// A role of which nothing but the name is known.
    fn named(id: Self::Id, name: String) -> Self;
    /// The same role under the key that the database assigned.
    #[must_use]
    fn with_id(self, id: Self::Id) -> Self;
}

/// How a role model is stored in one database, in static SQL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role model",
    label = "this type lacks `#[derive(RoleModel)]`",
    note = "write `#[derive(Clone, Debug, RoleModel)]` above the struct and mark its fields with `#[role(...)]`"
)]
pub trait StoredRole<DB: sqlx::Database>: RoleModel {
    /// The names that statements about roles are put together from.
    const SQL: RoleSql;

    /// The columns that the struct asks for, in its order.
    fn columns() -> Vec<Column>;
    /// A role from `SQL.width` columns of a row; `None` when the row has none.
    fn from_row(row: &DB::Row, first: usize) -> Result<Option<Self>, sqlx::Error>;
    /// Adds the values of `SQL.insert`, in order.
    fn add_insert(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
    /// Adds the values of `SQL.update`, in order: for each column whether it changes, and to what.
    fn add_update(update: &Self::Update, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
}

/// The names of a role's table and columns in one database, quoted.
#[derive(Debug, Clone, Copy)]
pub struct RoleSql {
    /// The table; empty without roles.
    pub table: &'static str,
    /// The key.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// How many columns `select` has.
    pub width: usize,
    /// The columns in the struct's order, as `r.name`.
    pub select: &'static str,
    /// The columns of an `INSERT`.
    pub insert: &'static str,
    /// Its placeholders, each a `?`.
    pub values: &'static str,
    /// The assignments of an `UPDATE` of own columns; `None` when there are none.
    pub update: Option<&'static str>,
}

/// The body of a new role, generated as `RoleCreate`.
pub trait RoleCreateDto: DeserializeOwned + Send + Sync {
    /// The name as typed.
    fn name(&self) -> &str;
    /// Checks the rules of the application's own fields.
    fn validate(&self, errors: &mut FieldErrors);
}

/// The body of a change to a role, generated as `RoleUpdate`.
pub trait RoleUpdateDto: DeserializeOwned + Send + Sync {
    /// The new name as typed, if it is to change.
    fn name(&self) -> Option<&str>;
    /// Whether a column of the application's own changes.
    fn changes_own_fields(&self) -> bool;
    /// Checks the rules of the application's own fields.
    fn validate(&self, errors: &mut FieldErrors);
}

/// The roles that a program knows while it is compiled, derived with `#[derive(Roles)]` on an `enum`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list roles",
    label = "this type lacks `#[derive(Roles)]`",
    note = "`seed` names an `enum` of the roles that are made at start-up; write `#[derive(Clone, Copy, Roles)]` above it"
)]
pub trait Roles: Copy + Send + Sync + 'static {
    /// Every one of them.
    const ALL: &'static [Self];

    /// The name by which the role is stored.
    fn name(self) -> &'static str;
}

/// What names a role: a variant of an `enum` that derives [`Roles`], or a string for a role that is made at run time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a role",
    label = "write a variant of an `enum` that derives `Roles`, or a string"
)]
pub trait RoleName {
    /// The name by which the role is stored.
    fn role_name(&self) -> &str;
}

impl RoleName for str {
    fn role_name(&self) -> &str {
        self
    }
}

impl RoleName for String {
    fn role_name(&self) -> &str {
        self
    }
}

impl<R: RoleName + ?Sized> RoleName for &R {
    fn role_name(&self) -> &str {
        (*self).role_name()
    }
}

/// A user model whose users may have roles.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no roles",
    label = "this asks for a role",
    note = "the struct says `#[user(role = NoRoles)]`; name a role model there, or guard by something else than a role"
)]
pub trait HasRoles: UserModel {
    /// What an application with the route group `roles` evaluates while compiling.
    const NEEDED: () = ();
}

#[diagnostic::do_not_recommend]
impl<U: UserModel<Role: SomeRole>> HasRoles for U {}

/// A role model that is not [`NoRoles`]; derived together with [`RoleModel`].
#[doc(hidden)]
pub trait SomeRole: RoleModel {}

/// The role model of a user model without roles: no table, no join, no guard by role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoles;

impl RoleModel for NoRoles {
    type Model = Self;
    type Id = i64;
    type Read = ();
    type Create = ();
    type Update = ();

    const PRESENT: bool = false;

    fn id(&self) -> i64 {
        0
    }

    fn name(&self) -> &'static str {
        ""
    }

    fn to_read(&self) {}

    fn from_create((): (), _id: i64, _name: String) -> Self {
        Self
    }

    fn named(_id: i64, _name: String) -> Self {
        Self
    }

    fn with_id(self, _id: i64) -> Self {
        self
    }
}

impl<DB: sqlx::Database> StoredRole<DB> for NoRoles {
    const SQL: RoleSql =
        RoleSql { table: "", id: "", name: "", width: 0, select: "", insert: "", values: "", update: None };

    fn columns() -> Vec<Column> {
        Vec::new()
    }

    fn from_row(_row: &DB::Row, _first: usize) -> Result<Option<Self>, sqlx::Error> {
        Ok(None)
    }

    fn add_insert(&self, _arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        Ok(())
    }

    fn add_update((): &(), _arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        Ok(())
    }
}

impl RoleCreateDto for () {
    fn name(&self) -> &'static str {
        ""
    }

    fn validate(&self, _errors: &mut FieldErrors) {}
}

impl RoleUpdateDto for () {
    fn name(&self) -> Option<&str> {
        None
    }

    fn changes_own_fields(&self) -> bool {
        false
    }

    fn validate(&self, _errors: &mut FieldErrors) {}
}

/// A role with a name and a description, for those who need no other columns.
///
/// It is what `#[derive(RoleModel)]` makes of it; a struct of your own looks the same.
#[derive(Debug, Clone, PartialEq, Eq, users_macros::RoleModel)]
#[role(crate = crate, table = "users_roles")]
pub struct Role {
    /// The primary key.
    #[role(id)]
    pub id: uuid::Uuid,
    /// The name, in the form that is compared.
    #[role(name)]
    pub name: String,
    /// What the role is for.
    #[role(validate = length(0, 500))]
    pub description: Option<String>,
}
