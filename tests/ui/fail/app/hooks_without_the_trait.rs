//! `hooks` names a type that does not implement `Hooks`.

use users_runtime::{PasswordHash, UserModel, users_app};

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

#[derive(Default)]
pub struct MyHooks;

#[users_app(auth = "jwt", user = super::User, hooks = super::MyHooks)]
mod accounts {}

fn main() {}
