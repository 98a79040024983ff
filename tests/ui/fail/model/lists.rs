//! Filters and orders that are there already, or cannot be.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Id {
    #[user(id, sort)]
    pub id: i64,
    #[user(identifier, filter)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Flag {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active, filter)]
    pub is_active: bool,
    #[user(verified, sort)]
    pub is_verified: bool,
}

#[derive(UserModel)]
pub struct Absent {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sort)]
    pub age: Option<i64>,
}

#[derive(UserModel)]
pub struct Words {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(filter(rage))]
    pub age: i64,
    #[user(sort = true)]
    pub score: i64,
}

#[derive(UserModel)]
pub struct Parameters {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(filter)]
    pub limit: i64,
    #[user(filter(range))]
    pub age: i64,
    #[user(filter)]
    pub age_min: i64,
}

fn main() {}
