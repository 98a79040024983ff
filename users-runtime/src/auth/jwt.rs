//! `"jwt"`, `"jwt_cookie"` and `"oauth2_password"`: a signed token that the client keeps, and a session behind it.

use std::{fmt, marker::PhantomData};

use http::{HeaderValue, header, request::Parts};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    AccessToken, Backend, Credential, Login, Recognition, SecurityScheme, cookie,
    login::{Lifetime, begin, left, recognise},
    refresh::{RefreshToken, refreshed},
};
use crate::{
    clock,
    config::Config,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    principal::Principal,
    session::{Content, SessionRecord},
    token::{
        TokenHash,
        jwt::{Claims, NewToken},
    },
};

/// The cookie of the access token, without its prefix.
const COOKIE: &str = "token";

/// The cookie of the refresh token, without its prefix.
const REFRESH_COOKIE: &str = "refresh";

/// Claims of the application's own in its tokens, named by `#[users_app(claims = ...)]`.
///
/// They are signed, not secret: whoever holds the token reads them. A handler has them from
/// [`CurrentUser::claims`](crate::CurrentUser::claims). They say what was so when the token was issued; what has to be so
/// now belongs in the user or in a role, which every request reads afresh.
pub trait TokenClaims<U>: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The claims for a token of this user. A name that is registered for JWTs, such as `sub`, is an error at login.
    fn of(user: &U) -> Self;
}

/// No claims but the library's.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoClaims {}

impl<U> TokenClaims<U> for NoClaims {
    fn of(_user: &U) -> Self {
        Self {}
    }
}

macro_rules! backend {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<C = NoClaims>(PhantomData<fn() -> C>);

        impl<C> Default for $name<C> {
            fn default() -> Self {
                Self(PhantomData)
            }
        }

        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<C> Copy for $name<C> {}

        impl<C> fmt::Debug for $name<C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

backend! {
    /// JWTs in the header `Authorization: Bearer`.
    Jwt
}

backend! {
    /// JWTs in an `HttpOnly` cookie, or in the header `Authorization: Bearer`, which is read first.
    JwtCookie
}

backend! {
    /// JWTs in the header `Authorization: Bearer`, which clients get for a form with identifier and password at
    /// `POST /token` (RFC 6749, section 4.3).
    OAuth2Password
}

macro_rules! bearer_backend {
    ($name:ident, $scheme:expr) => {
        impl<U: Storable, C: TokenClaims<U>> Backend<U> for $name<C> {
            async fn authenticate(
                &self,
                directory: &Directory<U>,
                request: &Parts,
            ) -> Result<Recognition<U>, Error> {
                accept::<U, C>(directory, bearer(request)).await
            }

            const AMBIENT: bool = false;

            const GIVES_TOKENS: bool = true;

            fn security(_config: &Config) -> Vec<SecurityScheme> {
                vec![$scheme]
            }

            async fn log_in(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                login: &Login<'_, U>,
                transaction: &mut Transaction,
            ) -> Result<Option<Credential>, Error> {
                end(directory, bearer(request), transaction).await?;
                let issued = issue::<U, C>(directory, request, login, transaction).await?;
                Ok(Some(issued.in_body()?))
            }

            async fn refresh(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                token: Option<&str>,
            ) -> Result<Option<(Principal<U>, Credential)>, Error> {
                let Some(token) = token else { return Ok(None) };
                let (principal, issued) = reissue::<U, C>(directory, request, token).await?;
                Ok(Some((principal, issued.in_body()?)))
            }

            async fn log_out(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                transaction: &mut Transaction,
            ) -> Result<Credential, Error> {
                end(directory, bearer(request), transaction).await?;
                Ok(Credential::default())
            }
        }
    };
}

bearer_backend!(Jwt, SecurityScheme::Bearer(Some("JWT")));
bearer_backend!(OAuth2Password, SecurityScheme::OAuth2Password);

impl<U: Storable, C: TokenClaims<U>> Backend<U> for JwtCookie<C> {
    async fn authenticate(&self, directory: &Directory<U>, request: &Parts) -> Result<Recognition<U>, Error> {
        let token = bearer(request).or_else(|| cookie::read(&directory.config, request, COOKIE));
        accept::<U, C>(directory, token).await
    }

    fn is_ambient(&self, request: &Parts) -> bool {
        bearer(request).is_none()
    }

    fn security(config: &Config) -> Vec<SecurityScheme> {
        let cookie = SecurityScheme::cookie(cookie::full_name(config, COOKIE));
        vec![SecurityScheme::Bearer(Some("JWT")), cookie]
    }

    async fn log_in(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        login: &Login<'_, U>,
        transaction: &mut Transaction,
    ) -> Result<Option<Credential>, Error> {
        end_all(directory, request, transaction).await?;
        let issued = issue::<U, C>(directory, request, login, transaction).await?;
        let credential = if login.wants_token { issued.in_body()? } else { issued.in_cookies(directory)? };
        Ok(Some(credential))
    }

    async fn refresh(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        token: Option<&str>,
    ) -> Result<Option<(Principal<U>, Credential)>, Error> {
        // Whoever has the token in a cookie gets the next one there, where no script reads it.
        let in_cookie = cookie::read(&directory.config, request, REFRESH_COOKIE);
        let Some(text) = token.or(in_cookie) else { return Ok(None) };
        let (principal, issued) = reissue::<U, C>(directory, request, text).await?;
        let credential = if token.is_some() { issued.in_body()? } else { issued.in_cookies(directory)? };
        Ok(Some((principal, credential)))
    }

    async fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> Result<Credential, Error> {
        end_all(directory, request, transaction).await?;
        let credential = Credential::default().with_cookie(cookie::take(&directory.config, COOKIE)?);
        Ok(if directory.refreshes {
            credential.with_cookie(cookie::take(&directory.config, REFRESH_COOKIE)?)
        } else {
            credential
        })
    }
}

/// Tokens that were just issued.
struct Issued {
    access: Zeroizing<String>,
    /// In seconds.
    expires_in: u64,
    refresh: Option<RefreshToken>,
    lifetime: Lifetime,
}

impl Issued {
    /// For a client that keeps tokens itself.
    fn in_body(self) -> Result<Credential, Error> {
        let mut credential =
            Credential::default().with_header(header::AUTHORIZATION, bearer_value(&self.access)?);
        let refresh = self.refresh.map(|token| token.expose());
        credential.token = Some(AccessToken { text: self.access, expires_in: self.expires_in, refresh });
        Ok(credential)
    }

    /// For a browser: never in the body, for a script that can read it is what `HttpOnly` is there to stop.
    fn in_cookies<U: Storable>(self, directory: &Directory<U>) -> Result<Credential, Error> {
        let config = &directory.config;
        let kept = |lifetime| self.lifetime.cookie.map(|cookie| cookie.min(lifetime));
        let access = cookie::give(config, COOKIE, &self.access, kept(config.token_lifetime))?;
        let credential = Credential::default()
            .with_cookie(access)
            .with_header(header::AUTHORIZATION, bearer_value(&self.access)?);
        let Some(refresh) = &self.refresh else { return Ok(credential) };
        let refresh = cookie::give(config, REFRESH_COOKIE, &refresh.expose(), kept(self.lifetime.absolute))?;
        Ok(credential.with_cookie(refresh))
    }
}

/// The token in the header `Authorization: Bearer`; another scheme is another backend's.
pub(crate) fn bearer(request: &Parts) -> Option<&str> {
    let text = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn bearer_value(token: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(format!("Bearer {token}")).map_err(Error::internal)
}

/// What the session behind a token is kept under. Its name in the token is public, so it is no other session's secret.
fn session_of(session: Uuid) -> TokenHash {
    TokenHash::of(&[b"users-runtime/v1/jwt-session/".as_slice(), session.as_bytes()].concat())
}

/// Begins the session of a login and issues its tokens.
async fn issue<U: Storable, C: TokenClaims<U>>(
    directory: &Directory<U>,
    request: &Parts,
    login: &Login<'_, U>,
    transaction: &mut Transaction,
) -> Result<Issued, Error> {
    let session = Uuid::now_v7();
    let mut lifetime = Lifetime::of(&directory.config, login);
    let refresh = directory.refreshes.then(|| RefreshToken::new(session)).transpose()?;
    if refresh.is_none() {
        // Nothing makes another token of it.
        lifetime.absolute = lifetime.absolute.min(directory.config.token_lifetime);
    }
    let content = Content { refresh: refresh.as_ref().map(RefreshToken::hash), ..Content::default() };
    let begun = (session_of(session), lifetime, content);
    let ends_at = begin(directory, request, login, begun, transaction).await?;
    let (access, expires_in) = sign::<U, C>(directory, login.user, session, ends_at)?;
    Ok(Issued { access, expires_in, refresh, lifetime })
}

/// The next tokens of a session for a refresh token that is good.
async fn reissue<U: Storable, C: TokenClaims<U>>(
    directory: &Directory<U>,
    request: &Parts,
    token: &str,
) -> Result<(Principal<U>, Issued), Error> {
    let token = RefreshToken::parse(token).ok_or(Error::TokenInvalid)?;
    let session = token.session();
    let id = session_of(session);
    let (principal, record, next) = refreshed(directory, request, id, &token).await?;
    let SessionRecord { expires_at, created_at, content, .. } = record;
    let (access, expires_in) = sign::<U, C>(directory, &principal, session, expires_at)?;
    let left = left(expires_at);
    let lifetime = Lifetime { absolute: left, cookie: (!content.transient).then_some(left) };
    let issued = Issued { access, expires_in, refresh: Some(next), lifetime };
    Ok((principal.with_authenticated_at(created_at).with_session(id, content.transient), issued))
}

/// A token for a session, which never outlives it, and for how many seconds it is good.
fn sign<U: Storable, C: TokenClaims<U>>(
    directory: &Directory<U>,
    user: &U,
    session: Uuid,
    ends_at: i64,
) -> Result<(Zeroizing<String>, u64), Error> {
    let issued_at = clock::now() / 1000;
    let lifetime = i64::try_from(directory.config.token_lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires_at = issued_at.saturating_add(lifetime).min(ends_at / 1000);
    let Value::Object(custom) = serde_json::to_value(C::of(user)).map_err(Error::internal)? else {
        return Err(Error::internal("claims of the application's own are a struct with named fields"));
    };
    let new = NewToken {
        subject: user.id().to_string(),
        token_id: Uuid::new_v4().to_string(),
        session,
        issued_at,
        expires_at,
        custom,
    };
    let text = directory.keys.jwt.sign(new)?;
    Ok((Zeroizing::new(text), u64::try_from(expires_at - issued_at).unwrap_or_default()))
}

/// Who a token stands for.
async fn accept<U: Storable, C: TokenClaims<U>>(
    directory: &Directory<U>,
    token: Option<&str>,
) -> Result<Recognition<U>, Error> {
    let Some(token) = token else { return Ok(Recognition::Absent) };
    let Some(Claims { sub, sid, custom, .. }) = directory.keys.jwt.verify(token) else {
        return Ok(Recognition::Refused);
    };
    let Some(claims) = own_claims::<C>(custom) else { return Ok(Recognition::Refused) };
    Ok(match recognise(directory, session_of(sid)).await? {
        // The session says whose it is; a token that says otherwise was not issued for it.
        Recognition::Accepted(principal) if principal.id().to_string() == sub => {
            Recognition::Accepted(principal.with_claims(claims))
        }
        Recognition::Accepted(_) => Recognition::Refused,
        other => other,
    })
}

fn own_claims<C: DeserializeOwned>(custom: Map<String, Value>) -> Option<C> {
    serde_json::from_value(Value::Object(custom)).ok()
}

/// Ends the session behind an access token that this application signed.
async fn end<U: Storable>(
    directory: &Directory<U>,
    token: Option<&str>,
    transaction: &mut Transaction,
) -> Result<(), Error> {
    let Some(claims) = token.and_then(|token| directory.keys.jwt.verify(token)) else { return Ok(()) };
    directory.end_session(transaction, session_of(claims.sid)).await.map(drop)
}

/// Ends the session behind every token of a request: a client may carry several, and expects to be out.
async fn end_all<U: Storable>(
    directory: &Directory<U>,
    request: &Parts,
    transaction: &mut Transaction,
) -> Result<(), Error> {
    end(directory, bearer(request), transaction).await?;
    end(directory, cookie::read(&directory.config, request, COOKIE), transaction).await?;
    let token = cookie::read(&directory.config, request, REFRESH_COOKIE).and_then(RefreshToken::parse);
    let Some(token) = token else { return Ok(()) };
    let id = session_of(token.session());
    match directory.session_record_in(transaction, id).await? {
        Some(record) if token.is_current(&record) => directory.end_session(transaction, id).await.map(drop),
        _ => Ok(()),
    }
}
