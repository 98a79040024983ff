//! S28: every kind of token in every place that takes one; each works in its own alone.

use serde_json::json;
use users_tests::{Client, Kind, OTHER_PASSWORD, PASSWORD};

use crate::support::{Node, Place, Tokens, form, new_key};

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Session,
    SealedCookie,
    Access,
    Refresh,
    Verify,
    Reset,
    ChangeIdentifier,
    Cursor,
}

const PURPOSES: [Purpose; 8] = [
    Purpose::Session,
    Purpose::SealedCookie,
    Purpose::Access,
    Purpose::Refresh,
    Purpose::Verify,
    Purpose::Reset,
    Purpose::ChangeIdentifier,
    Purpose::Cursor,
];

/// Where a secret is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Bearer,
    Cookie(&'static str),
    Verify,
    VerifyQuery,
    Reset,
    Refresh,
    RefreshForm,
    RefreshCookie,
    Grant,
    After,
}

const PLACES: [Spot; 12] = [
    Spot::Bearer,
    Spot::Cookie("session"),
    Spot::Cookie("session-1"),
    Spot::Cookie("token"),
    Spot::Cookie("refresh"),
    Spot::Verify,
    Spot::VerifyQuery,
    Spot::Reset,
    Spot::Refresh,
    Spot::RefreshForm,
    Spot::RefreshCookie,
    Spot::After,
];

/// The application with this backend has the group `tokens`.
fn has_tokens(kind: Kind) -> bool {
    Kind::TOKENS.contains(&kind)
}

/// Whether a secret does its work there.
fn belongs(kind: Kind, purpose: Purpose, spot: Spot) -> bool {
    match purpose {
        Purpose::Session => kind == Kind::Session && spot == Spot::Cookie("session"),
        Purpose::SealedCookie => kind == Kind::SessionCookie && spot == Spot::Cookie("session"),
        Purpose::Access => {
            (has_tokens(kind) && spot == Spot::Bearer)
                || (kind == Kind::JwtCookie && spot == Spot::Cookie("token"))
        }
        Purpose::Refresh => {
            (has_tokens(kind) && matches!(spot, Spot::Refresh | Spot::RefreshForm | Spot::Grant))
                || (kind == Kind::JwtCookie && spot == Spot::RefreshCookie)
        }
        Purpose::Verify | Purpose::ChangeIdentifier => matches!(spot, Spot::Verify | Spot::VerifyQuery),
        Purpose::Reset => spot == Spot::Reset,
        Purpose::Cursor => spot == Spot::After,
    }
}

/// Every backend over one database with one key, and somebody who may list users.
struct World {
    nodes: Vec<Node>,
    clerks: Vec<Client>,
    number: u32,
}

impl World {
    async fn new(place: &Place) -> Self {
        let key = new_key();
        let mut nodes = Vec::new();
        for kind in Kind::ALL {
            nodes.push(Node::start(kind, place, &key, |config| config).await);
        }
        let mut world = Self { nodes, clerks: Vec::new(), number: 0 };
        let clerk = world.person().await;
        let node = &world.nodes[0];
        let admin = node.client();
        admin.log_in(&clerk, PASSWORD).await.expect(201, "");
        let id = admin.me().await.json()["id"].as_str().expect("a key").parse().expect("a UUID");
        node.admin.grant(id, "administrator").await.expect("it is done");
        for node in &world.nodes {
            world.clerks.push(node.logged_in(&clerk).await);
        }
        world
    }

    fn node(&self, kind: Kind) -> &Node {
        self.nodes.iter().find(|node| node.kind == kind).expect("each has one")
    }

    /// Somebody new, whose mailbox is proven.
    async fn person(&mut self) -> String {
        self.number += 1;
        let email = format!("person-{}@example.com", self.number);
        self.nodes[0].client().register(&email, PASSWORD).await.expect(201, "");
        let token = self.mail(&email, &[]).await;
        self.nodes[0].client().verify(&token).await.expect(201, "");
        email
    }

    /// The tokens of the mails to an address.
    fn mails(&self, to: &str) -> Vec<String> {
        let mails = self.nodes[0].mailbox.mails();
        let token = |text: &str| text.lines().find_map(|line| line.strip_prefix("token=")).map(str::to_owned);
        mails.iter().filter(|mail| mail.to == to).filter_map(|mail| token(&mail.text)).collect()
    }

    /// The token of a mail beside those that came before.
    async fn mail(&self, to: &str, before: &[String]) -> String {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            if let Some(token) = self.mails(to).into_iter().find(|token| !before.contains(token)) {
                return token;
            }
            assert!(std::time::Instant::now() < end, "no mail to {to}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// A fresh secret that is good for its purpose.
    async fn secret(&mut self, purpose: Purpose) -> String {
        match purpose {
            Purpose::Verify => {
                self.number += 1;
                let email = format!("person-{}@example.com", self.number);
                self.nodes[0].client().register(&email, PASSWORD).await.expect(201, "");
                return self.mail(&email, &[]).await;
            }
            Purpose::Cursor => {
                let answer = self.clerks[0].get("/users?limit=1").await.expect(200, "");
                return answer.json()["next"].as_str().expect("a cursor").to_owned();
            }
            _ => {}
        }
        let email = self.person().await;
        let cookie = |client: &Client, name: &str| client.cookies()[name].clone();
        match purpose {
            Purpose::Session => cookie(&self.node(Kind::Session).logged_in(&email).await, "session"),
            Purpose::SealedCookie => {
                cookie(&self.node(Kind::SessionCookie).logged_in(&email).await, "session")
            }
            Purpose::Access => Tokens::for_password(&self.node(Kind::Jwt).client(), &email).await.access,
            Purpose::Refresh => Tokens::for_password(&self.node(Kind::Jwt).client(), &email).await.refresh,
            Purpose::Reset => {
                let before = self.mails(&email);
                self.nodes[0].client().forgot(&email).await.expect(201, "");
                self.mail(&email, &before).await
            }
            _ => {
                let client = self.nodes[0].logged_in(&email).await;
                let new = format!("new-{email}");
                let body = json!({"email": new, "current_password": PASSWORD});
                client.patch("/users/me", &body).await.expect(200, "");
                self.mail(&new, &[]).await
            }
        }
    }

    /// Shows a secret somewhere; the status.
    async fn show(&self, number: usize, secret: &str, spot: Spot) -> u16 {
        let client = self.nodes[number].client();
        let answer = match spot {
            Spot::Bearer => {
                client.set_bearer(Some(secret));
                client.get("/private").await
            }
            Spot::Cookie(name) => {
                // Pieces of a sealed cookie come behind a first one.
                client.set_cookie(name, secret);
                client.get("/private").await
            }
            Spot::Verify => client.verify(secret).await,
            Spot::VerifyQuery => {
                client.send(client.request("POST", &format!("/verify?token={secret}"))).await
            }
            Spot::Reset => client.reset(secret, OTHER_PASSWORD).await,
            Spot::Refresh => client.post("/token/refresh", &json!({ "refresh_token": secret })).await,
            Spot::RefreshForm => form(&client, "/token/refresh", &[("refresh_token", secret)]).await,
            Spot::RefreshCookie => {
                client.set_cookie("refresh", secret);
                client.send(client.request("POST", "/token/refresh")).await
            }
            Spot::Grant => {
                let fields = [("grant_type", "refresh_token"), ("refresh_token", secret)];
                form(&client, "/token", &fields).await
            }
            Spot::After => self.clerks[number].get(&format!("/users?limit=1&after={secret}")).await,
        };
        let status = answer.status.as_u16();
        assert!(status < 500, "{spot:?}: {}", answer.text);
        if status >= 400 {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
        status
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s28_no_kind_of_secret_does_the_work_of_another() {
    let place = Place::new().await;
    let mut world = World::new(&place).await;
    let spots: Vec<Spot> = PLACES.into_iter().chain([Spot::Grant]).collect();
    for purpose in PURPOSES {
        // What is refused everywhere must not have been worthless: it does its work afterwards.
        let secret = world.secret(purpose).await;
        let mut worked = 0;
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            for spot in &spots {
                if belongs(kind, purpose, *spot) {
                    worked += 1;
                    continue;
                }
                let status = world.show(number, &secret, *spot).await;
                let refused = (400..500).contains(&status);
                assert!(refused, "{purpose:?} at {spot:?} with {kind:?}: {status}");
                if matches!(spot, Spot::Bearer | Spot::Cookie(_)) {
                    assert_eq!(status, 401, "{purpose:?} at {spot:?} with {kind:?}");
                }
            }
        }
        assert!(worked > 0, "{purpose:?} has no place");
        let mut first = Some(secret);
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            for spot in &spots {
                if belongs(kind, purpose, *spot) {
                    // Some secrets are good once.
                    let secret = match first.take() {
                        Some(secret) => secret,
                        None => world.secret(purpose).await,
                    };
                    let status = world.show(number, &secret, *spot).await;
                    assert!((200..300).contains(&status), "{purpose:?} at {spot:?} with {kind:?}: {status}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s28_a_secret_between_the_others_is_no_secret_of_theirs() {
    // A browser may carry every cookie there is; each backend reads its own, and none of the others'.
    let place = Place::new().await;
    let mut world = World::new(&place).await;
    let session = world.secret(Purpose::Session).await;
    let access = world.secret(Purpose::Access).await;
    let refresh = world.secret(Purpose::Refresh).await;
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let client = world.nodes[number].client();
        client.set_cookie("session", &session);
        client.set_cookie("token", &refresh);
        client.set_cookie("refresh", &access);
        let expected = if kind == Kind::Session { 200 } else { 401 };
        assert_eq!(client.get("/private").await.status.as_u16(), expected, "{kind:?}");
    }
}
