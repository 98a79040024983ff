//! Roles on fields of types that cannot have them.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Id {
    #[user(id)]
    pub id: i32,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Identifier {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: Option<String>,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Hash {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: String,
}

#[derive(UserModel)]
pub struct Active {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active)]
    pub is_active: i64,
}

#[derive(UserModel)]
pub struct Verified {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(verified)]
    pub is_verified: Option<bool>,
}

#[derive(UserModel)]
pub struct Mailbox {
    #[user(id)]
    pub id: i64,
    #[user(identifier = username)]
    pub name: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(mailbox)]
    pub email: i64,
}

fn main() {}
