//! The tokens of providers: sealed, shown to nobody, refreshed for the program (S48).

use users_tests::{Kind, provider::Endpoint};
use uuid::Uuid;

use crate::support::{World, ada, person, world};

/// Somebody who signed in; the user's key and the account's.
async fn signed_in(world: &World) -> (users_tests::Client, Uuid, Uuid) {
    let client = world.app.client();
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
    let user = world.app.id_of("ada@example.com").await;
    let account = client.get("/oauth2-associate").await.json()["items"][0]["id"].clone();
    (client, user, account.as_str().and_then(|id| id.parse().ok()).expect("a key"))
}

/// How often tokens were refreshed, after one sign-in.
fn refreshes(world: &World) -> usize {
    world.provider.asked(Endpoint::Token) - 1
}

#[tokio::test]
async fn s48_the_database_and_the_answers_hold_no_token() {
    let world = world(Kind::Session).await;
    let (client, user, account) = signed_in(&world).await;
    let tokens = world.app.admin.oauth_tokens(user, account).await.expect("tokens").expect("an account");
    let contents = world.app.contents().await;
    let secrets = [Some(tokens.expose_access_token()), tokens.expose_refresh_token()];
    for secret in secrets.into_iter().flatten() {
        assert!(secret.len() > 8);
        assert!(!contents.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
        for path in ["/users/me", "/oauth2-associate"] {
            assert!(!client.get(path).await.text.contains(secret), "{path}");
        }
    }
    assert!(tokens.expose_refresh_token().is_some());
    assert!(!format!("{tokens:?}").contains(tokens.expose_access_token()));
}

#[tokio::test]
async fn s48_the_sealed_tokens_of_another_account_open_nothing() {
    let world = world(Kind::Session).await;
    let (_, user, account) = signed_in(&world).await;
    let other = person("mallory-1", "mallory@example.com");
    world.sign_in(&world.app.client(), "oidc", &other).await.expect(201, "");
    // Whoever writes to the database moves a row's tokens to another one.
    let stolen: String = world
        .app
        .query("SELECT tokens FROM users_oauth_accounts WHERE subject = ?")
        .bind("mallory-1")
        .value()
        .await;
    world
        .app
        .query("UPDATE users_oauth_accounts SET tokens = ? WHERE subject = ?")
        .bind(stolen.as_str())
        .bind("ada-1")
        .execute()
        .await;
    assert_eq!(world.app.admin.oauth_tokens(user, account).await.expect_err("none").code(), "oauth_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_refreshed_when_they_end_and_once_for_all_who_ask() {
    let world = world(Kind::Session).await;
    // Good for less than what is refreshed ahead.
    world.provider.tokens_live_for(30);
    let (_, user, account) = signed_in(&world).await;
    world.provider.tokens_live_for(3600);
    let asked = (0..10).map(|_| {
        let admin = std::sync::Arc::clone(&world.app.admin);
        tokio::spawn(async move { admin.oauth_tokens(user, account).await })
    });
    let mut access = Vec::new();
    for answer in asked.collect::<Vec<_>>() {
        let tokens = answer.await.expect("no panic").expect("tokens").expect("an account");
        access.push(tokens.expose_access_token().to_owned());
    }
    access.dedup();
    assert_eq!((access.len(), refreshes(&world)), (1, 1));
    // And they are stored.
    let tokens = world.app.admin.oauth_tokens(user, account).await.expect("tokens").expect("an account");
    assert_eq!((tokens.expose_access_token(), refreshes(&world)), (access[0].as_str(), 1));
}

#[tokio::test]
async fn tokens_that_are_good_are_left_alone() {
    let world = world(Kind::Session).await;
    let (_, user, account) = signed_in(&world).await;
    world.app.admin.oauth_tokens(user, account).await.expect("tokens").expect("an account");
    assert_eq!(refreshes(&world), 0);
    let nobody = world.app.admin.oauth_tokens(user, Uuid::nil()).await.expect("an answer");
    assert!(nobody.is_none());
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_is_an_error_of_the_provider() {
    let world = world(Kind::Session).await;
    world.provider.tokens_live_for(1);
    let (_, user, account) = signed_in(&world).await;
    world.provider.revoke_all();
    assert_eq!(world.app.admin.oauth_tokens(user, account).await.expect_err("none").code(), "oauth_failed");
}
