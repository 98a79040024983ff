//! The application under measurement: what the quickstart has, and a hook that stops the time of the hash.

use users_runtime::{Error, Hooks, Parts, UserModel, users_app};

use crate::stopwatch;

/// The password of every user.
pub const PASSWORD: &str = "correct horse battery staple";

/// Says when the comparison of a password is over.
#[derive(Debug, Default)]
pub struct AfterHashing;

impl<U: UserModel> Hooks<U> for AfterHashing {
    async fn before_login(&self, _request: &Parts, _user: &U) -> Result<(), Error> {
        stopwatch::hashing_ended();
        Ok(())
    }
}

pub use self::application::{User, UserRegistration, Users, router};

#[users_app(auth = "jwt_cookie", hooks = super::AfterHashing)]
mod application {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    /// A user.
    #[derive(Clone, Debug, UserModel)]
    pub struct User {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        pub password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        #[user(validate = length(2, 40))]
        pub display_name: Option<String>,
    }
}
