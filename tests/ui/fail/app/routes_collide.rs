//! Generated routes with the same method and path.

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

#[users_app(auth = "jwt", routes(auth, register(path = "/login")), user = super::User)]
mod default {}

#[users_app(auth = "jwt", routes(auth(login = "/register"), register), user = super::User)]
mod written_first {}

#[users_app(auth = "jwt", routes(auth(login = "/x", logout = "/x")), user = super::User)]
mod in_a_group {}

fn main() {}
