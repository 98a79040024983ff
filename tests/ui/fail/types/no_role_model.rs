//! A role that is no role model.

use users_runtime::{PasswordHash, UserModel};

pub struct Clearance;

#[derive(UserModel)]
#[user(role = Clearance)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
