//! Every route group of the library on one port, set up by environment variables: see `README.md` beside this.

#[cfg(test)]
mod conformance;
mod document;
mod routes;
mod settings;

use std::net::SocketAddr;

use axum::Router;
use reference::accounts::{
    Counting, Registration, User, jwt, jwt_cookie, oauth2_password, session, session_cookie,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use users_runtime::{ADMINISTRATOR, Application, Config, OAuthProvider, Users, UsersRouter};

use crate::settings::{Auth, Settings};

/// The application's name, in mails; passwords may not contain it.
const NAME: &str = "Reference";

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // What mail libraries log in detail holds tokens.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,lettre=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // What serves any backend is large.
    if let Err(error) = Box::pin(run()).await {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
    Ok(())
}

async fn run() -> Result<(), Failure> {
    let settings = Settings::from_env()?;
    // The users are the same with each backend.
    jwt_cookie::cli(&settings.database_url, || Ok(Config::from_env()?.with_app_name(NAME))).await;
    let listener = TcpListener::bind(settings.address).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let mut config = Config::from_env()?.with_app_name(NAME);
    if settings.base_url_is_default {
        config = config.with_base_url(&origin)?;
    }
    if let Some(url) = &settings.fake_provider {
        config = config.with_oauth_provider(fake_provider(url));
    }
    let app = match settings.auth {
        Auth::Session => application::<session::App>(&settings, config, &origin).await?,
        Auth::SessionCookie => application::<session_cookie::App>(&settings, config, &origin).await?,
        Auth::Jwt => application::<jwt::App>(&settings, config, &origin).await?,
        Auth::JwtCookie => application::<jwt_cookie::App>(&settings, config, &origin).await?,
        Auth::OAuth2Password => application::<oauth2_password::App>(&settings, config, &origin).await?,
    };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(stop()).await?;
    Ok(())
}

/// A provider of plain OAuth2, for tests of everything around it.
fn fake_provider(url: &str) -> OAuthProvider {
    let url = url.trim_end_matches('/');
    let [authorize, token, userinfo] = ["authorize", "token", "userinfo"].map(|end| format!("{url}/{end}"));
    OAuthProvider::oauth2("fake", &authorize, &token, &userinfo, "reference", "reference-secret")
}

/// The application with one backend: its users, its administrator, and its routes.
async fn application<A>(settings: &Settings, config: Config, origin: &str) -> Result<Router, Failure>
where
    A: Application<User = User, Hooks = Counting>,
    A::Auth: Default,
{
    let users = Users::<A>::connect(&settings.database_url, config.clone()).await?;
    seed(&users, settings).await?;
    let router = around(users, &config);
    println!("{}", router.guide(origin));
    Ok(router.into_router())
}

/// The routes around the generated ones.
fn around<A: Application<User = User>>(users: Users<A>, config: &Config) -> UsersRouter<A> {
    UsersRouter::new(users.clone())
        .with_openapi(document::own(&UsersRouter::<A>::security_requirements(config)))
        .protected(routes::protected())
        .public(routes::public())
        .public(routes::probes(users))
}

/// Stores an administrator when there is none.
async fn seed<A: Application<User = User>>(users: &Users<A>, settings: &Settings) -> Result<(), Failure> {
    let Some((email, password)) = &settings.administrator else { return Ok(()) };
    if users.has_anyone_role(ADMINISTRATOR).await? {
        return Ok(());
    }
    let registration = Registration { email: email.clone(), password: password.clone(), display_name: None };
    let user = match users.find_user(email).await? {
        None => users.create_user(registration).await?,
        Some(user) if user.is_verified => user.into_user(),
        // Anybody can register an address that is not theirs, and wait.
        Some(_) => {
            return Err(format!("{email} is registered and not verified: verify it, or delete it").into());
        }
    };
    users.grant(user.id, ADMINISTRATOR).await?;
    tracing::info!(user = %user.id, "seeded an administrator");
    Ok(())
}

/// Ends when the process is asked to.
async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
