//! A value at registration of another type.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(default = true)]
    pub age: i64,
}

fn main() {}
