//! A client of the generated routes, for other programs in Rust: the same DTOs, and the same machine codes.
//!
//! `#[users_app]` puts `Client` into the module, beside the router that it is for. A workspace has that module in a crate
//! which both programs depend on.
//!
//! ```no_run
//! use users_runtime::{Password, ProblemCode, client::Error};
//! # use users_runtime::users_app;
//! # #[users_app(auth = "jwt_cookie")]
//! # mod accounts {
//! #     use users_runtime::{PasswordHash, UserModel};
//! #     use uuid::Uuid;
//! #     #[derive(Clone, Debug, UserModel)]
//! #     pub struct User {
//! #         #[user(id)]
//! #         pub id: Uuid,
//! #         #[user(identifier)]
//! #         pub email: String,
//! #         #[user(password_hash)]
//! #         password_hash: PasswordHash,
//! #         #[user(verified)]
//! #         pub is_verified: bool,
//! #         pub display_name: Option<String>,
//! #     }
//! # }
//! use accounts::{Client, UserRegistration, UserUpdate};
//!
//! # async fn example() -> Result<(), Error> {
//! let client = Client::new("https://accounts.example.com")?;
//! let password = Password::new("correct horse battery staple");
//! let email = "ada@example.com".to_owned();
//! client.register(&UserRegistration { email, password: password.clone(), display_name: None }).await?;
//! // The token is in the mail.
//! client.verify("the token").await?;
//! client.log_in("ada@example.com", &password).await?;
//!
//! let name = UserUpdate { display_name: Some(Some("Ada".to_owned())), ..UserUpdate::default() };
//! match client.update_me(&name).await {
//!     Ok(account) => println!("{} has {} roles", account.email, account.roles.len()),
//!     Err(Error::Problem(problem)) if problem.code == ProblemCode::ValidationFailed => {
//!         println!("{:?}", problem.errors);
//!     }
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - **Methods follow the application:** one of a route group that it does not have is an error of the compiler, and paths
//!   are those that `routes(...)` names.
//! - **The credential** is kept: cookies as a browser keeps them, tokens of the header `Authorization`. Clones share it.
//! - **Requests** are DTOs in a literal. What a change leaves at `None` stays as it is, and `Some(None)` clears a field.
//! - **Other forms of users:** where the server shows users in a form of its own by `with_read`,
//!   [`showing`](Client::showing) names the type. Routes of the application's own are served by [`get`](Client::get) and
//!   [`call`](Client::call).
//! - **Secure as it comes:** HTTPS, but to this machine; 30 seconds for a request and 4 MiB for an answer; redirects are
//!   not followed.

mod calls;
mod connection;
mod dto;
mod error;
mod jar;

use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

/// The version of reqwest whose errors [`Error`] carries.
pub use reqwest;

use self::{
    connection::{Answer, Connection, Content, Settings},
    jar::Jar,
};
pub use self::{
    dto::{Account, Body, Fields, Page, Receivable, RequestBody, Sendable, Tokens},
    error::{Error, FieldError, Problem},
};
use crate::{
    app::Application,
    model::{RoleModel, UserModel},
    secret::Password,
};

type User<A> = <A as Application>::User;
type Role<A> = <User<A> as UserModel>::Role;
type Read<A> = <User<A> as UserModel>::Read;
type RoleRead<A> = <Role<A> as RoleModel>::Read;

/// A client of one server of an application. See the [module](self).
///
/// `Shown` is the form in which the server shows users. Clones share connections and credential.
pub struct Client<A: Application, Shown = Account<A>> {
    connection: Arc<Connection>,
    settings: Settings,
    credential: Arc<Credential>,
    application: PhantomData<fn() -> (A, Shown)>,
}

/// What the server knows a client by.
#[derive(Default)]
struct Credential {
    kept: Mutex<Kept>,
    /// A refresh token that comes twice ends its session, so that one request at a time brings it.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    cookies: Jar,
    access: Option<Password>,
    refresh: Option<Password>,
}

impl Credential {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // No code that holds it panics half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The headers of a request to this address.
    fn headers(&self, url: &Url) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        if let Some(cookies) = self.cookies.header(url) {
            headers.insert(header::COOKIE, cookies);
        }
        if let Some(token) = &self.access {
            let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
            let mut bearer = bearer.map_err(|_| Error::invalid("the bearer token is none for a header"))?;
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        Ok(headers)
    }

    /// Takes over what an answer gives: cookies, and a token in the header.
    fn take(&mut self, url: &Url, answer: &HeaderMap) {
        self.cookies.take(url, answer);
        let token = answer.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| {
            // Another scheme is another backend's.
            scheme.eq_ignore_ascii_case("bearer")
        });
        if let Some((_, token)) = token {
            self.access = Some(Password::new(token.trim()));
            // It belonged to the session that the answer ended.
            self.refresh = None;
        }
    }
}

impl<A: Application, Shown> Clone for Client<A, Shown> {
    fn clone(&self) -> Self {
        Self {
            connection: Arc::clone(&self.connection),
            settings: self.settings.clone(),
            credential: Arc::clone(&self.credential),
            application: PhantomData,
        }
    }
}

impl<A: Application, Shown> fmt::Debug for Client<A, Shown> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl<A: Application> Client<A> {
    /// A client of the server at this address, such as `https://example.com`, or `https://example.com/accounts` where the
    /// router is nested. It is known to nobody yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no such address, and for `http://` to another machine.
    pub fn new(base_url: &str) -> Result<Self, Error> {
        Connection::new(base_url, false).map(Self::over)
    }

    /// The same over plain HTTP to another machine, for networks that encrypt by themselves. Anybody on the way reads
    /// passwords and credentials; cookies that want HTTPS are not kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no such address.
    pub fn new_insecure(base_url: &str) -> Result<Self, Error> {
        Connection::new(base_url, true).map(Self::over)
    }

    fn over(connection: Connection) -> Self {
        Self {
            connection: Arc::new(connection),
            settings: Settings::default(),
            credential: Arc::default(),
            application: PhantomData,
        }
    }
}

impl<A: Application, Shown> Client<A, Shown> {
    /// The same client for a server that shows users in this form, by `with_read`.
    #[must_use]
    pub fn showing<Dto>(&self) -> Client<A, Dto> {
        let Self { connection, settings, credential, .. } = self.clone();
        Client { connection, settings, credential, application: PhantomData }
    }

    /// A client that nobody knows, over the same connections.
    #[must_use]
    pub fn without_credential(&self) -> Self {
        Self { credential: Arc::default(), ..self.clone() }
    }

    /// A client that shows this token in the header `Authorization: Bearer`, and nothing else, over the same connections.
    #[must_use]
    pub fn with_bearer(&self, token: Password) -> Self {
        let client = self.without_credential();
        client.credential.kept().access = Some(token);
        client
    }

    /// The same client, which [`refresh`](Self::refresh) gives the next tokens for this one.
    #[must_use]
    pub fn with_refresh_token(self, token: Password) -> Self {
        self.credential.kept().refresh = Some(token);
        self
    }

    /// The same client, which also sends this header, such as one that says which tenant is meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no header.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let wrong = || Error::invalid(format!("`{name}` is no header, or its value is none"));
        let name = HeaderName::try_from(name).map_err(|_| wrong())?;
        self.settings.headers.insert(name, HeaderValue::try_from(value).map_err(|_| wrong())?);
        Ok(self)
    }

    /// The same client, which waits so long for an answer: 30 seconds unless this says otherwise.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// The same client, which reads so many bytes of an answer: 4 MiB unless this says otherwise.
    #[must_use]
    pub fn with_answer_limit(mut self, bytes: usize) -> Self {
        self.settings.limit = bytes;
        self
    }

    /// The access token that is shown, if it is not in a cookie.
    #[must_use]
    pub fn bearer(&self) -> Option<Password> {
        self.credential.kept().access.clone()
    }

    /// The refresh token, if the server gave one and it is not in a cookie.
    #[must_use]
    pub fn refresh_token(&self) -> Option<Password> {
        self.credential.kept().refresh.clone()
    }

    /// Asks a route of the application's own, at this path, and reads its answer in JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let url = self.connection.url(path)?;
        self.send(Method::GET, url, Content::Nothing).await?.json()
    }

    /// Sends JSON to a route of the application's own, or to a generated one that it answers in a form of its own, and
    /// reads the answer in JSON. A DTO with a password becomes JSON by [`RequestBody::to_json`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let url = self.connection.url(path)?;
        self.send(method, url, Content::Json(unwritable(serde_json::to_value(body))?)).await?.json()
    }

    /// Sends a request under the credential, and keeps what the answer changes of it.
    async fn send(&self, method: Method, url: Url, content: Content) -> Result<Answer, Error> {
        let headers = self.credential.kept().headers(&url)?;
        let sent = self.connection.send(&self.settings, method, url.clone(), headers, content);
        let answer = sent.await?;
        self.credential.kept().take(&url, &answer.headers);
        answer.success()
    }
}

/// What cannot be written is the application's to mend.
fn unwritable<T>(written: Result<T, serde_json::Error>) -> Result<T, Error> {
    written.map_err(|error| Error::invalid(format!("the request cannot be written as JSON: {error}")))
}
