//! Patterns that begin with a parameter.

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

#[users_app(auth = "jwt", exclude = ["/{*path}"], user = super::User)]
mod rest {}

#[users_app(auth = "jwt", exclude = ["/{tenant}/health"], user = super::User)]
mod parameter {}

fn main() {}
