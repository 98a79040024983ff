//! Claims for backends without JWTs, and what is no type.

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

pub struct Plan;

#[users_app(auth = "session", claims = super::Plan, user = super::User)]
mod no_backend {}

#[users_app(auth = "jwt", claims = 5, user = super::User)]
mod no_type {}

fn main() {}
