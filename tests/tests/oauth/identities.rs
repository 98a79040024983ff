//! Who somebody is: issuer and subject, and never the address (S44, S45).

use std::time::Duration;

use serde_json::json;
use users_tests::{Kind, OTHER_PASSWORD, PASSWORD};

use crate::support::{ada, person, unverified, world, world_with};

#[tokio::test]
async fn s44_the_subject_is_who_somebody_is_and_the_address_is_not() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let id = world.sign_in(&client, "oidc", &ada()).await.expect(201, "").json()["id"].clone();
    // The address changes: the same user, whose own address stays.
    let moved = person("ada-1", "lovelace@example.com");
    let body = world.sign_in(&world.app.client(), "oidc", &moved).await.expect(201, "").json();
    assert_eq!((&body["id"], &body["email"]), (&id, &json!("ada@example.com")));
    // Somebody else gets the address at the provider: not the same user.
    let other = person("mallory-1", "ada@example.com");
    world.sign_in(&world.app.client(), "oidc", &other).await.expect(400, "oauth_account_exists");
    // Another issuer with the same subject is somebody else, too.
    let elsewhere = person("ada-1", "elsewhere@example.com");
    let body = world.sign_in(&world.app.client(), "plain", &elsewhere).await.expect(201, "").json();
    assert_ne!(body["id"], id);
    // Subjects are compared byte by byte.
    let upper = person("ADA-1", "upper@example.com");
    let body = world.sign_in(&world.app.client(), "oidc", &upper).await.expect(201, "").json();
    assert_ne!(body["id"], id);
    assert_eq!((world.users().await, world.links().await), (3, 3));
}

#[tokio::test]
async fn s44_an_account_without_a_subject_is_nobody() {
    for provider in ["oidc", "plain"] {
        let world = world(Kind::Session).await;
        for subject in ["", &"x".repeat(256)] {
            let client = world.app.client();
            let nobody = person(subject, "ada@example.com");
            world.sign_in(&client, provider, &nobody).await.expect(400, "oauth_failed");
            world.nothing_happened(&client).await;
        }
    }
}

#[tokio::test]
async fn s45_an_address_that_has_an_account_is_not_linked_by_default() {
    let world = world(Kind::JwtCookie).await;
    world.app.verified("ada@example.com").await;
    for somebody in [ada(), unverified(ada()), person("ada-1", "ADA@Example.com")] {
        let client = world.app.client();
        world.sign_in(&client, "oidc", &somebody).await.expect(400, "oauth_account_exists");
        client.me().await.expect(401, "unauthenticated");
    }
    assert_eq!((world.users().await, world.links().await), (1, 0));
}

#[tokio::test]
async fn s45_linking_by_address_needs_it_verified_on_both_sides() {
    let world = world_with(Kind::JwtCookie, |config| config.with_oauth_linking_by_email(true)).await;
    let client = world.app.client();
    // Registered, and not verified: anybody could have done that.
    client.register("ada@example.com", PASSWORD).await.expect(201, "");
    world.sign_in(&world.app.client(), "oidc", &ada()).await.expect(400, "oauth_account_exists");
    let token = world.app.mailbox.token("ada@example.com", 1).await;
    client.verify(&token).await.expect(201, "");
    // Verified here, and not there.
    world.sign_in(&world.app.client(), "oidc", &unverified(ada())).await.expect(400, "oauth_account_exists");
    assert_eq!(world.links().await, 0);
    // Verified on both sides, however it is written.
    let client = world.app.client();
    let same = person("ada-1", "Ada@Example.com");
    let body = world.sign_in(&client, "oidc", &same).await.expect(201, "").json();
    assert_eq!(body["email"], "ada@example.com");
    assert_eq!((world.users().await, world.links().await), (1, 1));
    // The password still works.
    world.app.client().log_in("ada@example.com", PASSWORD).await.expect(201, "");
}

#[tokio::test]
async fn s45_an_address_that_the_provider_has_not_verified_is_proven_here_first() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    world.sign_in(&client, "oidc", &unverified(ada())).await.expect(403, "not_verified");
    client.me().await.expect(401, "unauthenticated");
    let token = world.app.mailbox.token("ada@example.com", 1).await;
    client.verify(&token).await.expect(201, "");
    world.sign_in(&client, "oidc", &unverified(ada())).await.expect(201, "");
    client.me().await.expect(200, "");
}

#[tokio::test]
async fn s38_a_reset_unlinks_who_came_before_the_address_was_proven() {
    let world = world(Kind::Session).await;
    // Somebody signs up with an address that is not theirs, and waits.
    let squatter = unverified(person("mallory-1", "ada@example.com"));
    world.sign_in(&world.app.client(), "oidc", &squatter).await.expect(403, "not_verified");
    assert_eq!(world.links().await, 1);
    world.app.mailbox.token("ada@example.com", 1).await;
    // The owner of the mailbox takes the account over.
    let owner = world.app.client();
    owner.forgot("ada@example.com").await.expect(201, "");
    let token = world.app.mailbox.token("ada@example.com", 2).await;
    owner.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    owner.log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
    assert_eq!(world.links().await, 0);
    world.sign_in(&world.app.client(), "oidc", &squatter).await.expect(400, "oauth_account_exists");
}

#[tokio::test]
async fn a_hook_that_puts_another_address_there_has_it_proven() {
    let world = world(Kind::Session).await;
    let client = world.app.client().with_header(users_tests::apps::HOOK_HEADER, "readdress");
    world.sign_in(&client, "oidc", &ada()).await.expect(403, "not_verified");
    assert_eq!(world.app.mailbox.settled("Hooked@Example.com").await, 1);
}

#[tokio::test]
async fn somebody_without_an_address_cannot_register_by_one() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let nameless = ada().with_email(None, false);
    world.sign_in(&client, "oidc", &nameless).await.expect(400, "oauth_email_missing");
    world.nothing_happened(&client).await;
}

#[tokio::test]
async fn s23_a_deactivated_user_stays_out() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
    let id = world.app.id_of("ada@example.com").await;
    world.app.admin.set_active(id, false).await.expect("done");
    client.me().await.expect(401, "unauthenticated");
    world.sign_in(&client, "oidc", &ada()).await.expect(403, "forbidden");
    world.app.admin.set_active(id, true).await.expect("done");
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
}

#[tokio::test]
async fn s23_a_sign_in_within_the_grace_of_a_deletion_brings_the_account_back_as_a_login_does() {
    let world =
        world_with(Kind::Session, |config| config.with_deletion_grace(Duration::from_hours(24))).await;
    let client = world.app.user("ada@example.com").await;
    world.link(&client, "oidc", &ada()).await.expect(201, "");
    client.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
    client.me().await.expect(401, "unauthenticated");
    let browser = world.app.client();
    world.sign_in(&browser, "oidc", &ada()).await.expect(201, "");
    browser.me().await.expect(200, "");
    assert_eq!(world.app.count("SELECT COUNT(*) FROM users_deletions").await, 0);
    // Once its day has come, nobody comes back.
    browser.delete("/users/me", &json!({"current_password": PASSWORD})).await.expect(204, "");
    world.app.execute("UPDATE users_deletions SET due_at = 1").await;
    let late = world.sign_in(&world.app.client(), "oidc", &ada()).await;
    assert!(matches!(late.status.as_u16(), 400 | 403), "{}", late.text);
}
