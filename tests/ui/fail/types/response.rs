//! A type that no response can show, since serde cannot write it.

use serde::Deserialize;
use users_runtime::{PasswordHash, UserModel};

#[derive(Clone, Copy, Debug, Deserialize, sqlx::Type)]
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
    pub next: Option<Plan>,
}

fn main() {}
