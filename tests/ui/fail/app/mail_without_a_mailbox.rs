//! Groups that send mail, of a model that has no address.

use users_runtime::{PasswordHash, UserModel, users_app};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier = username)]
    pub name: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(verified)]
    pub is_verified: bool,
}

#[users_app(auth = "jwt", routes(auth, verify), user = super::User)]
mod verify {}

#[users_app(auth = "jwt", routes(auth, password_reset), user = super::User)]
mod password_reset {}

#[users_app(auth = "jwt", routes(auth, verify, password_reset), user = super::User)]
mod both {}

fn main() {}
