//! Arguments about roles that are wrong.

use users_runtime::users_app;

#[users_app(auth = "jwt")]
mod twice {
    use users_runtime::{PasswordHash, RoleModel, Roles, UserModel};

    #[derive(UserModel)]
    pub struct User {
        #[user(id)]
        pub id: i64,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(verified)]
        pub is_verified: bool,
    }

    #[derive(Clone, Debug, RoleModel)]
    pub struct Position {
        #[role(id)]
        pub id: i64,
        #[role(name)]
        pub name: String,
    }

    #[derive(Clone, Debug, RoleModel)]
    pub struct Rank {
        #[role(id)]
        pub id: i64,
        #[role(name)]
        pub name: String,
    }

    #[derive(Clone, Copy, Roles)]
    pub enum Known {
        Administrator,
    }

    #[derive(Clone, Copy, Roles)]
    pub enum Others {
        Accountant,
    }
}

#[users_app(auth = "jwt", user = super::twice::User, roles = super::twice::Known)]
mod word {}

#[users_app(auth = "jwt", user = super::twice::User, seed = super::twice::Position)]
mod no_enum {}

fn main() {}
