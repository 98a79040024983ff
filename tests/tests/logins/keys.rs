//! Keys of access tokens over HTTP, and claims of an application's own (S27, S30).

use std::collections::BTreeSet;

use axum::{Json, Router, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use users_runtime::{
    Application, Config, CurrentUser, Password, SecretKey, TokenClaims, TokenKey, Users, UsersRouter,
};
use users_tests::{
    Answer, Client, Database, Kind, PASSWORD,
    apps::{User, UserRegistration},
};

use crate::support::{Node, Place, Tokens, bearer, claims, form, new_key, refresh, segment, serve};

const EMAIL: &str = "ann@example.com";
const PATH: &str = "/.well-known/jwks.json";

// Made for these tests and published with them: they protect nothing and must never be used.

const RSA: &str = "\
-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCTzvLyrFScvxqI
k+SFYyIsa3P8ln5Ld/cf35dJ2uG/eL5/qC7SxUpVh5UKd5/+gq4YU2CBd+cUfmPB
qyHzjHM+hTXCptxmpyYcFHoY6ITRnQNA7NN053da4j8JMUnuZfzJCTrG48ZySZyo
Lq0Jri86BeHMWi1+aYdyDIPmgah2SsqsYNpSr5T6qkpIV/Es8rThwmAyfzR6Ze2X
4f277zh9bkQwh22uL3x979O5XrQDsrjbQVcr2D+yAlJreHHBgLuNbMv4HVrGj9vY
BApZIXs2na1Dm3NnZIPqE8ZQgnT/n+42LIaw2Upu4t5oMgDxpbOyVNGenhMdjFM4
Ae+who4HAgMBAAECggEALri/+w2WQWX3ES0Ok0texgPBShqYGWr2ZtDalbHmoguc
y+Vxx5YthROyfPiLTnwoY/AXFVW9abD5/4IE3WOMGjspXzo3eQtk9INUhQMa2Nd0
69TwkoeIJuZVXqaB5CXA3htYxP3DAOVb6521fNXef8zULzBiKQ9ajSZ/myFpCtrm
KpgNy3Mv3W3cz2AAmUMJCr0ME1STpR4l5eQdvC00Chldivqh/4hAlDWY5LmsOtcm
+JYjHxl8H5SCs8M6vq5ZShvMXOt9uUS5mNaMnE6IH/ZrnhAbl4DokSY5LR0T+iND
nQwoju6GMgugeHB4L0yFIyaRiGqj5w4B5SgGBlxBgQKBgQDQOgQ7CIFKetWSQ943
tXGFo5cMnRGfsqqOhb8RRQbkTeMheEQZYEomLGTu8yg4H5TFCbFghjFYUhvuW80I
pahq6qZsB2OBevZzRQKEqj/PloWosJ4K3tyXxzZpEuDXfIbeiaCyYRO/nDb8i/yx
2AUIaNrZaHKczHPUzV6CzAQhsQKBgQC1uFPq7KV55T2hwi3mCZNyAFr99zF8idKq
TazWz3NTDrRQyN6T/kj8y1yQUYZ//MpX3nMy1of4UOorNn98Q594a/FykRR4su2N
lArMFg2oev1UpTurkNQ9961v+6nOp9WEhgrxyIqbeVQDbC/2eWo9p4vONVPLHk6b
vTZ9q2OhNwKBgB7xcC2Bnwz9Yf2BXmVy7jLI06qJMNRFjbjuQS2Ez3hf5q/TmnMW
7w3rLPihY8mrT8VUImrQpkaUtRffxoFRdMymoCKPmobkSflpOO2UCzWDDcu6q1G8
OpXHgdttdcIv/C7XzuyTJocj5Lv05ZFcI6tTQaprLhUFAPWPq0rOnJKRAoGATm/B
ySVcR8ErWSb3qNN5UTvWCskoExlqVRgyAoaIwNEYA8awTDD2UCd3TNPjulri/AqI
rujqx8QlT4G2hWyq6M+u6ES3EWIqJ3I/NthODOsJbf/kQanB8v11X2DBavIGt60k
DDkDmxhDqzaHfVvq/7HSJq/d+06Zn5+MZbIUzwECgYAM3Yz139S9BY9h5HGDht79
Cfrkq+BDPNeTIIzfkv823AHZpAQWSGC3fKqEUnfhD96DMg0tK0BfaIRfSMxcKy1s
+qu/OoeBTM2zPFTlyl9lz4PdkUgt/Wvh4Yulnv8pVQGR5a+3qQ0ZgPxKNpZPe/K/
Fjab3I4EdzOmPjAJKq39ew==
-----END PRIVATE KEY-----
";

const P256: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNrYLS9nf7bxUs07Q
MQBBlX5hDS5EWWRpj2mWzXe5Xm+hRANCAAQk8iXiW4XVlsVD2cA9isR1uJZEateM
Kq5XVZ8trUF6RyV2yNdTe8FXKJEc0swqAmGO96otAsyritugyRIY6cZS
-----END PRIVATE KEY-----
";

const P256_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJPIl4luF1ZbFQ9nAPYrEdbiWRGrX
jCquV1WfLa1BekcldsjXU3vBVyiRHNLMKgJhjveqLQLMq4rboMkSGOnGUg==
-----END PUBLIC KEY-----
";

const ED25519: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICcyl0akOMeK/gKx+wiPIsF3roas1U3VVBHrPFL8feVh
-----END PRIVATE KEY-----
";

/// A key of each algorithm, its name, and what its public part is made of.
fn keys() -> Vec<(&'static str, TokenKey, &'static [&'static str])> {
    let secret = |length: u8| (0..length).map(|number| number.wrapping_mul(37) ^ 0x5a).collect::<Vec<_>>();
    let key = |key: Result<TokenKey, users_runtime::Error>| key.expect("a key");
    vec![
        ("HS256", key(TokenKey::hs256(secret(32))), &[]),
        ("HS384", key(TokenKey::hs384(secret(48))), &[]),
        ("HS512", key(TokenKey::hs512(secret(64))), &[]),
        ("RS256", key(TokenKey::rs256_pem(RSA)), &["n", "e"]),
        ("PS256", key(TokenKey::ps256_pem(RSA)), &["n", "e"]),
        ("ES256", key(TokenKey::es256_pem(P256)), &["crv", "x", "y"]),
        ("EdDSA", key(TokenKey::ed25519_pem(ED25519)), &["crv", "x"]),
    ]
}

async fn jwks(client: &Client) -> Vec<Value> {
    let answer: Answer = client.fresh().get(PATH).await.expect(200, "");
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    body["keys"].as_array().cloned().unwrap_or_else(|| panic!("{body}"))
}

#[tokio::test]
async fn s27_each_algorithm_signs_and_the_others_verify_nothing_of_it() {
    let (place, secret) = (Place::new().await, new_key());
    let first = Node::start(Kind::Jwt, &place, &secret, |config| config).await;
    first.verified(EMAIL).await;
    let derived = Tokens::for_password(&first.client(), EMAIL).await;
    assert_eq!(segment(&derived.access, 0)["alg"], "HS256");
    assert!(jwks(&first.client()).await.is_empty(), "a derived key is a secret");
    drop(first);

    let mut tokens = vec![("derived", derived)];
    for (name, key, public) in keys() {
        let node =
            Node::start(Kind::Jwt, &place, &secret, |config: Config| config.with_token_key(key.clone()))
                .await;
        let client = node.client();
        let own = Tokens::for_password(&client, EMAIL).await;
        let header = segment(&own.access, 0);
        assert_eq!((&header["alg"], &header["typ"]), (&json!(name), &json!("JWT")), "{header}");
        let kid = header["kid"].as_str().expect("a name of the key");
        assert_eq!(own.status(&client).await, 200, "{name}");
        let next = Tokens::of(&refresh(&client, &own.refresh).await.expect(200, ""));
        assert_eq!(segment(&next.access, 0), header);

        let set = jwks(&client).await;
        assert_eq!(set.len(), usize::from(!public.is_empty()), "{name}");
        for jwk in &set {
            let names: BTreeSet<_> = jwk.as_object().expect("an object").keys().map(String::as_str).collect();
            let expected = ["kty", "kid", "alg", "use"].into_iter().chain(public.iter().copied());
            assert_eq!(names, expected.collect(), "{name}: no private part, and nothing else");
            assert_eq!((&jwk["kid"], &jwk["alg"], &jwk["use"]), (&json!(kid), &json!(name), &json!("sig")));
        }
        for (other, tokens) in &tokens {
            assert_eq!(tokens.status(&client).await, 401, "{other} with {name}");
        }
        // Its refresh token is not of the key, and its session goes on.
        let mut forged = next.access.clone().into_bytes();
        let last = forged.len() - 10;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII");
        bearer(&client, &forged).me().await.expect(401, "unauthenticated");
        tokens.push((name, next));
    }
}

#[tokio::test]
async fn s30_a_new_token_key_signs_and_the_old_one_verifies() {
    let (place, secret) = (Place::new().await, new_key());
    let old = TokenKey::es256_pem(P256).expect("a key");
    let new = TokenKey::ed25519_pem(ED25519).expect("a key");
    let before =
        Node::start(Kind::JwtCookie, &place, &secret, |config| config.with_token_key(old.clone())).await;
    before.verified(EMAIL).await;
    let tokens = Tokens::for_password(&before.client(), EMAIL).await;
    // The public key alone is enough to verify.
    for known in [old, TokenKey::es256_pem(P256_PUBLIC).expect("a key")] {
        let node = Node::start(Kind::JwtCookie, &place, &secret, |config| {
            config.with_token_key(new.clone()).with_old_token_key(known)
        })
        .await;
        let client = node.client();
        assert_eq!(tokens.status(&client).await, 200);
        let later = Tokens::for_password(&client, EMAIL).await;
        assert_eq!(segment(&later.access, 0)["alg"], "EdDSA");
        assert_eq!(later.status(&client).await, 200);
        let kids: Vec<_> = jwks(&client).await.iter().map(|jwk| jwk["kid"].clone()).collect();
        let named = |tokens: &Tokens| segment(&tokens.access, 0)["kid"].clone();
        assert_eq!(kids, [named(&later), named(&tokens)]);
        assert_eq!(later.status(&before.client()).await, 401, "the old node does not know the new key");
    }
    let node = Node::start(Kind::JwtCookie, &place, &secret, |config| config.with_token_key(new)).await;
    assert_eq!(tokens.status(&node.client()).await, 401, "a key that was removed verifies nothing");
    assert_eq!(jwks(&node.client()).await.len(), 1);
}

#[tokio::test]
async fn s28_a_token_says_who_issued_it_and_for_whom() {
    let (place, secret) = (Place::new().await, new_key());
    let start = |issuer: &'static str, audience: &'static str| {
        let (place, secret) = (&place, &secret);
        async move {
            Node::start(Kind::OAuth2Password, place, secret, |config| {
                config.with_token_issuer(issuer).with_token_audience(audience)
            })
            .await
        }
    };
    let node = start("https://id.example.com", "shop").await;
    node.verified(EMAIL).await;
    let tokens = Tokens::for_password(&node.client(), EMAIL).await;
    let found = claims(&tokens.access);
    assert_eq!((&found["iss"], &found["aud"]), (&json!("https://id.example.com"), &json!("shop")));
    assert_eq!(tokens.status(&node.client()).await, 200);
    for (issuer, audience) in
        [("https://id.example.com", "shops"), ("https://id.example.com/", "shop"), ("x", "shop")]
    {
        let other = start(issuer, audience).await;
        assert_eq!(tokens.status(&other.client()).await, 401, "{issuer} {audience}");
    }
}

#[tokio::test]
async fn the_keys_are_for_everybody_and_change_nothing() {
    let (place, secret) = (Place::new().await, new_key());
    let key = TokenKey::rs256_pem(RSA).expect("a key");
    let node = Node::start(Kind::JwtCookie, &place, &secret, |config| config.with_token_key(key)).await;
    let client = node.client();
    client.set_bearer(Some("garbage"));
    client.set_cookie("token", "garbage");
    client.get(PATH).await.expect(200, "");
    client.post(PATH, &json!({})).await.expect(405, "method_not_allowed");
    let text = client.get(PATH).await.text;
    // The parts of the private key, as its PEM and as a JWK would have them.
    let pem: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::prelude::BASE64_STANDARD.decode(pem).expect("base64");
    let jwk: Value = serde_json::from_str(&text).expect("JSON");
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(jwk["keys"][0]["n"].as_str().expect("n")).expect("base64url");
    assert!(der.windows(modulus.len()).any(|window| window == modulus), "it is this key's");
    for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\"", "PRIVATE"] {
        assert!(!text.contains(private), "{text}");
    }
}

/// Claims of an application's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Badge {
    plan: String,
    logins: i64,
}

impl TokenClaims<User> for Badge {
    fn of(user: &User) -> Self {
        Self { plan: format!("plan of {}", user.email), logins: user.login_count }
    }
}

/// Those of an application that says more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BiggerBadge {
    plan: String,
    logins: i64,
    seats: u8,
}

impl TokenClaims<User> for BiggerBadge {
    fn of(user: &User) -> Self {
        let Badge { plan, logins } = Badge::of(user);
        Self { plan, logins, seats: 3 }
    }
}

/// Claims that take the name of one that has a meaning.
#[derive(Debug, Serialize, Deserialize)]
pub struct Impostor {
    sub: String,
}

impl TokenClaims<User> for Impostor {
    fn of(_: &User) -> Self {
        Self { sub: "somebody else".to_owned() }
    }
}

/// With claims.
#[users_runtime::users_app(auth = "jwt", user = User, claims = super::Badge, routes(auth, current_user, tokens, docs))]
pub mod badges {
    use users_tests::apps::User;
}

/// With others.
#[users_runtime::users_app(auth = "jwt", user = User, claims = super::BiggerBadge, routes(auth, current_user, tokens, docs))]
pub mod bigger {
    use users_tests::apps::User;
}

/// Without.
#[users_runtime::users_app(auth = "jwt", user = User, routes(auth, current_user, tokens, docs))]
pub mod plain {
    use users_tests::apps::User;
}

/// With some that cannot be.
#[users_runtime::users_app(auth = "jwt", user = User, claims = super::Impostor, routes(auth, current_user, tokens, docs))]
pub mod impostors {
    use users_tests::apps::User;
}

/// A server of one of these applications.
async fn start<A>(database: &Database, key: &SecretKey) -> (Client, Users<A>)
where
    A: Application<User = User>,
    A::Auth: Default,
    A::Hooks: Default,
{
    async fn badge(user: CurrentUser<User>) -> Json<Value> {
        Json(json!({
            "badge": user.claims::<Badge>(),
            "bigger": user.claims::<BiggerBadge>(),
            "number": user.claims::<u64>(),
        }))
    }
    let config = Config::new(key.clone()).with_insecure_cookies(true).with_max_connections(4);
    let users = Users::<A>::connect(database.url(), config).await.expect("it starts");
    let own = Router::new().route("/badge", get(badge));
    let (base, _) = serve(UsersRouter::new(users.clone()).protected(own).into_router()).await;
    (Client::new(base), users)
}

#[tokio::test]
async fn claims_of_the_applications_own_are_in_the_token_and_in_the_user() {
    let (database, key) = (Database::new().await, new_key());
    let (client, users) = start::<badges::App>(&database, &key).await;
    let registration = UserRegistration {
        email: EMAIL.to_owned(),
        password: Password::new(PASSWORD),
        display_name: None,
        age: None,
    };
    users.create_user(registration).await.expect("it is made");
    let mut tokens = Tokens::for_password(&client, EMAIL).await;
    let badge = json!({"plan": format!("plan of {EMAIL}"), "logins": 0});
    for _ in 0..2 {
        let found = claims(&tokens.access);
        assert_eq!((&found["plan"], &found["logins"]), (&badge["plan"], &badge["logins"]), "{found}");
        let shown = bearer(&client, &tokens.access).get("/badge").await.expect(200, "").json();
        assert_eq!(shown, json!({"badge": badge, "bigger": null, "number": null}));
        tokens = Tokens::of(&refresh(&client, &tokens.refresh).await.expect(200, ""));
    }
    // They say what was so when the token was issued; the next token says what is so now.
    let store = database.store().await;
    store.execute("UPDATE users SET login_count = 5").await;
    let shown = bearer(&client, &tokens.access).get("/badge").await.expect(200, "").json();
    assert_eq!(shown["badge"]["logins"], 0);
    let next = Tokens::of(&refresh(&client, &tokens.refresh).await.expect(200, ""));
    assert_eq!(claims(&next.access)["logins"], 5);

    // The same key, and other claims: none missing, none too many, none of another type.
    let (bigger, _) = start::<bigger::App>(&database, &key).await;
    let (plain, _) = start::<plain::App>(&database, &key).await;
    assert_eq!(next.status(&bigger).await, 401, "one is missing");
    assert_eq!(next.status(&plain).await, 401, "two are unknown");
    assert_eq!(Tokens::for_password(&bigger, EMAIL).await.status(&client).await, 401, "one is unknown");
    assert_eq!(Tokens::for_password(&plain, EMAIL).await.status(&client).await, 401, "both are missing");
    assert_eq!(next.status(&client).await, 200);
}

#[tokio::test]
async fn a_claim_with_a_name_that_is_taken_is_a_defect_of_the_application() {
    let (database, key) = (Database::new().await, new_key());
    let (client, users) = start::<impostors::App>(&database, &key).await;
    let registration = UserRegistration {
        email: EMAIL.to_owned(),
        password: Password::new(PASSWORD),
        display_name: None,
        age: None,
    };
    users.create_user(registration).await.expect("it is made");
    let fields = [("grant_type", "password"), ("username", EMAIL), ("password", PASSWORD)];
    let answer = form(&client, "/token", &fields).await.expect(500, "internal");
    assert!(!answer.text.contains("sub"), "{}", answer.text);
    client.log_in(EMAIL, PASSWORD).await.expect(500, "internal");
    assert_eq!(client.bearer(), None);
    let store = database.store().await;
    assert_eq!(store.count("SELECT COUNT(*) FROM users_sessions").await, 0, "and leaves nothing behind");
}
