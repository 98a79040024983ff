//! Tokens for a form, and refresh tokens: each is good once, and none outlives its session (S29).

use std::{collections::BTreeSet, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use users_tests::{Answer, App, Client, Kind, OTHER_PASSWORD, PASSWORD, now};

use crate::support::{
    Tokens, bearer, claims, each_kind, form, form_text, in_database, redis, redis_answers, refresh, refused,
    set_cookies, with,
};

const EMAIL: &str = "ann@example.com";

async fn with_ann(kind: Kind) -> (App, Client) {
    let app = App::start(kind).await;
    app.verified(EMAIL).await;
    let client = app.client();
    (app, client)
}

each_kind!(tokens, s29_a_form_gives_tokens, |kind| async move {
    let (_app, client) = with_ann(kind).await;
    let text = format!(
        "grant_type=password&username=Ann%40Example.COM&password={}&scope=everything&client_id=x",
        PASSWORD.replace(' ', "+")
    );
    let answer = form_text(&client, "/token", &text).await.expect(200, "");
    let names: BTreeSet<_> = answer.json().as_object().expect("an object").keys().cloned().collect();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"].map(String::from).into());
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-type").starts_with("application/json"));
    assert!(set_cookies(&answer).is_empty(), "{:?}", answer.headers);
    let tokens = Tokens::of(&answer);
    assert!((86_390..=86_400).contains(&tokens.expires_in), "{}", tokens.expires_in);
    assert_eq!(bearer(&client, &tokens.access).me().await.expect(200, "").json()["email"], EMAIL);
    // The type of the body may say more, and its case is no matter.
    let request = client.fresh().request("POST", "/token");
    let request = request.header("content-type", "Application/X-WWW-Form-URLencoded; charset=UTF-8");
    client.fresh().send(request.body(text)).await.expect(200, "");
});

each_kind!(tokens, s29_what_is_wrong_with_a_form_is_said_in_the_words_of_rfc_6749, |kind| async move {
    let (app, client) = with_ann(kind).await;
    client.register("new@example.com", PASSWORD).await.expect(201, "");
    let gone = app.verified("gone@example.com").await;
    app.admin.set_active(gone, false).await.expect("it is done");
    let password = PASSWORD.replace(' ', "+");
    let right = format!("grant_type=password&username={EMAIL}&password={password}");
    let long = "a".repeat(20_000);
    for (text, word) in [
        (String::new(), "invalid_request"),
        (format!("username={EMAIL}&password={password}"), "invalid_request"),
        (format!("grant_type=&username={EMAIL}&password={password}"), "invalid_request"),
        (format!("grant_type=password&username={EMAIL}"), "invalid_request"),
        (format!("grant_type=password&username={EMAIL}&password="), "invalid_request"),
        (format!("grant_type=password&password={password}"), "invalid_request"),
        (format!("{right}&grant_type=password"), "invalid_request"),
        (format!("{right}&username={EMAIL}"), "invalid_request"),
        (format!("{right}&password=x"), "invalid_request"),
        (format!("{right}&scope=a&scope=b"), "invalid_request"),
        (format!("{right}%00"), "invalid_request"),
        (format!("{right}&a=%00"), "invalid_request"),
        (format!("grant_type=password&username={EMAIL}&password={long}"), "invalid_request"),
        (format!("grant_type=password&username={EMAIL}&password={}", &long[..300]), "invalid_request"),
        ("grant_type=refresh_token".to_owned(), "invalid_request"),
        ("grant_type=refresh_token&refresh_token=".to_owned(), "invalid_request"),
        ("grant_type=refresh_token&refresh_token=x".to_owned(), "invalid_grant"),
        (right.replace("=password&", "=client_credentials&"), "unsupported_grant_type"),
        (right.replace("=password&", "=authorization_code&"), "unsupported_grant_type"),
        (right.replace("=password&", "=PASSWORD&"), "unsupported_grant_type"),
        (right.replace("=password&", "=password+&"), "unsupported_grant_type"),
        (format!("{right}x"), "invalid_grant"),
        (format!("{right}%ff"), "invalid_grant"),
        (right.replace(EMAIL, "nobody@example.com"), "invalid_grant"),
        (right.replace(EMAIL, "%ff%fe"), "invalid_grant"),
        (right.replace(EMAIL, "gone@example.com"), "invalid_grant"),
        (right.replace(EMAIL, "new@example.com"), "invalid_grant"),
    ] {
        let answer = form_text(&client, "/token", &text).await;
        let shown: String = text.chars().take(120).collect();
        assert_eq!(answer.json()["error"], word, "{shown}: {}", answer.text);
        refused(&answer, word);
        assert!(!answer.text.contains(PASSWORD), "{}", answer.text);
    }
    // Nobody learns here who has an account (S10).
    let unknown = form_text(&client, "/token", &right.replace(EMAIL, "nobody@example.com")).await;
    let wrong = form_text(&client, "/token", &format!("{right}x")).await;
    assert_eq!((&unknown.text, unknown.stable_headers()), (&wrong.text, wrong.stable_headers()));
    // Another kind of body.
    for kind in [Some("application/json"), Some("text/plain"), Some("multipart/form-data; boundary=x"), None]
    {
        let mut request = client.request("POST", "/token").body(right.clone());
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        refused(&client.send(request).await, "invalid_request");
    }
    client.get("/token").await.expect(405, "method_not_allowed");
    client.get("/token/refresh").await.expect(405, "method_not_allowed");
    assert_eq!(client.bearer(), None);
});

async fn exchange(client: &Client, way: usize, token: &str) -> Answer {
    let client = client.fresh();
    match way % 3 {
        0 => client.post("/token/refresh", &json!({ "refresh_token": token })).await,
        1 => form(&client, "/token/refresh", &[("refresh_token", token)]).await,
        _ => form(&client, "/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await,
    }
}

each_kind!(tokens, s29_a_refresh_token_is_good_once, |kind| async move {
    let (_app, client) = with_ann(kind).await;
    let bystander = Tokens::for_password(&client, EMAIL).await;
    let first = Tokens::for_password(&client, EMAIL).await;
    let mut all = vec![first];
    for way in 0..4 {
        let answer = exchange(&client, way, &all[way].refresh).await.expect(200, "");
        assert_eq!(answer.json().as_object().expect("an object").len(), 4, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(set_cookies(&answer).is_empty());
        all.push(Tokens::of(&answer));
    }
    let different: BTreeSet<_> = all.iter().flat_map(|tokens| [&tokens.access, &tokens.refresh]).collect();
    assert_eq!(different.len(), 10, "each is a new one");
    let sessions: BTreeSet<_> = all.iter().map(|tokens| claims(&tokens.access)["sid"].to_string()).collect();
    assert_eq!(sessions.len(), 1, "and all are of one login");
    for tokens in &all {
        assert_eq!(tokens.status(&client).await, 200, "an access token lives until it expires");
    }
    // Somebody uses an old one: the owner or a thief, and nobody can tell which.
    refused(&exchange(&client, 1, &all[2].refresh).await, "invalid_grant");
    for tokens in &all {
        assert_eq!(tokens.status(&client).await, 401);
    }
    for (way, tokens) in all.iter().enumerate() {
        refused(&exchange(&client, way, &tokens.refresh).await, "invalid_grant");
    }
    assert_eq!(bystander.status(&client).await, 200, "another login goes on");
    refresh(&client, &bystander.refresh).await.expect(200, "");
});

#[tokio::test]
async fn s29_a_browser_has_both_tokens_in_cookies_and_never_in_a_body() {
    let (app, _) = with_ann(Kind::JwtCookie).await;
    let client = app.client();
    let answer = client.post("/login?response=token", &json!({"email": EMAIL, "password": PASSWORD})).await;
    let answer = answer.expect(201, "");
    let old = client.cookies();
    assert_eq!(old.keys().collect::<Vec<_>>(), ["refresh", "token"]);
    assert!(old.values().all(|secret| !answer.text.contains(secret)), "{}", answer.text);
    let thief = client.snapshot();

    // A page of another origin does not even use the token up.
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let crossing = client.with_header(name, value);
        crossing.send(crossing.request("POST", "/token/refresh")).await.expect(403, "cross_origin");
    }
    let answer = client.send(client.request("POST", "/token/refresh")).await.expect(204, "");
    assert_eq!(answer.text, "");
    let cookies = set_cookies(&answer);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for cookie in &cookies {
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
    }
    let new = client.cookies();
    assert!(old["refresh"] != new["refresh"] && old["token"] != new["token"]);
    assert!(!answer.header("authorization").contains(&new["refresh"]));
    client.me().await.expect(200, "");

    // An empty form of the same origin does it too; a body that names a token is no browser's.
    let own = client.with_header("sec-fetch-site", "same-origin");
    form(&own, "/token/refresh", &[]).await.expect(204, "");

    thief.me().await.expect(200, "");
    refused(&thief.send(thief.request("POST", "/token/refresh")).await, "invalid_grant");
    client.me().await.expect(401, "unauthenticated");
    refused(&client.send(client.request("POST", "/token/refresh")).await, "invalid_grant");
}

#[tokio::test]
async fn s29_only_the_cookie_backend_reads_a_cookie() {
    for kind in [Kind::Jwt, Kind::OAuth2Password] {
        let (_app, client) = with_ann(kind).await;
        let tokens = Tokens::for_password(&client, EMAIL).await;
        let client = client.fresh();
        client.set_cookie("refresh", &tokens.refresh);
        let answer = client.send(client.request("POST", "/token/refresh")).await;
        assert_eq!(answer.status.as_u16(), 400, "{}", answer.text);
        refresh(&client, &tokens.refresh).await.expect(200, "");
    }
}

#[tokio::test]
async fn s29_a_login_gives_a_refresh_token_to_whoever_asks_for_tokens() {
    for kind in [Kind::Jwt, Kind::OAuth2Password] {
        let (_app, client) = with_ann(kind).await;
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let tokens = Tokens::of(&client.post("/login?response=token", &body).await.expect(201, ""));
        let next = Tokens::of(&refresh(&client, &tokens.refresh).await.expect(200, ""));
        assert_eq!(next.status(&client).await, 200);
    }
}

/// The end of every session, in milliseconds since 1970.
async fn end_of_sessions(app: &App) -> i64 {
    app.count("SELECT MAX(expires_at) FROM users_sessions").await
}

each_kind!(tokens, s29_a_family_ends_with_its_session, |kind| async move {
    let options =
        in_database(|config| config.with_session_timeouts(Duration::from_hours(1), Duration::from_hours(2)));
    let app = App::start_with(kind, options).await;
    app.verified(EMAIL).await;
    let client = app.client();
    let mut tokens = Tokens::for_password(&client, EMAIL).await;
    let end = end_of_sessions(&app).await;
    assert!((now() + 7_100_000..=now() + 7_200_000).contains(&end));
    for _ in 0..3 {
        assert!(tokens.expires_in <= 7_200, "{}", tokens.expires_in);
        assert!(claims(&tokens.access)["exp"].as_i64().expect("a number") * 1000 <= end);
        tokens = Tokens::of(&refresh(&client, &tokens.refresh).await.expect(200, ""));
        assert_eq!(end_of_sessions(&app).await, end, "no exchange puts the end off");
    }
    // An access token is not good beyond the session.
    let soon = now() + 100_000;
    app.query("UPDATE users_sessions SET expires_at = ?").bind(soon).execute().await;
    tokens = Tokens::of(&refresh(&client, &tokens.refresh).await.expect(200, ""));
    assert!((80..=100).contains(&tokens.expires_in), "{}", tokens.expires_in);
    assert!(claims(&tokens.access)["exp"].as_i64().expect("a number") * 1000 <= soon);
    app.query("UPDATE users_sessions SET expires_at = ?").bind(now()).execute().await;
    refused(&refresh(&client, &tokens.refresh).await, "invalid_grant");
    assert_eq!(tokens.status(&client).await, 401);

    // Nobody used this one for too long.
    let tokens = Tokens::for_password(&client, EMAIL).await;
    app.query("UPDATE users_sessions SET seen_at = ?").bind(now() - 3_600_000).execute().await;
    refused(&refresh(&client, &tokens.refresh).await, "invalid_grant");
    assert_eq!(tokens.status(&client).await, 401);
});

each_kind!(tokens, s29_every_store_ends_a_family, |kind| async move {
    let app = App::start_with(
        kind,
        with(|config| {
            let (idle, absolute) = (Duration::from_secs(3), Duration::from_secs(4));
            config.with_session_timeouts(idle, absolute).with_session_renewal(Duration::from_millis(1))
        }),
    )
    .await;
    app.verified(EMAIL).await;
    let client = app.client();
    let begun = now();
    let mut tokens = Tokens::for_password(&client, EMAIL).await;
    loop {
        let asked = now();
        let answer = refresh(&client, &tokens.refresh).await;
        if answer.status.as_u16() != 200 {
            refused(&answer, "invalid_grant");
            assert!(now() - begun >= 4_000, "it ended too early");
            break;
        }
        assert!(asked - begun < 4_000 + 2_000, "it did not end");
        tokens = Tokens::of(&answer);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(tokens.status(&client).await, 401);
});

each_kind!(tokens, s29_a_refresh_token_outlives_its_access_token, |kind| async move {
    let options = with(|config| config.with_token_lifetime(Duration::from_secs(1)));
    let app = App::start_with(kind, options).await;
    app.verified(EMAIL).await;
    let client = app.client();
    let tokens = Tokens::for_password(&client, EMAIL).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(tokens.status(&client).await, 401);
    let next = Tokens::of(&refresh(&client, &tokens.refresh).await.expect(200, ""));
    assert_eq!(
        (claims(&next.access)["sid"].clone(), next.expires_in),
        (claims(&tokens.access)["sid"].clone(), 1)
    );
});

each_kind!(tokens, s29_what_ends_a_session_ends_its_refresh_token, |kind| async move {
    let app = App::start(kind).await;
    let anonymous = app.client();
    for step in
        ["logout", "password", "reset", "end", "deactivated", "flag", "unverified", "deleted", "own deletion"]
    {
        let email = format!("{}@example.com", step.replace(' ', "-"));
        let id = app.verified(&email).await;
        let tokens = Tokens::for_password(&anonymous, &email).await;
        let second = Tokens::for_password(&anonymous, &email).await;
        let client = bearer(&anonymous, &tokens.access);
        match step {
            "logout" => drop(client.log_out().await.expect(201, "")),
            "password" => {
                let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
                client.patch("/users/me", &body).await.expect(200, "");
            }
            "reset" => {
                anonymous.forgot(&email).await.expect(201, "");
                let token = app.mailbox.token(&email, 2).await;
                anonymous.reset(&token, OTHER_PASSWORD).await.expect(201, "");
            }
            "end" => drop(client.send(client.request("DELETE", "/users/me/sessions")).await.expect(204, "")),
            "deactivated" => app.admin.set_active(id, false).await.expect("it is done"),
            "flag" => {
                app.query("UPDATE users SET is_active = FALSE WHERE id = ?").bind(id).execute().await;
            }
            "unverified" => app.admin.set_verified(id, false).await.expect("it is done"),
            "deleted" => drop(app.query("DELETE FROM users WHERE id = ?").bind(id).execute().await),
            _ => {
                let body = json!({ "current_password": PASSWORD });
                client.delete("/users/me", &body).await.expect(204, "");
            }
        }
        refused(&refresh(&anonymous, &tokens.refresh).await, "invalid_grant");
        assert_ne!(tokens.status(&anonymous).await, 200, "{step}");
        if step == "logout" {
            refresh(&anonymous, &second.refresh).await.expect(200, "");
        } else {
            refused(&refresh(&anonymous, &second.refresh).await, "invalid_grant");
        }
        if matches!(step, "deactivated" | "flag") {
            app.admin.set_active(id, true).await.expect("it is done");
            refused(&refresh(&anonymous, &tokens.refresh).await, "invalid_grant");
        }
    }
});

/// Shows one token a hundred times at once.
async fn race(app: &App) {
    app.verified(EMAIL).await;
    let client = app.client();
    let tokens = Tokens::for_password(&client, EMAIL).await;
    let bystander = Tokens::for_password(&client, EMAIL).await;
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let (client, token) = (client.fresh(), tokens.refresh.clone());
            tokio::spawn(async move { refresh(&client, &token).await })
        })
        .collect();
    let mut winners = Vec::new();
    for request in requests {
        let answer = request.await.expect("an answer");
        match answer.status.as_u16() {
            200 => winners.push(Tokens::of(&answer)),
            _ => refused(&answer, "invalid_grant"),
        }
    }
    assert_eq!(winners.len(), 1, "one exchange takes place");
    assert_eq!(winners[0].status(&client).await, 401, "and the family ends");
    refused(&refresh(&client, &winners[0].refresh).await, "invalid_grant");
    assert_eq!(tokens.status(&client).await, 401);
    assert_eq!(bystander.status(&client).await, 200);
}

each_kind!(tokens, s29_of_a_hundred_at_once_one_gets_the_next_token, |kind| async move {
    race(&App::start(kind).await).await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s29_of_a_hundred_at_once_one_gets_the_next_token_in_memory() {
    let options = with(|config| config.with_session_store("memory").expect("a store"));
    race(&App::start_with(Kind::Jwt, options).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s29_of_a_hundred_at_once_one_gets_the_next_token_in_redis() {
    if redis_answers().await {
        let options = with(|config| config.with_session_store(&redis()).expect("a store"));
        race(&App::start_with(Kind::Jwt, options).await).await;
    }
}

each_kind!(tokens, s29_use_of_the_access_token_meanwhile_ends_nothing, |kind| async move {
    let options = with(|config| config.with_session_renewal(Duration::from_millis(1)));
    let app = App::start_with(kind, options).await;
    app.verified(EMAIL).await;
    let client = app.client();
    let mut tokens = Tokens::for_password(&client, EMAIL).await;
    for _ in 0..15 {
        let uses: Vec<_> = (0..6)
            .map(|_| {
                let (client, tokens) = (client.fresh(), tokens.clone());
                tokio::spawn(async move { tokens.status(&client).await })
            })
            .collect();
        let next = refresh(&client, &tokens.refresh).await.expect(200, "");
        for status in uses {
            assert_eq!(status.await.expect("an answer"), 200);
        }
        tokens = Tokens::of(&next);
    }
});

each_kind!(tokens, s29_bytes_that_are_no_refresh_token_are_a_400, |kind| async move {
    let (_app, client) = with_ann(kind).await;
    let tokens = Tokens::for_password(&client, EMAIL).await;
    let other = Tokens::for_password(&client, EMAIL).await;
    let real = &tokens.refresh;
    assert_eq!(real.len(), 64);
    let mut texts: Vec<String> =
        ["", " ", "x", ".", "..", "null", "\u{fffd}", "é", "\r\n", "'; --", "-", "=", "____"]
            .map(String::from)
            .into();
    texts.extend((0..64).step_by(7).map(|length| real[..length].to_owned()));
    texts.push(real[..63].to_owned());
    texts.extend([
        format!("{real}A"),
        format!("{real}="),
        format!(" {real}"),
        format!("{real} "),
        "A".repeat(64),
    ]);
    texts.push(real.to_uppercase());
    texts.push("A".repeat(10_000));
    // Nobody's session.
    texts.push(BASE64_URL_SAFE_NO_PAD.encode([7; 48]));
    texts.push(tokens.access.clone());
    for (number, text) in texts.iter().enumerate() {
        // Of another case, the first bytes name another session, unless they have no letters.
        let answer = exchange(&client, number, text).await;
        assert_eq!(answer.status.as_u16(), 400, "{text:?}: {}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let word = answer.json()["error"].clone();
        assert!(
            word == "invalid_grant" || (text.is_empty() && word == "invalid_request"),
            "{text:?}: {word}"
        );
    }
    for body in [
        json!({}),
        json!({"refresh_token": 1}),
        json!({"refresh_token": null}),
        json!([real]),
        json!(null),
        json!({"refresh_token": real, "more": 1}),
        json!({"refresh_token": [real]}),
    ] {
        refused(&client.fresh().post("/token/refresh", &body).await, "invalid_request");
    }
    for text in [
        "{",
        "",
        "\u{0}",
        &format!("{{\"refresh_token\":\"{real}\",\"refresh_token\":\"{real}\"}}"),
        "{\"refresh_token\":\"\\u0000\"}",
    ] {
        let request = client.request("POST", "/token/refresh").header("content-type", "application/json");
        refused(&client.send(request.body(text.to_owned())).await, "invalid_request");
    }
    let twice = format!("refresh_token={real}&refresh_token={real}");
    refused(&form_text(&client, "/token/refresh", &twice).await, "invalid_request");
    let request = client.request("POST", "/token/refresh").header("content-type", "text/plain");
    refused(&client.send(request.body(real.clone())).await, "invalid_request");
    let answer = client.send(client.request("POST", "/token/refresh")).await;
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text);

    // None of it has cost anybody a session, and no session takes the secret of another.
    let parts = |token: &str| BASE64_URL_SAFE_NO_PAD.decode(token).expect("base64url");
    let mixed = [&parts(real)[..16], &parts(&other.refresh)[16..]].concat();
    let next = Tokens::of(&refresh(&client, real).await.expect(200, ""));
    refused(&refresh(&client, &BASE64_URL_SAFE_NO_PAD.encode(mixed)).await, "invalid_grant");
    assert_eq!(other.status(&client).await, 200);
    assert_eq!(next.status(&client).await, 401, "a wrong secret is one that was used up, or a guess");
});

#[tokio::test]
async fn s29_a_refresh_token_stands_nowhere_in_the_database() {
    let app = App::start_with(Kind::Jwt, in_database(|config| config)).await;
    app.verified(EMAIL).await;
    let tokens = Tokens::for_password(&app.client(), EMAIL).await;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&tokens.refresh).expect("base64url");
    let contents = app.contents().await;
    let holds = |part: &[u8]| contents.windows(part.len()).any(|window| window == part);
    assert!(!holds(tokens.refresh.as_bytes()) && !holds(&bytes[16..]) && !holds(tokens.access.as_bytes()));
    let content: String = app.query("SELECT content FROM users_sessions").value().await;
    let content: Value = serde_json::from_str(&content).expect("JSON");
    assert!(content["refresh"].is_string(), "{content}");
}
