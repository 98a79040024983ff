//! Settings: secure defaults in one block, checked once at start-up.

use std::{env, fmt, sync::Arc, time::Duration};

use url::Url;

#[cfg(feature = "user-cache")]
use crate::cache::UserCache;
#[cfg(feature = "oauth2")]
use crate::oauth::{OAuthProvider, RedirectRule, redirect_target};
#[cfg(feature = "jwt")]
use crate::token::TokenKey;
use crate::{
    db::SchemaMode,
    error::Error,
    mail::{MailTransport, Templates, transport_from_setting},
    password::{Argon2Cost, BreachCheck, BreachRules, FailMode, PasswordPolicy, PasswordScheme},
    peer::Proxies,
    registration::Registration,
    secret::SecretKey,
    store::{Store, store_from_setting},
    throttle::Throttle,
    token::TokenSettings,
};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Settings of the library, from [`Config::new`], [`Config::from_env`] or [`Config::development`].
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own, with a method of its own")]
pub struct Config {
    pub(crate) secret_key: SecretKey,
    pub(crate) app_name: String,
    pub(crate) administrator_role: String,
    pub(crate) admin_sets_passwords: bool,
    pub(crate) max_connections: Option<u32>,
    pub(crate) schema_mode: SchemaMode,
    pub(crate) registration: Registration,
    pub(crate) invitation_url: Option<Url>,
    pub(crate) invitation_lifetime: Duration,
    pub(crate) base_url: Url,
    pub(crate) verify_url: Option<Url>,
    pub(crate) reset_url: Option<Url>,
    pub(crate) trusted_origins: Vec<String>,
    pub(crate) trusted_proxies: Proxies,
    pub(crate) insecure_cookies: bool,
    pub(crate) throttle: Throttle,
    pub(crate) require_verification: bool,
    pub(crate) body_limit: usize,
    pub(crate) store: Option<Arc<dyn Store>>,
    #[cfg(feature = "user-cache")]
    pub(crate) user_cache: Option<UserCache>,
    pub(crate) session_idle: Duration,
    pub(crate) session_absolute: Duration,
    pub(crate) session_renew_every: Duration,
    pub(crate) session_unremembered: Option<Duration>,
    pub(crate) max_sessions: usize,
    pub(crate) token_lifetime: Duration,
    pub(crate) tokens: TokenSettings,
    pub(crate) old_secret_keys: Vec<SecretKey>,
    pub(crate) verify_lifetime: Duration,
    pub(crate) reset_lifetime: Duration,
    pub(crate) event_retention: Duration,
    pub(crate) deletion_grace: Option<Duration>,
    pub(crate) argon2: Argon2Cost,
    pub(crate) hash_threads: usize,
    pub(crate) hash_queue: usize,
    pub(crate) schemes: Vec<Arc<dyn PasswordScheme>>,
    pub(crate) password_policy: PasswordPolicy,
    pub(crate) breaches: BreachRules,
    pub(crate) mail_transport: Option<Arc<dyn MailTransport>>,
    pub(crate) mail_setting: String,
    pub(crate) mail_from: Option<String>,
    pub(crate) templates: Templates,
    #[cfg(feature = "oauth2")]
    pub(crate) oauth_providers: Vec<OAuthProvider>,
    #[cfg(feature = "oauth2")]
    pub(crate) oauth_redirects: Vec<RedirectRule>,
    #[cfg(feature = "oauth2")]
    pub(crate) oauth_linking_by_email: bool,
    #[cfg(feature = "oauth2")]
    pub(crate) oauth_registration: bool,
}

/// The role that may manage users and roles, unless `routes(users(guard = ...))` says otherwise.
pub const ADMINISTRATOR: &str = "administrator";

impl Config {
    /// The secure defaults around a secret key.
    #[must_use]
    pub fn new(secret_key: SecretKey) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            secret_key,
            app_name: "users".to_owned(),
            administrator_role: ADMINISTRATOR.to_owned(),
            admin_sets_passwords: false,
            max_connections: None,
            schema_mode: SchemaMode::Managed,
            registration: Registration::Open,
            invitation_url: None,
            invitation_lifetime: 7 * DAY,
            base_url: default_base_url(),
            verify_url: None,
            reset_url: None,
            trusted_origins: Vec::new(),
            trusted_proxies: Proxies::default(),
            insecure_cookies: false,
            throttle: Throttle::default(),
            require_verification: true,
            // Every body of the contract fits many times (S51).
            body_limit: 16 * 1024,
            store: None,
            #[cfg(feature = "user-cache")]
            user_cache: None,
            // S20, after OWASP ASVS 7.3.
            session_idle: 7 * DAY,
            session_absolute: 30 * DAY,
            session_renew_every: 5 * MINUTE,
            session_unremembered: None,
            // More than a person has devices, and few enough to list.
            max_sessions: 100,
            token_lifetime: DAY,
            tokens: TokenSettings::default(),
            old_secret_keys: Vec::new(),
            // S33.
            verify_lifetime: DAY,
            reset_lifetime: HOUR,
            event_retention: 365 * DAY,
            deletion_grace: None,
            argon2: Argon2Cost::default(),
            hash_threads: cores,
            // At 17 ms a hash, a full queue is about a second of work.
            hash_queue: 64 * cores,
            schemes: Vec::new(),
            password_policy: PasswordPolicy::default(),
            breaches: BreachRules::default(),
            mail_transport: None,
            mail_setting: "stdout".to_owned(),
            mail_from: None,
            templates: Templates::default(),
            #[cfg(feature = "oauth2")]
            oauth_providers: Vec::new(),
            #[cfg(feature = "oauth2")]
            oauth_redirects: Vec::new(),
            // S45.
            #[cfg(feature = "oauth2")]
            oauth_linking_by_email: false,
            #[cfg(feature = "oauth2")]
            oauth_registration: true,
        }
    }

    /// Settings for trying things out on this machine: a new random key at each start, so every credential ends
    /// with the process, and cookies that work over plain HTTP. Never use it where others can connect.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn development() -> Result<Self, Error> {
        tracing::warn!("development settings: a new secret key at each start and cookies without `Secure`");
        Ok(Self::new(SecretKey::generate()?).with_insecure_cookies(true))
    }

    /// Settings from the environment.
    ///
    /// | variable | meaning | default |
    /// | --- | --- | --- |
    /// | `SECRET_KEY` | 32 bytes or more | required, unless `DEV=1` |
    /// | `SECRET_KEY_OLD` | keys that were `SECRET_KEY` before, separated by commas or white space | none |
    /// | `DEV` | `1` makes a random `SECRET_KEY` at each start | unset |
    /// | `APP_NAME` | the name in mails, and a word that passwords may not contain | `users` |
    /// | `REGISTRATION` | who may register: `open`, `private`, `invite` or `closed` | `open` |
    /// | `BASE_URL` | the origin in the links of mails | `http://127.0.0.1:3000` |
    /// | `MAIL` | `stdout`, a folder, or an `smtp://` URL | `stdout` |
    /// | `MAIL_FROM` | the sender's address | `no-reply@` the host of `BASE_URL` |
    /// | `SESSION_STORE` | `database`, `memory`, `file`, `file:` and a folder, or a `redis://` URL | `database` |
    /// | `INSECURE_COOKIES` | `1` for plain HTTP on loopback | unset |
    /// | `TRUSTED_ORIGINS` | other origins whose pages may send requests, separated by commas | none |
    /// | `THROTTLE` | `off` for measurements of load | `on` |
    /// | `TRUSTED_PROXIES` | networks whose `X-Forwarded-For` says who the client is, separated by commas | none |
    ///
    /// # Errors
    /// [`Error::SecretKey`] and [`Error::Setting`], with what to write instead.
    pub fn from_env() -> Result<Self, Error> {
        let development = flag("DEV")?;
        let secret_key = match (variable("SECRET_KEY")?, development) {
            (Some(key), _) => SecretKey::new(key.trim())?,
            (None, true) => {
                tracing::warn!("DEV=1 without SECRET_KEY: a new key at each start ends every credential");
                SecretKey::generate()?
            }
            (None, false) => {
                return Err(Error::Setting {
                    name: "SECRET_KEY",
                    problem:
                        "is not set; make one with `openssl rand -base64 32`, or set DEV=1 to try things out"
                            .to_owned(),
                });
            }
        };
        let mut config = Self::new(secret_key).with_insecure_cookies(flag("INSECURE_COOKIES")?);
        if let Some(keys) = variable("SECRET_KEY_OLD")? {
            config.old_secret_keys = old_secret_keys(&keys)?;
        }
        if let Some(name) = variable("APP_NAME")? {
            config = config.with_app_name(name);
        }
        if let Some(mode) = variable("REGISTRATION")? {
            config = config.with_registration(mode.parse()?);
        }
        if let Some(url) = variable("BASE_URL")? {
            config = config.with_base_url(&url)?;
        }
        if let Some(mail) = variable("MAIL")? {
            config.mail_setting = mail;
        }
        config.mail_from = variable("MAIL_FROM")?;
        if let Some(origins) = variable("TRUSTED_ORIGINS")? {
            for origin in origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
                config = config.with_trusted_origin(origin)?;
            }
        }
        match variable("THROTTLE")?.as_deref() {
            None | Some("on") => {}
            Some("off") => {
                tracing::warn!("THROTTLE=off: passwords can be guessed as fast as they are hashed");
                config = config.with_throttle(Throttle::off());
            }
            Some(other) => {
                let problem = format!("`{other}` is neither `on` nor `off`");
                return Err(Error::Setting { name: "THROTTLE", problem });
            }
        }
        if let Some(networks) = variable("TRUSTED_PROXIES")? {
            config = config.with_trusted_proxies(&networks)?;
        }
        #[cfg(feature = "user-cache")]
        match variable("USER_CACHE")?.as_deref() {
            None | Some("off") => {}
            Some("on") => config = config.with_user_cache(UserCache::default()),
            Some(other) => {
                let problem = format!("`{other}` is neither `on` nor `off`");
                return Err(Error::Setting { name: "USER_CACHE", problem });
            }
        }
        match variable("SESSION_STORE")? {
            Some(setting) => config.with_session_store(&setting),
            None => Ok(config),
        }
    }

    /// The application's name, in mails; also a word that passwords may not contain (S05).
    #[must_use]
    pub fn with_app_name(self, name: impl Into<String>) -> Self {
        Self { app_name: name.into(), ..self }
    }

    /// The role whose last active member can be neither deleted nor demoted nor deactivated (S56); by default
    /// [`ADMINISTRATOR`].
    #[must_use]
    pub fn with_administrator_role(self, name: impl Into<String>) -> Self {
        Self { administrator_role: name.into(), ..self }
    }

    /// Whether administrators may set the passwords of others, which then know two people. Off by default: they send
    /// the mail by which users choose one.
    #[must_use]
    pub fn with_passwords_set_by_administrators(self, allowed: bool) -> Self {
        Self { admin_sets_passwords: allowed, ..self }
    }

    /// Who may register; everybody by default.
    #[must_use]
    pub fn with_registration(self, registration: Registration) -> Self {
        Self { registration, ..self }
    }

    /// How long an invitation is good when whoever makes it says nothing of that; seven days by default.
    #[must_use]
    pub fn with_invitation_lifetime(self, lifetime: Duration) -> Self {
        Self { invitation_lifetime: lifetime, ..self }
    }

    /// The page of the application that takes the token of an invitation from the URL's fragment and sends it to
    /// `POST /register` with what else a registration needs. By default the path of that route on the base URL.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL.
    pub fn with_invitation_url(self, url: &str) -> Result<Self, Error> {
        Ok(Self { invitation_url: Some(parse_url("invitation_url", url)?), ..self })
    }

    /// Whose the tables of the application's models are: by default the library creates those that are absent.
    #[must_use]
    pub fn with_schema_mode(self, schema_mode: SchemaMode) -> Self {
        Self { schema_mode, ..self }
    }

    /// How many connections the pool that `connect` makes may open: by default 10 to a server, 8 to a SQLite file.
    #[must_use]
    pub fn with_max_connections(self, connections: u32) -> Self {
        Self { max_connections: Some(connections.max(1)), ..self }
    }

    /// The origin that the links of mails point to (S35) and that browsers may send requests from (S49).
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL.
    pub fn with_base_url(self, url: &str) -> Result<Self, Error> {
        Ok(Self { base_url: parse_url("BASE_URL", url)?, ..self })
    }

    /// The page of the application that takes the token of a verification mail from the URL's fragment and sends it
    /// to `POST /verify`. By default the path of that route on the base URL.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL.
    pub fn with_verify_url(self, url: &str) -> Result<Self, Error> {
        Ok(Self { verify_url: Some(parse_url("verify_url", url)?), ..self })
    }

    /// The page of the application that takes the token of a reset mail from the URL's fragment and sends it with a
    /// new password to `POST /reset-password`. By default the path of that route on the base URL.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL.
    pub fn with_reset_url(self, url: &str) -> Result<Self, Error> {
        Ok(Self { reset_url: Some(parse_url("reset_url", url)?), ..self })
    }

    /// Another origin, such as `https://app.example.com`, whose pages may send requests with cookies.
    ///
    /// # Errors
    /// When it is not an origin: a scheme, a host and a port at most.
    pub fn with_trusted_origin(mut self, origin: &str) -> Result<Self, Error> {
        let url = parse_url("TRUSTED_ORIGINS", origin)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Setting {
                name: "TRUSTED_ORIGINS",
                problem: format!("`{origin}` has a path; write scheme, host and port alone"),
            });
        }
        self.trusted_origins.push(url.origin().ascii_serialization());
        Ok(self)
    }

    /// The networks of the proxies in front of the application, such as `10.0.0.0/8, 192.0.2.7`: what these say in
    /// `X-Forwarded-For` is believed, from the right, as far as it is they who say it (S15). None by default: then the
    /// address of the connection is the client's.
    ///
    /// # Errors
    /// When one is no network.
    pub fn with_trusted_proxies(self, networks: &str) -> Result<Self, Error> {
        Ok(Self { trusted_proxies: Proxies::parse("TRUSTED_PROXIES", networks)?, ..self })
    }

    /// How often accounts and clients may fail, and mail may be asked for (S13 to S17).
    #[must_use]
    pub fn with_throttle(self, throttle: Throttle) -> Self {
        Self { throttle, ..self }
    }

    /// Cookies without `Secure` and without the `__Host-` prefix, for plain HTTP on loopback alone (S26).
    #[must_use]
    pub fn with_insecure_cookies(self, insecure_cookies: bool) -> Self {
        Self { insecure_cookies, ..self }
    }

    /// Whether an account has to prove its mailbox before it may be used; on by default.
    #[must_use]
    pub fn with_required_verification(self, require_verification: bool) -> Self {
        Self { require_verification, ..self }
    }

    /// The largest body of a generated route, in bytes; 16 KiB by default.
    #[must_use]
    pub fn with_body_limit(self, bytes: usize) -> Self {
        Self { body_limit: bytes, ..self }
    }

    /// Where sessions are kept; without a store, in the table `users_sessions`, which is read in one statement with the
    /// users.
    #[must_use]
    pub fn with_store(self, store: impl Store) -> Self {
        Self { store: Some(Arc::new(store)), ..self }
    }

    /// Where sessions are kept, as the variable `SESSION_STORE` says it.
    ///
    /// # Errors
    /// [`Error::Setting`] for what is not a store, and what the store says.
    pub fn with_session_store(self, setting: &str) -> Result<Self, Error> {
        Ok(Self { store: store_from_setting(setting)?, ..self })
    }

    /// Keeps users that requests are from for a few seconds, so that most requests need no statement; off by default. What
    /// is promised then instead is at [`UserCache`].
    #[cfg(feature = "user-cache")]
    #[must_use]
    pub fn with_user_cache(self, cache: UserCache) -> Self {
        Self { user_cache: Some(cache), ..self }
    }

    /// Asks users at login whether to stay logged in. A login whose body says `"remember": true` lasts as
    /// [`with_session_timeouts`](Self::with_session_timeouts) says; every other one ends with the browser, and after
    /// `otherwise` at the latest. By default all logins last.
    #[must_use]
    pub fn with_remember_me(self, otherwise: Duration) -> Self {
        Self { session_unremembered: Some(otherwise), ..self }
    }

    /// How many sessions a user may have at once; 100 by default. Another login ends the oldest.
    #[must_use]
    pub fn with_max_sessions(self, sessions: usize) -> Self {
        Self { max_sessions: sessions.max(1), ..self }
    }

    /// After how long without a request, and after how long at all, a session ends; 7 and 30 days by default (S20).
    #[must_use]
    pub fn with_session_timeouts(self, idle: Duration, absolute: Duration) -> Self {
        Self { session_idle: idle, session_absolute: absolute, ..self }
    }

    /// How old the note of a session's last use may get before a request renews it; five minutes by default.
    #[must_use]
    pub fn with_session_renewal(self, every: Duration) -> Self {
        Self { session_renew_every: every, ..self }
    }

    /// How long a JWT lives; one day by default.
    #[must_use]
    pub fn with_token_lifetime(self, lifetime: Duration) -> Self {
        Self { token_lifetime: lifetime, ..self }
    }

    /// The key that signs access tokens, in place of one that is derived from the secret key: for tokens that other
    /// services verify too.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn with_token_key(mut self, key: TokenKey) -> Self {
        self.tokens.key = Some(key);
        self
    }

    /// A key that signed access tokens before: it verifies them and signs none. When the last token that it signed has
    /// expired, it can go. It may be the public key alone.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn with_old_token_key(mut self, key: TokenKey) -> Self {
        self.tokens.old_keys.push(key);
        self
    }

    /// Who access tokens say that they are from (`iss`); the base URL by default.
    #[must_use]
    pub fn with_token_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.tokens.issuer = Some(issuer.into());
        self
    }

    /// Who access tokens say that they are for (`aud`); the base URL by default.
    #[must_use]
    pub fn with_token_audience(mut self, audience: impl Into<String>) -> Self {
        self.tokens.audience = Some(audience.into());
        self
    }

    /// By how much the clock of another node that signs access tokens may differ; not at all by default, and by a minute
    /// at most. A token is good for so much longer.
    #[must_use]
    pub fn with_token_leeway(mut self, leeway: Duration) -> Self {
        self.tokens.leeway = leeway;
        self
    }

    /// A secret key that was in use before. What was made with it still holds: sessions, tokens, links in mails, cursors
    /// of lists. What is new is made with the current key. Once everything old has expired, after 30 days with the
    /// default settings, it can go; when it goes, what it made ends.
    ///
    /// Several nodes that serve at the same time all need to know a key before one of them uses it: give the next key as
    /// an old one to all of them first, and make it the current one then.
    #[must_use]
    pub fn with_old_secret_key(mut self, secret_key: SecretKey) -> Self {
        self.old_secret_keys.push(secret_key);
        self
    }

    /// How long the tokens of verification and reset mails live; 24 hours and one hour by default (S33).
    #[must_use]
    pub fn with_link_lifetimes(self, verify: Duration, reset: Duration) -> Self {
        Self { verify_lifetime: verify, reset_lifetime: reset, ..self }
    }

    /// For how long it is kept what happened to accounts, which [`Event`](crate::Event) is about; 365 days by default.
    #[must_use]
    pub fn with_event_retention(self, retention: Duration) -> Self {
        Self { event_retention: retention, ..self }
    }

    /// For how long users who delete their own account may come back; not at all by default. Until then the account is
    /// not active, so it is refused whatever the credential is, and a login with the right password brings it back. The
    /// model needs a field `active`.
    #[must_use]
    pub fn with_deletion_grace(self, grace: Duration) -> Self {
        Self { deletion_grace: Some(grace).filter(|grace| !grace.is_zero()), ..self }
    }

    /// The cost of a password hash, written with [`argon2_cost!`](crate::argon2_cost).
    #[must_use]
    pub fn with_argon2(self, cost: Argon2Cost) -> Self {
        Self { argon2: cost, ..self }
    }

    /// How many threads hash passwords, and how many passwords may wait for one; by default the number of cores and
    /// 64 times that. Each thread holds the memory of one hash, 19 MiB by default.
    #[must_use]
    pub fn with_hash_pool(self, threads: usize, queue: usize) -> Self {
        Self { hash_threads: threads, hash_queue: queue, ..self }
    }

    /// Another scheme whose stored hashes verify and are upgraded at login (S09). The upgrade replaces the hash, so
    /// it ends the credentials that the user had before.
    #[must_use]
    pub fn with_scheme(mut self, scheme: impl PasswordScheme) -> Self {
        self.schemes.push(Arc::new(scheme));
        self
    }

    /// What a new password has to be (S01 to S05).
    #[must_use]
    pub fn with_password_policy(self, policy: PasswordPolicy) -> Self {
        Self { password_policy: policy, ..self }
    }

    /// What knows the passwords that are public since a breach, asked before a new password is hashed (S06); by default
    /// nobody. `PwnedPasswords`, of the feature `breach-check`, is one.
    #[must_use]
    pub fn with_breach_check(mut self, check: impl BreachCheck) -> Self {
        self.breaches.check = Some(Arc::new(check));
        self
    }

    /// What becomes of a new password when that gives no answer; [`FailMode::Open`] by default.
    #[must_use]
    pub fn with_breach_fail_mode(mut self, mode: FailMode) -> Self {
        self.breaches.fail_mode = mode;
        self
    }

    /// How long that may take; two seconds by default. The answer to whoever sets a password waits for it.
    #[must_use]
    pub fn with_breach_timeout(mut self, timeout: Duration) -> Self {
        self.breaches.timeout = timeout;
        self
    }

    /// How mail leaves; standard output by default.
    #[must_use]
    pub fn with_mail_transport(self, transport: impl MailTransport) -> Self {
        Self { mail_transport: Some(Arc::new(transport)), ..self }
    }

    /// How mail leaves, as the variable `MAIL` says it: `stdout`, a folder, or an `smtp://` URL.
    #[must_use]
    pub fn with_mail(self, setting: impl Into<String>) -> Self {
        Self { mail_setting: setting.into(), ..self }
    }

    /// The sender of mails; by default `no-reply@` the host of the base URL.
    #[must_use]
    pub fn with_mail_from(self, address: impl Into<String>) -> Self {
        Self { mail_from: Some(address.into()), ..self }
    }

    /// The texts of mails.
    #[must_use]
    pub fn with_templates(self, templates: Templates) -> Self {
        Self { templates, ..self }
    }

    /// A provider that people may sign in through, under its name.
    #[cfg(feature = "oauth2")]
    #[must_use]
    pub fn with_oauth_provider(mut self, provider: OAuthProvider) -> Self {
        self.oauth_providers.push(provider);
        self
    }

    /// Where people may be sent after a sign-in through a provider, with `redirect_url=` at the route that begins it: an
    /// origin such as `https://app.example.com`, or an address whose path is the beginning of those allowed, by whole
    /// segments. By default nowhere (S47).
    ///
    /// A target has to have the same scheme, host and port, and be written as a browser writes addresses, without a user
    /// name and without a fragment. For pages on loopback `http` is allowed.
    ///
    /// # Errors
    /// When it is no such address.
    #[cfg(feature = "oauth2")]
    pub fn with_oauth_redirect(mut self, url: &str) -> Result<Self, Error> {
        let rule = RedirectRule::parse(url).map_err(|problem| Error::Setting {
            name: "with_oauth_redirect",
            problem: format!("`{url}` {problem}; write for example `https://app.example.com`"),
        })?;
        self.oauth_redirects.push(rule);
        Ok(self)
    }

    /// Whether somebody who comes by a provider for the first time gets the account with the same mail address; off by
    /// default. When on, the address has to be verified on both sides (S45).
    #[cfg(feature = "oauth2")]
    #[must_use]
    pub fn with_oauth_linking_by_email(self, linking: bool) -> Self {
        Self { oauth_linking_by_email: linking, ..self }
    }

    /// Whether somebody who comes by a provider for the first time gets an account; on by default. When off, only those
    /// come in who have linked the provider's account to one that they had.
    #[cfg(feature = "oauth2")]
    #[must_use]
    pub fn with_oauth_registration(self, registration: bool) -> Self {
        Self { oauth_registration: registration, ..self }
    }

    /// The address to send somebody to after a sign-in, if it is an allowed one (S47).
    #[cfg(feature = "oauth2")]
    pub(crate) fn redirect_target(&self, target: &str) -> Option<Url> {
        redirect_target(&self.oauth_redirects, target)
    }

    /// Checks what no single setting can know of.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |name, problem: &str| Err(Error::Setting { name, problem: problem.to_owned() });
        if self.session_idle.is_zero() || self.session_absolute.is_zero() {
            return setting("with_session_timeouts", "a time-out of zero ends every session at once");
        }
        if self.session_unremembered.is_some_and(|otherwise| otherwise.is_zero()) {
            return setting("with_remember_me", "a time-out of zero ends every session at once");
        }
        if self.session_idle > self.session_absolute {
            return setting("with_session_timeouts", "the idle time-out is longer than the absolute one");
        }
        if self.session_renew_every >= self.session_idle {
            return setting(
                "with_session_renewal",
                "must be shorter than the idle time-out, or sessions in use end",
            );
        }
        if self.token_lifetime.as_secs() == 0 {
            return setting("with_token_lifetime", "must be a second or more");
        }
        #[cfg(feature = "user-cache")]
        if let Some(cache) = self.user_cache {
            cache.check()?;
        }
        self.tokens.check()?;
        self.throttle.check()?;
        let old = &self.old_secret_keys;
        if old.contains(&self.secret_key) {
            return setting(
                "SECRET_KEY_OLD",
                "has the current key in it; make a new SECRET_KEY with `openssl rand -base64 32`, or leave this one out",
            );
        }
        if old.iter().enumerate().any(|(index, key)| old[..index].contains(key)) {
            return setting(
                "SECRET_KEY_OLD",
                "has a key twice; leave one out, or make a new key with `openssl rand -base64 32`",
            );
        }
        if self.verify_lifetime.is_zero() || self.reset_lifetime.is_zero() {
            return setting("with_link_lifetimes", "a lifetime of zero makes every link invalid");
        }
        if self.invitation_lifetime.is_zero() {
            return setting("with_invitation_lifetime", "a lifetime of zero makes every invitation invalid");
        }
        if self.breaches.timeout.is_zero() {
            return setting("with_breach_timeout", "leaves no time to answer");
        }
        if self.event_retention.is_zero() {
            return setting("with_event_retention", "a time of zero keeps no record of what happens");
        }
        if self.hash_threads == 0 || self.hash_queue == 0 {
            return setting("with_hash_pool", "needs one thread and one place in the queue at least");
        }
        let loopback = matches!(self.base_url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if self.insecure_cookies && !loopback {
            return setting("INSECURE_COOKIES", "is for loopback alone; BASE_URL names another host");
        }
        Ok(())
    }

    pub(crate) fn transport(&self) -> Result<Arc<dyn MailTransport>, Error> {
        if let Some(transport) = &self.mail_transport {
            return Ok(Arc::clone(transport));
        }
        let from = self.mail_from.clone().unwrap_or_else(|| {
            // An address needs a name as host; the default base URL has a number.
            let host = self.base_url.domain().unwrap_or("localhost");
            format!("no-reply@{host}")
        });
        transport_from_setting(&self.mail_setting, &from)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("app_name", &self.app_name)
            .field("base_url", &self.base_url.as_str())
            .field("insecure_cookies", &self.insecure_cookies)
            .field("require_verification", &self.require_verification)
            .finish_non_exhaustive()
    }
}

fn default_base_url() -> Url {
    Url::parse("http://127.0.0.1:3000").unwrap_or_else(|_| unreachable!("a constant URL"))
}

fn parse_url(name: &'static str, text: &str) -> Result<Url, Error> {
    let problem = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => return Ok(url),
        Ok(_) => "is not an http or https URL".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Error::Setting {
        name,
        problem: format!("`{text}`: {problem}; write for example `https://app.example.com`"),
    })
}

/// The keys in a variable of the environment.
fn old_secret_keys(text: &str) -> Result<Vec<SecretKey>, Error> {
    let keys = text.split(|character: char| character == ',' || character.is_whitespace());
    keys.filter(|key| !key.is_empty())
        .map(SecretKey::new)
        .collect::<Result<_, _>>()
        .map_err(|weak| Error::Setting { name: "SECRET_KEY_OLD", problem: weak.to_string() })
}

/// A variable of the environment; set but empty counts as unset.
fn variable(name: &'static str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Error::Setting { name, problem: "is not valid UTF-8".to_owned() })
        }
    }
}

fn flag(name: &'static str) -> Result<bool, Error> {
    match variable(name)?.as_deref() {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(other) => Err(Error::Setting { name, problem: format!("`{other}` is neither `1` nor `0`") }),
    }
}

#[cfg(all(feature = "jwt", feature = "oauth2"))]
mod defaults;

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes)
    }

    fn key(text: &str) -> SecretKey {
        SecretKey::new(text).unwrap()
    }

    #[test]
    fn s30_old_keys_are_separated_by_commas_or_white_space() {
        let (first, second) = (text(), text());
        for (variable, expected) in [
            (String::new(), vec![]),
            (" ,\n, ".to_owned(), vec![]),
            (first.clone(), vec![key(&first)]),
            (format!("{first}\n"), vec![key(&first)]),
            (format!("{first},{second}"), vec![key(&first), key(&second)]),
            (format!(" {first} ,\n\t{second},"), vec![key(&first), key(&second)]),
        ] {
            assert!(old_secret_keys(&variable).unwrap() == expected, "{variable:?}");
        }
    }

    #[test]
    fn s30_a_weak_old_key_is_refused_by_its_variable_with_the_command_that_makes_one() {
        for weak in ["short", "changeme-changeme-0-changeme-now-1", &"a1".repeat(20)] {
            let problem = old_secret_keys(&format!("{},{weak}", text())).unwrap_err().to_string();
            assert!(problem.starts_with("SECRET_KEY_OLD: "), "{problem}");
            assert!(problem.contains("openssl rand -base64 32"), "{problem}");
            assert!(!problem.contains(weak), "{problem}");
        }
    }

    #[test]
    fn s30_a_key_is_current_or_old_and_old_once() {
        let (first, second, third) = (text(), text(), text());
        let config = |old: &[&str]| {
            old.iter()
                .fold(Config::new(key(&first)), |config, old| config.with_old_secret_key(key(old)))
                .check()
        };
        assert!(config(&[&second, &third]).is_ok());
        for old in [&[first.as_str()][..], &[&second, &first], &[&second, &third, &second]] {
            let problem = config(old).unwrap_err().to_string();
            assert!(problem.starts_with("SECRET_KEY_OLD: "), "{problem}");
            assert!(problem.contains("openssl rand -base64 32"), "{problem}");
        }
    }
}
