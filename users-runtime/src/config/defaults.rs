//! The table of defaults in `SECURITY.md`, written from what the code says.

#![cfg(test)]

use std::{fmt::Write, fs, path::Path, time::Duration};

use super::Config;
use crate::{
    SECRET_KEY_MIN_BYTES,
    auth::cookie,
    db::{ANSWER, PATIENCE},
    oauth::OAuthProvider,
    password::PasswordPolicy,
    secret::SecretKey,
};

const START: &str = "<!-- defaults: written by `UPDATE=1 cargo test -p users-runtime --lib defaults` -->\n";
const END: &str = "<!-- end of defaults -->";

/// A time as people say it.
fn span(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(24 * 3600, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let seconds = time.as_secs();
    let fits = |(length, _): &&(u64, &str)| seconds >= *length && seconds.is_multiple_of(*length);
    let (length, name) = UNITS.iter().find(fits).copied().unwrap_or((1, "second"));
    let count = seconds / length;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn none_or<T>(values: &[T]) -> String {
    assert!(values.is_empty(), "a default that has to be listed");
    "none".to_owned()
}

/// What is set, to what, and by what it is changed.
fn rows(config: &Config) -> Vec<(&'static str, String, &'static str)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cost = config.argon2;
    let provider = OAuthProvider::google("id", "secret");
    let cookie = match cookie::give(config, "name", "value", None).unwrap().to_str() {
        Ok(cookie) => cookie.replace("; ", "`, `"),
        Err(error) => panic!("{error}"),
    };
    vec![
        ("secret key", format!("required; {SECRET_KEY_MIN_BYTES} bytes or more"), "`SECRET_KEY`"),
        (
            "password, in code points",
            format!("{} to {}", config.password_policy.min(), PasswordPolicy::MAX),
            "`with_password_policy`",
        ),
        (
            "common passwords that are refused",
            include_str!("../../data/common-passwords.txt").lines().count().to_string(),
            "",
        ),
        (
            "Argon2id, which is also the floor",
            format!("m = {} KiB, t = {}, p = {}", cost.m_kib(), cost.t(), cost.p()),
            "`with_argon2`",
        ),
        (
            "threads that hash, and passwords that wait for one",
            format!("{} and {} a core", config.hash_threads / cores, config.hash_queue / cores),
            "`with_hash_pool`",
        ),
        ("schemes of stored hashes beside it", none_or(&config.schemes), "`with_scheme`"),
        (
            "account needs a proven mailbox",
            on_off(config.require_verification),
            "`with_required_verification`",
        ),
        ("token of a verification mail", span(config.verify_lifetime), "`with_link_lifetimes`"),
        ("token of a reset mail", span(config.reset_lifetime), "`with_link_lifetimes`"),
        ("session without a request", span(config.session_idle), "`with_session_timeouts`"),
        ("session at all", span(config.session_absolute), "`with_session_timeouts`"),
        ("sessions of a user", config.max_sessions.to_string(), "`with_max_sessions`"),
        ("remember-me", on_off(config.session_unremembered.is_some()), "`with_remember_me`"),
        ("JWT", span(config.token_lifetime), "`with_token_lifetime`"),
        ("difference of clocks that JWTs may show", span(config.tokens.leeway), "`with_token_leeway`"),
        ("cookie", format!("`{cookie}`"), "`with_insecure_cookies`"),
        ("other origins that may send requests", none_or(&config.trusted_origins), "`with_trusted_origin`"),
        ("body, in bytes", config.body_limit.to_string(), "`with_body_limit`"),
        (
            "administrators set passwords of others",
            on_off(config.admin_sets_passwords),
            "`with_passwords_set_by_administrators`",
        ),
        (
            "provider's account is linked by its address",
            on_off(config.oauth_linking_by_email),
            "`with_oauth_linking_by_email`",
        ),
        ("registration through providers", on_off(config.oauth_registration), "`with_oauth_registration`"),
        ("targets of redirects after a sign-in", none_or(&config.oauth_redirects), "`with_oauth_redirect`"),
        ("answer of a provider", span(provider.timeout), "`OAuthProvider::with_timeout`"),
        ("wait for a connection or a lock of the database", span(PATIENCE), ""),
        ("answer of the database to a statement", span(ANSWER), ""),
    ]
}

#[test]
fn the_defaults_in_the_policy_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SECURITY.md");
    // The package that is published has no folder above it.
    let Ok(text) = fs::read_to_string(&path) else { return };
    let (before, rest) = text.split_once(START).expect("the start of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    let mut table = "| what | default | changed by |\n| --- | --- | --- |\n".to_owned();
    for (what, default, setting) in rows(&Config::new(SecretKey::generate().unwrap())) {
        writeln!(table, "| {what} | {default} | {setting} |").unwrap();
    }
    let wanted = format!("{before}{START}{table}{END}{after}");
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        text == wanted,
        "SECURITY.md says something else; run this with UPDATE=1. It should say:\n{table}"
    );
}
