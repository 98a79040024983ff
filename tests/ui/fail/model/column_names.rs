//! Columns that belong to another field, or have no usable name.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Taken {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(column = "EMAIL")]
    pub other: String,
}

#[derive(UserModel)]
pub struct Canonical {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    pub email_canonical: String,
}

#[derive(UserModel)]
pub struct Empty {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(column = "")]
    pub other: String,
}

#[derive(UserModel)]
pub struct Injection {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(column = "a\"; --")]
    pub other: String,
}

#[derive(UserModel)]
pub struct Twice {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(column = "a")]
    #[sqlx(rename = "b")]
    pub other: String,
}

fn main() {}
