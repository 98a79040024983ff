// Included once for each database, of which `Store`, `Pool` and `UUID` are the includer's.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_login::{AuthManagerLayerBuilder, AuthnBackend, UserId, login_required};
use password_auth::{generate_hash, verify_password};
use time::Duration;
use tokio::task::{spawn, spawn_blocking};
use tower_sessions::{ExpiredDeletion, Expiry, SessionManagerLayer, cookie::Key};
use uuid::Uuid;

use crate::{Credentials, Error, Failure, Registration, Update, User, created};

#[derive(Clone, Debug)]
struct Backend {
    pool: Pool,
}

type AuthSession = axum_login::AuthSession<Backend>;

pub(crate) async fn application(url: &str, secret: &[u8]) -> Result<Router, Failure> {
    let pool = connect(url).await?;
    let create = format!(
        "CREATE TABLE IF NOT EXISTS users (id {UUID} PRIMARY KEY, email TEXT NOT NULL, \
         email_canonical TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL, is_active BOOLEAN NOT NULL, \
         is_verified BOOLEAN NOT NULL, display_name TEXT, login_count BIGINT NOT NULL)"
    );
    sqlx::query(&create).execute(&pool).await?;
    let store = Store::new(pool.clone());
    store.migrate().await?;
    spawn(store.clone().continuously_delete_expired(tokio::time::Duration::from_mins(1)));
    let sessions = SessionManagerLayer::new(store)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::days(1)))
        .with_signed(Key::derive_from(secret));
    let backend = Backend { pool };
    let auth = AuthManagerLayerBuilder::new(backend.clone(), sessions).build();
    Ok(Router::new()
        .route("/users/me", get(me).patch(update))
        .route("/logout", post(log_out))
        .route_layer(login_required!(Backend))
        .route("/register", post(register))
        .route("/login", post(log_in))
        .with_state(backend)
        .layer(auth))
}

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = Credentials;
    type Error = Error;

    async fn authenticate(&self, credentials: Credentials) -> Result<Option<User>, Error> {
        let user: Option<User> = sqlx::query_as("SELECT * FROM users WHERE email_canonical = $1")
            .bind(credentials.email.to_lowercase())
            .fetch_optional(&self.pool)
            .await?;
        let verified = spawn_blocking(move || {
            user.filter(|user| verify_password(credentials.password, &user.password_hash).is_ok())
        });
        Ok(verified.await?)
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Error> {
        let found = sqlx::query_as("SELECT * FROM users WHERE id = $1").bind(id);
        Ok(found.fetch_optional(&self.pool).await?)
    }
}

async fn register(
    State(Backend { pool }): State<Backend>,
    Json(Registration { email, password, display_name }): Json<Registration>,
) -> Result<Response, Error> {
    let hash = spawn_blocking(move || generate_hash(password)).await?;
    let user = sqlx::query_as(
        "INSERT INTO users (id, email, email_canonical, password_hash, is_active, is_verified, display_name, \
         login_count) VALUES ($1, $2, $3, $4, TRUE, TRUE, $5, 0) RETURNING *",
    )
    .bind(Uuid::now_v7())
    .bind(&email)
    .bind(email.to_lowercase())
    .bind(hash)
    .bind(display_name)
    .fetch_one(&pool)
    .await?;
    Ok(created(user))
}

async fn log_in(
    mut auth: AuthSession,
    State(Backend { pool }): State<Backend>,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Error> {
    let failed = |error: axum_login::Error<Backend>| Error::Session(error.into());
    let Some(user) = auth.authenticate(credentials).await.map_err(failed)? else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    auth.login(&user).await.map_err(failed)?;
    let counted = "UPDATE users SET login_count = login_count + 1 WHERE id = $1 RETURNING *";
    let user: User = sqlx::query_as(counted).bind(user.id).fetch_one(&pool).await?;
    Ok(created(user))
}

async fn log_out(mut auth: AuthSession) -> Result<StatusCode, Error> {
    auth.logout().await.map_err(|error| Error::Session(error.into()))?;
    Ok(StatusCode::CREATED)
}

async fn me(auth: AuthSession) -> Response {
    auth.user.map_or(StatusCode::UNAUTHORIZED.into_response(), |user| Json(user).into_response())
}

async fn update(
    auth: AuthSession,
    State(Backend { pool }): State<Backend>,
    Json(Update { display_name }): Json<Update>,
) -> Result<Response, Error> {
    let Some(user) = auth.user else { return Ok(StatusCode::UNAUTHORIZED.into_response()) };
    let changed: User = sqlx::query_as("UPDATE users SET display_name = $1 WHERE id = $2 RETURNING *")
        .bind(display_name)
        .bind(user.id)
        .fetch_one(&pool)
        .await?;
    Ok(Json(changed).into_response())
}
