//! Models with tenants, of which nothing says to which a request belongs.

use users_runtime::{Hooks, PasswordHash, UserModel, users_app};

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
    #[user(tenant)]
    pub company: i64,
}

#[users_app(auth = "jwt", user = super::User)]
mod without {}

#[derive(Default)]
pub struct MyHooks;

impl Hooks<User> for MyHooks {}

#[users_app(auth = "jwt", user = super::User, hooks = super::MyHooks)]
mod with {}

fn main() {}
