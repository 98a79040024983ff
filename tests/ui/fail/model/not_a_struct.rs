//! What is no struct with named fields.

use users_runtime::UserModel;

#[derive(UserModel)]
pub enum Enum {
    One,
}

#[derive(UserModel)]
pub union Union {
    one: u8,
}

#[derive(UserModel)]
pub struct Tuple(i64, String);

#[derive(UserModel)]
pub struct Unit;

fn main() {}
