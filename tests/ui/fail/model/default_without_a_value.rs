//! `default` without its value.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(default)]
    pub score: i64,
}

fn main() {}
