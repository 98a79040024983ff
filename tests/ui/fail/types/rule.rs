//! Rules on fields of types that they do not know.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = length(1, 2))]
    pub age: i64,
    #[user(validate = range(1, 2))]
    pub name: String,
    #[user(validate = email)]
    pub score: i64,
}

fn main() {}
