//! What the library promises, tested on this program.

use users_runtime::{
    BoxError, Config, UsersRouter,
    conformance::{Suite, Testbed},
};

use crate::accounts;

async fn app(bed: Testbed) -> Result<UsersRouter<accounts::App>, BoxError> {
    let config = bed.config(Config::development()?);
    Ok(crate::app(accounts::Users::connect(bed.database_url(), config).await?))
}

fn suite() -> Suite {
    Suite::new(app).with_protected(["/"])
}

users_runtime::conformance!(suite());
