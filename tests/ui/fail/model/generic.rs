//! Structs with parameters.

use users_runtime::UserModel;

#[derive(UserModel)]
pub struct WithType<T> {
    pub extra: T,
}

#[derive(UserModel)]
pub struct WithLifetime<'a> {
    pub extra: &'a str,
}

#[derive(UserModel)]
pub struct WithConst<const N: usize> {
    pub extra: [u8; N],
}

fn main() {}
