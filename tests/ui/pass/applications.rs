//! Applications: around structs of other modules, with backends, hooks and groups of their own.

#![deny(warnings, missing_docs)]

use axum::{Router, routing::get};
use users_runtime::{Config, users_app};

/// A model that other modules use.
pub mod model {
    use users_runtime::{
        Backend, Directory, Error, Hooks, Parts, PasswordHash, Recognition, Storable, Transaction,
    };

    /// A user without flags.
    #[derive(users_runtime::UserModel)]
    pub struct User {
        /// The key.
        #[user(id)]
        pub id: i64,
        /// The address.
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        /// Counted by the hook.
        #[user(read_only)]
        pub logins: i64,
    }

    /// Hooks.
    #[derive(Default)]
    pub struct Counting;

    impl Hooks<User> for Counting {
        async fn before_register(&self, _: &Parts, registration: &mut UserRegistration) -> Result<(), Error> {
            registration.email.make_ascii_lowercase();
            Ok(())
        }

        async fn after_login(
            &self,
            _: &Parts,
            user: &User,
            transaction: &mut Transaction,
        ) -> Result<(), Error> {
            sqlx::query("UPDATE users SET logins = logins + 1 WHERE id = ?1")
                .bind(user.id)
                .execute(transaction.sqlite()?)
                .await?;
            Ok(())
        }
    }

    /// A backend that recognises nobody.
    #[derive(Default)]
    pub struct Nobody;

    impl<U: Storable> Backend<U> for Nobody {
        async fn authenticate(&self, _: &Directory<U>, _: &Parts) -> Result<Recognition<U>, Error> {
            Ok(Recognition::Absent)
        }
    }
}

/// A backend of one's own, hooks, and the groups that a model without flags can have.
#[users_app(auth = super::model::Nobody, user = super::model::User, hooks = super::model::Counting, routes(auth, register))]
pub mod own {}

/// A list of backends, of which one is one's own.
#[users_app(
    auth = ["jwt_cookie", crate::model::Nobody, "session"],
    user = crate::model::User,
    routes(
        auth(login = "/in", logout = "/out"),
        password_reset(forgot = "/forgot"),
        current_user(path = "/me"),
        sessions(path = "/logins", guard = users_runtime::recently_authenticated()),
        tokens(token = "/tokens", refresh = "/tokens/next", jwks = "/keys"),
    ),
)]
pub mod list {}

macro_rules! module {
    ($(#[$attribute:meta])* $name:ident) => {
        /// A module that is an application, or none.
        $(#[$attribute])*
        pub mod $name {
            use users_runtime::{PasswordHash, UserModel};

            /// A user.
            #[derive(Clone, Debug, UserModel)]
            pub struct User {
                /// The key.
                #[user(id)]
                pub id: i64,
                /// The address.
                #[user(identifier)]
                pub email: String,
                #[user(password_hash)]
                password_hash: PasswordHash,
                /// Whether the mailbox is proven.
                #[user(verified)]
                pub is_verified: bool,
            }

            /// What the module holds beside it.
            pub fn greeting(user: &User) -> String {
                format!("hello {}", user.email)
            }
        }
    };
}

module!(
    #[users_app(auth = "session", exclude = ["/health"])]
    application
);
module!(plain);

mod private {
    #[users_runtime::users_app(auth = "jwt", routes(auth))]
    mod accounts {
        use users_runtime::{PasswordHash, UserModel};

        #[derive(UserModel)]
        pub(super) struct User {
            #[user(id)]
            pub id: i64,
            #[user(identifier)]
            pub email: String,
            #[user(password_hash)]
            password_hash: PasswordHash,
        }
    }

    pub(crate) async fn guide(config: users_runtime::Config) -> Result<String, users_runtime::Error> {
        let users = accounts::Users::connect("sqlite::memory:", config).await?;
        Ok(accounts::router(users).guide("http://localhost"))
    }
}

async fn greet(user: application::CurrentUser, heartbeat: application::Heartbeat) -> String {
    let user = heartbeat.check().await.unwrap_or(user);
    application::greeting(&user)
}

async fn anybody(user: Option<application::CurrentUser>, visitor: application::Visitor) -> String {
    let _ = visitor;
    user.map(|user| user.email.clone()).unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::development()?;
    let users = application::Users::connect("sqlite::memory:", config.clone()).await?;
    let router = application::router(users)
        .protected(Router::new().route("/", get(greet)))
        .public(Router::new().route("/health", get(anybody)));
    let _: Router = router.into_router();

    let users = own::Users::connect("sqlite::memory:", config.clone()).await?;
    let guide = own::router(users).guide("http://localhost");
    assert!(guide.contains("/register") && !guide.contains("/users/me"), "{guide}");
    let users = list::Users::connect("sqlite::memory:", config.clone()).await?;
    let guide = list::router(users).guide("http://localhost");
    assert!(guide.contains("/in") && guide.contains("/me"), "{guide}");
    assert!(private::guide(config).await?.contains("/login"));

    let registration = r#"{"email": "ada@example.com", "password": "x"}"#;
    let _: plain::UserRegistration = serde_json::from_str(registration)?;
    Ok(())
}
