//! What is no guard.

use users_runtime::{PasswordHash, Principal, UserModel, users_app, when};

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

fn is_known(user: &Principal<User>) -> bool {
    user.is_verified
}

#[users_app(auth = "jwt", user = super::User, routes(auth, users(guard = 5)))]
mod number {}

#[users_app(auth = "jwt", user = super::User, routes(auth, users(guard = super::is_known)))]
mod function {}

#[users_app(auth = "jwt", user = super::User, routes(auth, users(guard = |user| user.is_staff)))]
mod closure {}

#[derive(Clone)]
pub struct Named;

async fn handler(_: accounts::Guarded<Named>) {}

#[users_app(auth = "jwt", user = super::User, routes(auth, users(guard = super::when(super::is_known))))]
mod accounts {}

fn main() {
    let _ = accounts::guard(true);
    let _ = accounts::guard(when(|user: &Principal<User>| user.email.len()));
    let _ = axum::routing::get(handler).with_state::<()>(());
}
