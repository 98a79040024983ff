//! The groups `users` and `roles` with paths and words that are wrong.

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

#[users_app(auth = "jwt", routes(users(paht = "/people")), user = super::User)]
mod word {}

#[users_app(auth = "jwt", routes(users(guard)), user = super::User)]
mod value {}

#[users_app(auth = "jwt", routes(users(path = "/")), user = super::User)]
mod root {}

#[users_app(auth = "jwt", routes(users(path = "/people"), roles(path = "/people")), user = super::User)]
mod collision {}

#[users_app(auth = "jwt", exclude = ["/users/{id}"], routes(auth, users), user = super::User)]
mod opened {}

fn main() {}
