//! A DTO of one's own that would show a secret.

use serde::Serialize;
use users_runtime::PasswordHash;

#[derive(Serialize)]
pub struct Profile {
    pub name: String,
    pub hash: PasswordHash,
}

fn main() {}
