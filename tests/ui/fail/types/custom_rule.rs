//! Rules of one's own that take or give something else.

use users_runtime::{PasswordHash, UserModel, Violation};

fn of_text(_: &str) -> Result<(), Violation> {
    Ok(())
}

fn of_nothing(_: &i64) -> bool {
    true
}

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = custom(of_text))]
    pub age: i64,
    #[user(validate = custom(of_nothing))]
    pub score: i64,
}

fn main() {}
