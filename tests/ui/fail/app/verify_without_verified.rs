//! The group `verify` of a model that does not say whether a user is verified.

use users_runtime::{PasswordHash, UserModel, users_app};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[users_app(auth = "jwt", user = super::User)]
mod by_default {}

#[users_app(auth = "jwt", routes(auth, verify), user = super::User)]
mod named {}

fn main() {}
