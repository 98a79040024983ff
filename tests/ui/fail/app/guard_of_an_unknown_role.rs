//! Guards by a role that the enum does not have.

use users_runtime::{PasswordHash, Roles, UserModel, any_of, users_app};

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

#[derive(Clone, Copy, Roles)]
pub enum Known {
    Administrator,
    Accountant,
}

#[users_app(auth = "jwt", user = super::User, seed = super::Known, routes(auth, users(guard = super::Known::Acountant)))]
mod accounts {}

fn main() {
    let _ = accounts::guard(any_of([Known::Administrator, Known::Boss]));
}
