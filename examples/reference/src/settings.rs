//! What the reference application reads of the environment, beside what `Config::from_env` reads.

use std::{env, net::SocketAddr};

use users_runtime::{Error, Password};

/// The backends.
#[derive(Debug, Clone, Copy)]
pub enum Auth {
    Session,
    SessionCookie,
    Jwt,
    JwtCookie,
    OAuth2Password,
}

/// The settings of the reference application alone.
#[derive(Debug)]
pub struct Settings {
    pub address: SocketAddr,
    pub auth: Auth,
    pub database_url: String,
    pub administrator: Option<(String, Password)>,
    pub base_url_is_default: bool,
    /// Where the provider `fake` answers.
    pub fake_provider: Option<String>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// When one makes no sense; the message says what to write.
    pub fn from_env() -> Result<Self, Error> {
        let address = variable("ADDR").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let address = address.parse().map_err(|_| {
            setting("ADDR", format!("`{address}` is no address; write for example `127.0.0.1:3000`"))
        })?;
        let auth = match variable("AUTH").as_deref() {
            None | Some("jwt_cookie") => Auth::JwtCookie,
            Some("jwt") => Auth::Jwt,
            Some("oauth2_password") => Auth::OAuth2Password,
            Some("session") => Auth::Session,
            Some("session_cookie") => Auth::SessionCookie,
            Some(other) => {
                let problem = format!(
                    "`{other}` is not a backend; write `session`, `session_cookie`, `jwt`, `jwt_cookie` or \
                     `oauth2_password`"
                );
                return Err(setting("AUTH", problem));
            }
        };
        let administrator = match (variable("ADMIN_EMAIL"), variable("ADMIN_PASSWORD")) {
            (Some(email), Some(password)) => Some((email, Password::new(password))),
            (None, None) => None,
            _ => {
                return Err(setting(
                    "ADMIN_EMAIL",
                    "goes with ADMIN_PASSWORD: set both or neither".to_owned(),
                ));
            }
        };
        Ok(Self {
            address,
            auth,
            database_url: variable("DATABASE_URL").unwrap_or_else(|| "sqlite://reference.db".to_owned()),
            administrator,
            base_url_is_default: variable("BASE_URL").is_none(),
            fake_provider: variable("OAUTH_FAKE_URL"),
        })
    }
}

fn setting(name: &'static str, problem: String) -> Error {
    Error::Setting { name, problem }
}

/// A variable of the environment; set but empty counts as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
