//! The application of one test: served on a port of its own, with the people that the test needs.

use std::net::SocketAddr;

use axum::serve;
use http::{HeaderName, HeaderValue, request::Parts};
use serde_json::{Map, Value, json};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::{
    Stop,
    answer::Answer,
    chapters::tokens::Issued,
    client::{Client, Credential},
    ensure,
    mailbox::Mailbox,
    subject::{Stored, Subject, Tenant, Traits},
    suite::{Running, Suite},
    testbed::Testbed,
};
use crate::{
    app::{
        AuthRoutes, CurrentUserRoutes, Group, PasswordResetRoutes, RegisterRoutes, RolesRoutes,
        SessionsRoutes, TokensRoutes, UsersRoutes, VerifyRoutes,
    },
    config::Config,
    operation::{Access, GeneratedRoute},
    registration::Registration,
};

/// A running application.
pub(super) struct Site {
    pub(super) suite: Suite,
    pub(super) subject: Box<dyn Subject>,
    /// The users of the tenant that the requests of this site belong to.
    pub(super) tenant: Box<dyn Tenant>,
    pub(super) traits: Traits,
    /// What the library generates.
    pub(super) routes: Vec<GeneratedRoute>,
    client: Client,
    server: JoinHandle<()>,
    bed: Testbed,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Somebody with an account.
pub(super) struct Person {
    /// The key, as bodies have it.
    pub(super) id: Value,
    /// The same as paths have it.
    pub(super) key: String,
    pub(super) identifier: String,
    pub(super) password: String,
    /// Where mail reaches them.
    pub(super) address: Option<String>,
}

impl Person {
    /// Where mail reaches them, without which a test makes no sense.
    pub(super) fn address(&self) -> Result<&str, Stop> {
        self.address.as_deref().ok_or_else(|| Stop::not_applicable("users have no mail address"))
    }
}

/// The group of routes, or the reason why a test is about nothing.
macro_rules! groups {
    ($( $name:ident: $type:ty; )*) => {
        /// The paths of each group that exists.
        impl Site {
            $(
                pub(super) fn $name(&self) -> Result<$type, Stop> {
                    self.traits.groups.$name.ok_or_else(|| {
                        Stop::not_applicable(concat!("there is no route group `", stringify!($name), "`"))
                    })
                }
            )*
        }
    };
}

groups! {
    auth: AuthRoutes;
    verify: VerifyRoutes;
    password_reset: PasswordResetRoutes;
    current_user: CurrentUserRoutes;
    sessions: SessionsRoutes;
    tokens: TokensRoutes;
    users: UsersRoutes;
    roles: RolesRoutes;
}

impl Site {
    /// Starts the application, with attempts counted as it says, or not at all.
    pub(super) async fn start(suite: &Suite, counts: bool) -> Result<Self, Stop> {
        let failed = |what: &str, error: &dyn std::fmt::Display| Stop::failed(format!("{what}: {error}"));
        let bed = Testbed::new(counts).map_err(|error| failed("there is no place for the test", &error))?;
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(|error| failed("there is no port for the test", &error))?;
        let address =
            listener.local_addr().map_err(|error| failed("there is no port for the test", &error))?;
        let Running { subject, traits, router } = (suite.build)(bed.clone())
            .await
            .map_err(|error| failed("the application does not start", &error))?;
        ensure!(
            bed.is_configured(),
            "the application sends its mail elsewhere: give it `bed.config(config)` in place of `config`"
        );
        let server = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            // A server that ends is seen by the requests that it does not answer.
            let _ = serve(listener, service).await;
        });
        let http = http_client().map_err(|error| failed("there is no client for the test", &error))?;
        let client = Client::new(http, format!("http://{address}{}", suite.prefix), suite.headers.clone());
        let tenant = subject.of_tenant(&request(&suite.headers)).await?;
        Ok(Self {
            suite: suite.clone(),
            routes: subject.routes(),
            subject,
            tenant,
            traits,
            client,
            server,
            bed,
        })
    }

    /// The group `register`, where anybody may register and learns how it went. What the other modes promise, only the
    /// application's own tests can tell, which have its invitations.
    pub(super) fn register(&self) -> Result<RegisterRoutes, Stop> {
        if self.config().registration != Registration::Open {
            return Err(Stop::not_applicable("registration is not open"));
        }
        let paths = self.traits.groups.register;
        paths.ok_or_else(|| Stop::not_applicable("there is no route group `register`"))
    }

    /// A client without a credential.
    pub(super) fn client(&self) -> Client {
        self.client.fresh()
    }

    pub(super) fn mailbox(&self) -> &Mailbox {
        self.bed.mailbox()
    }

    pub(super) fn config(&self) -> &Config {
        self.subject.config()
    }

    /// What no answer may show of where the application keeps its data.
    pub(super) fn folder(&self) -> String {
        self.bed.folder().display().to_string()
    }

    /// What people log in with, as bodies call it.
    pub(super) fn field(&self) -> &'static str {
        self.traits.field
    }

    pub(super) fn identifier(&self, name: &str) -> String {
        (self.suite.identifier)(name)
    }

    /// A password that the policy takes, and another one.
    pub(super) fn passwords(&self) -> [String; 2] {
        let least = self.config().password_policy.min();
        ["correct horse battery staple", "an entirely different sentence"].map(|text| {
            let mut password = text.to_owned();
            while password.chars().count() < least {
                password.push(' ');
                password.push_str(text);
            }
            password
        })
    }

    pub(super) fn password(&self) -> String {
        let [password, _] = self.passwords();
        password
    }

    pub(super) fn other_password(&self) -> String {
        let [_, other] = self.passwords();
        other
    }

    /// The body of a registration.
    pub(super) fn registration(&self, name: &str, identifier: &str, password: &str) -> Value {
        let mut body = match (self.suite.registration)(name) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        body.insert(self.field().to_owned(), json!(identifier));
        body.insert("password".to_owned(), json!(password));
        Value::Object(body)
    }

    /// The same as it is sent.
    pub(super) async fn register_as(
        &self,
        name: &str,
        identifier: &str,
        password: &str,
    ) -> Result<Answer, Stop> {
        let path = self.register()?.path;
        self.client().post(path, &self.registration(name, identifier, password)).await
    }

    /// Somebody who has registered over HTTP and whose mailbox is not proven yet.
    pub(super) async fn newcomer(&self, name: &str) -> Result<Person, Stop> {
        let (identifier, password) = (self.identifier(name), self.password());
        self.register_as(name, &identifier, &password).await?.success()?;
        self.find(&identifier, password).await
    }

    /// Somebody with an account that may be used, which the program has made.
    pub(super) async fn person(&self, name: &str) -> Result<Person, Stop> {
        self.person_with(name, self.password()).await
    }

    pub(super) async fn person_with(&self, name: &str, password: String) -> Result<Person, Stop> {
        let identifier = self.identifier(name);
        let body = self.registration(name, &identifier, &password);
        self.tenant.create(body).await?;
        self.find(&identifier, password).await
    }

    async fn find(&self, identifier: &str, password: String) -> Result<Person, Stop> {
        let found = self.stored(identifier).await?;
        let found =
            found.ok_or_else(|| Stop::failed(format!("{identifier} is registered and not stored")))?;
        let Stored { id, key, address, .. } = found;
        Ok(Person { id, key, identifier: identifier.to_owned(), password, address })
    }

    /// What is stored of somebody.
    pub(super) async fn stored(&self, identifier: &str) -> Result<Option<Stored>, Stop> {
        self.tenant.find(identifier).await
    }

    /// Somebody with an account, and a client that they have logged in with.
    pub(super) async fn user(&self, name: &str) -> Result<(Person, Client), Stop> {
        self.require_login()?;
        let person = self.person(name).await?;
        let client = self.logged_in(&person).await?;
        Ok((person, client))
    }

    /// A new client that somebody has logged in with.
    pub(super) async fn logged_in(&self, person: &Person) -> Result<Client, Stop> {
        let client = self.client();
        self.log_in(&client, &person.identifier, &person.password).await?.success()?;
        ensure!(client.credential() != Credential::default(), "a login gives no credential");
        Ok(client)
    }

    fn require_login(&self) -> Result<(), Stop> {
        self.auth().map(drop)
    }

    pub(super) async fn log_in(
        &self,
        client: &Client,
        identifier: &str,
        password: &str,
    ) -> Result<Answer, Stop> {
        client.post(self.auth()?.login, &self.account(identifier, password)).await
    }

    /// Identifier and password, as a login takes them.
    pub(super) fn account(&self, identifier: &str, password: &str) -> Value {
        let mut body = json!({ "password": password });
        body[self.field()] = json!(identifier);
        body
    }

    /// A body with the identifier alone.
    pub(super) fn naming(&self, identifier: &str) -> Value {
        let mut body = json!({});
        body[self.field()] = json!(identifier);
        body
    }

    /// A path that answers whoever is logged in.
    pub(super) fn door(&self) -> Result<String, Stop> {
        let own = self.suite.protected.first().map(String::as_str);
        let generated = self.traits.groups.current_user.map(|paths| paths.path);
        let generated = generated.or_else(|| self.traits.groups.sessions.map(|paths| paths.path));
        generated.or(own).map(str::to_owned).ok_or_else(|| {
            Stop::not_applicable("there is no route that needs a login; name one in `Suite::with_protected`")
        })
    }

    /// What a client is answered where a login is needed.
    pub(super) async fn knock(&self, client: &Client) -> Result<Answer, Stop> {
        client.get(&self.door()?).await
    }

    /// Fails unless a client is logged in.
    pub(super) async fn lets_in(&self, client: &Client) -> Result<(), Stop> {
        self.knock(client).await?.success().map(drop)
    }

    /// Fails unless a client is out.
    pub(super) async fn keeps_out(&self, client: &Client, why: &str) -> Result<(), Stop> {
        let answer = self.knock(client).await?;
        ensure!(answer.status == 401, "{}, {why}", answer.shown());
        Ok(())
    }

    /// An administrator and a client of theirs.
    pub(super) async fn administrator(&self, name: &str) -> Result<(Person, Client), Stop> {
        if !self.traits.roles {
            return Err(Stop::not_applicable("users have no roles"));
        }
        let (person, client) = self.user(name).await?;
        let role = self.config().administrator_role.clone();
        self.tenant.grant(&person.identifier, role).await?;
        Ok((person, client))
    }

    /// The same, with the power over the group `users`.
    pub(super) async fn manager(&self, name: &str) -> Result<(Person, Client), Stop> {
        let path = self.users()?.path;
        let (person, client) = self.administrator(name).await?;
        match client.get(path).await?.status {
            403 => Err(Stop::not_applicable("the guard of the group `users` is not for administrators")),
            _ => Ok((person, client)),
        }
    }

    /// The address of one user.
    pub(super) fn user_path(&self, person: &Person) -> Result<String, Stop> {
        Ok(format!("{}/{}", self.users()?.path, person.key))
    }

    /// Deactivates an account, as a program does.
    pub(super) async fn deactivate(&self, person: &Person) -> Result<(), Stop> {
        self.tenant.deactivate(&person.identifier).await
    }

    /// What of a user responses show, as they show it unless the application shows something of its own.
    pub(super) async fn shown(&self, person: &Person) -> Result<Map<String, Value>, Stop> {
        let stored = self.stored(&person.identifier).await?;
        let stored = stored.ok_or_else(|| Stop::failed(format!("{} is not stored", person.identifier)))?;
        Ok(stored.shown)
    }

    /// The flag by which administrators deactivate an account, as bodies call it.
    pub(super) async fn active_field(&self, person: &Person) -> Result<String, Stop> {
        let keys = self.shown(person).await?.into_iter().map(|(key, _)| key);
        let mut flags = keys.filter(|key| {
            let mut body = json!({});
            body[key] = json!(false);
            self.tenant.deactivates(body)
        });
        flags.next().ok_or_else(|| Stop::not_applicable("administrators cannot deactivate accounts"))
    }

    /// Tokens for a form (RFC 6749, section 4.3).
    pub(super) async fn issue_tokens(&self, person: &Person) -> Result<Issued, Stop> {
        let (identifier, password) = (person.identifier.as_str(), person.password.as_str());
        let fields = [("grant_type", "password"), ("username", identifier), ("password", password)];
        let client = self.client();
        let answer = client.call("POST", self.tokens()?.token).form(&fields).send().await?.success()?;
        Issued::parse(&answer.json())
            .ok_or_else(|| Stop::not_applicable(format!("{} gives no refresh token", answer.asked)))
    }

    /// What a refresh token is answered.
    pub(super) async fn refresh(&self, token: &str) -> Result<Answer, Stop> {
        self.client().post(self.tokens()?.refresh, &json!({ "refresh_token": token })).await
    }

    /// The tokens for a refresh token.
    pub(super) async fn refreshed(&self, token: &str) -> Result<Issued, Stop> {
        let answer = self.refresh(token).await?.success()?;
        Issued::parse(&answer.json())
            .ok_or_else(|| Stop::failed(format!("{}, and gives no tokens", answer.shown())))
    }

    /// Sends requests at the same time, each from a client of its own; none of them may break the server.
    pub(super) async fn at_once(
        &self,
        method: &'static str,
        path: &'static str,
        bodies: &[Value],
    ) -> Result<Vec<Answer>, Stop> {
        let mut running = JoinSet::new();
        for body in bodies {
            let (client, body) = (self.client(), body.clone());
            running.spawn(async move { client.call(method, path).json(&body).send().await });
        }
        let answers = running.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
        for answer in &answers {
            // A full queue of passwords is an answer like another; a defect is none.
            ensure!(answer.status < 500 || answer.status == 503, "{}", answer.shown());
        }
        Ok(answers)
    }

    /// Generated routes, each with something in the place of its parameters. Those of providers speak with browsers that
    /// come from elsewhere.
    pub(super) fn addresses(&self) -> Vec<(GeneratedRoute, String)> {
        let own = self.routes.iter().filter(|route| route.group != Group::OAuth2);
        own.map(|route| (route.clone(), filled(&route.path))).collect()
    }

    /// Those that need a login.
    pub(super) fn closed_addresses(&self) -> Vec<(GeneratedRoute, String)> {
        self.addresses().into_iter().filter(|(route, _)| route.access != Access::Anyone).collect()
    }

    /// Every generated route that reads a body, with one that has the right form, and whether it needs a login.
    pub(super) fn forms(&self, person: &Person) -> Vec<Form> {
        let password = self.password();
        let account = self.account(&person.identifier, &person.password);
        let naming = self.naming(&person.identifier);
        let token = "A".repeat(43);
        let mut forms = Vec::new();
        let mut add = |path: &str, method: &'static str, body: Value, login: bool| {
            forms.push(Form { method, path: path.to_owned(), body, login });
        };
        if let Ok(paths) = self.register() {
            let identifier = self.identifier("newcomer");
            add(paths.path, "POST", self.registration("newcomer", &identifier, &password), false);
        }
        if let Some(paths) = self.traits.groups.auth {
            add(paths.login, "POST", account, false);
        }
        if let Some(paths) = self.traits.groups.verify {
            add(paths.path, "POST", json!({ "token": token }), false);
            add(paths.resend, "POST", naming.clone(), false);
        }
        if let Some(paths) = self.traits.groups.password_reset {
            add(paths.forgot, "POST", naming, false);
            add(paths.reset, "POST", json!({"token": token, "password": password}), false);
        }
        if let Some(paths) = self.traits.groups.current_user {
            let body = json!({"password": password, "current_password": "not the password"});
            add(paths.path, "PATCH", body, true);
        }
        forms
    }
}

/// A generated route that reads a body.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// One of the right form.
    pub(super) body: Value,
    /// Whether it needs a login.
    pub(super) login: bool,
}

/// A request with these headers.
fn request(headers: &[(HeaderName, HeaderValue)]) -> Parts {
    let mut parts = http::Request::new(()).into_parts().0;
    parts.headers.extend(headers.iter().cloned());
    parts
}

/// A path with something in the place of its parameters.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') { "018f0000-0000-7000-8000-000000000000" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A client over plain HTTP, which keeps no cookies of its own and goes nowhere by itself.
fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    // Another feature may have switched TLS on, and then a client wants to know whose cryptography it takes.
    let tls = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    match tls {
        Ok(tls) => {
            let roots = rustls::RootCertStore::empty();
            builder.tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth()).build()
        }
        Err(_) => builder.build(),
    }
}
