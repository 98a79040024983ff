//! An id whose type is called `Uuid` and is another one.

use users_runtime::{PasswordHash, UserModel};

#[derive(Clone, Copy, Debug)]
pub struct Uuid(u128);

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: Uuid,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
