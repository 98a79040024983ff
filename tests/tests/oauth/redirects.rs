//! Where people are sent in the end (S47).

use users_tests::Kind;

use crate::support::{World, ada, begin, path_of, world_with};

const PAGE: &str = "https://app.example.com/welcome?from=provider";

async fn world(kind: Kind) -> World {
    world_with(kind, |config| config.with_oauth_redirect("https://app.example.com").expect("an origin")).await
}

fn asking(target: &str) -> String {
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("redirect_url", target).finish();
    format!("/oauth2/oidc/authorize?{query}")
}

#[tokio::test]
async fn s47_people_are_sent_to_an_allowed_page_with_their_cookie() {
    for kind in [Kind::Session, Kind::SessionCookie, Kind::JwtCookie] {
        let world = world(kind).await;
        let client = world.app.client();
        let url = begin(&client, &asking(PAGE)).await;
        let path = path_of(&world.provider.visit(url.as_str(), &ada()).await);
        let answer = client.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, PAGE), "{}", answer.text);
        assert!(answer.header("authorization").is_empty() && !answer.text.contains("ada"));
        client.me().await.expect(200, "");
    }
}

#[tokio::test]
async fn s47_a_failure_is_told_to_the_page_in_a_word() {
    let world = world(Kind::Session).await;
    world.app.verified("ada@example.com").await;
    let client = world.app.client();
    let url = begin(&client, &asking(PAGE)).await;
    let path = path_of(&world.provider.visit(url.as_str(), &ada()).await);
    let answer = client.get(&path).await;
    let page = format!("{PAGE}&error=oauth_account_exists");
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, page.as_str()));
    client.me().await.expect(401, "unauthenticated");

    let url = begin(&client, &asking(PAGE)).await;
    let answer = client.get(&path_of(&world.provider.deny(url.as_str()).await)).await;
    assert_eq!(answer.header("location"), format!("{PAGE}&error=oauth_denied"));
}

#[tokio::test]
async fn s47_tricks_are_refused_where_they_are_asked_for() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    for trick in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.com@evil.example",
        "https://evil.example#https://app.example.com",
        "https://app.example.com:8443",
        "http://app.example.com",
        "//app.example.com",
        "//evil.example",
        "/\\evil.example",
        "https:\\\\app.example.com\\@evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/welcome",
        "",
    ] {
        let answer = client.get(&asking(trick)).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["redirect_url: not_allowed"], "{trick}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    let twice = format!("{}&redirect_url=https%3A%2F%2Fevil.example", asking(PAGE));
    client.get(&twice).await.expect(422, "validation_failed");
    // By default there is nowhere to go.
    let closed = crate::support::world(Kind::Session).await;
    closed.app.client().get(&asking(PAGE)).await.expect(422, "validation_failed");
}

#[tokio::test]
async fn a_backend_that_gives_headers_sends_nobody_anywhere() {
    let world = world(Kind::Jwt).await;
    let answer = world.app.client().get(&asking(PAGE)).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["redirect_url: not_available"]);
    // Without a page, the credential is in the answer.
    let client = world.app.client();
    let answer = world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
    assert!(answer.header("authorization").starts_with("Bearer "), "{:?}", answer.headers);
}
