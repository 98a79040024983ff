//! What is asked of a token endpoint (RFC 6749, sections 4.1.3 and 6).

use std::{borrow::Cow, fmt, future::Future, pin::Pin};

use oauth2::{
    AsyncHttpClient, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, StandardErrorResponse, StandardRevocableToken, StandardTokenResponse, TokenResponse,
    TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    OAuthTokens, OAuthTransaction,
    discovery::Endpoints,
    fault::{Fault, Place, quotable},
    http::Http,
    issuer::Issuer,
    provider::Kind,
    settings::{Credential, Settings},
};
use crate::clock;

/// What OpenID Connect adds to the answer of a token endpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct IdTokenField {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl fmt::Debug for IdTokenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenField(..)")
    }
}

impl ExtraTokenFields for IdTokenField {}

/// The answer of a token endpoint.
pub(super) type Granted = StandardTokenResponse<IdTokenField, BasicTokenType>;

type TokenClient = Client<
    BasicErrorResponse,
    Granted,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// `oauth2` asks by this what it has to ask.
impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Fault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = self.send(Place::Token, request).await?;
            // A refusal says why in its body (RFC 6749, section 5.2); of other statuses the number says more.
            match response.status().as_u16() {
                200 | 400 | 401 | 403 => Ok(response),
                status => Err(Fault::Status { place: Place::Token, status }),
            }
        })
    }
}

/// Requests of one client to the token endpoint of its provider.
pub(super) struct Grant<'g> {
    pub(super) settings: &'g Settings,
    pub(super) endpoints: &'g Endpoints,
}

impl Grant<'_> {
    /// The tokens for a code, and the ID token if there is one.
    pub(super) async fn exchange(
        &self,
        http: &Http,
        callback: &Url,
        code: &str,
        transaction: &OAuthTransaction,
    ) -> Result<(OAuthTokens, Option<String>), Fault> {
        let secret = self.secret()?;
        let granted = self
            .client(&secret)
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(transaction.verifier.clone()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(callback.clone())))
            .request_async(http)
            .await
            .map_err(|error| refused(error, &[code, secret.secret(), &transaction.verifier]))?;
        let id_token = granted.extra_fields().id_token.clone();
        Ok((self.tokens(&granted, None, &transaction.scopes)?, id_token))
    }

    /// New tokens for a refresh token.
    pub(super) async fn refresh(&self, http: &Http, refresh_token: &str) -> Result<OAuthTokens, Fault> {
        let secret = self.secret()?;
        let token = RefreshToken::new(refresh_token.to_owned());
        let granted = self
            .client(&secret)
            .exchange_refresh_token(&token)
            .request_async(http)
            .await
            .map_err(|error| refused(error, &[refresh_token, secret.secret()]))?;
        self.tokens(&granted, Some(refresh_token), &[])
    }

    fn client(&self, secret: &ClientSecret) -> TokenClient {
        Client::new(ClientId::new(self.settings.client_id.clone()))
            .set_client_secret(secret.clone())
            .set_auth_type(self.endpoints.auth.clone())
            .set_token_uri(TokenUrl::from_url(self.endpoints.token.clone()))
    }

    fn secret(&self) -> Result<ClientSecret, Fault> {
        match (&self.settings.credential, &self.endpoints.issuer) {
            (Credential::Secret(secret), _) => Ok(secret.clone()),
            (Credential::Apple(key), Some(Issuer::Exact(issuer))) => {
                key.client_secret(&self.settings.client_id, issuer).map(ClientSecret::new).map_err(|error| {
                    Place::Token.invalid(format!("needs a secret that cannot be made: {error}"))
                })
            }
            (Credential::Apple(_), _) => Err(Place::Discovery.invalid("is not Apple's")),
        }
    }

    fn tokens(&self, granted: &Granted, old: Option<&str>, asked: &[String]) -> Result<OAuthTokens, Fault> {
        // A token of another type is used in another way (RFC 6749, section 7.1).
        if *granted.token_type() != BasicTokenType::Bearer {
            return Err(Place::Token.invalid("answered with tokens of another type than `Bearer`"));
        }
        if granted.access_token().secret().is_empty() {
            return Err(Place::Token.invalid("answered with an empty access token"));
        }
        let expires_at =
            granted.expires_in().map(|lifetime| clock::now().saturating_add(clock::millis(lifetime)));
        let refresh = granted.refresh_token().map(|token| token.secret().as_str()).or(old).map(str::to_owned);
        let scopes = match granted.scopes() {
            // GitHub separates them by commas.
            Some(scopes) if self.settings.kind == Kind::GitHub => scopes
                .iter()
                .flat_map(|scope| scope.split(','))
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
            Some(scopes) => scopes.iter().map(|scope| scope.to_string()).collect(),
            // What is not said is what was asked for (RFC 6749, section 5.1).
            None => asked.to_vec(),
        };
        Ok(OAuthTokens::new(granted.access_token().secret(), refresh, expires_at, scopes))
    }
}

/// Why there are no tokens, in words without any of these secrets.
fn refused(error: RequestTokenError<Fault, BasicErrorResponse>, secrets: &[&str]) -> Fault {
    match error {
        RequestTokenError::Request(fault) => fault,
        RequestTokenError::ServerResponse(response) => refusal(&response, secrets),
        // GitHub refuses with a status of 200. What serde says of an error may quote the answer.
        RequestTokenError::Parse(_, body) => match serde_json::from_slice::<BasicErrorResponse>(&body) {
            Ok(response) => refusal(&response, secrets),
            Err(_) => Place::Token.invalid("answered something else than tokens"),
        },
        // An empty answer, or one that does not call itself JSON.
        RequestTokenError::Other(problem) => Place::Token.invalid(quotable(&problem, secrets)),
    }
}

fn refusal(response: &StandardErrorResponse<BasicErrorResponseType>, secrets: &[&str]) -> Fault {
    let description = response.error_description().map_or("", String::as_str);
    let reason = quotable(&format!("{} {description}", response.error().as_ref()), secrets);
    Fault::Refused { place: Place::Token, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str) -> String {
        let response: BasicErrorResponse = serde_json::from_str(body).unwrap();
        refused(RequestTokenError::ServerResponse(response), &["the-code"]).to_string()
    }

    #[test]
    fn s48_a_refusal_is_quoted_without_the_code() {
        assert_eq!(
            fault(r#"{"error":"invalid_grant","error_description":"the-code has expired"}"#),
            "the token endpoint refused: invalid_grant [..] has expired"
        );
        assert_eq!(fault(r#"{"error":"the-code"}"#), "the token endpoint refused: [..]");
    }

    #[test]
    fn s48_an_answer_that_is_no_answer_is_not_quoted() {
        let parse = |body: &[u8]| {
            let error =
                serde_path_to_error::deserialize::<_, u8>(&mut serde_json::Deserializer::from_slice(body));
            let error = RequestTokenError::Parse(error.unwrap_err(), body.to_vec());
            format!("{:?}", refused(error, &[]))
        };
        assert!(!parse(br#"{"access_token":["the-token"]}"#).contains("the-token"));
        assert!(parse(br#"{"error":"bad_verification_code"}"#).contains("bad_verification_code"));
    }
}
