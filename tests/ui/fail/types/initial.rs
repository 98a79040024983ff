//! A field that no registration sets, of a type without a default.

use serde::{Deserialize, Serialize};
use users_runtime::{PasswordHash, UserModel};

#[derive(Clone, Copy, Debug, Deserialize, Serialize, sqlx::Type)]
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
    #[user(read_only)]
    pub plan: Plan,
}

fn main() {}
