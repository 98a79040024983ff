//! `exclude(...)` with words that are no DTOs.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Misspelt {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(exclude(reed))]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Unknown {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(exclude(everywhere))]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Twice {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(exclude(read, read))]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Empty {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(exclude())]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Assigned {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(exclude = "read")]
    pub score: i64,
}

fn main() {}
