//! A secret that `UserRead` would show.

use users_runtime::{Password, PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    old_hash: PasswordHash,
    hint: Password,
    #[user(exclude(read))]
    pub fine: PasswordHash,
}

fn main() {}
