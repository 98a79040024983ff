//! Fields named like the library's own keys.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Roles {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    pub roles: String,
}

#[derive(UserModel)]
pub struct Reset {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    pub send_password_reset: bool,
}

#[derive(UserModel)]
pub struct Import {
    #[user(id)]
    pub id: i64,
    #[user(identifier, exclude(import))]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
