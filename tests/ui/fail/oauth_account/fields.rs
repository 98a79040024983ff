//! Fields of a linked account that cannot be.

use users_runtime::{OAuthAccountModel, PasswordHash};

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Twice {
    #[oauth_account(id)]
    pub id: i64,
    #[oauth_account(provider)]
    pub provider: String,
    #[oauth_account(subject)]
    pub subject: String,
    #[oauth_account(subject)]
    pub sub: String,
}

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Types {
    #[oauth_account(id)]
    pub id: String,
    #[oauth_account(provider)]
    pub provider: i64,
    #[oauth_account(subject)]
    pub subject: Option<String>,
    #[oauth_account(email)]
    pub email: String,
}

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Arguments {
    #[oauth_account(id, read_only)]
    pub id: i64,
    #[oauth_account(provider, default = "google")]
    pub provider: String,
    #[oauth_account(subject, validate = length(1, 9))]
    pub subject: String,
    #[oauth_account(email, sql_default = "''")]
    pub email: Option<String>,
}

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Own {
    #[oauth_account(id)]
    pub id: i64,
    #[oauth_account(provider)]
    pub provider: String,
    #[oauth_account(subject)]
    pub subject: String,
    #[oauth_account(emial)]
    pub email: Option<String>,
    #[oauth_account(exclude(update))]
    pub level: i64,
    #[oauth_account(read_only)]
    pub used: i64,
}

#[derive(Clone, Debug, OAuthAccountModel)]
#[oauth_account(table = "users_sessions")]
pub struct Taken {
    #[oauth_account(id)]
    pub id: i64,
    #[oauth_account(provider)]
    pub provider: String,
    #[oauth_account(subject)]
    pub subject: String,
    pub tokens: String,
    #[oauth_account(column = "USER_ID")]
    pub owner: i64,
}

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Secret {
    #[oauth_account(id)]
    pub id: i64,
    #[oauth_account(provider)]
    pub provider: String,
    #[oauth_account(subject)]
    pub subject: String,
    pub pin: PasswordHash,
}

fn main() {}
