//! The provider that other tests sign in through: a test is worth what the provider in it insists on.

use std::{collections::HashMap, time::Duration};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64_URL},
};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use users_tests::provider::{CLIENT_ID, CLIENT_SECRET, Endpoint, Person, Provider, Trick};

const CALLBACK: &str = "http://127.0.0.1:3000/oauth2/company/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
const STATE: &str = "the-state";
const NONCE: &str = "the-nonce";

/// Where an application sends people, with changes; an empty value leaves a parameter out.
fn address(provider: &Provider, changes: &[(&str, &str)]) -> String {
    let challenge = BASE64_URL.encode(Sha256::digest(VERIFIER));
    let mut parameters = HashMap::from([
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email profile"),
        ("state", STATE),
        ("nonce", NONCE),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(changes.iter().copied());
    let mut url: Url = format!("{}/authorize", provider.base()).parse().expect("an address");
    url.query_pairs_mut().extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    url.into()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

/// A code for somebody.
async fn code(provider: &Provider, person: &Person, changes: &[(&str, &str)]) -> String {
    let callback = provider.visit(&address(provider, changes), person).await;
    parameter(&callback, "code").expect("a code")
}

fn client() -> reqwest::Client {
    users_tests::http().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

fn basic() -> String {
    let encoded = |text: &str| -> String {
        let mut url: Url = "http://localhost/".parse().expect("an address");
        url.query_pairs_mut().append_pair("a", text);
        url.query().expect("a query")["a=".len()..].to_owned()
    };
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET))))
}

/// Asks for tokens as the client.
async fn tokens(provider: &Provider, form: &[(&str, &str)]) -> (StatusCode, Value) {
    tokens_by(provider, Some(&basic()), form).await
}

async fn tokens_by(provider: &Provider, basic: Option<&str>, form: &[(&str, &str)]) -> (StatusCode, Value) {
    let mut body: Url = "http://localhost/".parse().expect("an address");
    body.query_pairs_mut().extend_pairs(form);
    let mut request = client()
        .post(format!("{}/token", provider.base()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.query().unwrap_or_default().to_owned());
    if let Some(basic) = basic {
        request = request.header("authorization", basic);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

fn with_code(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

async fn json_at(provider: &Provider, path: &str) -> Value {
    let answer = client().get(format!("{}{path}", provider.base())).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

fn segment(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).expect("a segment");
    serde_json::from_slice(&BASE64_URL.decode(segment).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn somebody_signs_in() {
    let provider = Provider::start().await;
    let callback = provider.visit(&address(&provider, &[]), &Person::ada()).await;
    assert!(callback.as_str().starts_with(CALLBACK), "{callback}");
    assert_eq!(parameter(&callback, "state").as_deref(), Some(STATE));
    assert_eq!(parameter(&callback, "iss").as_deref(), Some(provider.base()));
    let code = parameter(&callback, "code").expect("a code");
    let (status, body) = tokens(&provider, &with_code(&code)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["token_type"], "Bearer");

    let id_token = body["id_token"].as_str().expect("an ID token");
    let (header, claims) = (segment(id_token, 0), segment(id_token, 1));
    let set = json_at(&provider, "/keys").await;
    let keys = set["keys"].as_array().expect("keys");
    assert!(keys.iter().any(|key| key["kid"] == header["kid"]), "{header} {set}");
    for (name, value) in [
        ("iss", json!(provider.base())),
        ("aud", json!(CLIENT_ID)),
        ("sub", json!("ada-1815")),
        ("nonce", json!(NONCE)),
        ("email", json!("ada@example.com")),
        ("email_verified", json!(true)),
        ("name", json!("Ada Lovelace")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }

    let access = body["access_token"].as_str().expect("a token");
    let url = format!("{}/userinfo", provider.base());
    let info: Value = client().get(&url).bearer_auth(access).send().await.unwrap().json().await.unwrap();
    assert_eq!(info["sub"], "ada-1815");
    assert!(info.get("id").is_none(), "OpenID Connect has no `id`");
    assert_eq!(client().get(&url).bearer_auth("another").send().await.unwrap().status(), 401);

    for (endpoint, times) in [
        (Endpoint::Authorize, 1),
        (Endpoint::Token, 1),
        (Endpoint::UserInfo, 2),
        (Endpoint::KeySet, 1),
        (Endpoint::Discovery, 0),
    ] {
        assert_eq!(provider.asked(endpoint), times, "{endpoint:?}");
    }
    assert_eq!(provider.last_token_field("code"), Some(code));
}

#[tokio::test]
async fn without_openid_there_are_a_number_and_no_id_token() {
    let provider = Provider::start().await;
    let code = code(&provider, &Person::ada(), &[("scope", "email"), ("nonce", "")]).await;
    let (_, body) = tokens(&provider, &with_code(&code)).await;
    assert!(body.get("id_token").is_none(), "{body}");
    let access = body["access_token"].as_str().expect("a token");
    let url = format!("{}/userinfo", provider.base());
    let info: Value = client().get(&url).bearer_auth(access).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        info,
        json!({ "id": 1815, "sub": "ada-1815", "email": "ada@example.com", "email_verified": true })
    );
}

#[tokio::test]
async fn a_code_is_good_once_and_for_whoever_asked_for_it() {
    let provider = Provider::start().await;
    let ada = Person::ada();
    let used = code(&provider, &ada, &[]).await;
    assert_eq!(tokens(&provider, &with_code(&used)).await.0, 200);
    assert_eq!(tokens(&provider, &with_code(&used)).await.0, 400);
    assert_eq!(tokens(&provider, &with_code("another")).await.0, 400);
    for (name, value) in [
        ("redirect_uri", "http://127.0.0.1:3000/oauth2/company/callback/"),
        ("redirect_uri", ""),
        ("code_verifier", "another-verifier-of-forty-three-characters-too"),
        ("code_verifier", ""),
        ("grant_type", "password"),
    ] {
        let code = code(&provider, &ada, &[]).await;
        let mut form = with_code(&code);
        form.retain(|(other, _)| *other != name);
        form.push((name, value));
        let (status, body) = tokens(&provider, &form).await;
        assert_eq!(status, 400, "{name} {body}");
    }
}

#[tokio::test]
async fn the_client_proves_who_it_is_in_one_of_two_ways() {
    let provider = Provider::start().await;
    let ada = Person::ada();
    let plain = format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
    for (header, body, good) in [
        (Some(basic()), vec![], true),
        (None, vec![("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)], true),
        (None, vec![], false),
        (None, vec![("client_id", CLIENT_ID)], false),
        (None, vec![("client_id", CLIENT_ID), ("client_secret", "another")], false),
        (Some(plain), vec![], false),
        (Some("Basic".to_owned()), vec![], false),
        (Some(basic()), vec![("client_secret", CLIENT_SECRET)], false),
    ] {
        let code = code(&provider, &ada, &[]).await;
        let form = [with_code(&code), body].concat();
        let (status, answer) = tokens_by(&provider, header.as_deref(), &form).await;
        assert_eq!(status, if good { 200 } else { 401 }, "{header:?} {form:?} {answer}");
    }
}

#[tokio::test]
async fn refresh_tokens_are_good_once() {
    let provider = Provider::start().await;
    let code = code(&provider, &Person::grace(), &[]).await;
    let (_, body) = tokens(&provider, &with_code(&code)).await;
    let refresh = body["refresh_token"].as_str().expect("a token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, newer) = tokens(&provider, &form).await;
    assert_eq!(status, 200);
    assert_ne!(newer["access_token"], body["access_token"]);
    assert_eq!(tokens(&provider, &form).await.0, 400);
}

#[tokio::test]
async fn a_request_that_lacks_what_it_needs_is_sent_nowhere() {
    let provider = Provider::start().await;
    for change in [
        "client_id",
        "redirect_uri",
        "response_type",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ] {
        let answer = client().get(address(&provider, &[(change, "")])).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{change}");
    }
    let other = address(&provider, &[("code_challenge_method", "plain")]);
    assert_eq!(client().get(other).send().await.expect("an answer").status(), 400);
}

#[tokio::test]
async fn somebody_says_no() {
    let provider = Provider::start().await;
    let callback = provider.deny(&address(&provider, &[])).await;
    assert_eq!(parameter(&callback, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&callback, "state").as_deref(), Some(STATE));
    assert_eq!(parameter(&callback, "code"), None);
}

#[tokio::test]
async fn a_browser_is_shown_a_page_with_a_button_for_each_person() {
    let provider = Provider::start().await;
    provider.add(Person::new("\"><script>", "script@example.com", "<b>Bold</b>"));
    let address = address(&provider, &[("state", "\"><script>")]);
    let page = provider.page(&address).await;
    for button in [
        "value=\"ada-1815\">Sign in as Ada Lovelace</button>",
        "value=\"grace-1906\">Sign in as Grace Hopper</button>",
        ">Sign in as &lt;b&gt;Bold&lt;/b&gt;</button>",
        ">Deny</button>",
    ] {
        assert!(page.contains(button), "{button} {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    assert_eq!(provider.asked(Endpoint::Authorize), 0, "nobody has decided yet");
}

#[tokio::test]
async fn an_answer_can_be_posted() {
    let provider = Provider::start().await;
    let url = format!("{}&provider_choice=ada-1815", address(&provider, &[("response_mode", "form_post")]));
    let page = provider.page(&url).await;
    assert!(page.contains(&format!("action=\"{CALLBACK}\" method=\"post\"")), "{page}");
    assert!(page.contains("name=\"code\"") && page.contains("value=\"the-state\""), "{page}");
}

/// The ID token of a sign-in under a trick.
async fn id_token(provider: &Provider, trick: Trick) -> Option<String> {
    provider.honest();
    let code = code(provider, &Person::ada(), &[]).await;
    provider.trick(trick);
    let (status, body) = tokens(provider, &with_code(&code)).await;
    assert_eq!(status, 200, "{trick:?} {body}");
    body.get("id_token").map(|token| token.as_str().expect("a text").to_owned())
}

#[tokio::test]
async fn the_tricks_on_id_tokens_are_what_they_are_called() {
    let provider = Provider::start().await;
    let now = users_tests::now() / 1000;
    let honest = id_token(&provider, Trick::None).await.expect("an ID token");
    assert_eq!(id_token(&provider, Trick::NoIdToken).await, None);
    let of = async |trick| id_token(&provider, trick).await.expect("an ID token");
    let claim = async |trick, name: &str| segment(&of(trick).await, 1)[name].clone();
    let header = async |trick, name: &str| segment(&of(trick).await, 0)[name].clone();

    assert_ne!(claim(Trick::WrongNonce, "nonce").await, NONCE);
    assert_eq!(claim(Trick::NoNonce, "nonce").await, Value::Null);
    assert_ne!(claim(Trick::WrongAudience, "aud").await, CLIENT_ID);
    assert_eq!(claim(Trick::TwoAudiences, "aud").await.as_array().map(Vec::len), Some(2));
    assert_ne!(claim(Trick::WrongParty, "azp").await, CLIENT_ID);
    assert_ne!(claim(Trick::WrongIssuer, "iss").await, provider.base());
    assert_eq!(claim(Trick::NoIssuer, "iss").await, Value::Null);
    assert!(claim(Trick::Expired, "exp").await.as_i64() < Some(now));
    assert_eq!(claim(Trick::NoExpiry, "exp").await, Value::Null);
    assert!(claim(Trick::NotYetValid, "nbf").await.as_i64() > Some(now + 60));
    assert!(claim(Trick::IssuedInTheFuture, "iat").await.as_i64() > Some(now + 60));
    assert!(claim(Trick::Old, "iat").await.as_i64() < Some(now - 3600));
    assert_eq!(claim(Trick::NoSubject, "sub").await, Value::Null);
    assert_eq!(claim(Trick::EmptySubject, "sub").await, "");
    assert_eq!(claim(Trick::LongSubject, "sub").await.as_str().map(str::len), Some(256));
    assert_eq!(claim(Trick::NumericSubject, "sub").await, 7);
    assert_eq!(claim(Trick::Tampered, "sub").await, "somebody-else");

    let kid = segment(&honest, 0)["kid"].clone();
    assert_eq!(header(Trick::Unsigned, "alg").await, "none");
    assert!(of(Trick::Unsigned).await.ends_with('.'));
    assert_eq!(header(Trick::UnsignedWithSignature, "alg").await, "none");
    assert!(!of(Trick::UnsignedWithSignature).await.ends_with('.'));
    assert_eq!(header(Trick::SignedByAnotherKey, "kid").await, kid);
    assert_ne!(header(Trick::UnknownKey, "kid").await, kid);
    assert_eq!(header(Trick::SharedPublicKey, "alg").await, "HS256");
    assert_eq!(header(Trick::SharedSecret, "alg").await, "HS256");
    assert!(header(Trick::KeyInHeader, "jwk").await.is_object());
    assert!(header(Trick::CriticalHeader, "crit").await.is_array());
    assert_eq!(of(Trick::NotAnIdToken).await, "no.id.token");

    provider.rotate_keys();
    assert_ne!(header(Trick::None, "kid").await, kid);
    let set = json_at(&provider, "/keys").await;
    assert!(!set.to_string().contains(kid.as_str().expect("a text")), "{set}");
}

#[tokio::test]
async fn the_tricks_of_the_endpoints_are_what_they_are_called() {
    let provider = Provider::start().await;
    let base = provider.base().to_owned();
    let http = client();
    let status = async |trick, path: &str| {
        provider.trick(trick);
        let request = if path == "/token" {
            http.post(format!("{base}{path}"))
                .header("authorization", basic())
                .header("content-type", "application/x-www-form-urlencoded")
                .body("grant_type=refresh_token")
        } else {
            http.get(format!("{base}{path}"))
        };
        request.timeout(Duration::from_millis(700)).send().await
    };
    let configuration = "/.well-known/openid-configuration";
    for (trick, path, wanted) in [
        (Trick::Redirect, "/token", 307),
        (Trick::ServerError, "/token", 500),
        (Trick::Refuses, "/token", 400),
        (Trick::RefusesWith200, "/token", 200),
        (Trick::UserInfoServerError, "/userinfo", 500),
        (Trick::UserInfoRedirect, "/userinfo", 307),
        (Trick::DiscoveryServerError, configuration, 500),
        (Trick::DiscoveryRedirect, configuration, 307),
        (Trick::KeySetServerError, "/keys", 500),
    ] {
        assert_eq!(status(trick, path).await.expect("an answer").status(), wanted, "{trick:?}");
    }
    for (trick, path) in
        [(Trick::Slow, "/token"), (Trick::UserInfoSlow, "/userinfo"), (Trick::DiscoverySlow, configuration)]
    {
        assert!(status(trick, path).await.is_err_and(|error| error.is_timeout()), "{trick:?}");
    }
    let text = async |trick, path: &str| status(trick, path).await.expect("an answer").text().await;
    assert!(text(Trick::HugeBody, "/token").await.expect("a body").len() > 1024 * 1024);
    assert!(text(Trick::EndlessBody, "/token").await.is_err(), "the body ends");
    for (trick, path) in [(Trick::NotJson, "/token"), (Trick::UserInfoNotJson, "/userinfo")] {
        let body = text(trick, path).await.expect("a body");
        assert!(serde_json::from_str::<Value>(&body).is_err(), "{trick:?} {body}");
    }
    let json = async |trick, path: &str| -> Value {
        serde_json::from_str(&text(trick, path).await.expect("a body")).expect("JSON")
    };
    assert!(json(Trick::NoTokens, "/token").await.get("access_token").is_none());
    assert_ne!(json(Trick::DiscoveryOfAnother, configuration).await["issuer"], base);
    let insecure = json(Trick::DiscoveryOfInsecureEndpoints, configuration).await["token_endpoint"].clone();
    assert!(insecure.as_str().is_some_and(|url| url.starts_with("http://login.evil")), "{insecure}");
    assert_eq!(json(Trick::NoKeys, "/keys").await, json!({ "keys": [] }));
}

#[tokio::test]
async fn the_tricks_of_the_answer_are_what_they_are_called() {
    let provider = Provider::start().await;
    let answer = async |trick| {
        provider.trick(trick);
        provider.visit(&address(&provider, &[]), &Person::ada()).await
    };
    let issuer = parameter(&answer(Trick::AnswersAsAnother).await, "iss");
    assert!(issuer.is_some_and(|issuer| issuer != provider.base()));
    assert_eq!(parameter(&answer(Trick::AnswersAnonymously).await, "iss"), None);
    assert_ne!(parameter(&answer(Trick::WrongState).await, "state").as_deref(), Some(STATE));
    assert_eq!(parameter(&answer(Trick::Denies).await, "code"), None);

    provider.honest();
    let code = code(&provider, &Person::ada().outside_the_id_token(), &[]).await;
    provider.trick(Trick::UserInfoOfAnother);
    let (_, body) = tokens(&provider, &with_code(&code)).await;
    let claims = segment(body["id_token"].as_str().expect("a token"), 1);
    assert!(claims.get("email").is_none(), "{claims}");
    let info = client().get(format!("{}/userinfo", provider.base()));
    let info = info.bearer_auth(body["access_token"].as_str().expect("a token")).send().await;
    let info: Value = info.expect("an answer").json().await.expect("JSON");
    assert_ne!(info["sub"], claims["sub"]);
    assert_eq!(info["email"], "ada@example.com");
}
