//! Patterns that are none.

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

#[users_app(
    auth = "jwt",
    user = super::User,
    exclude = [
        "health",
        "/a//b",
        "/trailing/",
        "/with space",
        "/query?a=b",
        "/old/:id",
        "/old/*path",
        "/open/{id",
        "/open/{}",
        "/open/{a-b}",
        "/open/v{id}",
        "/open/{*rest}/more",
        "/twice/{id}/{id}",
        "/up/../down",
    ]
)]
mod patterns {}

fn main() {}
