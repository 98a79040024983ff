//! Arguments that mean nothing on a field with a role.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Rule {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active, validate = email)]
    pub is_active: bool,
}

#[derive(UserModel)]
pub struct Default {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active, default = true)]
    pub is_active: bool,
}

#[derive(UserModel)]
pub struct Flag {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active, exclude(register))]
    pub is_active: bool,
}

#[derive(UserModel)]
pub struct Hash {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash, exclude(read))]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Unwritten {
    #[user(id, read_only)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Address {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active, mailbox)]
    pub is_active: bool,
}

#[derive(UserModel)]
pub struct Canonical {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(canonical = "lower")]
    pub name: String,
}

fn main() {}
