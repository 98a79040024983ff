//! What is configured at start-up, written as an argument.

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

#[users_app(auth = "jwt", secret_key = "0123", user = super::User)]
mod key {}

#[users_app(auth = "jwt", database_url = "sqlite://app.db", user = super::User)]
mod database {}

#[users_app(auth = "session", session_store = "redis", user = super::User)]
mod store {}

#[users_app(auth = "jwt", lifetime = 3600, user = super::User)]
mod lifetime {}

fn main() {}
