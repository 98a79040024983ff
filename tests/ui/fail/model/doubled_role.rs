//! A second field with the same role.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct TwoIds {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(id)]
    pub other: i64,
}

#[derive(UserModel)]
pub struct TwoIdentifiers {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(identifier)]
    pub other: String,
}

#[derive(UserModel)]
pub struct TwoHashes {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(password_hash)]
    other: PasswordHash,
}

#[derive(UserModel)]
pub struct TwoFlags {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active)]
    pub one: bool,
    #[user(active)]
    pub other: bool,
}

fn main() {}
