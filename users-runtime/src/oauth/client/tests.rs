use std::{collections::HashMap, time::Duration};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    super::testing::{Server, Signer},
    *,
};
use crate::{
    error::{OAuthFailure, display_chain},
    token::jwt::test_keys,
};

const CALLBACK: &str = "https://app.example.com/oauth2/company/callback";
const CODE: &str = "the-code";
const SECRET: &str = "the+secret &c.";

fn callback() -> Url {
    CALLBACK.parse().unwrap()
}

/// The only client of these settings.
fn client(provider: OAuthProvider) -> OAuthClient {
    let name = provider.name.clone();
    OAuthClients::new(vec![provider]).unwrap().clients.remove(&name).unwrap()
}

fn query(url: &Url) -> HashMap<String, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let unique: HashMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(unique.len(), pairs.len(), "a parameter twice: {url}");
    unique
}

/// A server that is a provider of OpenID Connect.
struct Oidc {
    server: Server,
    signer: Signer,
}

impl Oidc {
    async fn start() -> Self {
        let new = Self { server: Server::start().await, signer: Signer::rsa() };
        new.server.answers("/.well-known/openid-configuration", &new.document());
        new.server.answers("/keys", &new.signer.set());
        new
    }

    fn document(&self) -> Value {
        let base = &self.server.base;
        json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}/authorize?tenant=a"),
            "token_endpoint": format!("{base}/token"),
            "userinfo_endpoint": format!("{base}/userinfo"),
            "jwks_uri": format!("{base}/keys"),
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    fn provider(&self) -> OAuthProvider {
        OAuthProvider::oidc("work", &self.server.base, "a client", SECRET)
    }

    fn claims(&self, nonce: &str) -> Value {
        let now = clock::now() / 1000;
        json!({
            "iss": self.server.base,
            "aud": "a client",
            "sub": "ada",
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            "email": "ada@example.com",
            "email_verified": true,
            "name": "Ada Lovelace",
        })
    }

    /// Answers the next code with an ID token of these claims.
    fn grants(&self, claims: &Value) {
        self.server.answers("/token", &granted(Some(self.signer.sign(claims))));
    }
}

fn granted(id_token: Option<String>) -> Value {
    let mut body = json!({
        "access_token": "the-access-token",
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": "the-refresh-token",
        "scope": "openid email",
    });
    if let Some(token) = id_token {
        body["id_token"] = json!(token);
    }
    body
}

type Exchanged = Result<(OAuthIdentity, OAuthTokens), Error>;

async fn exchange(client: &OAuthClient, transaction: &OAuthTransaction) -> Exchanged {
    client.exchange(&callback(), CODE, None, transaction).await
}

/// What the log says of a failure of the provider, which the answer says nothing of.
#[track_caller]
fn logged<T>(result: Result<T, Error>) -> String {
    let error = result.err().expect("a failure");
    assert_eq!((error.status().as_u16(), error.code()), (400, "oauth_failed"), "{error:?}");
    let shown = format!("{error} {error:?}");
    for secret in [CODE, SECRET, "the-access-token", "the-refresh-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let Error::OAuth(OAuthFailure::Provider(cause)) = error else { panic!("{error:?}") };
    display_chain(cause.as_ref())
}

#[tokio::test]
async fn s43_people_are_sent_with_state_nonce_and_challenge() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider().with_parameter("prompt", "login").with_allowed_scopes(["calendar"]));
    let asked = ["calendar".to_owned(), "email".to_owned()];
    let (url, transaction) = client.authorize(&callback(), &asked).await.unwrap();
    assert!(url.as_str().starts_with(&format!("{}/authorize?tenant=a&", oidc.server.base)));
    let query = query(&url);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&transaction.verifier));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "a client"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email profile calendar"),
        ("state", transaction.state()),
        ("nonce", &transaction.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(query.len(), 10, "{url}");
    assert!(!url.as_str().contains(&transaction.verifier));

    let (_, another) = client.authorize(&callback(), &[]).await.unwrap();
    assert!(!another.is_answered_by(transaction.state()));
    assert_ne!(another.nonce, transaction.nonce);
    assert_ne!(another.verifier, transaction.verifier);
}

#[tokio::test]
async fn a_scope_that_is_not_allowed_is_the_clients_mistake() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider().with_allowed_scopes(["calendar"]));
    for scope in ["admin", "calendar email", "", "CALENDAR"] {
        let error = client.authorize(&callback(), &[scope.to_owned()]).await.unwrap_err();
        assert_eq!(error.status().as_u16(), 422, "{scope}");
    }
}

#[tokio::test]
async fn a_code_becomes_an_identity_and_tokens() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider());
    let (_, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    oidc.grants(&oidc.claims(&transaction.nonce));
    let before = clock::now();
    let (identity, tokens) = exchange(&client, &transaction).await.unwrap();

    assert_eq!(identity.provider, "work");
    assert_eq!(identity.issuer, oidc.server.base);
    assert_eq!(identity.subject, "ada");
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(identity.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(tokens.expose_access_token(), "the-access-token");
    assert_eq!(tokens.expose_refresh_token(), Some("the-refresh-token"));
    assert_eq!(tokens.scopes(), ["openid", "email"]);
    assert!((before + 3_600_000..=clock::now() + 3_600_000).contains(&tokens.expires_at().unwrap()));

    let request = &oidc.server.asked_at("/token")[0];
    assert_eq!(request.method, "POST");
    for (name, value) in [
        ("grant_type", Some("authorization_code")),
        ("code", Some(CODE)),
        ("redirect_uri", Some(CALLBACK)),
        ("code_verifier", Some(&*transaction.verifier)),
        ("client_id", None),
        ("client_secret", None),
    ] {
        assert_eq!(request.field(name).as_deref(), value, "{name}");
    }
    // RFC 6749, section 2.3.1: both are encoded as in forms before they are joined.
    let basic = BASE64_STANDARD.encode("a+client:the%2Bsecret+%26c.");
    assert_eq!(request.header("authorization"), Some(&*format!("Basic {basic}")));
    // The ID token tells everything, and what was found once is found.
    assert_eq!(oidc.server.asked_at("/userinfo").len(), 0);
    exchange(&client, &transaction).await.unwrap();
    assert_eq!(oidc.server.asked_at("/.well-known/openid-configuration").len(), 1);
    assert_eq!(oidc.server.asked_at("/keys").len(), 1);
}

#[tokio::test]
async fn what_the_id_token_lacks_is_taken_from_the_user_information() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider());
    let (_, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    let mut claims = oidc.claims(&transaction.nonce);
    for name in ["email", "email_verified", "name"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims["locale"] = json!("en");
    oidc.grants(&claims);
    let info = json!({ "sub": "ada", "email": "ada@example.com", "email_verified": "true", "name": "Ada", "locale": "fr", "iss": "https://login.evil.example" });
    oidc.server.answers("/userinfo", &info);
    let (identity, _) = exchange(&client, &transaction).await.unwrap();
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(identity.name.as_deref(), Some("Ada"));
    assert_eq!(identity.claims["locale"], "en", "the ID token counts");
    assert_eq!(identity.issuer, oidc.server.base);
    let request = &oidc.server.asked_at("/userinfo")[0];
    assert_eq!(request.header("authorization"), Some("Bearer the-access-token"));

    // An address that the ID token tells is not verified by what is said of another.
    claims["email"] = json!("eve@example.com");
    oidc.grants(&claims);
    let (identity, _) = exchange(&client, &transaction).await.unwrap();
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("eve@example.com"), false));

    for (info, problem) in [
        (json!({ "sub": "eve", "email": "ada@example.com" }), "is about somebody else than the ID token"),
        (json!({ "email": "ada@example.com" }), "is about somebody else than the ID token"),
        (json!({ "sub": "" }), "is about somebody else than the ID token"),
        (json!([]), "is not an object"),
    ] {
        oidc.server.answers("/userinfo", &info);
        let found = logged(exchange(&client, &transaction).await);
        assert_eq!(found, format!("the user information: {problem}"), "{info}");
    }
}

#[tokio::test]
async fn s46_the_id_token_of_another_sign_in_is_refused() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider());
    let (_, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    let (_, another) = client.authorize(&callback(), &[]).await.unwrap();
    oidc.grants(&oidc.claims(&another.nonce));
    assert_eq!(logged(exchange(&client, &transaction).await), "the ID token: belongs to another sign-in");
    oidc.server.answers("/token", &granted(None));
    assert_eq!(
        logged(exchange(&client, &transaction).await),
        "the token endpoint: answered without an ID token"
    );
}

#[tokio::test]
async fn s46_a_new_key_of_the_provider_is_found_and_an_unknown_one_is_not_searched_for_again_and_again() {
    let mut oidc = Oidc::start().await;
    let client = client(oidc.provider());
    let (_, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    oidc.grants(&oidc.claims(&transaction.nonce));
    exchange(&client, &transaction).await.unwrap();

    oidc.signer = Signer::other_rsa();
    oidc.server.answers("/keys", &oidc.signer.set());
    oidc.grants(&oidc.claims(&transaction.nonce));
    exchange(&client, &transaction).await.unwrap();
    assert_eq!(oidc.server.asked_at("/keys").len(), 2);

    // The old key is gone, and no crowd of tokens makes the server ask for it in a crowd.
    oidc.signer = Signer::rsa();
    oidc.grants(&oidc.claims(&transaction.nonce));
    for _ in 0..5 {
        let found = logged(exchange(&client, &transaction).await);
        assert_eq!(found, "the ID token: is signed by a key that the provider does not have");
    }
    assert_eq!(oidc.server.asked_at("/keys").len(), 2);
}

#[tokio::test]
async fn s43_an_answer_that_names_another_issuer_is_refused() {
    let oidc = Oidc::start().await;
    let provider = oidc.provider();
    let client_of = || client(provider.clone());
    let (_, transaction) = client_of().authorize(&callback(), &[]).await.unwrap();
    oidc.grants(&oidc.claims(&transaction.nonce));
    let own = oidc.server.base.clone();
    let exchange = async |client: OAuthClient, issuer: Option<&str>| {
        client.exchange(&callback(), CODE, issuer, &transaction).await
    };
    assert!(exchange(client_of(), None).await.is_ok());
    assert!(exchange(client_of(), Some(&own)).await.is_ok());
    for issuer in ["https://login.evil.example", "", &format!("{own}/")] {
        let found = logged(exchange(client_of(), Some(issuer)).await);
        assert_eq!(found, "the authorization response: is from another issuer");
    }
    let mut document = oidc.document();
    document["authorization_response_iss_parameter_supported"] = json!(true);
    oidc.server.answers("/.well-known/openid-configuration", &document);
    let before = oidc.server.asked_at("/token").len();
    let found = logged(exchange(client_of(), None).await);
    assert_eq!(found, "the authorization response: does not name its issuer");
    assert_eq!(oidc.server.asked_at("/token").len(), before, "the code went nowhere");
    assert!(exchange(client_of(), Some(&own)).await.is_ok());
}

#[tokio::test]
async fn s48_a_provider_that_is_not_found_is_unavailable_until_it_is() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider().with_timeout(Duration::from_millis(500)));
    let path = "/.well-known/openid-configuration";
    let honest = oidc.document();
    let but = |name: &str, value: &str| {
        let mut document = honest.clone();
        document[name] = json!(value);
        document.to_string()
    };
    for (status, body) in [
        (500, String::new()),
        (404, String::new()),
        (307, honest.to_string()),
        (302, honest.to_string()),
        (200, "<h1>Under maintenance</h1>".to_owned()),
        (200, "[]".to_owned()),
        (200, " ".repeat(300 * 1024)),
        (0, String::new()),
        (200, but("issuer", "https://login.evil.example")),
        (200, but("issuer", &format!("{}/", oidc.server.base))),
        (200, but("token_endpoint", "http://login.evil.example/token")),
        (200, but("jwks_uri", "http://login.evil.example/keys")),
        (200, but("userinfo_endpoint", "http://login.evil.example/userinfo")),
        (200, but("authorization_endpoint", "javascript:alert(1)")),
        (200, but("token_endpoint", "/token")),
    ] {
        oidc.server.answers_with(path, status, body.clone());
        let error = client.authorize(&callback(), &[]).await.unwrap_err();
        assert_eq!(
            (error.status().as_u16(), error.code()),
            (503, "unavailable"),
            "{status} {body} {error:?}"
        );
    }
    for algorithms in [json!(["none"]), json!(["HS256", "HS512"]), json!([])] {
        let mut document = honest.clone();
        document["id_token_signing_alg_values_supported"] = algorithms;
        oidc.server.answers(path, &document);
        assert!(client.authorize(&callback(), &[]).await.is_err(), "{document}");
    }
    assert_eq!(oidc.server.asked_at("/elsewhere").len(), 0);
    oidc.server.answers(path, &honest);
    client.authorize(&callback(), &[]).await.unwrap();

    let nowhere = OAuthProvider::oidc("work", "http://127.0.0.1:1", "id", "secret");
    let error = super::tests::client(nowhere).authorize(&callback(), &[]).await.unwrap_err();
    assert_eq!(error.status().as_u16(), 503);
}

#[tokio::test]
async fn s48_whatever_a_token_endpoint_does_wrong_fails_in_time_and_leaks_nothing() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider().with_timeout(Duration::from_millis(700)));
    let (_, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    let tokens = granted(None);
    let but = |name: &str, value: Value| {
        let mut body = tokens.clone();
        body[name] = value;
        body.to_string()
    };
    let refusal =
        json!({ "error": "invalid_grant", "error_description": format!("{CODE} or {SECRET} is\r\nwrong") });
    for (status, body, problem) in [
        (500, String::new(), "the token endpoint answered 500"),
        (503, "<h1>Oh</h1>".to_owned(), "the token endpoint answered 503"),
        (404, "{}".to_owned(), "the token endpoint answered 404"),
        (307, String::new(), "the token endpoint answered 307"),
        (302, tokens.to_string(), "the token endpoint answered 302"),
        (200, String::new(), "the token endpoint: server returned empty response body"),
        (
            200,
            "<h1>Oh</h1>".to_owned(),
            "the token endpoint: unexpected response Content-Type: \"text/html\", should be `application/json`",
        ),
        (200, " ".repeat(300 * 1024), "the token endpoint answered with more than 262144 bytes"),
        (0, String::new(), "the provider took longer than 700 ms"),
        (200, "{}".to_owned(), "the token endpoint: answered something else than tokens"),
        (200, but("access_token", json!("")), "the token endpoint: answered with an empty access token"),
        (
            200,
            but("access_token", json!(["the-access-token"])),
            "the token endpoint: answered something else than tokens",
        ),
        (
            200,
            but("expires_in", json!("the-access-token")),
            "the token endpoint: answered something else than tokens",
        ),
        (
            200,
            but("token_type", json!("DPoP")),
            "the token endpoint: answered with tokens of another type than `Bearer`",
        ),
        (400, refusal.to_string(), "the token endpoint refused: invalid_grant [..] or [..] is wrong"),
        (200, refusal.to_string(), "the token endpoint refused: invalid_grant [..] or [..] is wrong"),
        (401, r#"{"error":"invalid_client"}"#.to_owned(), "the token endpoint refused: invalid_client"),
    ] {
        oidc.server.answers_with("/token", status, body.clone());
        let begun = std::time::Instant::now();
        assert_eq!(logged(exchange(&client, &transaction).await), problem, "{status} {body}");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
    assert_eq!(oidc.server.asked_at("/elsewhere").len(), 0, "a redirect was followed");
}

#[tokio::test]
async fn tokens_are_refreshed_and_the_old_refresh_token_stands_until_there_is_a_new_one() {
    let oidc = Oidc::start().await;
    let client = client(oidc.provider());
    let mut body = granted(None);
    oidc.server.answers("/token", &body);
    let tokens = client.refresh("the-old-one").await.unwrap();
    assert_eq!(tokens.expose_refresh_token(), Some("the-refresh-token"));
    body.as_object_mut().unwrap().remove("refresh_token");
    oidc.server.answers("/token", &body);
    let tokens = client.refresh("the-old-one").await.unwrap();
    assert_eq!(tokens.expose_refresh_token(), Some("the-old-one"));
    let request = &oidc.server.asked_at("/token")[0];
    assert_eq!(request.field("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(request.field("refresh_token").as_deref(), Some("the-old-one"));

    oidc.server.answers_with("/token", 503, "");
    assert_eq!(client.refresh("the-old-one").await.unwrap_err().status().as_u16(), 503);
    oidc.server.answers_with("/token", 400, r#"{"error":"invalid_grant"}"#);
    assert_eq!(logged(client.refresh("the-old-one").await), "the token endpoint refused: invalid_grant");
}

#[tokio::test]
async fn a_provider_that_is_down_does_not_refuse_a_refresh() {
    let nowhere = "http://127.0.0.1:1";
    let provider = OAuthProvider::oauth2("plain", nowhere, nowhere, nowhere, "id", SECRET);
    let error = client(provider).refresh("the-refresh-token").await.unwrap_err();
    assert_eq!((error.status().as_u16(), error.code()), (503, "unavailable"), "{error:?}");
    assert!(!format!("{error:?}").contains("the-refresh-token"));
}

/// A server that is a provider of OAuth 2.0 alone, by these settings.
async fn signed_in(
    server: &Server,
    provider: OAuthProvider,
    issuer: Option<&str>,
) -> (HashMap<String, String>, Exchanged) {
    let client = client(provider);
    let (url, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    assert!(url.as_str().starts_with(&server.base), "{url}");
    let exchanged = client.exchange(&callback(), CODE, issuer, &transaction).await;
    (query(&url), exchanged)
}

#[tokio::test]
async fn plain_oauth2_tells_who_it_is_by_the_user_information() {
    let server = Server::start().await;
    let url = |path: &str| format!("{}{path}", server.base);
    let provider =
        OAuthProvider::oauth2("fake", url("/authorize"), url("/token"), url("/userinfo"), "id", SECRET);
    let mut tokens = granted(None);
    tokens.as_object_mut().unwrap().remove("scope");
    server.answers("/token", &tokens);
    server.answers(
        "/userinfo",
        &json!({ "id": 7, "sub": "ada", "email": "ada@example.com", "email_verified": true }),
    );
    let with_scopes = provider.clone().with_scopes(["email"]);
    let (query, exchanged) = signed_in(&server, with_scopes, None).await;
    assert!(!query.contains_key("nonce"), "nobody would answer it");
    assert!(query.contains_key("code_challenge"));
    let (identity, tokens) = exchanged.unwrap();
    assert_eq!((identity.issuer, identity.subject), (url("/userinfo"), "ada".to_owned()));
    assert!(identity.email_verified);
    assert_eq!(tokens.scopes(), ["email"], "what is not said is what was asked for");

    // Of an issuer that nobody told there is nothing to compare; of one that is told there is.
    assert!(signed_in(&server, provider.clone(), Some("https://login.evil.example")).await.1.is_ok());
    let named = provider.clone().with_issuer("https://login.example");
    assert!(signed_in(&server, named.clone(), Some("https://login.example")).await.1.is_ok());
    let found = logged(signed_in(&server, named, Some("https://login.evil.example")).await.1);
    assert_eq!(found, "the authorization response: is from another issuer");

    for (info, problem) in [
        (json!({}), "has no subject"),
        (json!({ "sub": "", "id": 7 }), "has an empty subject"),
        (json!({ "email": "ada@example.com" }), "has no subject"),
        (json!({ "id": [7] }), "has a subject that is no text"),
    ] {
        server.answers("/userinfo", &info);
        let found = logged(signed_in(&server, provider.clone(), None).await.1);
        assert_eq!(found, format!("the user information: {problem}"));
    }
    for (status, problem) in [(500, "answered 500"), (307, "answered 307"), (401, "answered 401")] {
        server.answers_with("/userinfo", status, "{}");
        let found = logged(signed_in(&server, provider.clone(), None).await.1);
        assert_eq!(found, format!("the user information {problem}"));
    }

    let posting = provider.with_client_secret_post();
    server.answers("/userinfo", &json!({ "id": "7" }));
    assert_eq!(signed_in(&server, posting, None).await.1.unwrap().0.subject, "7");
    let request = server.asked_at("/token").pop().unwrap();
    assert_eq!(request.field("client_secret").as_deref(), Some(SECRET));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn github_is_asked_for_the_addresses_too() {
    let server = Server::start().await;
    let provider = OAuthProvider::github("id", SECRET).with_base_url(&server.base);
    server.answers("/login/oauth/access_token", &json!({ "access_token": "the-access-token", "token_type": "bearer", "scope": "read:user,user:email" }));
    server.answers("/api/v3/user", &json!({ "id": 1815, "login": "ada", "name": null, "email": "public@example.com", "email_verified": true }));
    server.answers(
        "/api/v3/user/emails",
        &json!([
            { "email": "old@example.com", "primary": false, "verified": true },
            { "email": "ada@example.com", "primary": true, "verified": true },
        ]),
    );
    let issuer = format!("{}/login/oauth", server.base);
    let (_, exchanged) = signed_in(&server, provider.clone(), Some(&issuer)).await;
    let (identity, tokens) = exchanged.unwrap();
    assert_eq!((identity.issuer, identity.subject), (issuer, "1815".to_owned()));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(identity.name.as_deref(), Some("ada"));
    assert_eq!(tokens.scopes(), ["read:user", "user:email"]);
    assert!(tokens.expires_at().is_none());
    let request = &server.asked_at("/login/oauth/access_token")[0];
    assert_eq!(request.field("client_secret").as_deref(), Some(SECRET));
    assert!(request.header("user-agent").unwrap().starts_with("users-runtime/"));
    assert!(signed_in(&server, provider.clone(), Some("https://github.com/login/oauth")).await.1.is_err());

    // Without the scope there is the public address, of which nothing is known.
    server.answers_with("/api/v3/user/emails", 404, "{}");
    let (identity, _) = signed_in(&server, provider.clone(), None).await.1.unwrap();
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("public@example.com"), false));
    server.answers_with("/api/v3/user/emails", 500, "{}");
    logged(signed_in(&server, provider, None).await.1);
}

#[tokio::test]
async fn discord_and_facebook_are_read_in_their_own_way() {
    let server = Server::start().await;
    let discord = OAuthProvider::discord("id", SECRET).with_base_url(&server.base);
    server.answers("/api/oauth2/token", &granted(None));
    server.answers("/api/users/@me", &json!({ "id": "80351110224678912", "username": "ada", "global_name": "Ada", "email": "ada@example.com", "verified": true }));
    let (identity, _) = signed_in(&server, discord, None).await.1.unwrap();
    assert_eq!((&*identity.issuer, &*identity.subject), (&*server.base, "80351110224678912"));
    assert_eq!((identity.email_verified, identity.name.as_deref()), (true, Some("Ada")));

    let facebook = OAuthProvider::facebook("id", SECRET).with_base_url(&server.base);
    server.answers("/v23.0/oauth/access_token", &granted(None));
    server.answers("/v23.0/me", &json!({ "id": "10", "name": "Ada", "email": "ada@example.com" }));
    let (identity, _) = signed_in(&server, facebook, None).await.1.unwrap();
    assert_eq!((&*identity.subject, identity.email_verified), ("10", false));
    assert_eq!(server.asked_at("/v23.0/me")[0].uri.query(), Some("fields=id,name,email"));
}

#[tokio::test]
async fn apple_gets_a_fresh_secret_and_answers_by_post() {
    let oidc = Oidc::start().await;
    let mut document = oidc.document();
    document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    document.as_object_mut().unwrap().remove("userinfo_endpoint");
    oidc.server.answers("/.well-known/openid-configuration", &document);
    let apple = OAuthProvider::apple("a client", "the-team", "the-key", test_keys::P256);
    let client = client(apple.with_base_url(&oidc.server.base));
    let (url, transaction) = client.authorize(&callback(), &[]).await.unwrap();
    assert_eq!(query(&url).get("response_mode").map(String::as_str), Some("form_post"));
    let mut claims = oidc.claims(&transaction.nonce);
    claims["email_verified"] = json!("true");
    claims.as_object_mut().unwrap().remove("name");
    oidc.grants(&claims);
    let (identity, _) = exchange(&client, &transaction).await.unwrap();
    assert!(identity.email_verified);

    let secret = oidc.server.asked_at("/token")[0].field("client_secret").unwrap();
    let segments: Vec<_> = secret.split('.').collect();
    let read = |segment: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
    };
    assert_eq!(read(segments[0]), json!({ "alg": "ES256", "kid": "the-key" }));
    let claims = read(segments[1]);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("the-team"), &json!("a client")));
    assert_eq!(claims["aud"], json!(oidc.server.base));
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((1..=600).contains(&lifetime), "{lifetime}");
    let message = format!("{}.{}", segments[0], segments[1]);
    let signature = BASE64_URL_SAFE_NO_PAD.decode(segments[2]).unwrap();
    let key = jsonwebtoken::DecodingKey::from_ec_pem(test_keys::P256_PUBLIC.as_bytes()).unwrap();
    let verifier = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.verifier_factory;
    let verifier = verifier(&jsonwebtoken::Algorithm::ES256, &key).unwrap();
    assert!(verifier.verify(message.as_bytes(), &signature).is_ok());

    let quiet = OAuthProvider::apple("a client", "the-team", "the-key", test_keys::P256)
        .with_base_url(&oidc.server.base)
        .with_scopes(["openid"]);
    let (url, _) = super::tests::client(quiet).authorize(&callback(), &[]).await.unwrap();
    assert_eq!(query(&url).get("response_mode"), None);
}

#[tokio::test]
async fn microsoft_vouches_for_each_directory_by_its_own_issuer() {
    const WORK: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const PERSONAL: &str = super::super::issuer::PERSONAL;
    let oidc = Oidc::start().await;
    let base = oidc.server.base.clone();
    let issuer = |directory: &str| format!("{base}/{directory}/v2.0");
    for (tenant, described, directory, good) in [
        ("common", "{tenantid}", WORK, true),
        ("common", "{tenantid}", PERSONAL, true),
        ("organizations", "{tenantid}", WORK, true),
        ("organizations", "{tenantid}", PERSONAL, false),
        ("consumers", PERSONAL, PERSONAL, true),
        ("consumers", PERSONAL, WORK, false),
        (WORK, WORK, WORK, true),
        (WORK, WORK, PERSONAL, false),
        ("contoso.example", WORK, WORK, true),
        ("contoso.example", WORK, PERSONAL, false),
    ] {
        let mut document = oidc.document();
        document["issuer"] = json!(issuer(described));
        let path = format!("/{tenant}/v2.0/.well-known/openid-configuration");
        oidc.server.answers(&path, &document);
        let microsoft = OAuthProvider::microsoft("a client", SECRET).with_base_url(&base).with_tenant(tenant);
        let client = client(microsoft);
        let (_, transaction) = client.authorize(&callback(), &[]).await.unwrap();
        let mut claims = oidc.claims(&transaction.nonce);
        claims["iss"] = json!(issuer(directory));
        claims["tid"] = json!(directory);
        oidc.grants(&claims);
        let exchanged = exchange(&client, &transaction).await;
        assert_eq!(exchanged.is_ok(), good, "{tenant} {directory} {exchanged:?}");
        if let Ok((identity, _)) = exchanged {
            assert_eq!(identity.issuer, issuer(directory));
            assert!(!identity.email_verified, "nobody says whose the address is");
        }
    }
    // A description of somebody else's directory.
    for (tenant, described) in [
        ("common", WORK),
        (WORK, PERSONAL),
        (WORK, "{tenantid}"),
        ("contoso.example", "{tenantid}"),
        ("consumers", "{tenantid}"),
    ] {
        let mut document = oidc.document();
        document["issuer"] = json!(issuer(described));
        oidc.server.answers(&format!("/{tenant}/v2.0/.well-known/openid-configuration"), &document);
        let microsoft = OAuthProvider::microsoft("a client", SECRET).with_base_url(&base).with_tenant(tenant);
        let error = client(microsoft).authorize(&callback(), &[]).await.unwrap_err();
        assert_eq!(error.status().as_u16(), 503, "{tenant} {described}");
    }
}

#[test]
fn providers_have_names_of_their_own() {
    let google = || OAuthProvider::google("id", "secret");
    let named = OAuthClients::new(vec![google().with_name("b"), google().with_name("a")]).unwrap();
    assert!(named.get("a").is_some() && named.get("b").is_some() && named.get("google").is_none());
    let error = OAuthClients::new(vec![google(), google()]).err().unwrap();
    assert!(error.to_string().contains("`google` is there twice"), "{error}");
    let clients = OAuthClients::new(vec![google()]).unwrap();
    assert!(clients.get("google").is_some());
    assert!(clients.get("github").is_none() && clients.get("").is_none() && clients.get("GOOGLE").is_none());
}
