//! `exclude` that is no list of strings.

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

#[users_app(auth = "jwt", exclude = "/health", user = super::User)]
mod string {}

#[users_app(auth = "jwt", exclude = [5], user = super::User)]
mod number {}

#[users_app(auth = "jwt", exclude("/health"), user = super::User)]
mod called {}

fn main() {}
