//! What is no name of a backend.

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

#[users_app(auth = 5, user = super::User)]
mod number {}

#[users_app(auth("jwt"), user = super::User)]
mod called {}

fn main() {}
