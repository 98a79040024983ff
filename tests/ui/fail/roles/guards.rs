//! Guards by a role that does not exist, and for users who have no roles.

use users_runtime::{Guard, NoRoles, PasswordHash, Roles, UserModel};

#[derive(Clone, Copy, Roles)]
pub enum Role {
    Administrator,
}

#[derive(UserModel)]
#[user(role = NoRoles)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

fn guard<U: UserModel>(_: impl Guard<U>) {}

fn guards() {
    guard::<User>(Role::Accountant);
    guard::<User>(Role::Administrator);
}

fn main() {}
