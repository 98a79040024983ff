//! Mailboxes beside an address, on a name, twice, and where self-service cannot write anyway.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct BesideAnAddress {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(mailbox)]
    pub other: String,
}

#[derive(UserModel)]
pub struct OnAName {
    #[user(id)]
    pub id: i64,
    #[user(identifier = username, mailbox)]
    pub name: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Twice {
    #[user(id)]
    pub id: i64,
    #[user(identifier = username)]
    pub name: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(mailbox)]
    pub email: String,
    #[user(mailbox)]
    pub other: String,
}

#[derive(UserModel)]
pub struct Account {
    #[user(id)]
    pub id: i64,
    #[user(identifier = username)]
    pub name: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(mailbox, exclude(update))]
    pub email: String,
}

fn main() {}
