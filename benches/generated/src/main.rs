//! The smallest application of the library: what its build costs is measured against `users-bench-handwritten`.

use users_runtime::{Config, users_app};

#[users_app(auth = "jwt_cookie")]
mod accounts {
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
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        #[user(validate = length(2, 40))]
        pub display_name: Option<String>,
        #[user(validate = length(2, 40))]
        pub city: Option<String>,
        #[user(exclude(register, update))]
        pub login_count: i64,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let users = accounts::Users::connect("sqlite://generated.db", Config::development()?).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, accounts::router(users).into_make_service()).await?;
    Ok(())
}
