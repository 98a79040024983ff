//! An identifier that nobody could register with.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Excluded {
    #[user(id)]
    pub id: i64,
    #[user(identifier, exclude(register))]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct ReadOnly {
    #[user(id)]
    pub id: i64,
    #[user(identifier, read_only)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
