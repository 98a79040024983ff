//! A function in the place of a generated route that takes or answers something else.

use std::sync::Arc;

use users_runtime::{Error, Group, Parts, Principal, Scope, users_app};

#[users_app(auth = "jwt", routes(auth, register, users, roles))]
mod accounts {
    use users_runtime::{PasswordHash, UserModel};

    #[derive(Clone, UserModel)]
    pub struct User {
        #[user(id)]
        pub id: i64,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }
}

use accounts::{App, User, UserRegistration};

async fn without_the_request(_: Scope<App>, _: UserRegistration) -> Result<Principal<User>, Error> {
    Err(Error::NotFound)
}

async fn answers_nothing(_: Scope<App>, _: Parts, _: UserRegistration) -> Result<(), Error> {
    Ok(())
}

async fn of_another_route(_: Scope<App>, _: Parts, _: String) -> Result<Principal<User>, Error> {
    Err(Error::NotFound)
}

fn at_once(_: Scope<App>, _: Parts, _: i64) -> Result<Principal<User>, Error> {
    Err(Error::NotFound)
}

struct Card;

async fn shows_what_is_no_json(_: Scope<App>, _: Vec<Arc<Principal<User>>>) -> Result<Vec<Card>, Error> {
    Ok(Vec::new())
}

async fn shows_one(_: Scope<App>, _: Arc<Principal<User>>) -> Result<String, Error> {
    Err(Error::NotFound)
}

fn main() {
    let router = |users: accounts::Users| accounts::router(users);
    let _ = |users| router(users).with_register(without_the_request);
    let _ = |users| router(users).with_register(answers_nothing);
    let _ = |users| router(users).with_read_user(of_another_route);
    let _ = |users| router(users).with_read_user(at_once);
    let _ = |users| router(users).with_read(shows_what_is_no_json);
    let _ = |users| router(users).with_read_in(Group::Users, shows_one);
}
