//! Signed tokens, refresh tokens, and bytes that are neither.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    clock,
    conformance::{
        Finding, Stop,
        client::{Client, Credential},
        ensure,
        forge::Jwt,
        site::Site,
    },
};

/// Somebody's access token, if the application's credential is a JWT: in parts, and the client that has it.
async fn jwt(site: &Site) -> Result<(Jwt, Client), Stop> {
    let (_, client) = site.user("ada").await?;
    let token = client.credential().secrets().into_iter().find_map(|secret| Jwt::parse(&secret));
    let token = token.ok_or_else(|| Stop::not_applicable("a login gives no JWT"))?;
    Ok((token, client))
}

/// Shows texts everywhere where the client has its own token, and in `Authorization`; all have to be refused.
async fn refused(site: &Site, client: &Client, texts: impl IntoIterator<Item = String>) -> Finding {
    for text in texts {
        let cookies = client.credential().cookies.into_keys();
        let cookies: std::collections::BTreeMap<_, _> = cookies.map(|name| (name, text.clone())).collect();
        let shown: String = text.chars().take(120).collect();
        if !cookies.is_empty() {
            let credential = Credential { cookies, bearer: None };
            site.keeps_out(&client.with(credential), &format!("to the token {shown} in a cookie")).await?;
        }
        site.keeps_out(&client.with_bearer(&*text), &format!("to the token {shown}")).await?;
    }
    // What is right is still good, so that the others were refused for what they are.
    site.lets_in(client).await
}

pub(in crate::conformance) async fn s27_v9_1_1_a_token_with_another_payload_is_refused(
    site: Site,
) -> Finding {
    let (token, client) = jwt(&site).await?;
    let other = site.person("ben").await?;
    let mut texts = Vec::new();
    for (claim, value) in [
        ("sub", json!(other.id)),
        ("exp", json!(token.number("exp")? + 1)),
        ("iat", json!(0)),
        ("nbf", json!(0)),
        ("iss", json!("https://evil.example")),
        ("aud", json!("https://evil.example")),
        ("sid", json!("018f0000-0000-7000-8000-000000000000")),
        ("purpose", json!("verify")),
        ("roles", json!(["administrator"])),
    ] {
        let mut claims = token.claims.clone();
        claims[claim] = value;
        texts.push(token.with_claims(&claims));
    }
    for claim in token.claims.as_object().into_iter().flat_map(serde_json::Map::keys) {
        let mut claims = token.claims.clone();
        if let Some(claims) = claims.as_object_mut() {
            claims.remove(claim);
        }
        texts.push(token.with_claims(&claims));
    }
    refused(&site, &client, texts).await
}

pub(in crate::conformance) async fn s27_v9_1_1_a_token_with_another_signature_is_refused(
    site: Site,
) -> Finding {
    let (token, client) = jwt(&site).await?;
    let mut texts: Vec<_> = (0..token.signature.len())
        .map(|at| {
            let mut flipped = token.signature.clone();
            flipped[at] ^= 1;
            token.with_signature(&flipped)
        })
        .collect();
    let half = token.signature.len() / 2;
    texts.extend(
        [&[][..], &token.signature[..half], &vec![0; token.signature.len()]]
            .map(|it| token.with_signature(it)),
    );
    refused(&site, &client, texts).await
}

pub(in crate::conformance) async fn s27_v9_1_1_a_token_with_an_unknown_critical_header_is_refused(
    site: Site,
) -> Finding {
    let (token, client) = jwt(&site).await?;
    let texts = [json!(["exp"]), json!(["b64"]), json!([])].map(|crit| token.with_member("crit", crit));
    refused(&site, &client, texts.into_iter().flatten()).await
}

pub(in crate::conformance) async fn s27_v9_1_2_a_token_without_a_signature_is_refused(site: Site) -> Finding {
    let (token, client) = jwt(&site).await?;
    let mut texts = Vec::new();
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        texts.extend(token.with_member("alg", json!(algorithm)));
        texts.extend(token.with_header(&json!({"typ": "JWT", "alg": algorithm})));
    }
    texts.extend(token.with_header(&json!({"typ": "JWT"})));
    refused(&site, &client, texts).await
}

pub(in crate::conformance) async fn s27_v9_1_2_a_token_of_another_algorithm_is_refused(
    site: Site,
) -> Finding {
    let (token, client) = jwt(&site).await?;
    let algorithms =
        ["HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "dir", "hs256"];
    let others = algorithms.into_iter().filter(|algorithm| token.header["alg"] != *algorithm);
    let texts: Vec<_> = others.flat_map(|algorithm| token.with_member("alg", json!(algorithm))).collect();
    refused(&site, &client, texts).await
}

pub(in crate::conformance) async fn s27_v9_1_3_a_token_that_brings_its_key_is_refused(site: Site) -> Finding {
    let (token, client) = jwt(&site).await?;
    let key = json!({"kty": "oct", "k": "AAAA", "alg": token.header["alg"]});
    let mut texts = Vec::new();
    for (member, value) in [
        ("jwk", key),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AAAA"])),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' UNION SELECT 'key' --")),
        ("kid", json!("")),
    ] {
        texts.extend(token.with_member(member, value));
    }
    refused(&site, &client, texts).await
}

pub(in crate::conformance) async fn s28_v9_2_1_a_token_says_when_it_ends(site: Site) -> Finding {
    let (token, _) = jwt(&site).await?;
    let now = clock::now() / 1000;
    let (issued, begins, ends) = (token.number("iat")?, token.number("nbf")?, token.number("exp")?);
    let lifetime = i64::try_from(site.config().token_lifetime.as_secs()).unwrap_or(i64::MAX);
    ensure!(
        issued <= now && begins <= now && now < ends && ends - issued <= lifetime,
        "a token of {lifetime} seconds is issued at {issued} and ends at {ends}"
    );
    Ok(())
}

pub(in crate::conformance) async fn s28_v9_2_2_a_token_says_what_it_is_for(site: Site) -> Finding {
    let (token, _) = jwt(&site).await?;
    for claim in ["iss", "aud", "sub", "purpose"] {
        ensure!(!token.claims[claim].is_null(), "a token has no `{claim}`: {}", token.claims);
    }
    let text = token.claims.to_string();
    ensure!(!text.contains(&site.identifier("ada")), "whoever holds a token reads the identifier: {text}");
    Ok(())
}

pub(in crate::conformance) async fn s28_v9_2_2_the_token_of_a_mail_is_no_credential(site: Site) -> Finding {
    let forgot = site.password_reset()?.forgot;
    let (person, client) = site.user("ada").await?;
    site.client().post(forgot, &site.naming(&person.identifier)).await?.success()?;
    let token = site.mailbox().token(person.address()?).await?;
    refused(&site, &client, [token]).await
}

pub(in crate::conformance) async fn s28_v9_2_2_a_credential_is_no_token_of_a_mail(site: Site) -> Finding {
    let (_, client) = site.user("ada").await?;
    let mut asked = 0;
    for secret in client.credential().secrets() {
        if let Ok(paths) = site.verify() {
            site.client().post(paths.path, &json!({ "token": secret })).await?.refused()?;
            asked += 1;
        }
        if let Ok(paths) = site.password_reset() {
            let body = json!({"token": secret, "password": site.other_password()});
            site.client().post(paths.reset, &body).await?.refused()?;
            asked += 1;
        }
    }
    if asked == 0 {
        return Err(Stop::not_applicable("no route takes the token of a mail"));
    }
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s29_v10_4_5_a_refresh_token_is_good_once(site: Site) -> Finding {
    let person = site.person("ada").await?;
    let first = site.issue_tokens(&person).await?;
    let second = site.refreshed(&first.refresh).await?;
    ensure!(first.refresh != second.refresh, "a refresh token stays what it was");
    site.lets_in(&site.client().with_bearer(second.access)).await?;
    site.refresh(&first.refresh).await?.refused().map(drop)
}

pub(in crate::conformance) async fn s29_v10_4_5_a_refresh_token_that_comes_twice_ends_its_session(
    site: Site,
) -> Finding {
    let person = site.person("ada").await?;
    let (first, bystander) = (site.issue_tokens(&person).await?, site.issue_tokens(&person).await?);
    let second = site.refreshed(&first.refresh).await?;
    site.refresh(&first.refresh).await?.refused()?;
    site.refresh(&second.refresh).await?.refused()?;
    site.keeps_out(&site.client().with_bearer(second.access), "after a refresh token came twice").await?;
    // One of the two who had it is a thief; another login is nobody's but its owner's.
    site.refreshed(&bystander.refresh).await.map(drop)
}

pub(in crate::conformance) async fn s29_v10_4_5_of_twenty_uses_of_a_refresh_token_at_once_one_succeeds(
    site: Site,
) -> Finding {
    let person = site.person("ada").await?;
    let tokens = site.issue_tokens(&person).await?;
    let body = json!({ "refresh_token": tokens.refresh });
    let answers = site.at_once("POST", site.tokens()?.refresh, &vec![body; 20]).await?;
    let succeeded = answers.iter().filter(|answer| answer.succeeded()).count();
    ensure!(succeeded == 1, "{succeeded} of twenty uses of one refresh token succeeded");
    Ok(())
}

/// Texts that somebody might try.
const TEXTS: [&str; 27] = [
    "",
    " ",
    "junk",
    "null",
    "true",
    "0",
    "-1",
    "a.b.c",
    "...",
    "e30.e30.e30",
    "eyJhbGciOiJub25lIn0.e30.",
    "==",
    "' OR 1=1 --",
    "'; DROP TABLE users_sessions; --",
    "\"",
    "\\",
    "%00",
    "%ff%fe",
    "{}",
    "[]",
    "../../etc/passwd",
    "session:*",
    "${jndi:ldap://x}",
    "1.AAAA",
    "18446744073709551616.",
    "Bearer x",
    "\t\t",
];

/// Bytes that are no text.
const BYTES: [&[u8]; 5] = [b"\xff\xfe\xfd", b"\x80", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\xae"];

/// What is no credential: texts, bytes, and pieces of one that is.
fn hostile(real: &str) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    values.extend(BYTES.map(<[u8]>::to_vec));
    values.extend(
        [16, 32, 48, 300].map(|length| BASE64_URL_SAFE_NO_PAD.encode(vec![0xa5; length]).into_bytes()),
    );
    values.extend([4_096, 7_000].map(|length| b"A".repeat(length)));
    let bytes = real.as_bytes();
    values.extend([&bytes[1..], &bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2]].map(<[u8]>::to_vec));
    values.push([bytes, bytes].concat());
    values.push(bytes.iter().rev().copied().collect());
    values.retain(|value| value.trim_ascii() != bytes);
    values
}

async fn answers_401(site: &Site, name: &str, line: &[u8]) -> Finding {
    let answer = site.client().call("GET", &site.door()?).header(name, line).send().await?;
    let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
    ensure!(answer.status == 401, "{} to `{name}: {shown}`", answer.shown());
    Ok(())
}

pub(in crate::conformance) async fn s31_v16_5_3_bytes_in_authorization_that_are_no_credential_are_401(
    site: Site,
) -> Finding {
    let (_, client) = site.user("ada").await?;
    let real = client.credential().secrets().pop().unwrap_or_default();
    for value in hostile(&real) {
        answers_401(&site, "authorization", &[b"Bearer ", &*value].concat()).await?;
        answers_401(&site, "authorization", &value).await?;
    }
    for scheme in ["Basic YTpi", "Digest x", "bearer", "Bearer"] {
        answers_401(&site, "authorization", scheme.as_bytes()).await?;
    }
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s31_v16_5_3_bytes_in_a_cookie_that_are_no_credential_are_401(
    site: Site,
) -> Finding {
    let (_, client) = site.user("ada").await?;
    let credential = client.credential();
    let real = credential.secrets().pop().unwrap_or_default();
    let mut names: Vec<_> = credential.cookies.into_keys().collect();
    names.extend(["__Host-session", "__Host-token", "session"].map(str::to_owned));
    for value in hostile(&real) {
        for name in &names {
            answers_401(&site, "cookie", &[b"a=b; ", name.as_bytes(), b"=", &*value, b"; c=d"].concat())
                .await?;
        }
        answers_401(&site, "cookie", &value).await?;
    }
    site.lets_in(&client).await
}

/// What the two tokens of a response are, for those who keep them themselves.
#[derive(Debug)]
pub(in crate::conformance) struct Issued {
    pub(in crate::conformance) access: String,
    pub(in crate::conformance) refresh: String,
}

impl Issued {
    pub(in crate::conformance) fn parse(body: &Value) -> Option<Self> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Self { access: text("access_token")?, refresh: text("refresh_token")? })
    }
}
