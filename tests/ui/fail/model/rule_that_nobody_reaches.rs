//! A rule on a field that no DTO writes.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(read_only, exclude(import), validate = range(0, 9))]
    pub score: i64,
}

fn main() {}
