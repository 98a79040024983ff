//! Patterns that cover generated routes which need a login.

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

#[users_app(auth = "jwt", exclude = ["/logout"], user = super::User)]
mod exactly {}

#[users_app(auth = "jwt", exclude = ["/users/{id}"], user = super::User)]
mod parameter {}

#[users_app(auth = "jwt", exclude = ["/users/{*path}"], user = super::User)]
mod rest {}

#[users_app(auth = "jwt", exclude = ["/me"], routes(auth, current_user(path = "/me")), user = super::User)]
mod renamed {}

fn main() {}
