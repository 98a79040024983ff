//! A type that the database cannot store.

use serde::{Deserialize, Serialize};
use users_runtime::{PasswordHash, UserModel};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    pub city: String,
}

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    pub address: Address,
    pub second: Option<Address>,
}

fn main() {}
