//! Attributes of sqlx that the generated SQL does not honour.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[sqlx(json)]
    pub a: String,
    #[sqlx(try_from = "i64")]
    pub b: String,
    #[sqlx(flatten)]
    pub c: String,
    #[sqlx(skip)]
    pub d: String,
    #[sqlx(other)]
    pub e: String,
}

#[derive(UserModel)]
#[sqlx(rename_all = "camelCase")]
pub struct Renamed {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
