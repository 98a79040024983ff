//! Paths that generated routes cannot have.

use users_runtime::{PasswordHash, UserModel, users_app};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(verified)]
    pub is_verified: bool,
}

#[users_app(auth = "jwt", routes(auth(login = "sign-in")), user = super::User)]
mod relative {}

#[users_app(auth = "jwt", routes(current_user(path = "/users/{id}")), user = super::User)]
mod parameter {}

fn main() {}
