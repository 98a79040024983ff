//! Applications for the commands: their program is `src/bin/commands.rs`, and `MODEL` names the one that it runs.

use users_runtime::{Error, Hooks, Parts, ResolveTenant, Transaction};

/// The name that a hook refuses.
pub const REFUSED_NAME: &str = "Refused by a hook";

/// Refuses one name, after the user is stored.
#[derive(Default)]
pub struct Refusing;

impl Hooks<plain::User> for Refusing {
    async fn after_register(
        &self,
        _request: &Parts,
        user: &plain::User,
        _transaction: &mut Transaction,
    ) -> Result<(), Error> {
        match user.display_name.as_deref() {
            Some(REFUSED_NAME) => Err(Error::refused("name_refused", "a hook refuses this name")),
            _ => Ok(()),
        }
    }
}

/// The default role model, flags, and fields of several types.
#[users_runtime::users_app(auth = "session", hooks = super::Refusing)]
pub mod plain {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "people")]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        #[user(validate = length(2, 40))]
        pub display_name: Option<String>,
        #[user(validate = range(0, 150), default = 30, filter, sort)]
        pub age: i64,
        /// Set by nobody but an operator.
        #[user(exclude(register, update, admin_update))]
        pub score: f64,
    }
}

/// The same table a version later: one field may be absent, the other has a value for those who are there.
#[users_runtime::users_app(auth = "session")]
pub mod grown {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "people")]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        pub display_name: Option<String>,
        #[user(default = 30)]
        pub age: i64,
        #[user(exclude(register, update, admin_update))]
        pub score: f64,
        pub nickname: Option<String>,
        #[user(default = 1, sql_default = "1")]
        pub level: i64,
    }
}

/// The same table with a field for which the users who are there have no value.
#[users_runtime::users_app(auth = "session")]
pub mod overgrown {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "people")]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        pub display_name: Option<String>,
        #[user(default = 30)]
        pub age: i64,
        #[user(exclude(register, update, admin_update))]
        pub score: f64,
        #[user(default = 1)]
        pub level: i64,
    }
}

/// Keys that the database assigns, a name to log in with, no flags and no roles.
#[users_runtime::users_app(auth = "session", routes(auth, register, current_user))]
pub mod numbered {
    use users_runtime::{NoRoles, PasswordHash, UserModel};

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "members", role = NoRoles)]
    pub struct User {
        #[user(id)]
        pub id: i64,
        #[user(identifier = username)]
        pub user_name: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }
}

/// Reads the tenant from nowhere: commands name it.
#[derive(Default)]
pub struct NoTenant;

impl Hooks<tenants::User> for NoTenant {}

impl ResolveTenant<i64> for NoTenant {
    async fn tenant(&self, _request: &Parts) -> Result<i64, Error> {
        Err(Error::NotFound)
    }
}

/// Users of several tenants.
#[users_runtime::users_app(auth = "session", hooks = super::NoTenant)]
pub mod tenants {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "people")]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        #[user(tenant)]
        pub company: i64,
    }
}
