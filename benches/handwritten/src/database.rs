//! The statements, each of which both databases understand, and what holds them together in transactions.

use std::{future::Future, str::FromStr, time::Duration};

use sqlx::{
    FromRow, PgPool, Row, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    query, query_as,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    accounts::{Client, Role, User},
    error::Error,
    keys::{Token, TokenHash},
};

/// How long to wait for a connection or for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// After how long the client is told that the database does not answer.
const ANSWER: Duration = Duration::from_secs(10);

/// After how long without use a connection to a server is asked whether it still stands.
const IDLE_BEFORE_PING: Duration = Duration::from_secs(1);

/// How many sessions a user may have; a login ends the oldest.
const MAX_SESSIONS: i64 = 100;

pub(crate) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Does the same with the pool of whichever database it is, in time.
macro_rules! with_pool {
    ($database:expr, $pool:ident => $work:expr) => {
        match $database {
            Database::Sqlite($pool) => in_time(async { $work }).await,
            Database::Postgres($pool) => in_time(async { $work }).await,
        }
    };
}

/// Does the same in a transaction, which an early return leaves without a trace.
macro_rules! in_transaction {
    ($database:expr, $transaction:ident => $work:block) => {
        match $database {
            // Takes the write lock at once: one that read first could fail when another one wrote in between.
            Database::Sqlite(pool) => in_transaction!(pool, "BEGIN IMMEDIATE", $transaction => $work),
            Database::Postgres(pool) => {
                in_transaction!(pool, "BEGIN ISOLATION LEVEL READ COMMITTED", $transaction => $work)
            }
        }
    };
    ($pool:expr, $begin:literal, $transaction:ident => $work:block) => {
        // In a box, for what every request is made of would otherwise be as large as all statements together.
        in_time(Box::pin(async {
            let mut $transaction = $pool.begin_with($begin).await?;
            let answer = $work;
            $transaction.commit().await?;
            Ok(answer)
        }))
        .await
    };
}

/// Records that something happened to an account, or that somebody tried.
macro_rules! record {
    ($transaction:ident, $client:expr, $now:expr, $kind:expr, $outcome:expr, $user:expr, $detail:expr) => {
        query(
            "INSERT INTO users_events \
             (occurred_at, kind, outcome, user_id, tenant, actor, address, client, detail) \
             VALUES ($1, $2, $3, $4, 'null', NULL, $5, $6, $7)",
        )
        .bind($now)
        .bind($kind)
        .bind($outcome)
        .bind($user.map(|id: Uuid| id.to_string()))
        .bind(&$client.address)
        .bind($client.agent.as_deref())
        .bind($detail)
        .execute(&mut *$transaction)
        .await?
    };
}

/// Promises a mail, which another program sends.
macro_rules! promise {
    ($executor:expr, $message:expr, $now:expr) => {
        query(
            "INSERT INTO users_outbox (nonce, fingerprint, message, created_at, due_at, attempts) \
             VALUES ($1, NULL, $2, $3, $3, 0)",
        )
        .bind($message.nonce.bytes())
        .bind(&$message.json)
        .bind($now)
        .execute($executor)
        .await?
    };
}

/// Ends everything that was issued for an account.
macro_rules! end_credentials {
    ($transaction:ident, $user:expr) => {
        query("DELETE FROM users_one_time_tokens WHERE user_id = $1")
            .bind($user)
            .execute(&mut *$transaction)
            .await?;
        query("DELETE FROM users_sessions WHERE user_id = $1")
            .bind($user)
            .execute(&mut *$transaction)
            .await?;
    };
}

/// A statement that reads accounts with their roles, in the order that [`Found`] reads them.
macro_rules! select {
    ($more:literal, $from:literal, $condition:literal) => {
        concat!(
            "SELECT u.id, u.email, u.password_hash, u.is_active, u.is_verified, u.display_name, u.login_count, ",
            "r.id, r.name, r.description",
            $more,
            " FROM ",
            $from,
            " LEFT JOIN users_role_members m ON m.user_id = u.id LEFT JOIN users_roles r ON r.id = m.role_id WHERE ",
            $condition
        )
    };
}

/// A user and one of their roles.
struct Found {
    user: User,
    role: Option<Role>,
}

/// The same with the session or the token of a mail that they were found by.
struct FoundBy {
    found: Found,
    fingerprint: Vec<u8>,
    seen_at: i64,
    expires_at: i64,
}

/// A user without their roles, as an `UPDATE` returns it.
struct Changed(User);

macro_rules! from_row {
    ($row:ty) => {
        impl FromRow<'_, $row> for Changed {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                Ok(Self(User {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    password_hash: row.try_get(2)?,
                    is_active: row.try_get(3)?,
                    is_verified: row.try_get(4)?,
                    display_name: row.try_get(5)?,
                    login_count: row.try_get(6)?,
                    roles: Vec::new(),
                }))
            }
        }

        impl FromRow<'_, $row> for Found {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                let role = match row.try_get(7)? {
                    Some(id) => Some(Role { id, name: row.try_get(8)?, description: row.try_get(9)? }),
                    None => None,
                };
                Ok(Self { user: Changed::from_row(row)?.0, role })
            }
        }

        impl FromRow<'_, $row> for FoundBy {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                Ok(Self {
                    found: Found::from_row(row)?,
                    fingerprint: row.try_get::<Option<_>, _>(10)?.unwrap_or_default(),
                    seen_at: row.try_get(11)?,
                    expires_at: row.try_get(12)?,
                })
            }
        }
    };
}

from_row!(SqliteRow);
from_row!(PgRow);

/// An account, and the session or the token of a mail that it was found by; times are in milliseconds since 1970.
pub(crate) struct Bound {
    pub(crate) user: User,
    pub(crate) fingerprint: Vec<u8>,
    /// When a session was last renewed, or a token issued.
    pub(crate) seen_at: i64,
    pub(crate) expires_at: i64,
}

pub(crate) struct NewSession {
    pub(crate) id: TokenHash,
    pub(crate) fingerprint: [u8; 16],
    pub(crate) expires_at: i64,
    /// A session from before this moment is over for want of use.
    pub(crate) idle_since: i64,
    /// The session that the request came with, which ends: session fixation.
    pub(crate) replaces: Option<TokenHash>,
}

/// A mail for the outbox.
pub(crate) struct Mail {
    pub(crate) nonce: Token,
    pub(crate) json: String,
}

#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Verify,
    PasswordReset,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::PasswordReset => "password_reset",
        }
    }
}

/// The user of rows that differ in the role alone.
fn with_roles(mut rows: impl Iterator<Item = Found>) -> Option<User> {
    let Found { user, role } = rows.next()?;
    Some(User { roles: role.into_iter().chain(rows.filter_map(|row| row.role)).collect(), ..user })
}

fn bound(mut rows: Vec<FoundBy>) -> Option<Bound> {
    let first = rows.first_mut()?;
    let (fingerprint, seen_at, expires_at) =
        (std::mem::take(&mut first.fingerprint), first.seen_at, first.expires_at);
    let user = with_roles(rows.into_iter().map(|row| row.found))?;
    Some(Bound { user, fingerprint, seen_at, expires_at })
}

async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> Result<T, Error> {
    match timeout(ANSWER, work).await {
        Ok(answer) => Ok(answer?),
        Err(late) => Err(Error::Unavailable(late.into())),
    }
}

impl Database {
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres") {
            let pool = PgPoolOptions::new()
                .max_connections(10)
                .acquire_timeout(PATIENCE)
                // A connection that was in use a moment ago is there.
                .test_before_acquire(false)
                .before_acquire(|connection, meta| {
                    Box::pin(async move {
                        if meta.idle_for >= IDLE_BEFORE_PING {
                            sqlx::Connection::ping(connection).await?;
                        }
                        Ok(true)
                    })
                });
            return Ok(Self::Postgres(pool.connect_with(PgConnectOptions::from_str(url)?).await?));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit that was answered survives a power cut.
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .max_lifetime(None)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false);
        Ok(Self::Sqlite(pool.connect_with(options).await?))
    }

    pub(crate) async fn user_by_canonical(&self, canonical: &str) -> Result<Option<User>, Error> {
        const SELECT: &str = select!("", "users u", "u.email_canonical = $1");
        let rows: Vec<Found> =
            with_pool!(self, pool => query_as(SELECT).bind(canonical).fetch_all(pool).await)?;
        Ok(with_roles(rows.into_iter()))
    }

    /// A session and its user as it is now, in one statement, so that nothing has to be looked for when an account
    /// changes.
    pub(crate) async fn by_session(&self, id: TokenHash) -> Result<Option<Bound>, Error> {
        const SELECT: &str = select!(
            ", s.fingerprint, s.seen_at, s.expires_at",
            "users_sessions s JOIN users u ON u.id = s.user_id",
            "s.id_hash = $1"
        );
        with_pool!(self, pool => query_as(SELECT).bind(&id[..]).fetch_all(pool).await).map(bound)
    }

    pub(crate) async fn by_one_time_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
    ) -> Result<Option<Bound>, Error> {
        const SELECT: &str = select!(
            ", t.fingerprint, t.issued_at, t.expires_at",
            "users_one_time_tokens t JOIN users u ON u.id = t.user_id",
            "t.token_hash = $1 AND t.purpose = $2"
        );
        let purpose = purpose.as_str();
        with_pool!(self, pool => query_as(SELECT).bind(&hash[..]).bind(purpose).fetch_all(pool).await)
            .map(bound)
    }

    /// Notes that a session is in use.
    pub(crate) async fn touch_session(&self, id: TokenHash, now: i64) -> Result<(), Error> {
        let statement = "UPDATE users_sessions SET seen_at = $1 WHERE id_hash = $2 AND seen_at < $1";
        with_pool!(self, pool => query(statement).bind(now).bind(&id[..]).execute(pool).await.map(drop))
    }

    pub(crate) async fn delete_expired(&self, now: i64, idle_since: i64) -> Result<(), Error> {
        let statement = "DELETE FROM users_sessions WHERE expires_at <= $1 OR seen_at <= $2";
        with_pool!(self, pool => query(statement).bind(now).bind(idle_since).execute(pool).await.map(drop))
    }

    /// Stores a user with the mail that proves the address.
    pub(crate) async fn register(
        &self,
        client: &Client,
        user: &User,
        canonical: &str,
        mail: &Mail,
        now: i64,
    ) -> Result<(), Error> {
        let stored = in_transaction!(self, transaction => {
            query(
                "INSERT INTO users (id, email, email_canonical, password_hash, is_active, is_verified, \
                 display_name, login_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(user.id)
            .bind(&user.email)
            .bind(canonical)
            .bind(&user.password_hash)
            .bind(user.is_active)
            .bind(user.is_verified)
            .bind(user.display_name.as_deref())
            .bind(user.login_count)
            .execute(&mut *transaction)
            .await?;
            record!(transaction, client, now, "registered", "success", Some(user.id), None::<&str>);
            promise!(&mut *transaction, mail, now);
        });
        stored.map_err(|error| if is_unique_violation(&error) { Error::IdentifierTaken } else { error })
    }

    /// Writes down an attempt to log in that came to nothing.
    pub(crate) async fn record_failed_login(
        &self,
        client: &Client,
        user: Option<Uuid>,
        outcome: &str,
        reason: &str,
        now: i64,
    ) -> Result<(), Error> {
        let detail = format!(r#"{{"reason":"{reason}"}}"#);
        in_transaction!(self, transaction => {
            record!(transaction, client, now, "login", outcome, user, Some(&detail));
        })
    }

    /// Counts a login and begins its session; `None` when the account is not what it was when the password was checked.
    pub(crate) async fn log_in(
        &self,
        client: &Client,
        user: &User,
        session: &NewSession,
        now: i64,
    ) -> Result<Option<User>, Error> {
        in_transaction!(self, transaction => {
            // Reads the account again: one that was closed in between is not logged in to.
            let changed = query_as(
                "UPDATE users SET login_count = login_count + 1 \
                 WHERE id = $1 AND password_hash = $2 AND is_active AND is_verified \
                 RETURNING id, email, password_hash, is_active, is_verified, display_name, login_count",
            )
            .bind(user.id)
            .bind(&user.password_hash)
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(Changed(changed)) = changed else { return Ok(None) };
            record!(transaction, client, now, "login", "success", Some(user.id), None::<&str>);
            if let Some(old) = &session.replaces {
                query("DELETE FROM users_sessions WHERE id_hash = $1").bind(&old[..]).execute(&mut *transaction).await?;
            }
            // Makes room, by ending the oldest.
            query(
                "DELETE FROM users_sessions WHERE id_hash IN (SELECT id_hash FROM users_sessions \
                 WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 \
                 ORDER BY created_at DESC LIMIT $4 OFFSET $5)",
            )
            .bind(user.id)
            .bind(now)
            .bind(session.idle_since)
            .bind(i64::MAX)
            .bind(MAX_SESSIONS - 1)
            .execute(&mut *transaction)
            .await?;
            query(
                "INSERT INTO users_sessions \
                 (id_hash, user_id, fingerprint, created_at, seen_at, expires_at, revision, content) \
                 VALUES ($1, $2, $3, $4, $4, $5, 0, $6)",
            )
            .bind(&session.id[..])
            .bind(user.id)
            .bind(&session.fingerprint[..])
            .bind(now)
            .bind(session.expires_at)
            .bind(client.agent.as_ref().map(|agent| serde_json::json!({ "client": agent }).to_string()))
            .execute(&mut *transaction)
            .await?;
            Some(changed)
        })
    }

    pub(crate) async fn log_out(
        &self,
        client: &Client,
        user: Uuid,
        session: TokenHash,
        now: i64,
    ) -> Result<(), Error> {
        in_transaction!(self, transaction => {
            record!(transaction, client, now, "logout", "success", Some(user), None::<&str>);
            query("DELETE FROM users_sessions WHERE id_hash = $1")
                .bind(&session[..])
                .execute(&mut *transaction)
                .await?;
        })
    }

    /// The user with another name, or the same where none is given; `None` when there is no such user any more.
    pub(crate) async fn rename(&self, user: Uuid, display_name: Option<&str>) -> Result<Option<User>, Error> {
        let statement = "UPDATE users SET display_name = COALESCE($1, display_name) WHERE id = $2 \
             RETURNING id, email, password_hash, is_active, is_verified, display_name, login_count";
        // All rows, for the statement ends behind the last.
        let changed: Vec<Changed> = with_pool!(self, pool => {
            query_as(statement).bind(display_name).bind(user).fetch_all(pool).await
        })?;
        Ok(changed.into_iter().next().map(|Changed(user)| user))
    }

    pub(crate) async fn promise(&self, mail: &Mail, now: i64) -> Result<(), Error> {
        with_pool!(self, pool => {
            promise!(pool, mail, now);
            Ok(())
        })
    }

    /// Redeems a token for a new password; `false` when somebody else was faster. The token came by mail, so that the
    /// address is proven.
    pub(crate) async fn reset_password(
        &self,
        client: &Client,
        user: &User,
        token: TokenHash,
        new_hash: &str,
        mail: &Mail,
        now: i64,
    ) -> Result<bool, Error> {
        in_transaction!(self, transaction => {
            let redeemed = query("DELETE FROM users_one_time_tokens WHERE token_hash = $1 AND purpose = $2")
                .bind(&token[..])
                .bind(Purpose::PasswordReset.as_str())
                .execute(&mut *transaction)
                .await?;
            let set = query(
                "UPDATE users SET password_hash = $1, is_verified = TRUE WHERE id = $2 AND password_hash = $3",
            )
            .bind(new_hash)
            .bind(user.id)
            .bind(&user.password_hash)
            .execute(&mut *transaction)
            .await?;
            if redeemed.rows_affected() != 1 || set.rows_affected() != 1 {
                return Ok(false);
            }
            record!(transaction, client, now, "password_reset", "success", Some(user.id), None::<&str>);
            promise!(&mut *transaction, mail, now);
            end_credentials!(transaction, user.id);
            true
        })
    }

    /// Redeems a token that proves the address; `false` when somebody else was faster. Whoever logged in before that
    /// is out.
    pub(crate) async fn verify(
        &self,
        client: &Client,
        user: Uuid,
        token: TokenHash,
        now: i64,
    ) -> Result<bool, Error> {
        in_transaction!(self, transaction => {
            let redeemed = query("DELETE FROM users_one_time_tokens WHERE token_hash = $1 AND purpose = $2")
                .bind(&token[..])
                .bind(Purpose::Verify.as_str())
                .execute(&mut *transaction)
                .await?;
            if redeemed.rows_affected() != 1 {
                return Ok(false);
            }
            query("UPDATE users SET is_verified = TRUE WHERE id = $1")
                .bind(user)
                .execute(&mut *transaction)
                .await?;
            record!(transaction, client, now, "verified", "success", Some(user), None::<&str>);
            end_credentials!(transaction, user);
            true
        })
    }
}

fn is_unique_violation(error: &Error) -> bool {
    let Error::Unavailable(cause) = error else { return false };
    let error = cause.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    error.is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
