//! A broken struct in the module: its one mistake is the one error.

use axum::{Router, routing::get};
use users_runtime::{Config, users_app};

#[users_app(auth = "jwt", exclude = ["/health"])]
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
        #[user(active)]
        pub is_active: i64,
    }
}

async fn greet(user: accounts::CurrentUser) -> String {
    user.email.clone()
}

async fn serve() -> Result<Router, Box<dyn std::error::Error>> {
    let users = accounts::Users::connect("sqlite::memory:", Config::development()?).await?;
    let routes = Router::new().route("/", get(greet));
    Ok(accounts::router(users).protected(routes).into_router())
}

fn main() {
    let _ = serve();
}
