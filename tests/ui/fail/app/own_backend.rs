//! Backends of one's own that do not implement `Backend`.

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
pub struct ApiKeys;

#[users_app(auth = super::ApiKeys, user = super::User)]
mod alone {}

#[users_app(auth = ["jwt", super::ApiKeys], user = super::User)]
mod in_a_list {}

fn main() {}
