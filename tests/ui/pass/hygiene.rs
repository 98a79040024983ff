//! Modules without the prelude, and a renamed crate.

#![deny(warnings, missing_docs)]

extern crate users_runtime as renamed;

/// Nothing is in scope here but what is written.
pub mod bare {
    #![no_implicit_prelude]

    /// Names that the expansion must not meet.
    pub mod decoys {
        /// Not the one of the standard library.
        pub struct Option;
        /// Not the one of the standard library.
        pub struct Vec;
        /// Not the one of the standard library.
        pub trait Clone {}
    }

    /// The model and the application in one module.
    #[::renamed::users_app(
        crate = ::renamed,
        auth = ["session", "jwt"],
        exclude = ["/health", "/public/{*path}"],
        hooks = Quiet,
        routes(auth(login = "/sign-in"), register, verify, password_reset, current_user(delete)),
    )]
    pub mod accounts {
        #![no_implicit_prelude]

        #[allow(unused_imports)]
        use super::decoys::*;

        /// A user.
        #[derive(::renamed::UserModel)]
        #[user(crate = ::renamed)]
        pub struct User {
            /// The key.
            #[user(id)]
            pub id: ::core::primitive::i64,
            /// The address.
            #[user(identifier)]
            pub email: ::std::string::String,
            #[user(password_hash)]
            password_hash: ::renamed::PasswordHash,
            /// Whether the account may be used.
            #[user(active)]
            pub is_active: ::core::primitive::bool,
            /// Whether the mailbox is proven.
            #[user(verified)]
            pub is_verified: ::core::primitive::bool,
            /// Shown to others.
            #[user(validate = length(2, 40))]
            pub display_name: ::core::option::Option<::std::string::String>,
            /// A number.
            #[user(validate = range(0, 9), default = 3)]
            pub score: ::core::primitive::i64,
        }

        /// An account at a provider.
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::renamed::OAuthAccountModel)]
        #[oauth_account(crate = ::renamed)]
        pub struct Linked {
            /// The key.
            #[oauth_account(id)]
            pub key: ::core::primitive::i64,
            /// The name of the provider.
            #[oauth_account(provider)]
            pub r#type: ::std::string::String,
            /// Who it is there.
            #[oauth_account(subject, exclude(read))]
            pub id: ::std::string::String,
            /// The address there.
            #[oauth_account(email)]
            pub email: ::core::option::Option<::std::string::String>,
            /// A word of the user's.
            #[oauth_account(default = "personal")]
            pub label: ::std::string::String,
            /// A number.
            pub first: ::core::option::Option<::core::primitive::i64>,
        }

        /// Hooks that do nothing.
        #[derive(::core::default::Default)]
        pub struct Quiet;

        impl ::renamed::Hooks<User> for Quiet {}
    }
}

/// Columns whose names are those of the expansion's own variables.
pub mod variables {
    use renamed::{PasswordHash, UserModel};

    const VALUE: i64 = 1;

    fn new() -> i64 {
        VALUE
    }

    /// A user.
    #[derive(UserModel)]
    #[user(crate = ::renamed)]
    pub struct User {
        /// The key.
        #[user(id)]
        pub id: i64,
        /// The address.
        #[user(identifier)]
        pub new: String,
        #[user(password_hash)]
        hash: PasswordHash,
        /// A number.
        #[user(validate = range(0, new() + VALUE), default = new())]
        pub registration: i64,
        /// A number.
        pub arguments: Option<i64>,
        /// A number.
        pub row: i64,
        /// A number.
        pub dto: i64,
        /// A number.
        pub serializer: i64,
        /// A number.
        pub errors: i64,
        /// A number.
        pub update: i64,
        /// A number.
        pub canonical: i64,
    }
}

#[tokio::main]
async fn main() {
    use renamed::OAuthAccountModel;

    let users = bare::accounts::Users::connect("sqlite::memory:", renamed::Config::development().unwrap());
    let router = bare::accounts::router(users.await.unwrap());
    assert!(router.guide("http://localhost").contains("/sign-in"));
    let linked = bare::accounts::Linked::linked(7, "example".to_owned(), "me".to_owned(), None);
    assert_eq!((linked.provider(), linked.subject(), linked.email()), ("example", "me", None));
    let read =
        serde_json::json!({"key": 7, "type": "example", "email": null, "label": "personal", "first": null});
    assert_eq!(serde_json::to_value(linked.to_read()).unwrap(), read);
    let client = bare::accounts::Client::new("http://localhost:3000").unwrap();
    let user = bare::accounts::UserRegistration {
        email: "ada@example.com".to_owned(),
        password: renamed::Password::new("correct horse battery staple"),
        display_name: None,
        score: None,
    };
    // Nobody listens there.
    assert!(client.with_timeout(std::time::Duration::ZERO).register(&user).await.is_err());
    let body = renamed::client::RequestBody::to_json(&user).unwrap();
    assert_eq!(body.to_string(), r#"{"email":"ada@example.com","password":"correct horse battery staple"}"#);
    let update = variables::UserUpdate { row: Some(1), ..variables::UserUpdate::default() };
    assert!(renamed::UpdateDto::changes_own_fields(&update));
}
