//! Route groups that do not exist.

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

#[users_app(auth = "jwt", routes(auth, pasword_reset), user = super::User)]
mod misspelt {}

#[users_app(auth = "jwt", routes(auth, billing), user = super::User)]
mod unknown {}

fn main() {}
