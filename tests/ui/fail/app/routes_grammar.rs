//! Route groups that cannot be read.

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

#[users_app(auth = "jwt", routes("auth"), user = super::User)]
mod string {}

#[users_app(auth = "jwt", routes(auth = "/x"), user = super::User)]
mod value {}

#[users_app(auth = "jwt", routes(auth(logn = "/x")), user = super::User)]
mod option {}

#[users_app(auth = "jwt", routes(auth, auth), user = super::User)]
mod twice {}

#[users_app(auth = "jwt", routes(current_user(delete = true)), user = super::User)]
mod word {}

#[users_app(auth = "jwt", routes = "auth", user = super::User)]
mod assigned {}

fn main() {}
