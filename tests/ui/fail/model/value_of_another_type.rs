//! A number where a string belongs, and something that is no argument.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Column {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(column = 5)]
    pub score: i64,
}

#[derive(UserModel)]
#[user(crate = 5)]
pub struct Crate {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Literal {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user("column")]
    pub score: i64,
}

fn main() {}
