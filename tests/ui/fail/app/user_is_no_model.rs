//! `user` names a type that does not derive `UserModel`.

use users_runtime::users_app;

pub struct Person;

#[users_app(auth = "jwt", user = super::Person)]
mod accounts {}

fn main() {}
