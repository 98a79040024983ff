//! The groups `sessions` and `tokens` without a backend that has anything for them, and with paths that are wrong.

use users_runtime::{Backend, Directory, Error, Parts, PasswordHash, Recognition, UserModel, users_app};

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

#[derive(Default)]
pub struct ApiKeys;

impl Backend<User> for ApiKeys {
    async fn authenticate(&self, _: &Directory<User>, _: &Parts) -> Result<Recognition<User>, Error> {
        Ok(Recognition::Absent)
    }
}

#[users_app(auth = "session", routes(auth, tokens), user = super::User)]
mod no_tokens {}

#[users_app(auth = super::ApiKeys, routes(auth, sessions), user = super::User)]
mod no_sessions {}

#[users_app(auth = "session", routes(sessions(path = "/")), user = super::User)]
mod root {}

#[users_app(auth = "jwt", routes(auth, tokens(token = "/login")), user = super::User)]
mod collision {}

#[users_app(auth = "session", exclude = ["/users/me/sessions"], routes(sessions), user = super::User)]
mod opened {}

fn main() {}
