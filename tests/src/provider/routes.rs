//! What the provider answers.

use std::{collections::HashMap, fmt::Write, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Query, State as Shared_},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64_URL},
};
use futures_util::stream;
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Begun, CLIENT_ID, CLIENT_SECRET, Endpoint, Person, Shared, Trick, merged, tokens::id_token};

/// The parameter by which the page says who signs in.
pub(super) const CHOICE: &str = "provider_choice";
/// Its value for nobody.
pub(super) const DENIES: &str = "nobody";

/// Longer than any client waits.
const SLOW: Duration = Duration::from_mins(1);

type Provider = Shared_<Arc<Shared>>;
type Parameters = HashMap<String, String>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/keys", get(key_set))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/userinfo", get(user_info))
        .with_state(shared)
}

impl Shared {
    /// Notes a request, and says what trick is played on it.
    fn asked(&self, endpoint: Endpoint) -> Trick {
        let mut state = self.state();
        *state.asked.entry(endpoint).or_default() += 1;
        state.trick
    }
}

async fn configuration(Shared_(shared): Provider) -> Response {
    let trick = shared.asked(Endpoint::Discovery);
    let base = &shared.base;
    let mut document = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    match trick {
        Trick::DiscoveryServerError => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Trick::DiscoverySlow => tokio::time::sleep(SLOW).await,
        Trick::DiscoveryRedirect => return Redirect::temporary("/keys").into_response(),
        Trick::DiscoveryOfAnother => document["issuer"] = json!("https://login.evil.example"),
        Trick::DiscoveryOfInsecureEndpoints => {
            document["token_endpoint"] = json!("http://login.evil.example/token");
        }
        _ => {}
    }
    Json(document).into_response()
}

async fn key_set(Shared_(shared): Provider) -> Response {
    match shared.asked(Endpoint::KeySet) {
        Trick::KeySetServerError => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Trick::NoKeys => Json(json!({ "keys": [] })).into_response(),
        _ => Json(shared.state().keys.set()).into_response(),
    }
}

async fn authorize(Shared_(shared): Provider, Query(query): Query<Parameters>) -> Response {
    let refuse = |problem: &str| (StatusCode::BAD_REQUEST, problem.to_owned()).into_response();
    let field = |name: &str| query.get(name).map(String::as_str);
    // Who asks, and where the answer goes, has to be clear before anything is sent there.
    if field("client_id") != Some(CLIENT_ID) {
        return refuse("another client");
    }
    let Some(mut answer) = field("redirect_uri").and_then(|uri| uri.parse::<Url>().ok()) else {
        return refuse("no redirect_uri");
    };
    if field("response_type") != Some("code") {
        return refuse("another response_type");
    }
    if field("code_challenge_method") != Some("S256") {
        return refuse("no PKCE by S256");
    }
    let (Some(challenge), Some(state)) = (field("code_challenge"), field("state")) else {
        return refuse("no code_challenge, or no state");
    };
    let scope = field("scope").unwrap_or_default();
    let openid = scope.split(' ').any(|scope| scope == "openid");
    if openid && field("nonce").is_none() {
        return refuse("no nonce");
    }
    let Some(choice) = field(CHOICE) else { return Html(page(&shared, &query)).into_response() };

    let trick = shared.asked(Endpoint::Authorize);
    let mut given = shared.state();
    let person = given.people.iter().find(|person| person.subject == choice).cloned();
    if let Some(person) = person.filter(|_| trick != Trick::Denies) {
        let code = random();
        let begun = Begun {
            person,
            redirect_uri: answer.to_string(),
            scope: scope.to_owned(),
            nonce: field("nonce").map(str::to_owned),
            challenge: challenge.to_owned(),
        };
        given.codes.insert(code.clone(), begun);
        answer.query_pairs_mut().append_pair("code", &code);
    } else {
        answer
            .query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "the user said no");
    }
    let state = if trick == Trick::WrongState { "the-state-of-another-sign-in" } else { state };
    answer.query_pairs_mut().append_pair("state", state);
    match trick {
        Trick::AnswersAsAnother => {
            answer.query_pairs_mut().append_pair("iss", "https://login.evil.example");
        }
        Trick::AnswersAnonymously => {}
        _ => {
            answer.query_pairs_mut().append_pair("iss", &shared.base);
        }
    }
    if field("response_mode") == Some("form_post") {
        return Html(posting(&answer)).into_response();
    }
    Redirect::to(answer.as_str()).into_response()
}

/// A page that asks who signs in.
fn page(shared: &Shared, query: &Parameters) -> String {
    let mut fields = String::new();
    for (name, value) in query {
        let _ =
            write!(fields, r#"<input type="hidden" name="{}" value="{}">"#, escaped(name), escaped(value));
    }
    let mut buttons = String::new();
    let mut button = |value: &str, text: &str| {
        let (value, text) = (escaped(value), escaped(text));
        let _ = writeln!(buttons, r#"<button name="{CHOICE}" value="{value}">{text}</button>"#);
    };
    for person in &shared.state().people {
        button(&person.subject, &format!("Sign in as {}", person.name.as_deref().unwrap_or(&person.subject)));
    }
    button(DENIES, "Deny");
    format!(
        "<!doctype html><title>Test provider</title><h1>Sign in</h1>\n\
         <form action=\"/authorize\" method=\"get\">{fields}\n{buttons}</form>"
    )
}

/// A page that posts an answer (OAuth 2.0 Form Post Response Mode).
fn posting(answer: &Url) -> String {
    let mut target = answer.clone();
    target.set_query(None);
    let mut fields = String::new();
    for (name, value) in answer.query_pairs() {
        let _ =
            write!(fields, r#"<input type="hidden" name="{}" value="{}">"#, escaped(&name), escaped(&value));
    }
    format!(
        "<!doctype html><title>Test provider</title><body onload=\"document.forms[0].submit()\">\
         <form action=\"{}\" method=\"post\">{fields}<button>Continue</button></form>",
        escaped(target.as_str())
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn token(Shared_(shared): Provider, headers: HeaderMap, body: String) -> Response {
    let Some(form) = form_of(&headers, &body) else {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", "not a form");
    };
    let trick = shared.asked(Endpoint::Token);
    shared.state().last_form.clone_from(&form);
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if !authenticated(&headers, &form) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client", "who are you?");
    }
    match trick {
        Trick::Slow => tokio::time::sleep(SLOW).await,
        Trick::Redirect => return Redirect::temporary("/token").into_response(),
        Trick::HugeBody => return "x".repeat(8 * 1024 * 1024).into_response(),
        Trick::EndlessBody => return endless(),
        Trick::NotJson => return Html("<h1>Under maintenance</h1>").into_response(),
        Trick::ServerError => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Trick::NoTokens => return Json(json!({ "token_type": "Bearer" })).into_response(),
        Trick::Refuses | Trick::RefusesWith200 => {
            let status = if trick == Trick::Refuses { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            return refusal(status, "invalid_grant", &format!("the code {} is no good", field("code")));
        }
        _ => {}
    }
    match field("grant_type") {
        "authorization_code" => {
            // A code is good once, and gone when somebody tries it.
            let begun = shared.state().codes.remove(field("code"));
            match begun {
                None => refusal(StatusCode::BAD_REQUEST, "invalid_grant", "no such code"),
                Some(begun) if begun.redirect_uri != field("redirect_uri") => {
                    refusal(StatusCode::BAD_REQUEST, "invalid_grant", "another redirect_uri")
                }
                Some(begun) if begun.challenge != challenge(field("code_verifier")) => {
                    refusal(StatusCode::BAD_REQUEST, "invalid_grant", "another code_verifier")
                }
                Some(begun) => granted(&shared, trick, &begun, true),
            }
        }
        "refresh_token" => {
            let known = shared.state().refresh.remove(field("refresh_token"));
            match known {
                None => refusal(StatusCode::BAD_REQUEST, "invalid_grant", "no such token"),
                Some((person, scope)) => {
                    let begun = Begun {
                        person,
                        redirect_uri: String::new(),
                        scope,
                        nonce: None,
                        challenge: String::new(),
                    };
                    granted(&shared, trick, &begun, false)
                }
            }
        }
        _ => refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", ""),
    }
}

/// Tokens for whoever agreed.
fn granted(shared: &Shared, trick: Trick, begun: &Begun, with_id_token: bool) -> Response {
    let (access, refresh) = (random(), random());
    let mut state = shared.state();
    state.access.insert(access.clone(), (begun.person.clone(), begun.scope.clone()));
    state.refresh.insert(refresh.clone(), (begun.person.clone(), begun.scope.clone()));
    let mut body = json!({
        "access_token": access,
        "token_type": if trick == Trick::AnotherTokenType { "DPoP" } else { "Bearer" },
        "expires_in": state.lifetime,
        "refresh_token": refresh,
        "scope": begun.scope,
    });
    let openid = begun.scope.split(' ').any(|scope| scope == "openid");
    if let Some(token) = id_token(trick, &shared.base, &state.keys, begun).filter(|_| openid && with_id_token)
    {
        body["id_token"] = json!(token);
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Whether the client proves who it is, by the header or in the body, but not by both (RFC 6749, section 2.3).
fn authenticated(headers: &HeaderMap, form: &Parameters) -> bool {
    let in_body = form.get("client_secret").map(String::as_str);
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return form.get("client_id").map(String::as_str) == Some(CLIENT_ID)
            && in_body == Some(CLIENT_SECRET);
    };
    let Some(pair) = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| BASE64_STANDARD.decode(value).ok())
        .and_then(|pair| String::from_utf8(pair).ok())
    else {
        return false;
    };
    let Some((id, secret)) = pair.split_once(':') else { return false };
    in_body.is_none()
        && form_decoded(id).as_deref() == Some(CLIENT_ID)
        && form_decoded(secret).as_deref() == Some(CLIENT_SECRET)
}

/// The fields of a form, in the encoding of forms.
fn form_of(headers: &HeaderMap, body: &str) -> Option<Parameters> {
    if headers.get(header::CONTENT_TYPE)? != "application/x-www-form-urlencoded" {
        return None;
    }
    let url: Url = format!("http://localhost/?{body}").parse().ok()?;
    Some(url.query_pairs().into_owned().collect())
}

/// What a text stands for in the encoding of forms; `None` for what is not in it.
fn form_decoded(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-._+%".contains(&byte)) {
        return None;
    }
    let url: Url = format!("http://localhost/?name={text}").parse().ok()?;
    url.query_pairs().next().map(|(_, value)| value.into_owned())
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    (status, Json(json!({ "error": error, "error_description": description }))).into_response()
}

/// A body that says nothing of its length and has no end.
fn endless() -> Response {
    let chunks = stream::repeat_with(|| Ok::<_, std::convert::Infallible>(" ".repeat(16 * 1024)));
    Body::from_stream(chunks).into_response()
}

async fn user_info(Shared_(shared): Provider, headers: HeaderMap) -> Response {
    let trick = shared.asked(Endpoint::UserInfo);
    match trick {
        Trick::UserInfoServerError => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Trick::UserInfoNotJson => return "not JSON".into_response(),
        Trick::UserInfoRedirect => return Redirect::temporary("/userinfo").into_response(),
        Trick::UserInfoSlow => tokio::time::sleep(SLOW).await,
        _ => {}
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let known = shared.state().access.get(token).cloned();
    let Some((person, scope)) = known else { return StatusCode::UNAUTHORIZED.into_response() };
    Json(described(trick, &person, &scope)).into_response()
}

/// The user information: by OpenID Connect for who asked for it, else with an `id` beside the subject.
fn described(trick: Trick, person: &Person, scope: &str) -> Value {
    let openid = scope.split(' ').any(|scope| scope == "openid");
    let mut claims = merged(json!({ "sub": person.subject }), &person.profile(scope));
    if !openid {
        claims["id"] = person.id.clone();
    }
    match trick {
        Trick::UserInfoOfAnother => claims["sub"] = json!("somebody-else"),
        Trick::NoSubject => {
            for name in ["sub", "id"] {
                claims.as_object_mut().expect("an object").remove(name);
            }
        }
        Trick::EmptySubject => claims["sub"] = json!(""),
        Trick::LongSubject => claims["sub"] = json!("x".repeat(256)),
        Trick::NumericSubject => claims["sub"] = json!(7),
        _ => {}
    }
    claims
}

/// What PKCE makes of a verifier (RFC 7636, section 4.2).
fn challenge(verifier: &str) -> String {
    BASE64_URL.encode(Sha256::digest(verifier))
}

fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("randomness");
    BASE64_URL.encode(bytes)
}
