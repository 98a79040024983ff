use std::time::Duration;

use super::*;

fn google() -> OAuthProvider {
    OAuthProvider::google("id", "secret")
}

fn plain(authorize: &str, token: &str, userinfo: &str) -> OAuthProvider {
    OAuthProvider::oauth2("plain", authorize, token, userinfo, "id", "secret")
}

/// Why the settings are refused.
fn problem(provider: OAuthProvider) -> String {
    Settings::of(provider).err().expect("a mistake").to_string()
}

#[test]
fn a_mistake_is_told_with_the_provider_and_what_to_write_instead() {
    let url = "https://login.example";
    for (provider, wanted) in [
        (google().with_name(""), "1 to 32 of `a-z`"),
        (google().with_name("Google"), "1 to 32 of `a-z`"),
        (google().with_name("goo gle"), "1 to 32 of `a-z`"),
        (google().with_name("../google"), "1 to 32 of `a-z`"),
        (google().with_name("g\u{f6}\u{f6}gle"), "1 to 32 of `a-z`"),
        (google().with_name("a".repeat(33)), "1 to 32 of `a-z`"),
        (OAuthProvider::google("", "secret"), "the client id is empty"),
        (OAuthProvider::google("id", ""), "the client secret is empty"),
        (google().with_timeout(Duration::ZERO), "a time-out of zero"),
        (google().with_scopes(["openid email"]), "give each scope by itself"),
        (google().with_scopes([""]), "give each scope by itself"),
        (google().with_allowed_scopes(["a\"b"]), "give each scope by itself"),
        (google().with_parameter("state", "mine"), "the parameter `state` is set by the library"),
        (google().with_parameter("redirect_uri", "https://evil.example"), "leave it out"),
        (google().with_tenant("common"), "`with_tenant` is for `OAuthProvider::microsoft`"),
        (google().with_issuer(url), "`with_issuer` is for `OAuthProvider::oauth2`"),
        (google().with_base_url("login.example"), "is not a URL"),
        (google().with_base_url("http://login.example"), "neither https nor http on loopback"),
        (google().with_base_url("http://192.168.0.1"), "neither https nor http on loopback"),
        (google().with_base_url("https://login.example?a=b"), "a query or a fragment"),
        (google().with_base_url("https://ada:secret@login.example"), "a user name or a password"),
        (OAuthProvider::oidc("work", url, "id", "secret").with_base_url(url), "has its addresses already"),
        (OAuthProvider::oidc("work", "http://login.example", "id", "secret"), "neither https"),
        (OAuthProvider::oidc("work", "https://login.example?a", "id", "secret"), "neither a query nor"),
        (OAuthProvider::oidc("work", "", "id", "secret"), "is not a URL"),
        (OAuthProvider::microsoft("id", "secret").with_tenant("a/b"), "is no directory"),
        (OAuthProvider::microsoft("id", "secret").with_tenant("{tenantid}"), "is no directory"),
        (OAuthProvider::microsoft("id", "secret").with_tenant(".."), "is no directory"),
        (OAuthProvider::apple("id", "team", "key", "no key"), "the contents of the `.p8` file"),
        (OAuthProvider::apple("id", "", "key", ""), "the team id is empty"),
        (OAuthProvider::apple("id", "team", "", ""), "the key id is empty"),
        (plain("http://login.example", url, url), "neither https"),
        (plain(url, "http://login.example", url), "neither https"),
        (plain(url, url, "http://login.example"), "neither https"),
        (plain(url, url, "ftp://login.example"), "neither https"),
        (plain(url, url, url).with_issuer(""), "the issuer is empty"),
    ] {
        let name = provider.name.clone();
        let found = problem(provider);
        assert!(found.starts_with(&format!("with_oauth_provider: `{name}`: ")), "{found}");
        assert!(found.contains(wanted), "{found} has no {wanted}");
        assert!(!found.contains("secret@"), "{found}");
    }
}

#[test]
fn every_preset_is_good_as_it_stands() {
    for provider in [
        google(),
        OAuthProvider::github("id", "secret"),
        OAuthProvider::gitlab("id", "secret"),
        OAuthProvider::microsoft("id", "secret"),
        OAuthProvider::microsoft("id", "secret").with_tenant("Contoso.onmicrosoft.com"),
        OAuthProvider::discord("id", "secret"),
        OAuthProvider::facebook("id", "secret"),
        OAuthProvider::oidc("work", "https://login.example/realms/staff/", "id", "secret"),
        OAuthProvider::gitlab("id", "secret").with_base_url("http://localhost:8080/gitlab/"),
    ] {
        let shown = format!("{provider:?}");
        assert!(Settings::of(provider).is_ok(), "{shown}");
    }
}

#[test]
fn openid_is_asked_for_where_it_has_to_be_and_no_scope_twice() {
    let scopes = |provider| Settings::of(provider).unwrap().scopes;
    assert_eq!(scopes(google().with_scopes(["email", "email"])), ["openid", "email"]);
    assert_eq!(scopes(google().with_scopes(["email", "openid"])), ["email", "openid"]);
    let url = "https://login.example";
    assert_eq!(scopes(plain(url, url, url)), Vec::<String>::new());
}

#[test]
fn s44_accounts_are_remembered_under_the_issuer_or_the_address_of_the_user_information() {
    let issuer = |provider| match Settings::of(provider).unwrap().source {
        Source::Fixed { issuer, .. } => issuer,
        Source::Discovered { .. } => panic!("the settings have the endpoints"),
    };
    let url = "https://login.example";
    let info = "https://api.login.example/me?fields=id";
    assert_eq!(issuer(plain(url, url, info)), "https://api.login.example/me");
    assert_eq!(issuer(plain(url, url, info).with_issuer("https://login.example/")), "https://login.example/");
    assert_eq!(issuer(OAuthProvider::github("id", "secret")), "https://github.com/login/oauth");
    // Another name is not another issuer.
    assert_eq!(
        issuer(OAuthProvider::github("id", "secret").with_name("hub")),
        "https://github.com/login/oauth"
    );
}
