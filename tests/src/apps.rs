//! One user model behind each backend, with hooks that requests steer by a header.

use axum::http::HeaderValue;
use serde_json::{Map, Value};
use users_runtime::{
    Attempt, Error, Hooks, OAuthAccount, OAuthIdentity, Parts, PasswordHash, Transaction, UserModel,
};
use uuid::Uuid;

use crate::{On, store::execute_in};

/// The user of the test applications.
#[derive(Clone, Debug, UserModel)]
pub struct User {
    #[user(id)]
    pub id: Uuid,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active)]
    pub is_active: bool,
    #[user(verified)]
    pub is_verified: bool,
    /// Shown to others.
    #[user(validate = length(2, 40))]
    pub display_name: Option<String>,
    /// A number that users choose, and that has to be there.
    #[user(validate = range(0, 150), default = 30)]
    pub age: i64,
    /// Counted by a hook.
    #[user(exclude(register, update))]
    pub login_count: i64,
}

/// The header by which a request tells the hooks what to do.
pub const HOOK_HEADER: &str = "x-test-hook";

/// Hooks that count logins, and fail where a request's header says so.
#[derive(Default)]
pub struct TestHooks;

/// Fails when the header names this step: `veto` in front refuses, `break` in front is a defect.
fn obey(request: &Parts, step: &str) -> Result<(), Error> {
    let order = request.headers.get(HOOK_HEADER).and_then(|value| value.to_str().ok());
    match order.and_then(|order| order.split_once(':')) {
        Some(("veto", named)) if named == step => Err(Error::refused("vetoed", format!("no {step} today"))),
        Some(("break", named)) if named == step => Err(Error::internal("a hook broke as told")),
        _ => Ok(()),
    }
}

impl Hooks<User> for TestHooks {
    async fn before_register(
        &self,
        request: &Parts,
        registration: &mut UserRegistration,
    ) -> Result<(), Error> {
        match request.headers.get(HOOK_HEADER).map(HeaderValue::as_bytes) {
            Some(b"rename") => registration.display_name = Some("renamed by a hook".to_owned()),
            Some(b"readdress") => "Hooked@Example.com".clone_into(&mut registration.email),
            Some(b"spoil") => registration.display_name = Some("x".to_owned()),
            _ => {}
        }
        obey(request, "before_register")
    }

    async fn after_register(
        &self,
        request: &Parts,
        user: &User,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        note(transaction, "after_register", user.id, request).await?;
        obey(request, "after_register")
    }

    async fn before_attempt(&self, request: &Parts, attempt: &Attempt) -> Result<(), Error> {
        let asks = request.headers.get(HOOK_HEADER).is_some_and(|order| order == "captcha");
        if asks && attempt.account_failures >= 2 && !request.headers.contains_key("x-captcha") {
            return Err(Error::refused("captcha_required", "solve the captcha first"));
        }
        Ok(())
    }

    async fn before_login(&self, request: &Parts, _user: &User) -> Result<(), Error> {
        obey(request, "before_login")
    }

    async fn after_login(
        &self,
        request: &Parts,
        user: &User,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let count = "UPDATE users SET login_count = login_count + 1 WHERE id = ?";
        execute_in(transaction, count, [user.id.into()]).await?;
        obey(request, "after_login")
    }

    async fn before_verify(&self, request: &Parts, _user: &User) -> Result<(), Error> {
        obey(request, "before_verify")
    }

    async fn after_verify(
        &self,
        request: &Parts,
        user: &User,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        note(transaction, "after_verify", user.id, request).await?;
        obey(request, "after_verify")
    }

    async fn before_password_change(&self, request: &Parts, _user: &User) -> Result<(), Error> {
        obey(request, "before_password_change")
    }

    async fn after_password_change(
        &self,
        request: &Parts,
        user: &User,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        note(transaction, "after_password_change", user.id, request).await?;
        obey(request, "after_password_change")
    }

    async fn export(&self, user: &User) -> Result<Map<String, Value>, Error> {
        Ok(Map::from_iter([("login_count".to_owned(), user.login_count.into())]))
    }

    async fn before_oauth_register(
        &self,
        request: &Parts,
        identity: &OAuthIdentity,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Error> {
        if let Some(name) = &identity.name {
            fields.insert("display_name".to_owned(), name.as_str().into());
        }
        match request.headers.get(HOOK_HEADER).map(HeaderValue::as_bytes) {
            Some(b"readdress") => drop(fields.insert("email".to_owned(), "hooked@example.com".into())),
            Some(b"unknown") => drop(fields.insert("is_admin".to_owned(), true.into())),
            _ => {}
        }
        obey(request, "before_oauth_register")
    }

    async fn before_oauth_link(
        &self,
        request: &Parts,
        _user: &User,
        _identity: &OAuthIdentity,
        _account: &mut OAuthAccount,
    ) -> Result<(), Error> {
        obey(request, "before_oauth_link")
    }

    async fn after_oauth_link(
        &self,
        request: &Parts,
        user: &User,
        _identity: &OAuthIdentity,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        note(transaction, "after_oauth_link", user.id, request).await?;
        obey(request, "after_oauth_link")
    }
}

/// The hooks' own table.
pub(crate) const HOOK_NOTES: On<&str> = On {
    sqlite: "CREATE TABLE hook_notes (number INTEGER PRIMARY KEY AUTOINCREMENT, step TEXT NOT NULL, \
             user_id BLOB NOT NULL, request TEXT NOT NULL)",
    postgres: "CREATE TABLE hook_notes (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, step TEXT NOT NULL, \
               user_id UUID NOT NULL, request TEXT NOT NULL)",
    mysql: "CREATE TABLE hook_notes (number BIGINT AUTO_INCREMENT PRIMARY KEY, step VARCHAR(255) NOT NULL, \
            user_id BINARY(16) NOT NULL, request TEXT NOT NULL)",
};

/// Writes a step down in the hook's own table, inside the library's transaction.
async fn note(transaction: &mut Transaction, step: &str, user: Uuid, request: &Parts) -> Result<(), Error> {
    let insert = "INSERT INTO hook_notes (step, user_id, request) VALUES (?, ?, ?)";
    let request = format!("{} {}", request.method, request.uri);
    execute_in(transaction, insert, [step.into(), user.into(), request.into()]).await
}

/// `"session"`.
#[users_runtime::users_app(
    auth = "session",
    user = super::User,
    hooks = super::TestHooks,
    exclude = ["/public/{*path}", "/open/{id}"],
    routes(auth, register, verify, password_reset, current_user(delete, export), sessions, oauth2, docs)
)]
pub mod session {}

/// `"session_cookie"`.
#[users_runtime::users_app(
    auth = "session_cookie",
    user = super::User,
    hooks = super::TestHooks,
    exclude = ["/public/{*path}", "/open/{id}"],
    routes(auth, register, verify, password_reset, current_user(delete, export), sessions, oauth2, docs)
)]
pub mod session_cookie {}

/// `"jwt"`.
#[users_runtime::users_app(
    auth = "jwt",
    user = super::User,
    hooks = super::TestHooks,
    exclude = ["/public/{*path}", "/open/{id}"],
    routes(auth, register, verify, password_reset, current_user(delete, export), sessions, tokens, oauth2, docs)
)]
pub mod jwt {}

/// `"jwt_cookie"`.
#[users_runtime::users_app(
    auth = "jwt_cookie",
    user = super::User,
    hooks = super::TestHooks,
    exclude = ["/public/{*path}", "/open/{id}"],
    routes(auth, register, verify, password_reset, current_user(delete, export), sessions, tokens, oauth2, docs)
)]
pub mod jwt_cookie {}

/// `"oauth2_password"`.
#[users_runtime::users_app(
    auth = "oauth2_password",
    user = super::User,
    hooks = super::TestHooks,
    exclude = ["/public/{*path}", "/open/{id}"],
    routes(auth, register, verify, password_reset, current_user(delete, export), sessions, tokens, oauth2, docs)
)]
pub mod oauth2_password {}
