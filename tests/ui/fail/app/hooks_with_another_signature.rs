//! Hooks whose methods are other ones than those of the trait.

use users_runtime::{Error, Hooks, Parts, UserModel};

pub struct MyHooks;

impl<U: UserModel> Hooks<U> for MyHooks {
    async fn before_login(&self, user: &U) -> Result<(), Error> {
        let _ = user;
        Ok(())
    }

    async fn before_verify(&self, _: &Parts, _: &U) -> bool {
        true
    }

    async fn on_login(&self, _: &Parts, _: &U) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
