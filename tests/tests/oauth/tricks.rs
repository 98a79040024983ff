//! What a provider, or whoever stands in its place, may try: 400 and no session (S44, S46, S48).

use std::time::{Duration, Instant};

use users_tests::{
    Kind,
    provider::{Endpoint, Trick},
};

use crate::support::{World, ada, world};

/// Tries one trick after the other; each is refused with this code, and nothing is left of it.
async fn refused(world: &World, provider: &str, tricks: &[Trick], code: &str) {
    for &trick in tricks {
        world.provider.trick(trick);
        let client = world.app.client();
        let began = Instant::now();
        let answer = world.sign_in(&client, provider, &ada()).await;
        let shown = (answer.status.as_u16(), answer.code());
        assert_eq!(shown, (400, code.to_owned()), "{provider} {trick:?}: {}", answer.text);
        // A provider is given two seconds here.
        assert!(began.elapsed() < Duration::from_secs(5), "{trick:?}");
        world.nothing_happened(&client).await;
    }
    world.provider.honest();
    world.sign_in(&world.app.client(), provider, &ada()).await.expect(201, "");
}

#[tokio::test]
async fn s46_an_id_token_that_is_not_what_it_has_to_be_proves_nothing() {
    let tricks = [
        Trick::WrongNonce,
        Trick::NoNonce,
        Trick::WrongAudience,
        Trick::TwoAudiences,
        Trick::WrongParty,
        Trick::WrongIssuer,
        Trick::NoIssuer,
        Trick::Expired,
        Trick::NoExpiry,
        Trick::NotYetValid,
        Trick::IssuedInTheFuture,
        Trick::Old,
        Trick::Unsigned,
        Trick::UnsignedWithSignature,
        Trick::SignedByAnotherKey,
        Trick::UnknownKey,
        Trick::SharedPublicKey,
        Trick::SharedSecret,
        Trick::Tampered,
        Trick::KeyInHeader,
        Trick::CriticalHeader,
        Trick::NoIdToken,
        Trick::NotAnIdToken,
    ];
    refused(&world(Kind::JwtCookie).await, "oidc", &tricks, "oauth_failed").await;
}

#[tokio::test]
async fn s44_a_subject_that_is_none_is_nobody() {
    let tricks = [Trick::NoSubject, Trick::EmptySubject, Trick::LongSubject];
    refused(&world(Kind::Session).await, "plain", &tricks, "oauth_failed").await;
    let tricks = [Trick::NoSubject, Trick::EmptySubject, Trick::LongSubject, Trick::NumericSubject];
    refused(&world(Kind::Session).await, "oidc", &tricks, "oauth_failed").await;
}

#[tokio::test]
async fn s48_a_provider_that_is_broken_slow_or_elsewhere_lets_nobody_in() {
    let token = [
        Trick::Slow,
        Trick::Redirect,
        Trick::HugeBody,
        Trick::EndlessBody,
        Trick::NotJson,
        Trick::ServerError,
        Trick::NoTokens,
        Trick::Refuses,
        Trick::RefusesWith200,
        Trick::AnotherTokenType,
    ];
    refused(&world(Kind::Session).await, "oidc", &token, "oauth_failed").await;
    let userinfo =
        [Trick::UserInfoServerError, Trick::UserInfoNotJson, Trick::UserInfoRedirect, Trick::UserInfoSlow];
    let plain: Vec<_> = token.into_iter().chain(userinfo).collect();
    refused(&world(Kind::Session).await, "plain", &plain, "oauth_failed").await;
}

#[tokio::test]
async fn s43_an_answer_of_somebody_else_is_none() {
    // It says before the first answer that it names itself in each (RFC 9207).
    for trick in [Trick::AnswersAsAnother, Trick::AnswersAnonymously] {
        let world = world(Kind::Session).await;
        world.provider.trick(trick);
        let client = world.app.client();
        world.sign_in(&client, "oidc", &ada()).await.expect(400, "oauth_failed");
        world.nothing_happened(&client).await;
    }
    refused(&world(Kind::Session).await, "oidc", &[Trick::WrongState], "oauth_state_invalid").await;
    refused(&world(Kind::Session).await, "oidc", &[Trick::Denies], "oauth_denied").await;
}

#[tokio::test]
async fn s48_a_provider_that_cannot_be_found_is_503_and_found_later() {
    for trick in [
        Trick::DiscoveryServerError,
        Trick::DiscoverySlow,
        Trick::DiscoveryOfAnother,
        Trick::DiscoveryRedirect,
        Trick::DiscoveryOfInsecureEndpoints,
    ] {
        let world = world(Kind::Session).await;
        world.provider.trick(trick);
        let client = world.app.client();
        let answer = client.get("/oauth2/oidc/authorize").await.expect(503, "unavailable");
        assert!(answer.headers.get("set-cookie").is_none() && answer.headers.contains_key("retry-after"));
        assert!(!answer.text.contains(world.provider.base()), "{}", answer.text);
        world.provider.honest();
        world.sign_in(&client, "oidc", &ada()).await.expect(201, "");
    }
    for trick in [Trick::KeySetServerError, Trick::NoKeys] {
        let world = world(Kind::Session).await;
        refused(&world, "oidc", &[trick], "oauth_failed").await;
    }
}

#[tokio::test]
async fn s46_a_key_that_is_new_is_fetched_once() {
    let world = world(Kind::Session).await;
    world.sign_in(&world.app.client(), "oidc", &ada()).await.expect(201, "");
    let before = world.provider.asked(Endpoint::KeySet);
    world.sign_in(&world.app.client(), "oidc", &ada()).await.expect(201, "");
    assert_eq!(world.provider.asked(Endpoint::KeySet), before, "keys are kept");
    world.provider.rotate_keys();
    for _ in 0..2 {
        world.sign_in(&world.app.client(), "oidc", &ada()).await.expect(201, "");
    }
    assert_eq!(world.provider.asked(Endpoint::KeySet), before + 1);
}
