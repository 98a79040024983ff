//! Modules in which no struct is the user, or two are.

use users_runtime::users_app;

#[users_app(auth = "jwt")]
mod nobody {
    pub struct User;
}

#[users_app(auth = "jwt")]
mod two {
    use users_runtime::{PasswordHash, UserModel};

    #[derive(UserModel)]
    pub struct User {
        #[user(id)]
        pub id: i64,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }

    #[derive(UserModel)]
    pub struct Guest {
        #[user(id)]
        pub id: i64,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }
}

fn main() {}
