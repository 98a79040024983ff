//! A column that an import cannot bring.

use users_runtime::{PasswordHash, UserModel};

#[derive(Clone, Debug, Default, sqlx::Type)]
#[sqlx(transparent)]
pub struct Points(i64);

impl serde::Serialize for Points {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

#[derive(UserModel)]
pub struct User {
    #[user(id)]
    pub id: i64,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(read_only)]
    pub points: Points,
    #[user(read_only, exclude(import))]
    pub kept_out: Points,
}

fn main() {}
