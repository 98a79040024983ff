//! The user and, for each backend, the application around it.

use sqlx::query;
use users_runtime::{Connection, Error, Hooks, Parts, PasswordHash, Transaction, UserModel, users_app};
use uuid::Uuid;

pub use self::UserRegistration as Registration;

/// A user of the reference application.
#[derive(Clone, Debug, UserModel)]
#[user(table = "users")]
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
    /// How often the user has logged in; a hook counts.
    #[user(exclude(register, update))]
    pub login_count: i64,
}

/// Counts logins, in the transaction of each.
#[derive(Debug, Default)]
pub struct Counting;

impl Hooks<User> for Counting {
    async fn after_login(
        &self,
        _request: &Parts,
        user: &User,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let question = "UPDATE users SET login_count = login_count + 1 WHERE id = ?";
        let numbered = "UPDATE users SET login_count = login_count + 1 WHERE id = $1";
        match transaction.connection() {
            Connection::Sqlite(connection) => {
                query(question).bind(user.id).execute(connection).await.map(drop)
            }
            Connection::Postgres(connection) => {
                query(numbered).bind(user.id).execute(connection).await.map(drop)
            }
            Connection::MySql(connection) => {
                query(question).bind(user.id).execute(connection).await.map(drop)
            }
            other => return Err(Error::internal(format!("no statement for {other:?}"))),
        }?;
        Ok(())
    }
}

#[users_app(auth = "session", user = super::User, hooks = super::Counting, exclude = ["/public/{*path}"])]
pub mod session {}

#[users_app(auth = "session_cookie", user = super::User, hooks = super::Counting, exclude = ["/public/{*path}"])]
pub mod session_cookie {}

#[users_app(auth = "jwt", user = super::User, hooks = super::Counting, exclude = ["/public/{*path}"])]
pub mod jwt {}

#[users_app(auth = "jwt_cookie", user = super::User, hooks = super::Counting, exclude = ["/public/{*path}"])]
pub mod jwt_cookie {}

#[users_app(auth = "oauth2_password", user = super::User, hooks = super::Counting, exclude = ["/public/{*path}"])]
pub mod oauth2_password {}
