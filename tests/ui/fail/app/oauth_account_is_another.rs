//! A model of linked accounts that is not the one of the user model, or none.

use users_runtime::{NoOAuthAccounts, OAuthAccountModel, PasswordHash, UserModel, users_app};

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

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Linked {
    #[oauth_account(id)]
    pub id: i64,
    #[oauth_account(provider)]
    pub provider: String,
    #[oauth_account(subject)]
    pub subject: String,
}

#[users_app(auth = "jwt", user = super::User, oauth_account = super::Linked)]
mod elsewhere {}

#[derive(UserModel)]
#[user(oauth_account = NoOAuthAccounts)]
pub struct Alone {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(verified)]
    pub is_verified: bool,
}

#[users_app(auth = "jwt", user = super::Alone)]
mod by_default {}

#[users_app(auth = "jwt", user = super::Alone, routes(auth, oauth2))]
mod by_name {}

#[users_app(auth = "jwt", user = super::Alone, routes(auth))]
mod without {}

fn main() {}
