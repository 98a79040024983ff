//! Tables with no usable name, or that are the library's own.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
#[user(table = "users; --")]
pub struct Injection {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
#[user(table = "users_sessions")]
pub struct Sessions {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct UsersRole {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
