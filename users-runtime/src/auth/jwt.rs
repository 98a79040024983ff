//! `"jwt"` and `"jwt_cookie"`: a signed token that the client keeps, and that logout revokes.

use http::{HeaderValue, header, request::Parts};
use uuid::Uuid;

use super::{AccessToken, Backend, Credential, Recognition, cookie};
use crate::{
    clock,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    token::{
        TokenHash,
        jwt::{Claims, NewToken},
    },
};

/// The cookie's name, without its prefix.
const COOKIE: &str = "token";

/// JWTs in the header `Authorization: Bearer`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jwt;

/// JWTs in an `HttpOnly` cookie, or in the header `Authorization: Bearer`, which is read first.
#[derive(Debug, Clone, Copy, Default)]
pub struct JwtCookie;

impl<U: Storable> Backend<U> for Jwt {
    async fn authenticate(&self, directory: &Directory<U>, request: &Parts) -> Result<Recognition<U>, Error> {
        recognise(directory, bearer(request)).await
    }

    fn is_ambient(&self, _request: &Parts) -> bool {
        false
    }

    async fn log_in(
        &self,
        directory: &Directory<U>,
        _request: &Parts,
        user: &U,
        _transaction: &mut Transaction,
    ) -> Result<Option<Credential>, Error> {
        let text = issue(directory, user)?;
        let expires_in = directory.config.token_lifetime.as_secs();
        let mut credential = Credential::default().with_header(header::AUTHORIZATION, bearer_value(&text)?);
        credential.token = Some(AccessToken { text, expires_in });
        Ok(Some(credential))
    }

    async fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> Result<Credential, Error> {
        revoke(directory, bearer(request), transaction).await?;
        Ok(Credential::default())
    }
}

impl<U: Storable> Backend<U> for JwtCookie {
    async fn authenticate(&self, directory: &Directory<U>, request: &Parts) -> Result<Recognition<U>, Error> {
        recognise(directory, header_or_cookie(directory, request)).await
    }

    fn is_ambient(&self, request: &Parts) -> bool {
        bearer(request).is_none()
    }

    async fn log_in(
        &self,
        directory: &Directory<U>,
        _request: &Parts,
        user: &U,
        _transaction: &mut Transaction,
    ) -> Result<Option<Credential>, Error> {
        // Never in the body: a script that can read it is what `HttpOnly` is there to stop.
        let text = issue(directory, user)?;
        let value = cookie::give(&directory.config, COOKIE, &text, directory.config.token_lifetime)?;
        let credential = Credential::default()
            .with_header(header::SET_COOKIE, value)
            .with_header(header::AUTHORIZATION, bearer_value(&text)?);
        Ok(Some(credential))
    }

    async fn log_out(
        &self,
        directory: &Directory<U>,
        request: &Parts,
        transaction: &mut Transaction,
    ) -> Result<Credential, Error> {
        // Both, for a client may carry two tokens and expects to be out.
        revoke(directory, bearer(request), transaction).await?;
        revoke(directory, cookie::read(&directory.config, request, COOKIE), transaction).await?;
        let value = cookie::take(&directory.config, COOKIE)?;
        Ok(Credential::default().with_header(header::SET_COOKIE, value))
    }
}

/// The token in the header `Authorization: Bearer`; another scheme is another backend's.
fn bearer(request: &Parts) -> Option<&str> {
    let text = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn bearer_value(token: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(format!("Bearer {token}")).map_err(Error::internal)
}

fn header_or_cookie<'r, U: Storable>(directory: &Directory<U>, request: &'r Parts) -> Option<&'r str> {
    bearer(request).or_else(|| cookie::read(&directory.config, request, COOKIE))
}

/// Who issues tokens, and for whom they are: the application itself.
fn issuer<U: Storable>(directory: &Directory<U>) -> &str {
    directory.config.base_url.as_str()
}

fn issue<U: Storable>(directory: &Directory<U>, user: &U) -> Result<String, Error> {
    let issued_at = clock::now() / 1000;
    let lifetime = i64::try_from(directory.config.token_lifetime.as_secs()).unwrap_or(i64::MAX);
    directory.keys.jwt.sign(NewToken {
        subject: user.id().to_string(),
        issuer: issuer(directory),
        token_id: Uuid::new_v4().to_string(),
        fingerprint: directory.keys.fingerprint(user),
        issued_at,
        expires_at: issued_at.saturating_add(lifetime),
    })
}

async fn recognise<U: Storable>(
    directory: &Directory<U>,
    token: Option<&str>,
) -> Result<Recognition<U>, Error> {
    let Some(token) = token else { return Ok(Recognition::Absent) };
    let Some((claims, id)) = read::<U>(directory, token) else { return Ok(Recognition::Refused) };
    let found = directory.database.user_by_token::<U>(directory.tenant(), id, token_hash(&claims)).await?;
    Ok(match found {
        Some((principal, revoked))
            // A changed password or identifier ends the token with no table of tokens to search (S22).
            if !revoked && claims.fingerprint() == Some(directory.keys.fingerprint::<U>(&principal)) =>
        {
            Recognition::Accepted(principal.with_authenticated_at(claims.iat.saturating_mul(1000)))
        }
        _ => Recognition::Refused,
    })
}

fn read<U: Storable>(directory: &Directory<U>, token: &str) -> Option<(Claims, U::Id)> {
    let claims = directory.keys.jwt.verify(token, issuer(directory))?;
    let id = claims.sub.parse().ok()?;
    Some((claims, id))
}

async fn revoke<U: Storable>(
    directory: &Directory<U>,
    token: Option<&str>,
    transaction: &mut Transaction,
) -> Result<(), Error> {
    let Some((claims, _)) = token.and_then(|token| read::<U>(directory, token)) else { return Ok(()) };
    transaction.revoke_token(token_hash(&claims), claims.exp.saturating_mul(1000)).await
}

fn token_hash(claims: &Claims) -> TokenHash {
    TokenHash::of(claims.jti.as_bytes())
}
