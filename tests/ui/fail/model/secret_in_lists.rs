//! Filters and orders that would tell what responses keep back.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Hash {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash, filter)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Order {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash, sort)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Note {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(filter, exclude(read))]
    pub note: String,
}

#[derive(UserModel)]
pub struct Score {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(exclude(read), sort)]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Flag {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active, exclude(read), filter)]
    pub is_active: bool,
}

fn main() {}
