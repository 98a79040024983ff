//! Who a provider says that somebody is, read by what that provider documents of its claims.

use serde_json::{Map, Value};

use super::{
    fault::{Fault, Place},
    provider::Kind,
};

/// Who a provider says that somebody is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OAuthIdentity {
    /// The provider's name in the settings and in the routes' paths.
    pub provider: String,
    /// Who vouches for it. Together with the subject this is who it is (S44).
    pub issuer: String,
    /// The account's identifier at the issuer: 1 to 255 characters of ASCII that never change.
    pub subject: String,
    /// The mail address, if the provider tells one. It may change, and may be somebody else's tomorrow.
    pub email: Option<String>,
    /// Whether the provider says that the address is this person's.
    pub email_verified: bool,
    /// The name that people see, if the provider tells one.
    pub name: Option<String>,
    /// All that the provider told.
    pub claims: Map<String, Value>,
}

/// The longest subject, in bytes (OpenID Connect Core 1.0, section 2).
const SUBJECT_MAX_BYTES: usize = 255;

impl OAuthIdentity {
    /// The identity in claims that the issuer vouches for.
    pub(super) fn of(
        provider: &str,
        kind: &Kind,
        issuer: String,
        claims: Map<String, Value>,
    ) -> Result<Self, Fault> {
        let email = text(&claims, "email");
        Ok(Self {
            provider: provider.to_owned(),
            issuer,
            subject: subject(kind, &claims).map_err(|problem| Place::UserInfo.invalid(problem))?,
            email_verified: email.as_deref().is_some_and(|email| vouches_for(kind, email, &claims)),
            email,
            name: name(kind, &claims),
            claims,
        })
    }
}

/// A text among the claims; an empty one counts as none.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The account's identifier (S44).
fn subject(kind: &Kind, claims: &Map<String, Value>) -> Result<String, &'static str> {
    let value = match kind {
        // <https://docs.github.com/rest/users/users#get-the-authenticated-user>,
        // <https://discord.com/developers/docs/resources/user#user-object>,
        // <https://developers.facebook.com/docs/graph-api/reference/user/>: the name changes and is given to others.
        Kind::GitHub | Kind::Discord | Kind::Facebook => claims.get("id"),
        Kind::OAuth2 { .. } => claims.get("sub").or_else(|| claims.get("id")),
        Kind::Google | Kind::GitLab | Kind::Microsoft | Kind::Apple | Kind::Oidc { .. } => claims.get("sub"),
    };
    let subject = match (value, kind) {
        (None, _) => return Err("has no subject"),
        (Some(Value::String(text)), _) => text.clone(),
        (
            Some(Value::Number(number)),
            Kind::GitHub | Kind::Discord | Kind::Facebook | Kind::OAuth2 { .. },
        ) if number.is_i64() || number.is_u64() => number.to_string(),
        (Some(_), _) => return Err("has a subject that is no text"),
    };
    if subject.is_empty() {
        return Err("has an empty subject");
    }
    if subject.len() > SUBJECT_MAX_BYTES {
        return Err("has a subject of more than 255 bytes");
    }
    // Databases compare some texts as equal that are not: with spaces at the end, with accents. OpenID Connect allows
    // ASCII alone.
    if !subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') || subject.trim() != subject {
        return Err("has a subject with other characters than ASCII, or with spaces around it");
    }
    Ok(subject)
}

/// Whether the provider says that this address is this person's.
fn vouches_for(kind: &Kind, email: &str, claims: &Map<String, Value>) -> bool {
    let says = |name: &str| claims.get(name).is_some_and(is_true);
    match kind {
        // OpenID Connect Core 1.0, section 5.1. Apple: "The value may be a string ("true" or "false") or a Boolean"
        // (<https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple>).
        // Google: <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>.
        // GitLab: <https://docs.gitlab.com/integration/openid_connect_provider/#shared-information>.
        // GitHub: the client puts in what `/user/emails` says.
        Kind::Google
        | Kind::GitLab
        | Kind::Apple
        | Kind::GitHub
        | Kind::Oidc { .. }
        | Kind::OAuth2 { .. } => says("email_verified"),
        // "verified: whether the email on this account has been verified"
        // (<https://discord.com/developers/docs/resources/user#user-object>).
        Kind::Discord => says("verified"),
        // "This claim value isn't guaranteed to be correct and is mutable", of `email`; `xms_edov` is "whether the user's
        // email domain owner has been verified", and `verified_primary_email` lists proven addresses
        // (<https://learn.microsoft.com/entra/identity-platform/optional-claims-reference>).
        Kind::Microsoft => {
            let lists = |name: &str| {
                let addresses = claims.get(name).and_then(Value::as_array);
                addresses.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(email)))
            };
            says("xms_edov") || lists("verified_primary_email") || lists("verified_secondary_email")
        }
        // It tells an address and says nothing of whether it is proven
        // (<https://developers.facebook.com/docs/graph-api/reference/user/>).
        Kind::Facebook => false,
    }
}

/// Whether a claim says yes, in the spellings that are seen: Apple writes booleans as texts, Microsoft as numbers too.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(text) => text == "true" || text == "1",
        Value::Number(number) => number.as_u64() == Some(1),
        _ => false,
    }
}

fn name(kind: &Kind, claims: &Map<String, Value>) -> Option<String> {
    let names: &[&str] = match kind {
        Kind::Discord => &["global_name", "username"],
        Kind::GitHub => &["name", "login"],
        _ => &["name"],
    };
    names.iter().find_map(|name| text(claims, name))
}

/// What GitHub says of somebody's addresses, put among the claims: the primary one, and whether it is verified
/// (<https://docs.github.com/rest/users/emails#list-email-addresses-for-the-authenticated-user>).
pub(super) fn add_github_addresses(claims: &mut Map<String, Value>, addresses: Value) {
    let primary = addresses.as_array().into_iter().flatten().find(|one| one["primary"] == true);
    if let Some(primary) = primary {
        claims.insert("email".to_owned(), primary["email"].clone());
        claims.insert("email_verified".to_owned(), primary["verified"].clone());
    }
    claims.insert("emails".to_owned(), addresses);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: &Kind, claims: Value) -> Result<OAuthIdentity, Fault> {
        let Value::Object(claims) = claims else { panic!("an object") };
        OAuthIdentity::of("provider", kind, "issuer".to_owned(), claims)
    }

    fn plain() -> Kind {
        let url = || "https://login.example".to_owned();
        Kind::OAuth2 { authorize_url: url(), token_url: url(), userinfo_url: url() }
    }

    #[test]
    fn s44_a_subject_is_a_text_of_1_to_255_bytes() {
        let kind = Kind::Oidc { issuer: String::new() };
        for good in ["a", "248289761001", &"x".repeat(255), "a b", "{\"}'\\"] {
            assert_eq!(of(&kind, json!({ "sub": good })).unwrap().subject, good);
        }
        for wrong in [
            json!({}),
            json!({ "sub": "" }),
            json!({ "sub": null }),
            json!({ "sub": " " }),
            json!({ "sub": "a " }),
            json!({ "sub": "\ta" }),
            json!({ "sub": "a\u{0}" }),
            json!({ "sub": "a\nb" }),
            json!({ "sub": "\u{e9}" }),
            json!({ "sub": "x".repeat(256) }),
            json!({ "sub": 7 }),
            json!({ "sub": true }),
            json!({ "sub": ["a"] }),
            json!({ "id": "a", "email": "ada@example.com" }),
        ] {
            assert!(of(&kind, wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn s44_numbers_become_their_digits_where_providers_number_accounts() {
        for kind in [Kind::GitHub, Kind::Facebook, Kind::Discord, plain()] {
            for (id, digits) in [
                (json!(583_231), "583231"),
                (json!(u64::MAX), "18446744073709551615"),
                (json!("80351110224678912"), "80351110224678912"),
            ] {
                assert_eq!(of(&kind, json!({ "id": id })).unwrap().subject, digits);
            }
            for wrong in [json!(1.5), json!(1e30), json!(true), json!(null), json!(""), json!({})] {
                assert!(of(&kind, json!({ "id": wrong })).is_err(), "{kind:?} {wrong}");
            }
        }
    }

    #[test]
    fn s44_of_two_identifiers_the_subject_counts_and_is_not_replaced() {
        assert_eq!(of(&plain(), json!({ "sub": "a", "id": 1 })).unwrap().subject, "a");
        for empty in [json!(""), json!(null), json!([])] {
            assert!(of(&plain(), json!({ "sub": empty, "id": 1 })).is_err());
        }
        // The numbered ones have no `sub`: whoever finds a way to set one is not somebody else.
        assert_eq!(of(&Kind::GitHub, json!({ "sub": "2", "id": 1 })).unwrap().subject, "1");
    }

    #[test]
    fn s45_an_address_is_verified_when_the_provider_says_so_in_its_own_way() {
        let oidc = Kind::Oidc { issuer: String::new() };
        let email = "ada@example.com";
        for (kind, claims, verified) in [
            (&oidc, json!({ "email_verified": true }), true),
            (&oidc, json!({ "email_verified": "true" }), true),
            (&oidc, json!({ "email_verified": false }), false),
            (&oidc, json!({ "email_verified": "false" }), false),
            (&oidc, json!({ "email_verified": "TRUE" }), false),
            (&oidc, json!({ "email_verified": ["true"] }), false),
            (&oidc, json!({ "email_verified": null }), false),
            (&oidc, json!({ "verified": true, "xms_edov": true }), false),
            (&Kind::Apple, json!({ "email_verified": "true" }), true),
            (&Kind::Discord, json!({ "verified": true }), true),
            (&Kind::Discord, json!({ "email_verified": true }), false),
            (&Kind::Facebook, json!({ "verified": true, "email_verified": true }), false),
            (&Kind::Microsoft, json!({ "email_verified": true }), false),
            (&Kind::Microsoft, json!({ "xms_edov": true }), true),
            (&Kind::Microsoft, json!({ "xms_edov": "1" }), true),
            (&Kind::Microsoft, json!({ "xms_edov": 1 }), true),
            (&Kind::Microsoft, json!({ "xms_edov": 0 }), false),
            (&Kind::Microsoft, json!({ "verified_primary_email": [email] }), true),
            (&Kind::Microsoft, json!({ "verified_primary_email": ["eve@example.com"] }), false),
            (&Kind::Microsoft, json!({ "verified_primary_email": email }), false),
        ] {
            let mut all = claims.clone();
            all["sub"] = json!("1");
            all["id"] = json!("1");
            // Without an address there is none to be verified.
            assert!(!of(kind, all.clone()).unwrap().email_verified);
            all["email"] = json!(email);
            let identity = of(kind, all).unwrap();
            assert_eq!(identity.email_verified, verified, "{kind:?} {claims}");
            assert_eq!(identity.email.as_deref(), Some(email));
        }
    }

    #[test]
    fn s45_of_githubs_addresses_the_primary_one_counts() {
        let mut claims = Map::from_iter([("email".to_owned(), json!("public@example.com"))]);
        let addresses = json!([
            { "email": "other@example.com", "primary": false, "verified": true },
            { "email": "ada@example.com", "primary": true, "verified": false },
        ]);
        add_github_addresses(&mut claims, addresses);
        claims.insert("id".to_owned(), json!(1));
        let identity = OAuthIdentity::of("github", &Kind::GitHub, "i".to_owned(), claims).unwrap();
        assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), false));
    }
}
