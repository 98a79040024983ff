//! A value for an argument that takes none.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Assigned {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(read_only = true)]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Called {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active(true))]
    pub is_active: bool,
}

fn main() {}
