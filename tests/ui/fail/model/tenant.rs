//! Tenants that cannot be.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Twice {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(tenant)]
    pub club: i64,
    #[user(tenant)]
    pub team: i64,
}

#[derive(UserModel)]
pub struct Absent {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(tenant)]
    pub club: Option<i64>,
}

#[derive(UserModel)]
pub struct Small {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(tenant)]
    pub club: i32,
}

#[derive(UserModel)]
pub struct Written {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(tenant, exclude(register))]
    pub club: i64,
}

#[derive(UserModel)]
pub struct Chosen {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(tenant, default = 1)]
    pub club: i64,
}

#[derive(UserModel)]
pub struct Filtered {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(tenant, filter)]
    pub club: i64,
}

fn main() {}
