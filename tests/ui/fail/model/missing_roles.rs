//! Structs without the fields that every user has: one that has others, and one that lacks the marks.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Member {
    pub name: String,
}

#[derive(UserModel)]
pub struct User {
    pub id: i64,
    pub email: String,
    password_hash: PasswordHash,
}

fn main() {}
