//! Test support: the same application with each backend, served over real HTTP on the database that `TEST_DATABASE`
//! names, `sqlite` (the default), `postgres` or `mysql`, with its sessions in the store that `TEST_STORE` names:
//! `database` (the default), `memory`, `file` or `redis`.

pub mod apps;
pub mod browser;
mod client;
pub mod commands;
mod database;
mod documented;
mod keeper;
pub mod live;
mod mailbox;
pub mod provider;
pub mod relay;
mod server;
mod sessions;
mod store;

pub use client::{Answer, Client, http};
pub use database::{Database, Engine, On};
pub use mailbox::Mailbox;
pub use server::{Admin, App, Kind, Options};
pub use sessions::{Storage, redis_url};
pub use store::{Columns, Held, Statement, Store, Value};

/// A password that the policy accepts.
pub const PASSWORD: &str = "correct horse battery staple";
/// Another one.
pub const OTHER_PASSWORD: &str = "an entirely different sentence";

/// Now, in milliseconds since 1970.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("before the end of time")
}

/// One test for each backend, over the store that `TEST_STORE` names: `each_backend!(name, |app| async move { ... })`.
#[macro_export]
macro_rules! each_backend {
    ($(#[$attribute:meta])* $name:ident, |$app:ident| $body:expr) => {
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "not every test uses every name of its file")]
            use super::*;

            async fn test($app: $crate::App) {
                $body.await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn session() {
                test($crate::App::start($crate::Kind::Session).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn session_cookie() {
                test($crate::App::start($crate::Kind::SessionCookie).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn jwt() {
                test($crate::App::start($crate::Kind::Jwt).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn jwt_cookie() {
                test($crate::App::start($crate::Kind::JwtCookie).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn oauth2_password() {
                test($crate::App::start($crate::Kind::OAuth2Password).await).await;
            }
        }
    };
}
