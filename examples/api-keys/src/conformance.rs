//! What the library promises, tested on this program.

use std::str::FromStr;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use users_runtime::{
    BoxError, Config, UsersRouter,
    conformance::{Suite, Testbed},
};

use crate::accounts::App;

async fn app(bed: Testbed) -> Result<UsersRouter<App>, BoxError> {
    let options = SqliteConnectOptions::from_str(bed.database_url())?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePool::connect_with(options).await?;
    Ok(crate::app(pool, bed.config(Config::development()?)).await?)
}

fn suite() -> Suite {
    Suite::new(app).with_protected(["/keys", "/reports"])
}

users_runtime::conformance!(suite());
