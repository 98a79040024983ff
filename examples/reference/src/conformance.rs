//! What the library promises, tested on this application with each backend.

use reference::accounts::{Counting, User};
use users_runtime::{
    Application, BoxError, Config, SecretKey, Users, UsersRouter,
    conformance::{Suite, Testbed},
};

async fn app<A>(bed: Testbed) -> Result<UsersRouter<A>, BoxError>
where
    A: Application<User = User, Hooks = Counting>,
    A::Auth: Default,
{
    let config = bed.config(Config::new(SecretKey::generate()?).with_app_name(crate::NAME));
    let users = Users::<A>::connect(bed.database_url(), config.clone()).await?;
    Ok(crate::around(users, &config))
}

fn suite<A>() -> Suite
where
    A: Application<User = User, Hooks = Counting>,
    A::Auth: Default,
{
    Suite::new(app::<A>).with_protected(["/private", "/admin-only", "/files/a/b"])
}

macro_rules! each_backend {
    ($($backend:ident)*) => {
        $(
            mod $backend {
                users_runtime::conformance!(super::suite::<reference::accounts::$backend::App>());
            }
        )*
    };
}

each_backend!(session session_cookie jwt jwt_cookie oauth2_password);
