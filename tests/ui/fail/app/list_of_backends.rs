//! Backends that stand in a list twice, and more than a list may hold.

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

pub struct A;
pub struct B;

#[users_app(auth = ["jwt", "session", "jwt"], user = super::User)]
mod twice {}

#[users_app(auth = ["jwt", "session", "jwt_cookie", super::A, super::B], user = super::User)]
mod five {}

fn main() {}
