//! The dance as it should be.

use serde_json::json;
use users_tests::{Kind, OTHER_PASSWORD, PASSWORD};

use crate::support::{World, ada, begin, named, oidc, path_of, person, world, world_with};

async fn a_life(World { app, provider }: World, name: &str) {
    let world = World { app, provider };
    let client = world.app.client();
    let answer = world.sign_in(&client, name, &ada()).await.expect(201, "");
    let body = answer.json();
    assert_eq!((&body["email"], &body["is_verified"]), (&json!("ada@example.com"), &json!(true)));
    assert!(body.get("password_hash").is_none() && !answer.text.contains("token"), "{}", answer.text);
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(client.me().await.expect(200, "").json()["id"], body["id"]);
    assert!(!client.cookies().contains_key("oauth"), "what was kept on the way is gone");

    // The same person again, from another browser.
    let other = world.app.client();
    let again = world.sign_in(&other, name, &ada()).await.expect(201, "");
    assert_eq!(again.json()["id"], body["id"]);
    assert_eq!((world.users().await, world.links().await), (1, 1));

    // Login hooks count both.
    assert_eq!(other.me().await.json()["login_count"], 2);
    other.log_out().await.expect(201, "");
    other.me().await.expect(401, "unauthenticated");
}

users_tests::each_backend!(s43_people_sign_in_through_openid_connect, |app| async {
    let kind = app.kind;
    drop(app);
    a_life(world(kind).await, "oidc").await;
});

#[tokio::test]
async fn people_sign_in_through_plain_oauth2() {
    a_life(world(Kind::JwtCookie).await, "plain").await;
}

#[tokio::test]
async fn s43_the_way_there_says_what_the_standards_ask_for() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let url = begin(&client, "/oauth2/oidc/authorize").await;
    let of = |name: &str| {
        let mut values =
            url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        (values.next().unwrap_or_default(), values.next())
    };
    assert_eq!(of("response_type"), ("code".to_owned(), None));
    assert_eq!(of("code_challenge_method"), ("S256".to_owned(), None));
    for (name, least) in [("state", 43), ("nonce", 43), ("code_challenge", 43)] {
        assert!(of(name).0.len() >= least, "{name} in {url}");
    }
    assert!(of("redirect_uri").0.ends_with("/oauth2/oidc/callback"), "{url}");
    assert!(of("scope").0.split(' ').any(|scope| scope == "openid"), "{url}");
    let again = begin(&client, "/oauth2/oidc/authorize").await;
    assert_ne!(again.query(), url.query(), "each is another one");
}

#[tokio::test]
async fn an_unknown_provider_and_an_application_without_any_are_404() {
    let with = world(Kind::Session).await;
    let client = with.app.client();
    for path in ["/oauth2/unknown/authorize", "/oauth2/OIDC/authorize", "/oauth2/oidc/unknown"] {
        client.get(path).await.expect(404, "not_found");
    }
    let without = users_tests::App::start(Kind::Session).await;
    without.client().get("/oauth2/oidc/authorize").await.expect(404, "not_found");
    assert!(!without.client().get("/oauth2-associate").await.status.is_success());
}

#[tokio::test]
async fn scopes_are_asked_for_when_they_are_allowed() {
    let provider = users_tests::provider::Provider::start().await;
    let oidc = oidc(&provider).with_allowed_scopes(["calendar"]);
    let options = users_tests::Options {
        config: Box::new(|config| config.with_oauth_provider(oidc)),
        ..users_tests::Options::default()
    };
    let app = users_tests::App::start_with(Kind::Session, options).await;
    let client = app.client();
    let url = begin(&client, "/oauth2/oidc/authorize?scopes=calendar").await;
    let scope = url.query_pairs().find(|(key, _)| key == "scope").map(|(_, value)| value.into_owned());
    let scope = scope.unwrap_or_default();
    for word in ["openid", "calendar"] {
        assert!(scope.split(' ').any(|asked| asked == word), "{scope}");
    }
    client.get("/oauth2/oidc/authorize?scopes=calendar,admin").await.expect(422, "validation_failed");
    client.get("/oauth2/oidc/authorize?scope=calendar").await.expect(422, "validation_failed");
}

#[tokio::test]
async fn a_user_without_a_password_chooses_one_by_a_reset() {
    let world = world(Kind::JwtCookie).await;
    let client = world.app.client();
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
    let stranger = world.app.client();
    for password in ["", "!", PASSWORD] {
        let answer = stranger.log_in("ada@example.com", password).await;
        assert_eq!(answer.code(), "bad_credentials", "{}", answer.text);
    }
    stranger.forgot("ada@example.com").await.expect(201, "");
    let token = world.app.mailbox.token("ada@example.com", 1).await;
    stranger.reset(&token, OTHER_PASSWORD).await.expect(201, "");
    client.me().await.expect(401, "unauthenticated");
    stranger.log_in("ada@example.com", OTHER_PASSWORD).await.expect(201, "");
    // The provider still lets its user in.
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
}

#[tokio::test]
async fn people_whom_a_provider_vouches_for_are_registered_by_the_rules_and_hooks_of_all() {
    let world = world(Kind::JwtCookie).await;
    let lovelace = named(ada(), "Ada Lovelace");
    let client = world.app.client();
    let body = world.sign_in(&client, "oidc", &lovelace).await.expect(201, "").json();
    assert_eq!(body["display_name"], "Ada Lovelace", "a hook took it over");
    assert_eq!(body["age"], 30, "the default");
    let steps = "SELECT COUNT(*) FROM hook_notes WHERE step IN ('after_register', 'after_oauth_link')";
    assert_eq!(world.app.count(steps).await, 2);

    // A name that breaks the rules of its field is no registration, and one that has no field neither.
    let short = named(person("bob-1", "bob@example.com"), "B");
    let client = world.app.client();
    world.sign_in(&client, "oidc", &short).await.expect(400, "oauth_registration_incomplete");
    let client = world.app.client().with_header(users_tests::apps::HOOK_HEADER, "unknown");
    let bob = person("bob-1", "bob@example.com");
    world.sign_in(&client, "oidc", &bob).await.expect(400, "oauth_registration_incomplete");
    assert_eq!((world.users().await, world.links().await), (1, 1));
}

#[tokio::test]
async fn a_hook_that_refuses_or_breaks_leaves_nothing_behind() {
    let world = world(Kind::Session).await;
    for step in [
        "before_register",
        "after_register",
        "before_oauth_register",
        "before_oauth_link",
        "after_oauth_link",
    ] {
        for (order, status, code) in [("veto", 403, "vetoed"), ("break", 500, "internal")] {
            let client = world.app.client();
            let client = client.with_header(users_tests::apps::HOOK_HEADER, &format!("{order}:{step}"));
            world.sign_in(&client, "oidc", &ada()).await.expect(status, code);
            world.nothing_happened(&client).await;
        }
    }
    assert_eq!(world.app.count("SELECT COUNT(*) FROM hook_notes").await, 0);
    // A login's hook refuses the login; the account stays, as it does with a password.
    let client = world.app.client().with_header(users_tests::apps::HOOK_HEADER, "veto:before_login");
    world.sign_in(&client, "oidc", &ada()).await.expect(403, "vetoed");
    assert_eq!((world.users().await, world.app.sessions().await), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_first_sign_ins_of_one_person_at_once_make_one_user() {
    let world = world(Kind::JwtCookie).await;
    let mut ways = Vec::new();
    for _ in 0..10 {
        let client = world.app.client();
        ways.push((world.way_back(&client, "oidc", &ada()).await, client));
    }
    let ends = ways.into_iter().map(|(path, client)| tokio::spawn(async move { client.get(&path).await }));
    for end in ends.collect::<Vec<_>>() {
        end.await.expect("no panic").expect(201, "");
    }
    assert_eq!((world.users().await, world.links().await), (1, 1));
}

#[tokio::test]
async fn nobody_is_registered_where_registration_through_providers_is_closed() {
    let world = world_with(Kind::Session, |config| config.with_oauth_registration(false)).await;
    let client = world.app.client();
    world.sign_in(&client, "oidc", &ada()).await.expect(400, "oauth_registration_closed");
    world.nothing_happened(&client).await;
    // Whoever links an account comes in by it.
    let member = world.app.user("grace@example.com").await;
    world.link(&member, "oidc", &ada()).await.expect(201, "");
    world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
}

#[tokio::test]
async fn providers_are_no_way_around_invitations_or_a_closed_registration() {
    for mode in [users_runtime::Registration::InviteOnly, users_runtime::Registration::Closed] {
        let world = world_with(Kind::Session, move |config| config.with_registration(mode)).await;
        let client = world.app.client();
        world.sign_in(&client, "oidc", &ada()).await.expect(400, "oauth_registration_closed");
        world.nothing_happened(&client).await;
    }
}

#[tokio::test]
async fn a_provider_that_says_no_is_told_as_that() {
    let world = world(Kind::Session).await;
    let client = world.app.client();
    let url = begin(&client, "/oauth2/oidc/authorize").await;
    let back = world.provider.deny(url.as_str()).await;
    client.get(&path_of(&back)).await.expect(400, "oauth_denied");
    world.nothing_happened(&client).await;
}
