//! Patterns that open nothing.

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

#[users_app(auth = "jwt", exclude = ["/login"], user = super::User)]
mod open_anyway {}

#[users_app(auth = "jwt", exclude = ["/a/{x}", "/a/{y}"], user = super::User)]
mod twice {}

fn main() {}
