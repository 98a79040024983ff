//! Items under names that are generated.

use users_runtime::users_app;

#[users_app(auth = "jwt")]
mod accounts {
    use users_runtime::{PasswordHash, UserModel};

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

    pub struct App;

    pub fn router() {}

    use std::string::String as Visitor;

    pub fn visit(_: Visitor) {}
}

#[users_app(auth = "session", user = super::accounts::User)]
mod sessions {
    pub struct SessionData;

    pub enum Client {}
}

fn main() {}
