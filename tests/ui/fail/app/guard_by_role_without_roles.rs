//! Guards by role, and groups for administrators, of a model without roles.

use users_runtime::{NoRoles, PasswordHash, Roles, UserModel, any_of, users_app};

#[derive(UserModel)]
#[user(role = NoRoles)]
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
}

#[users_app(auth = "jwt", user = super::User)]
mod by_default {}

#[users_app(auth = "jwt", user = super::User, routes(auth, users))]
mod users {}

#[users_app(auth = "jwt", user = super::User, routes(auth, roles(guard = users_runtime::verified())))]
mod roles {}

#[users_app(auth = "jwt", user = super::User, routes(auth, users(guard = "administrator")))]
mod by_name {}

#[users_app(auth = "jwt", user = super::User, routes(auth), seed = super::Known)]
mod seeded {}

fn main() {
    let _ = seeded::guard(Known::Administrator);
    let _ = by_name::guard(any_of(["administrator", "accountant"]));
}
