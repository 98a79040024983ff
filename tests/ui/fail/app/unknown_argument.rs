//! Arguments that do not exist or stand there twice.

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

#[users_app(auth = "jwt", exclud = [], user = super::User)]
mod misspelt {}

#[users_app(auth = "jwt", auth = "session", user = super::User)]
mod twice {}

#[users_app("jwt", auth = "jwt", user = super::User)]
mod literal {}

#[users_app(auth = "jwt", user = 5)]
mod no_path {}

fn main() {}
