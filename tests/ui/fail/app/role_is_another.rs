//! A role model that is not the one of the user model.

use users_runtime::{PasswordHash, RoleModel, UserModel, users_app};

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

#[users_app(auth = "jwt", user = super::User, role = super::Position)]
mod elsewhere {}

#[users_app(auth = "jwt", user = super::User, role = super::User)]
mod no_role {}

fn main() {}
