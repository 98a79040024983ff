//! Accounts from one struct and one attribute: `cargo run -p quickstart`, then follow what it prints.

use axum::{Router, routing::get};
use users_runtime::{Config, UsersRouter, users_app};

#[cfg(test)]
mod conformance;

#[users_app(auth = "jwt_cookie", exclude = ["/health"])]
mod accounts {
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    /// A user of this application.
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
        /// Shown to other users.
        #[user(validate = length(2, 40))]
        pub display_name: Option<String>,
    }
}

async fn greet(user: accounts::CurrentUser) -> String {
    format!("hello {}\n", user.email)
}

fn app(users: accounts::Users) -> UsersRouter<accounts::App> {
    let routes = Router::new().route("/", get(greet)).route("/health", get(|| async { "ok\n" }));
    accounts::router(users).protected(routes)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = "sqlite://quickstart.db";
    accounts::cli(database, Config::development).await; // as in `quickstart create-user --email ada@example.com`
    // A server that others can reach takes `Config::from_env()?` and its SECRET_KEY.
    let app = app(accounts::Users::connect(database, Config::development()?).await?);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("{}", app.guide("http://127.0.0.1:3000"));
    axum::serve(listener, app.into_make_service()).await?;
    Ok(())
}
