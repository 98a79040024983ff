//! A sign-in belongs to the browser and the provider that it began with, and ends once (S43, CVE-2025-68481).

use reqwest::Url;
use users_tests::{Kind, provider::Provider};

use crate::support::{World, ada, begin, oidc, path_of, plain, world};

/// A URL's query with one parameter replaced, or taken away.
fn with(path: &str, name: &str, value: Option<&str>) -> String {
    let mut url = Url::parse(&format!("http://app.invalid{path}")).expect("a URL");
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    path_of(&url)
}

#[tokio::test]
async fn s43_an_answer_without_the_browser_that_asked_is_refused() {
    let world = world(Kind::JwtCookie).await;
    // An attacker begins a sign-in and lures a victim to its end.
    let attacker = world.app.client();
    let path = world.way_back(&attacker, "oidc", &ada()).await;
    let victim = world.app.client();
    victim.get(&path).await.expect(400, "oauth_state_invalid");
    world.nothing_happened(&victim).await;
    // One who has begun a sign-in of their own is as safe.
    begin(&victim, "/oauth2/oidc/authorize").await;
    victim.get(&path).await.expect(400, "oauth_state_invalid");
    world.nothing_happened(&victim).await;
}

#[tokio::test]
async fn s43_the_state_is_compared_as_a_whole() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let path = world.way_back(&client, "oidc", &ada()).await;
    let url = Url::parse(&format!("http://app.invalid{path}")).expect("a URL");
    let state = url.query_pairs().find(|(key, _)| key == "state").expect("a state").1.into_owned();
    for wrong in [
        None,
        Some(String::new()),
        Some(state[..state.len() - 1].to_owned()),
        Some(format!("{state}A")),
        Some(state.to_lowercase()),
    ] {
        let client = client.snapshot();
        client.get(&with(&path, "state", wrong.as_deref())).await.expect(400, "oauth_state_invalid");
        world.nothing_happened(&client).await;
    }
    let twice = format!("{path}&state={state}");
    client.snapshot().get(&twice).await.expect(400, "oauth_state_invalid");
    client.get(&path).await.expect(201, "");
}

#[tokio::test]
async fn s43_an_answer_ends_a_sign_in_of_its_own_provider_alone() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let path = world.way_back(&client, "oidc", &ada()).await;
    let other = path.replace("/oauth2/oidc/", "/oauth2/plain/");
    client.snapshot().get(&other).await.expect(400, "oauth_state_invalid");
    let unknown = path.replace("/oauth2/oidc/", "/oauth2/unknown/");
    client.snapshot().get(&unknown).await.expect(404, "not_found");
    // Nor does it link an account.
    let member = world.app.user("grace@example.com").await;
    let kept = client.cookies()["oauth"].clone();
    member.set_cookie("oauth", &kept);
    let linking = path.replace("/oauth2/", "/oauth2-associate/");
    member.get(&linking).await.expect(400, "oauth_state_invalid");
    assert_eq!(world.links().await, 0);
}

#[tokio::test]
async fn s43_an_answer_is_good_once() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let path = world.way_back(&client, "oidc", &ada()).await;
    let before = client.snapshot();
    client.get(&path).await.expect(201, "");
    client.get(&path).await.expect(400, "oauth_state_invalid");
    // Whoever has a copy of the cookie has a code that the provider takes back.
    before.get(&path).await.expect(400, "oauth_failed");
}

#[tokio::test]
async fn s43_what_the_browser_keeps_is_sealed() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let answer = client.get("/oauth2/oidc/authorize").await.expect(200, "");
    let cookie = answer.header("set-cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let url: Url = answer.json()["authorization_url"].as_str().expect("a URL").parse().expect("a URL");
    for (name, value) in url.query_pairs() {
        assert!(value.len() < 20 || !cookie.contains(value.as_ref()), "{name} is readable: {cookie}");
    }
    let path = path_of(&world.provider.visit(url.as_str(), &ada()).await);
    let kept = client.cookies()["oauth"].clone();
    for index in [0, 8, kept.len() / 2, kept.len() - 1] {
        let mut tampered = kept.clone().into_bytes();
        tampered[index] = if tampered[index] == b'A' { b'B' } else { b'A' };
        let client = world.app.client();
        client.set_cookie("oauth", &String::from_utf8(tampered).expect("ASCII"));
        client.get(&path).await.expect(400, "oauth_state_invalid");
        world.nothing_happened(&client).await;
    }
    // A sealed value of another kind does not stand in for it.
    let sealed = users_tests::App::start(Kind::SessionCookie).await.user("grace@example.com").await;
    let foreign = world.app.client();
    foreign.set_cookie("oauth", sealed.cookies().values().next().expect("a cookie"));
    foreign.get(&path).await.expect(400, "oauth_state_invalid");
}

#[tokio::test]
async fn s43_a_code_needs_the_verifier_that_was_made_for_it() {
    let world = world(Kind::Session).await;
    // The attacker steals the victim's code and shows it with a state and a verifier of their own.
    let victim = world.app.client();
    let stolen = world.way_back(&victim, "oidc", &ada()).await;
    let stolen = Url::parse(&format!("http://app.invalid{stolen}")).expect("a URL");
    let code = stolen.query_pairs().find(|(key, _)| key == "code").expect("a code").1.into_owned();
    let attacker = world.app.client();
    let own = world.way_back(&attacker, "oidc", &ada()).await;
    attacker.get(&with(&own, "code", Some(&code))).await.expect(400, "oauth_failed");
    world.nothing_happened(&attacker).await;
}

#[tokio::test]
async fn two_providers_of_one_name_do_not_start() {
    let provider = Provider::start().await;
    let config = users_runtime::Config::development()
        .expect("randomness")
        .with_oauth_provider(oidc(&provider))
        .with_oauth_provider(plain(&provider).with_name("oidc"));
    let refused = users_tests::apps::session::Users::connect("sqlite::memory:", config).await;
    let message = refused.expect_err("a refusal").to_string();
    assert!(message.contains("oidc"), "{message}");
}

#[tokio::test]
async fn s49_the_form_of_a_provider_passes_and_does_nothing_but_to_send_the_browser_on() {
    for kind in [Kind::Session, Kind::JwtCookie] {
        let World { app, provider } = world(kind).await;
        let world = World { app, provider };
        let client = world.app.client();
        let path = world.way_back(&client, "oidc", &ada()).await;
        let (route, query) = path.split_once('?').expect("a query");
        let foreign = client.fresh();
        let request = foreign
            .request("POST", route)
            .header("origin", "https://appleid.apple.example")
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{query}&user=%7B%22name%22%3A1%7D&id_token=x"));
        let answer = foreign.send(request).await;
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
        assert!(answer.headers.get("set-cookie").is_none());
        let location = answer.header("location").to_owned();
        assert!(location.starts_with('?') && !location.contains("user") && !location.contains("id_token"));
        // The browser goes there with its cookies.
        client.get(&format!("{route}{location}")).await.expect(201, "");
        // No other route of the group takes requests from elsewhere, and this one takes no other method.
        for (method, path) in [("DELETE", "/oauth2-associate/x"), ("PUT", route), ("POST", "/logout")] {
            let request = client.request(method, path).header("origin", "https://evil.example");
            let answer = client.send(request).await;
            assert_eq!(answer.code(), "cross_origin", "{method} {path}: {}", answer.text);
        }
    }
}
