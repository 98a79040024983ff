//! A type without `Clone`, which the DTOs need; these are the compiler's own words.

use serde::{Deserialize, Serialize};
use users_runtime::{PasswordHash, UserModel};

#[derive(Debug, Deserialize, Serialize, sqlx::Type)]
pub enum Plan {
    Free,
    Paid,
}

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    pub plan: Plan,
}

fn main() {}
