//! Applications without a backend.

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

#[users_app(user = super::User)]
mod nothing {}

#[users_app(auth = [], user = super::User)]
mod empty {}

fn main() {}
