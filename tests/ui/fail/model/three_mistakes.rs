//! Three mistakes in one struct are three errors, and what uses the struct is none.

use axum::{Json, Router, routing::get};
use users_runtime::{PasswordHash, UserModel, users_app};

#[derive(UserModel)]
#[user(tabel = "people")]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifire)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(verified)]
    pub is_verified: bool,
    #[user(validate = length(40, 2))]
    pub name: String,
}

#[users_app(auth = "jwt", user = super::User)]
mod accounts {}

async fn greet(user: accounts::CurrentUser) -> String {
    format!("{} {}", user.email, user.name)
}

async fn me(user: accounts::CurrentUser) -> Json<UserRead> {
    Json(user.to_read())
}

fn main() {
    let _: Router<accounts::Users> = Router::new().route("/", get(greet)).route("/me", get(me));
}
