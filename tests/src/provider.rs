//! A provider of OpenID Connect and OAuth 2.0 over real HTTP: what people sign in through in tests, as honest or as
//! crooked as a test wants it.
//!
//! ```no_run
//! # use users_tests::provider::{Person, Provider, Trick};
//! # async fn test(authorization_url: &str) {
//! let provider = Provider::start().await;
//! let settings = provider.oidc("work"); // for `Config::with_oauth_provider`
//! // ... the application answers with an address:
//! let callback = provider.visit(authorization_url, &Person::ada()).await;
//! // ... and the browser goes to `callback`, which has `code` and `state`.
//! provider.trick(Trick::WrongNonce); // from now on
//! # }
//! ```
//!
//! A browser that opens the address is shown a page with a button for each person, `Sign in as Ada Lovelace`, and one that
//! denies.

mod keys;
mod person;
mod routes;
mod tokens;
mod trick;

pub use person::Person;
pub use trick::Trick;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::Url;
use serde_json::Value;
use users_runtime::OAuthProvider;

use self::keys::Keys;

/// The client that is registered with the provider. The names have characters that stand for others in headers and forms
/// (RFC 6749, section 2.3.1).
pub const CLIENT_ID: &str = "users:tests+1 %";
pub const CLIENT_SECRET: &str = "a secret: with +, & and %3A \u{e4}";

/// What can be asked of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Discovery,
    KeySet,
    Authorize,
    Token,
    UserInfo,
}

/// A running provider.
pub struct Provider {
    shared: Arc<Shared>,
    http: reqwest::Client,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What the routes share with the test.
struct Shared {
    base: String,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    keys: Keys,
    trick: Trick,
    people: Vec<Person>,
    /// Sign-ins that wait for a token request, by code.
    codes: HashMap<String, Begun>,
    /// Who access and refresh tokens are for, and what was granted.
    access: HashMap<String, (Person, String)>,
    refresh: HashMap<String, (Person, String)>,
    asked: HashMap<Endpoint, usize>,
    /// How long access tokens are said to live, in seconds.
    lifetime: u64,
    /// The form of the last token request.
    last_form: HashMap<String, String>,
}

/// A sign-in that somebody agreed to.
#[derive(Clone)]
struct Begun {
    person: Person,
    redirect_uri: String,
    scope: String,
    nonce: Option<String>,
    challenge: String,
}

impl Provider {
    /// A provider on a port of its own, which Ada, Grace and Eve may sign in through.
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await
    }

    /// The same on this address: for a program that is told where the provider is before it starts.
    pub async fn start_on(address: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let state = State {
            keys: Keys::generate(),
            trick: Trick::None,
            people: vec![Person::ada(), Person::grace(), Person::eve()],
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            asked: HashMap::new(),
            lifetime: 3600,
            last_form: HashMap::new(),
        };
        let shared = Arc::new(Shared { base, state: Mutex::new(state) });
        let app = routes::router(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the provider runs");
        });
        let http = crate::http().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { shared, http, server }
    }

    /// Where it is, which is its issuer too.
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// The settings of an application for it, by OpenID Connect.
    pub fn oidc(&self, name: &str) -> OAuthProvider {
        OAuthProvider::oidc(name, self.base(), CLIENT_ID, CLIENT_SECRET)
    }

    /// The settings of an application for it, by OAuth 2.0 alone.
    pub fn oauth2(&self, name: &str) -> OAuthProvider {
        let url = |path| format!("{}{path}", self.base());
        OAuthProvider::oauth2(
            name,
            url("/authorize"),
            url("/token"),
            url("/userinfo"),
            CLIENT_ID,
            CLIENT_SECRET,
        )
        .with_scopes(["email", "profile"])
    }

    /// Plays a trick from now on, in place of the one before.
    pub fn trick(&self, trick: Trick) {
        self.shared.state().trick = trick;
    }

    /// Plays no trick from now on.
    pub fn honest(&self) {
        self.trick(Trick::None);
    }

    /// Signs with a new key from now on; the set has it in place of the old one.
    pub fn rotate_keys(&self) {
        self.shared.state().keys.rotate();
    }

    /// Says from now on that access tokens live for so many seconds.
    pub fn tokens_live_for(&self, seconds: u64) {
        self.shared.state().lifetime = seconds;
    }

    /// Forgets whom every refresh token is for, as when people withdraw what they agreed to.
    pub fn revoke_all(&self) {
        self.shared.state().refresh.clear();
    }

    /// Somebody whom the page offers, in place of who has the same subject.
    pub fn add(&self, person: Person) {
        let people = &mut self.shared.state().people;
        match people.iter_mut().find(|other| other.subject == person.subject) {
            Some(other) => *other = person,
            None => people.push(person),
        }
    }

    /// How often it was asked for something.
    pub fn asked(&self, endpoint: Endpoint) -> usize {
        self.shared.state().asked.get(&endpoint).copied().unwrap_or(0)
    }

    /// A field of the last request for tokens.
    pub fn last_token_field(&self, name: &str) -> Option<String> {
        self.shared.state().last_form.get(name).cloned()
    }

    /// Signs this person in at the address that the application gave, and returns where the browser is sent.
    pub async fn visit(&self, authorization_url: &str, person: &Person) -> Url {
        self.add(person.clone());
        self.decide(authorization_url, &person.subject).await
    }

    /// Says no at the address that the application gave, and returns where the browser is sent.
    pub async fn deny(&self, authorization_url: &str) -> Url {
        self.decide(authorization_url, routes::DENIES).await
    }

    /// The page that a browser is shown.
    pub async fn page(&self, authorization_url: &str) -> String {
        let answer = self.http.get(authorization_url).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "the provider refuses the request");
        answer.text().await.expect("a page")
    }

    async fn decide(&self, authorization_url: &str, choice: &str) -> Url {
        let mut url: Url = authorization_url.parse().expect("an address");
        assert!(authorization_url.starts_with(self.base()), "{authorization_url} is elsewhere");
        url.query_pairs_mut().append_pair(routes::CHOICE, choice);
        let answer = self.http.get(url).send().await.expect("an answer");
        let status = answer.status();
        let Some(location) = answer.headers().get("location").cloned() else {
            panic!("the provider answers {status}: {}", answer.text().await.unwrap_or_default());
        };
        location.to_str().expect("ASCII").parse().expect("an address")
    }
}

/// Claims as JSON, merged: the later ones win.
fn merged(mut claims: Value, more: &Value) -> Value {
    if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
        claims.extend(more.clone());
    }
    claims
}
