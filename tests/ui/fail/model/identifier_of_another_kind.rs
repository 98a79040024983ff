//! An identifier that is neither an address nor a name.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier = phone)]
    pub phone: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
