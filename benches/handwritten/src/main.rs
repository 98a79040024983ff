//! What somebody who knows both would write by hand with axum and sqlx: the routes of the library on its tables, as
//! safe as the library's, with nothing in between. What the generated application is measured against.

mod accounts;
mod database;
mod error;
mod keys;
mod passwords;
mod routes;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, time::interval};

use crate::{
    accounts::{Accounts, Kind},
    database::Database,
    error::{Cause, Error},
    keys::Keys,
};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::main]
async fn main() {
    if let Err(error) = Box::pin(run()).await {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<(), Cause> {
    let listener = TcpListener::bind(variable("ADDR")?).await?;
    let home = format!("http://{}", listener.local_addr()?);
    let kind = match variable("AUTH")?.as_str() {
        "jwt_cookie" => Kind::JwtCookie,
        "session" => Kind::Session,
        other => return Err(format!("AUTH is `{other}`; write `jwt_cookie` or `session`").into()),
    };
    let keys = Keys::new(variable("SECRET_KEY")?.as_bytes(), home.clone()).map_err(cause)?;
    let database = Database::connect(&variable("DATABASE_URL")?).await.map_err(cause)?;
    let accounts = Arc::new(Accounts { database, keys, kind });
    passwords::prepare();
    tokio::spawn(clean(Arc::clone(&accounts)));
    println!("listening on {home}");
    let app = routes::router(accounts).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}

fn variable(name: &str) -> Result<String, Cause> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

fn cause(error: Error) -> Cause {
    match error {
        Error::Internal(cause) | Error::Unavailable(cause) => cause,
        other => format!("{other:?}").into(),
    }
}

/// Deletes the sessions that have ended.
async fn clean(accounts: Arc<Accounts>) {
    let mut hours = interval(HOUR);
    loop {
        hours.tick().await;
        if let Err(error) = accounts.delete_expired().await {
            eprintln!("expired sessions were not deleted: {}", cause(error));
        }
    }
}
