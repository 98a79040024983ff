//! Accounts of providers that users link and unlink.

use users_tests::{Kind, OTHER_PASSWORD};

use crate::support::{ada, begin, path_of, person, world};

users_tests::each_backend!(users_link_and_unlink_accounts, |app| async {
    let kind = app.kind;
    drop(app);
    let world = world(kind).await;
    let member = world.app.user("grace@example.com").await;
    assert_eq!(member.get("/oauth2-associate").await.expect(200, "").json()["items"], serde_json::json!([]));
    let linked = world.link(&member, "oidc", &ada()).await.expect(201, "").json();
    assert_eq!(linked["provider"], "oidc");
    assert_eq!((&linked["subject"], &linked["email"]), (&"ada-1".into(), &"ada@example.com".into()));
    assert_eq!(
        linked["issuer"].as_str().map(|issuer| issuer.trim_end_matches('/')),
        Some(world.provider.base())
    );
    assert!(linked["linked_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{linked}");
    let listed = member.get("/oauth2-associate").await.expect(200, "");
    assert_eq!(listed.json()["items"][0]["id"], linked["id"]);
    assert!(!listed.text.contains("token"), "{}", listed.text);

    // Whoever signs in there is this user.
    let client = world.app.client();
    let body = world.sign_in(&client, "oidc", &ada()).await.expect(201, "").json();
    assert_eq!(body["email"], "grace@example.com");

    let path = format!("/oauth2-associate/{}", linked["id"].as_str().expect("an id"));
    let answer = member.delete(&path, &serde_json::Value::Null).await;
    assert_eq!(answer.status.as_u16(), 204, "{}", answer.text);
    member.delete(&path, &serde_json::Value::Null).await.expect(404, "not_found");
    // Nobody is the account's user any more, so signing in registers one.
    let body = world.sign_in(&world.app.client(), "oidc", &ada()).await.expect(201, "").json();
    assert_eq!(body["email"], "ada@example.com");
});

#[tokio::test]
async fn linking_needs_a_login_at_its_beginning_and_at_its_end() {
    let world = world(Kind::Session).await;
    let nobody = world.app.client();
    for path in
        ["/oauth2-associate", "/oauth2-associate/oidc/authorize", "/oauth2-associate/oidc/callback?code=x"]
    {
        nobody.get(path).await.expect(401, "unauthenticated");
    }
    let member = world.app.user("grace@example.com").await;
    let url = begin(&member, "/oauth2-associate/oidc/authorize").await;
    let path = path_of(&world.provider.visit(url.as_str(), &ada()).await);
    let kept = member.cookies()["oauth"].clone();
    member.log_out().await.expect(201, "");
    member.set_cookie("oauth", &kept);
    member.get(&path).await.expect(401, "unauthenticated");
    assert_eq!(world.links().await, 0);
}

#[tokio::test]
async fn s43_a_linking_ends_for_the_user_who_began_it() {
    let world = world(Kind::Session).await;
    let mallory = world.app.user("mallory@example.com").await;
    let url = begin(&mallory, "/oauth2-associate/oidc/authorize").await;
    let path = path_of(&world.provider.visit(url.as_str(), &person("mallory-1", "m@example.com")).await);
    // The victim's browser is made to end it, cookie and all.
    let victim = world.app.user("grace@example.com").await;
    victim.set_cookie("oauth", &mallory.cookies()["oauth"]);
    victim.get(&path).await.expect(400, "oauth_state_invalid");
    assert_eq!(world.links().await, 0);
    // Nor does it sign anybody in.
    let client = world.app.client();
    client.set_cookie("oauth", &mallory.cookies()["oauth"]);
    client.get(&path.replace("/oauth2-associate/", "/oauth2/")).await.expect(400, "oauth_state_invalid");
    client.me().await.expect(401, "unauthenticated");
}

#[tokio::test]
async fn s44_an_account_is_linked_to_one_user() {
    let world = world(Kind::Session).await;
    let (grace, barbara) =
        (world.app.user("grace@example.com").await, world.app.user("barbara@example.com").await);
    world.link(&grace, "oidc", &ada()).await.expect(201, "");
    world.link(&barbara, "oidc", &ada()).await.expect(400, "oauth_identity_taken");
    world.link(&grace, "oidc", &ada()).await.expect(400, "oauth_identity_taken");
    // Another account of the same provider is another one.
    world.link(&grace, "oidc", &person("ada-2", "ada@example.com")).await.expect(201, "");
    assert_eq!(world.links().await, 2);
    // Nobody sees or unlinks the accounts of others.
    let id =
        grace.get("/oauth2-associate").await.json()["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/oauth2-associate/{id}");
    barbara.delete(&path, &serde_json::Value::Null).await.expect(404, "not_found");
    assert_eq!(barbara.get("/oauth2-associate").await.json()["items"], serde_json::json!([]));
    assert_eq!(world.links().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_way_into_an_account_stays() {
    let world = world(Kind::JwtCookie).await;
    let client = world.app.client();
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
    let ids = async |client: &users_tests::Client| {
        let items = client.get("/oauth2-associate").await.expect(200, "").json()["items"].clone();
        let items = items.as_array().expect("a list").clone();
        items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let first = format!("/oauth2-associate/{}", ids(&client).await[0]);
    client.delete(&first, &serde_json::Value::Null).await.expect(409, "last_way_in");
    assert_eq!(world.links().await, 1);
    // With a second one, either may go; of both at once, one stays.
    world.link(&client, "plain", &person("ada-at-plain", "ada@example.org")).await.expect(201, "");
    let both = ids(&client).await;
    assert_eq!(both.len(), 2);
    let ends = both.iter().map(|id| {
        let (client, path) = (client.snapshot(), format!("/oauth2-associate/{id}"));
        tokio::spawn(async move { client.delete(&path, &serde_json::Value::Null).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for end in ends.collect::<Vec<_>>() {
        statuses.push(end.await.expect("no panic"));
    }
    statuses.sort_unstable();
    assert_eq!((statuses, world.links().await), (vec![204, 409], 1));
    // With a password, the last one may go, too.
    client.forgot("ada@example.com").await.expect(201, "");
    let token = world.app.mailbox.token("ada@example.com", 1).await;
    client.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    client.log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
    let last = format!("/oauth2-associate/{}", ids(&client).await[0]);
    let answer = client.delete(&last, &serde_json::Value::Null).await;
    assert_eq!((answer.status.as_u16(), world.links().await), (204, 0), "{}", answer.text);
}

#[tokio::test]
async fn accounts_go_with_their_user() {
    let world = world(Kind::Session).await;
    let member = world.app.user("grace@example.com").await;
    world.link(&member, "oidc", &ada()).await.expect(201, "");
    let body = serde_json::json!({"current_password": users_tests::PASSWORD});
    let answer = member.delete("/users/me", &body).await;
    assert_eq!(answer.status.as_u16(), 204, "{}", answer.text);
    assert_eq!((world.users().await, world.links().await), (0, 0));
}

#[tokio::test]
async fn ids_that_are_none_name_nothing() {
    let world = world(Kind::Session).await;
    let member = world.app.user("grace@example.com").await;
    for id in ["x", "%00", "../x", "00000000-0000-0000-0000-000000000000"] {
        let answer = member.delete(&format!("/oauth2-associate/{id}"), &serde_json::Value::Null).await;
        assert_eq!(answer.status.as_u16(), 404, "{id}: {}", answer.text);
    }
}
