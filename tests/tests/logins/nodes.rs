//! Several nodes of one application, and a change of its secret key.

use std::time::{Duration, Instant};

use serde_json::json;
use users_tests::{Client, Kind, OTHER_PASSWORD, PASSWORD};

use crate::support::{Node, Place, Tokens, claims, each_kind, new_key, refresh, segment};

const EMAIL: &str = "ann@example.com";

/// Two nodes over one place with one key.
async fn two(kind: Kind, place: &Place) -> (Node, Node) {
    let key = new_key();
    let one = Node::start(kind, place, &key, |config| config).await;
    let other = Node::start(kind, place, &key, |config| config).await;
    (one, other)
}

/// Asserts that a client is out, and how long that took.
async fn out_at_once(client: &Client, since: Instant) {
    client.me().await.expect(401, "unauthenticated");
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
}

each_kind!(all, s21_what_one_node_begins_or_ends_the_other_knows_at_once, |kind| async move {
    let place = Place::new().await;
    let (one, other) = two(kind, &place).await;
    let id = one.verified(EMAIL).await;
    let sessions = "/users/me/sessions";

    for step in ["logout", "one session", "every session", "password", "deactivated"] {
        let here = one.logged_in(EMAIL).await;
        let there = other.take_over(&here);
        there.me().await.expect(200, "");
        // What a node has read before it must not go on believing.
        here.me().await.expect(200, "");
        let since = match step {
            "logout" => {
                there.snapshot().log_out().await.expect(201, "");
                Instant::now()
            }
            "one session" => {
                let items = there.get(sessions).await.expect(200, "").json()["items"].clone();
                let id = items[0]["id"].as_str().expect("a name").to_owned();
                let path = format!("{sessions}/{id}");
                there.send(there.request("DELETE", &path)).await.expect(204, "");
                Instant::now()
            }
            "every session" => {
                let copy = there.snapshot();
                copy.send(copy.request("DELETE", sessions)).await.expect(204, "");
                Instant::now()
            }
            "password" => {
                let changing = other.logged_in(EMAIL).await;
                let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
                changing.patch("/users/me", &body).await.expect(200, "");
                let since = Instant::now();
                out_at_once(&here, since).await;
                let body = json!({"password": PASSWORD, "current_password": OTHER_PASSWORD});
                changing.patch("/users/me", &body).await.expect(200, "");
                since
            }
            _ => {
                other.admin.set_active(id, false).await.expect("it is done");
                Instant::now()
            }
        };
        if step == "password" {
            here.me().await.expect(401, "unauthenticated");
        } else {
            out_at_once(&here, since).await;
        }
        there.me().await.expect(401, "unauthenticated");
    }
});

each_kind!(tokens, s29_a_refresh_token_is_good_once_on_all_nodes, |kind| async move {
    let place = Place::new().await;
    let (one, other) = two(kind, &place).await;
    one.verified(EMAIL).await;
    let (here, there) = (one.client(), other.client());
    let first = Tokens::for_password(&here, EMAIL).await;
    let second = Tokens::of(&refresh(&there, &first.refresh).await.expect(200, ""));
    let third = Tokens::of(&refresh(&here, &second.refresh).await.expect(200, ""));
    for tokens in [&first, &second, &third] {
        assert_eq!((tokens.status(&here).await, tokens.status(&there).await), (200, 200));
    }
    assert_eq!(refresh(&there, &second.refresh).await.status.as_u16(), 400);
    let since = Instant::now();
    out_at_once(&crate::support::bearer(&here, &third.access), since).await;
    assert_eq!(refresh(&here, &third.refresh).await.status.as_u16(), 400);

    // At once on both: one gets the next token, and the family ends on both.
    let tokens = Tokens::for_password(&here, EMAIL).await;
    let requests: Vec<_> = (0..20)
        .map(|number| {
            let client = if number % 2 == 0 { here.fresh() } else { there.fresh() };
            let token = tokens.refresh.clone();
            tokio::spawn(async move { refresh(&client, &token).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(request.await.expect("an answer"));
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    assert_eq!((tokens.status(&here).await, tokens.status(&there).await), (401, 401));
});

each_kind!(all, s30_a_new_secret_key_ends_nothing_while_the_old_one_is_known, |kind| async move {
    let place = Place::new().await;
    let (old, new) = (new_key(), new_key());
    let before = Node::start(kind, &place, &old, |config| config).await;
    before.verified(EMAIL).await;
    let client = before.logged_in(EMAIL).await;
    let tokens = if Kind::TOKENS.contains(&kind) {
        Some(Tokens::for_password(&before.client(), EMAIL).await)
    } else {
        None
    };
    let visitor = before.client();
    visitor.register("new@example.com", PASSWORD).await.expect(201, "");
    let verify = before.mailbox.token("new@example.com", 1).await;
    visitor.forgot(EMAIL).await.expect(201, "");
    let reset = before.mailbox.token(EMAIL, 2).await;

    // Without the old key nothing of it is left.
    let stranger = Node::start(kind, &place, &new, |config| config).await;
    stranger.take_over(&client).me().await.expect(401, "unauthenticated");
    if let Some(tokens) = &tokens {
        assert_eq!(tokens.status(&stranger.client()).await, 401);
        assert_eq!(refresh(&stranger.client(), &tokens.refresh).await.status.as_u16(), 400);
    }
    stranger.client().verify(&verify).await.expect(400, "token_invalid");
    stranger.client().reset(&reset, OTHER_PASSWORD).await.expect(400, "token_invalid");
    drop(stranger);

    let after = Node::start(kind, &place, &new, |config| config.with_old_secret_key(old.clone())).await;
    let kept = after.take_over(&client);
    kept.me().await.expect(200, "");
    // The other node still runs with the old key alone, and the old credential is still good there.
    client.me().await.expect(200, "");
    if let Some(tokens) = &tokens {
        assert_eq!(tokens.status(&after.client()).await, 200);
        let next = Tokens::of(&refresh(&after.client(), &tokens.refresh).await.expect(200, ""));
        assert_eq!(next.status(&after.client()).await, 200);
        assert_ne!(segment(&next.access, 0)["kid"], segment(&tokens.access, 0)["kid"], "the new key signs");
        assert_eq!(claims(&next.access)["sid"], claims(&tokens.access)["sid"]);
        assert_eq!(next.status(&before.client()).await, 401, "which the other node does not know");
    }
    after.client().verify(&verify).await.expect(201, "");
    after.client().reset(&reset, OTHER_PASSWORD).await.expect(201, "");
    kept.me().await.expect(401, "unauthenticated");

    // What is new is under the new key: with the old one gone, it is still good.
    let client = after.client();
    client.log_in(EMAIL, OTHER_PASSWORD).await.expect(201, "");
    let alone = Node::start(kind, &place, &new, |config| config).await;
    alone.take_over(&client).me().await.expect(200, "");
});

#[tokio::test]
async fn s30_a_cursor_goes_on_under_a_new_secret_key() {
    let place = Place::new().await;
    let (old, new) = (new_key(), new_key());
    let before = Node::start(Kind::Session, &place, &old, |config| config).await;
    let id = before.verified(EMAIL).await;
    before.verified("bea@example.com").await;
    before.admin.grant(id, "administrator").await.expect("it is done");
    let client = before.logged_in(EMAIL).await;
    let next = client.get("/users?limit=1").await.expect(200, "").json()["next"].clone();
    let path = format!("/users?limit=1&after={}", next.as_str().expect("a cursor"));
    let after = Node::start(Kind::Session, &place, &new, |config| config.with_old_secret_key(old)).await;
    after.take_over(&client).get(&path).await.expect(200, "");
    let alone = Node::start(Kind::Session, &place, &new, |config| config).await;
    let client = alone.logged_in(EMAIL).await;
    assert!(matches!(client.get(&path).await.status.as_u16(), 400 | 422));
}

each_kind!(all, s30_a_credential_that_is_given_anew_is_under_the_new_secret_key, |kind| async move {
    let place = Place::new().await;
    let (old, new) = (new_key(), new_key());
    let before = Node::start(kind, &place, &old, |config| config).await;
    before.verified(EMAIL).await;
    let client = before.logged_in(EMAIL).await;
    let after = Node::start(kind, &place, &new, |config| config.with_old_secret_key(old)).await;
    let kept = after.take_over(&client);
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    kept.patch("/users/me", &body).await.expect(200, "");
    let alone = Node::start(kind, &place, &new, |config| config).await;
    alone.take_over(&kept).me().await.expect(200, "");
    client.me().await.expect(401, "unauthenticated");
});
