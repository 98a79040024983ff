//! Types and defaults of columns that no database would take.

use users_runtime::{PasswordHash, UserModel};

#[derive(UserModel)]
pub struct Types {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sql_type(sqlite = "INTEGER; DROP", mysql = "INT"))]
    pub age: i64,
}

#[derive(UserModel)]
pub struct Database {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sql_type(postgre = "INT"))]
    pub age: i64,
}

#[derive(UserModel)]
pub struct Nothing {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sql_type)]
    pub age: i64,
}

#[derive(UserModel)]
pub struct Value {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(sql_default = "0; --")]
    pub age: i64,
}

#[derive(UserModel)]
pub struct Key {
    #[user(id, sql_default = "1")]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn main() {}
