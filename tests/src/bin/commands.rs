//! The program whose commands the tests run.

use users_runtime::{Config, Error};
use users_tests::commands::{grown, numbered, overgrown, plain, tenants};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL is set");
    let config = || Ok(Config::from_env()?.with_app_name("Commands"));
    match std::env::var("MODEL").as_deref() {
        Ok("grown") => grown::cli(&url, config).await,
        Ok("overgrown") => overgrown::cli(&url, config).await,
        Ok("numbered") => numbered::cli(&url, config).await,
        Ok("tenants") => tenants::cli(&url, config).await,
        _ => plain::cli(&url, config).await,
    }
    println!("the server starts");
    Ok(())
}
