//! Backends of a later version.

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

#[users_app(auth = "session_cookie", user = super::User)]
mod alone {}

#[users_app(auth = ["jwt", "oauth2_password"], user = super::User)]
mod in_a_list {}

fn main() {}
