//! What several files need: an application with a provider, and the way there and back.

use std::time::Duration;

use reqwest::Url;
use users_runtime::{Config, OAuthProvider};
use users_tests::{
    Answer, App, Client, Kind, Options,
    provider::{Person, Provider},
};

/// An application with a provider of OpenID Connect, `oidc`, and the same as one of plain OAuth2, `plain`.
pub struct World {
    pub app: App,
    pub provider: Provider,
}

/// The application with this backend and these changes, and its provider.
pub async fn world_with(kind: Kind, change: impl FnOnce(Config) -> Config + Send + 'static) -> World {
    let provider = Provider::start().await;
    let (oidc, plain) = (oidc(&provider), plain(&provider));
    let config = move |config: Config| change(config.with_oauth_provider(oidc).with_oauth_provider(plain));
    let app = App::start_with(kind, Options { config: Box::new(config), ..Options::default() }).await;
    World { app, provider }
}

pub async fn world(kind: Kind) -> World {
    world_with(kind, |config| config).await
}

/// The test provider as one of OpenID Connect, which is given two seconds.
pub fn oidc(provider: &Provider) -> OAuthProvider {
    provider.oidc("oidc").with_timeout(Duration::from_secs(2))
}

/// The test provider as one of plain OAuth2.
pub fn plain(provider: &Provider) -> OAuthProvider {
    provider.oauth2("plain").with_timeout(Duration::from_secs(2))
}

/// A person whose address the provider has verified.
pub fn person(subject: &str, email: &str) -> Person {
    Person { name: None, ..Person::new(subject, email, "") }
}

/// The person of most tests.
pub fn ada() -> Person {
    person("ada-1", "ada@example.com")
}

/// The same person, of whom the provider has not verified the address.
pub fn unverified(person: Person) -> Person {
    Person { email_verified: false, ..person }
}

/// The same person with a name.
pub fn named(person: Person, name: &str) -> Person {
    Person { name: Some(name.to_owned()), ..person }
}

/// The URL that a beginning answers.
pub async fn begin(client: &Client, path: &str) -> Url {
    let answer = client.get(path).await.expect(200, "");
    answer.json()["authorization_url"].as_str().expect("a URL").parse().expect("a URL")
}

/// What of a URL our server sees.
pub fn path_of(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

impl World {
    /// The way to the provider and back: the path that a browser ends at.
    pub async fn way_back(&self, client: &Client, provider: &str, person: &Person) -> String {
        let url = begin(client, &format!("/oauth2/{provider}/authorize")).await;
        path_of(&self.provider.visit(url.as_str(), person).await)
    }

    /// Signs a person in.
    pub async fn sign_in(&self, client: &Client, provider: &str, person: &Person) -> Answer {
        client.get(&self.way_back(client, provider, person).await).await
    }

    /// Links a person's account at the provider to the client's user.
    pub async fn link(&self, client: &Client, provider: &str, person: &Person) -> Answer {
        let url = begin(client, &format!("/oauth2-associate/{provider}/authorize")).await;
        client.get(&path_of(&self.provider.visit(url.as_str(), person).await)).await
    }

    /// How many users there are.
    pub async fn users(&self) -> i64 {
        self.app.count("SELECT COUNT(*) FROM users").await
    }

    /// How many accounts are linked.
    pub async fn links(&self) -> i64 {
        self.app.count("SELECT COUNT(*) FROM users_oauth_accounts").await
    }

    /// Nobody came in, and nothing is left of the attempt.
    pub async fn nothing_happened(&self, client: &Client) {
        client.me().await.expect(401, "unauthenticated");
        assert_eq!((self.users().await, self.links().await, self.app.sessions().await), (0, 0, 0));
    }
}
