//! Types of columns that cannot be written.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Injection {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sql_type = "TEXT; DROP TABLE users")]
    pub name: String,
}

#[derive(UserModel)]
pub struct Empty {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sql_type = "")]
    pub name: String,
}

fn main() {}
