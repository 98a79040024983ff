//! Fields under the names of keys that the DTOs have already.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    pub password: String,
    pub current_password: String,
}

fn main() {}
