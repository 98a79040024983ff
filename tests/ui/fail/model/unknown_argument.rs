//! Arguments that do not exist, on the struct and on a field.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
#[user(tabel = "users")]
pub struct Table {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

#[derive(UserModel)]
pub struct Field {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(readonly)]
    pub score: i64,
}

#[derive(UserModel)]
pub struct NothingLikeIt {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(xyz)]
    pub score: i64,
}

fn main() {}
