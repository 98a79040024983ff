//! Rules that cannot be read.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Reversed {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = length(5, 2))]
    pub text: String,
}

#[derive(UserModel)]
pub struct Half {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = length(5))]
    pub text: String,
}

#[derive(UserModel)]
pub struct Bare {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = range)]
    pub text: String,
}

#[derive(UserModel)]
pub struct WithArguments {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = email(1))]
    pub text: String,
}

#[derive(UserModel)]
pub struct WithoutPath {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = custom)]
    pub text: String,
}

#[derive(UserModel)]
pub struct Misspelt {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = lenght(1, 2))]
    pub text: String,
}

#[derive(UserModel)]
pub struct NoRule {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate = 5)]
    pub text: String,
}

#[derive(UserModel)]
pub struct Called {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(validate(email))]
    pub text: String,
}

fn main() {}
